"""The table of architectures: one row for each public function of `applications`."""

import pytest

# For each: a side of images at which it is run, and when: always ("quick"), with the
# slow tests (the smallest of its family), or by command (`pytest -m long`).
ARCHITECTURES = {
    "ConvNeXtBase": (64, "long"),
    "ConvNeXtLarge": (64, "long"),
    "ConvNeXtSmall": (64, "long"),
    "ConvNeXtTiny": (64, "slow"),
    "ConvNeXtXLarge": (64, "long"),
    "DenseNet121": (64, "slow"),
    "DenseNet169": (64, "long"),
    "DenseNet201": (64, "long"),
    "EfficientNetB0": (64, "slow"),
    "EfficientNetB1": (64, "long"),
    "EfficientNetB2": (64, "long"),
    "EfficientNetB3": (64, "long"),
    "EfficientNetB4": (64, "long"),
    "EfficientNetB5": (64, "long"),
    "EfficientNetB6": (64, "long"),
    "EfficientNetB7": (64, "long"),
    "EfficientNetV2B0": (64, "slow"),
    "EfficientNetV2B1": (64, "long"),
    "EfficientNetV2B2": (64, "long"),
    "EfficientNetV2B3": (64, "long"),
    "EfficientNetV2L": (64, "long"),
    "EfficientNetV2M": (64, "long"),
    "EfficientNetV2S": (64, "long"),
    "InceptionResNetV2": (75, "slow"),
    "InceptionV3": (75, "slow"),
    "MobileNet": (64, "quick"),
    "MobileNetV2": (64, "quick"),
    "MobileNetV3Large": (64, "long"),
    "MobileNetV3Small": (64, "slow"),
    "NASNetLarge": (64, "long"),
    "NASNetMobile": (64, "slow"),
    "ResNet101": (64, "long"),
    "ResNet101V2": (64, "long"),
    "ResNet152": (64, "long"),
    "ResNet152V2": (64, "long"),
    "ResNet50": (64, "slow"),
    "ResNet50V2": (64, "slow"),
    "VGG16": (32, "slow"),
    "VGG19": (32, "long"),
    "Xception": (75, "slow"),
}
_MARKS = {
    "quick": [],
    "slow": [pytest.mark.slow],
    "long": [pytest.mark.slow, pytest.mark.long],
}
NAMES = [
    pytest.param(name, marks=_MARKS[when]) for name, (_, when) in ARCHITECTURES.items()
]
# Arguments that change the structure.
VARIANTS = [
    ("MobileNet", {"alpha": 0.25, "depth_multiplier": 2, "dropout": 0.5}),
    ("MobileNet", {"input_shape": (75, 91, 3), "include_top": False}),
    ("MobileNetV2", {"alpha": 0.35, "input_shape": (96, 96, 3), "classes": 7}),
    ("MobileNetV2", {"alpha": 1.4, "input_shape": (75, 91, 3), "include_top": False}),
    ("MobileNetV3Small", {"minimalistic": True, "include_preprocessing": False}),
    ("MobileNetV3Small", {"alpha": 0.75, "input_shape": (75, 91, 3)}),
    ("MobileNetV3Large", {"alpha": 1.5, "dropout_rate": 0.0, "pooling": "avg"}),
    ("EfficientNetB0", {"input_shape": (75, 91, 3), "classes": 4}),
    ("EfficientNetV2B0", {"include_preprocessing": False}),
    ("ResNet50", {"classes": 10, "classifier_activation": None, "name": "mine"}),
    ("ResNet50V2", {"include_top": False, "pooling": "max"}),
]
# Namespaces with `preprocess_input` and `decode_predictions`.
NAMESPACES = (
    *("convnext", "densenet", "efficientnet", "efficientnet_v2", "imagenet_utils"),
    *("inception_resnet_v2", "inception_v3", "mobilenet", "mobilenet_v2"),
    *("mobilenet_v3", "nasnet", "resnet", "resnet50", "resnet_v2", "vgg16", "vgg19"),
    "xception",
)
