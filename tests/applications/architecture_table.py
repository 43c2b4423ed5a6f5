"""The table of architectures: one row for each public function of `applications`."""

# For each: a side of images at which it is run, and whether building it is slow.
ARCHITECTURES = {
    "DenseNet121": (64, True),
    "DenseNet169": (64, True),
    "DenseNet201": (64, True),
    "MobileNet": (64, False),
    "MobileNetV2": (64, False),
    "ResNet101": (64, True),
    "ResNet101V2": (64, True),
    "ResNet152": (64, True),
    "ResNet152V2": (64, True),
    "ResNet50": (64, True),
    "ResNet50V2": (64, True),
    "VGG16": (32, True),
    "VGG19": (32, True),
    "Xception": (75, True),
}
# Arguments that change the structure.
VARIANTS = [
    ("MobileNet", {"alpha": 0.25, "depth_multiplier": 2, "dropout": 0.5}),
    ("MobileNet", {"input_shape": (75, 91, 3), "include_top": False}),
    ("MobileNetV2", {"alpha": 0.35, "input_shape": (96, 96, 3), "classes": 7}),
    ("MobileNetV2", {"alpha": 1.4, "input_shape": (75, 91, 3), "include_top": False}),
    ("ResNet50", {"classes": 10, "classifier_activation": None, "name": "mine"}),
    ("ResNet50V2", {"include_top": False, "pooling": "max"}),
]
# Namespaces with `preprocess_input` and `decode_predictions`.
NAMESPACES = (
    *("densenet", "imagenet_utils", "mobilenet", "mobilenet_v2", "resnet", "resnet50"),
    *("resnet_v2", "vgg16", "vgg19", "xception"),
)
