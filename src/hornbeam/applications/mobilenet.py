"""MobileNet: a depthwise convolution and a 1x1 convolution take the place of one."""

from __future__ import annotations

from typing import Any

from hornbeam import layers
from hornbeam.applications.assembly import (
    Request,
    assemble,
    channel_axis,
    image_shape,
)
from hornbeam.applications.imagenet_utils import (
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.signatures import (
    Activation,
    Pooling,
    Shape,
    Weights,
    documented,
)
from hornbeam.applications.weights_files import FOLDER
from hornbeam.core.config import image_data_format
from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.models.model import Model

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

# The number of filters and the strides of each block.
_BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1)),
)
# As the files of weights name them.
_ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
_SIZES = (128, 160, 192, 224)


def _activated(x, layer):
    """Apply a convolution, normalise, and cut at 0 and 6."""
    x = layers.BatchNormalization(axis=channel_axis(), name=f"{layer.name}_bn")(
        layer(x)
    )
    return layers.ReLU(6.0, name=f"{layer.name}_relu")(x)


def _block(x, filters, strides, depth_multiplier, number):
    if strides == 2:
        name = f"conv_pad_{number}"
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=name)(x)
    depthwise = layers.DepthwiseConv2D(
        3,
        strides,
        padding="same" if strides == 1 else "valid",
        depth_multiplier=depth_multiplier,
        use_bias=False,
        name=f"conv_dw_{number}",
    )
    pointwise = layers.Conv2D(
        filters, 1, padding="same", use_bias=False, name=f"conv_pw_{number}"
    )
    return _activated(_activated(x, depthwise), pointwise)


def image_sides(
    title: str, request: Request, sizes: tuple[int, ...]
) -> tuple[int, int | None]:
    """Return the side of images of the weights to take, and that in the model's name.

    Weights are of the given side if there are such, and else of 224. A network that
    starts at random is named after the rows that it is made for.
    """
    shape = image_shape(title, request, None, 32)
    first = image_data_format() == "channels_first"
    rows, columns = shape[1:] if first else shape[:2]
    trained = rows if rows in sizes and rows == columns else 224
    if request["weights"] == "imagenet" or (rows is None and request["include_top"]):
        return trained, trained  # type: ignore[return-value]
    return trained, rows  # type: ignore[return-value]


def MobileNet(
    input_shape: Shape = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
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
    size, rows = image_sides("MobileNet", request, _SIZES)
    request["name"] = name or f"mobilenet_{alpha:0.2f}_{rows}"
    if weights == "imagenet":
        owner = "MobileNet() with weights='imagenet'"
        check_choice(owner, "alpha", alpha, _ALPHAS)
        check_choice(owner, "depth_multiplier", depth_multiplier, (1,))

    def trunk(x: Any) -> Any:
        layer = layers.Conv2D(
            int(32 * alpha), 3, 2, padding="same", use_bias=False, name="conv1"
        )
        x = _activated(x, layer)
        for number, (filters, strides) in enumerate(_BLOCKS, 1):
            x = _block(x, int(filters * alpha), strides, depth_multiplier, number)
        return x

    def top(x: Any, classes: int, activation: Any) -> Any:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = layers.Conv2D(classes, 1, padding="same", name="conv_preds")(x)
        x = layers.Reshape((classes,), name="reshape_2")(x)
        return layers.Activation(activation, name="predictions")(x)

    file = f"mobilenet_{_ALPHAS.get(alpha)}_{size}_tf"
    return assemble(
        "MobileNet",
        trunk,
        request,
        size=size,
        top=top,
        weights_key=f"{FOLDER}/mobilenet/{file}{{}}.h5",
    )


documented(
    MobileNet,
    "MobileNet",
    4_253_864,
    'Howard et al., "MobileNets: efficient convolutional neural networks for mobile '
    'vision applications", 2017, https://arxiv.org/abs/1704.04861',
    size=224,
    says="The weights are those of the size of the images where they are square, of "
    "128, 160, 192 or 224 rows, and else those of 224.",
)
preprocess_input: Preprocessing = preprocessing("tf")
