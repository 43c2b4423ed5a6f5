"""MobileNet V2: blocks that are thin at their ends and wide between."""

from __future__ import annotations

from typing import Any

from hornbeam import layers
from hornbeam.applications.assembly import Request, assemble, channel_axis, channels
from hornbeam.applications.imagenet_utils import (
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.mobilenet import image_sides
from hornbeam.applications.scaling import divisible, padded_for_strides
from hornbeam.applications.signatures import (
    Activation,
    Pooling,
    Shape,
    Weights,
    documented,
)
from hornbeam.applications.weights_files import FOLDER
from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.models.model import Model

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

# Of each stage: how much wider its blocks are between, filters, blocks, strides.
_STAGES = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)
_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
_SIZES = (96, 128, 160, 192, 224)


def _convolution(x, filters, name, **options):
    return layers.Conv2D(filters, use_bias=False, name=name, **options)(x)


def _normalized(x, name):
    return layers.BatchNormalization(
        axis=channel_axis(), epsilon=1e-3, momentum=0.999, name=name
    )(x)


def _block(x, expansion, filters, strides, name):
    inputs, before = x, channels(x)
    if expansion > 1:
        options = {"kernel_size": 1, "padding": "same"}
        x = _convolution(x, expansion * before, f"{name}_expand", **options)
        x = _normalized(x, f"{name}_expand_BN")
        x = layers.ReLU(6.0, name=f"{name}_expand_relu")(x)
    if strides == 2:
        x = padded_for_strides(x, 3, name)
    x = layers.DepthwiseConv2D(
        3,
        strides,
        padding="same" if strides == 1 else "valid",
        use_bias=False,
        name=f"{name}_depthwise",
    )(x)
    x = _normalized(x, f"{name}_depthwise_BN")
    x = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = _convolution(x, filters, f"{name}_project", kernel_size=1, padding="same")
    x = _normalized(x, f"{name}_project_BN")
    if before == filters and strides == 1:
        x = layers.Add(name=f"{name}_add")([inputs, x])
    return x


def _trunk(x, alpha):
    filters = divisible(32 * alpha)
    options: dict[str, Any] = {"kernel_size": 3, "strides": 2, "padding": "same"}
    x = _normalized(_convolution(x, filters, "Conv1", **options), "bn_Conv1")
    x = layers.ReLU(6.0, name="Conv1_relu")(x)
    number = 0
    for expansion, filters, blocks, strides in _STAGES:
        for i in range(blocks):
            name = f"block_{number}" if number else "expanded_conv"
            width = divisible(filters * alpha)
            x = _block(x, expansion, width, strides if i == 0 else 1, name)
            number += 1
    last = divisible(1280 * alpha) if alpha > 1 else 1280
    x = _normalized(_convolution(x, last, "Conv_1", kernel_size=1), "Conv_1_bn")
    return layers.ReLU(6.0, name="out_relu")(x)


def _top(x, classes, activation):
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(classes, activation=activation, name="predictions")(x)


def MobileNetV2(
    input_shape: Shape = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: KerasTensor | None = None,
    pooling: Pooling = None,
    classes: int = 1000,
    classifier_activation: Activation = "softmax",
    name: str | None = None,
) -> Model:
    request = Request(
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        name=name,
    )
    size, rows = image_sides("MobileNetV2", request, _SIZES)
    request["name"] = name or f"mobilenetv2_{alpha:0.2f}_{rows}"
    if weights == "imagenet":
        owner = "MobileNetV2() with weights='imagenet'"
        check_choice(owner, "alpha", alpha, _ALPHAS)
    file = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{size}"
    return assemble(
        "MobileNetV2",
        lambda x: _trunk(x, alpha),
        request,
        size=size,
        top=_top,
        weights_key=f"{FOLDER}/mobilenet_v2/{file}{{}}.h5",
    )


documented(
    MobileNetV2,
    "MobileNetV2",
    3_538_984,
    'Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", 2018, '
    "https://arxiv.org/abs/1801.04381",
    size=224,
    says="The weights are those of the size of the images where they are square, of "
    "96, 128, 160, 192 or 224 rows, and else those of 224.",
)
preprocess_input: Preprocessing = preprocessing("tf")
