"""MobileNet V3: blocks of V2 that weigh their channels, with an activation that is
cheap to compute."""

from __future__ import annotations

from typing import Any, Protocol

from hornbeam import layers
from hornbeam.applications.assembly import Request, assemble, channel_axis, channels
from hornbeam.applications.imagenet_utils import (
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.scaling import divisible, padded_for_strides
from hornbeam.applications.signatures import (
    Activation,
    Pooling,
    Shape,
    Weights,
    documented,
)
from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.models.model import Model

__all__ = ["decode_predictions", "preprocess_input"]

_RELU, _SWISH = "relu", "hard_silu"
# Of each block: how much wider it is inside, filters, kernel, strides, whether it
# weighs its channels, activation.
_SMALL = (
    *((1, 16, 3, 2, True, _RELU), (72 / 16, 24, 3, 2, False, _RELU)),
    *((88 / 24, 24, 3, 1, False, _RELU), (4, 40, 5, 2, True, _SWISH)),
    *((6, 40, 5, 1, True, _SWISH), (6, 40, 5, 1, True, _SWISH)),
    *((3, 48, 5, 1, True, _SWISH), (3, 48, 5, 1, True, _SWISH)),
    *((6, 96, 5, 2, True, _SWISH), (6, 96, 5, 1, True, _SWISH)),
    (6, 96, 5, 1, True, _SWISH),
)
_LARGE = (
    *((1, 16, 3, 1, False, _RELU), (4, 24, 3, 2, False, _RELU)),
    *((3, 24, 3, 1, False, _RELU), (3, 40, 5, 2, True, _RELU)),
    *((3, 40, 5, 1, True, _RELU), (3, 40, 5, 1, True, _RELU)),
    *((6, 80, 3, 2, False, _SWISH), (2.5, 80, 3, 1, False, _SWISH)),
    *((2.3, 80, 3, 1, False, _SWISH), (2.3, 80, 3, 1, False, _SWISH)),
    *((6, 112, 3, 1, True, _SWISH), (6, 112, 3, 1, True, _SWISH)),
    *((6, 160, 5, 2, True, _SWISH), (6, 160, 5, 1, True, _SWISH)),
    (6, 160, 5, 1, True, _SWISH),
)


def _convolution(x, filters, name, kernel=1, strides=1):
    more: dict[str, Any] = {"padding": "same", "use_bias": False}
    x = layers.Conv2D(filters, kernel, strides, name=name, **more)(x)
    return _normalized(x, f"{name}_bn")


def _normalized(x, name):
    return layers.BatchNormalization(
        axis=channel_axis(), epsilon=1e-3, momentum=0.999, name=name
    )(x)


def _active(x, activation):
    layer = layers.ReLU() if activation == _RELU else layers.Activation(activation)
    return layer(x)


def _weighed(x, name):
    """Return `x` with its channels weighed: squeeze-and-excitation."""
    name, number = f"{name}_squeeze_excite", channels(x)
    weight = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_avg_pool")(x)
    few = divisible(number / 4)
    weight = layers.Conv2D(few, 1, padding="same", name=f"{name}_conv")(weight)
    weight = layers.ReLU(name=f"{name}_relu")(weight)
    weight = layers.Conv2D(number, 1, padding="same", name=f"{name}_conv_1")(weight)
    weight = layers.ReLU(6.0)(weight + 3.0) * (1.0 / 6.0)
    return layers.Multiply(name=f"{name}_mul")([x, weight])


def _block(x, expansion, filters, kernel, strides, weighs, activation, name):
    inputs, before = x, channels(x)
    if name != "expanded_conv":
        x = _convolution(x, divisible(before * expansion), f"{name}_expand")
        x = _active(x, activation)
    if strides == 2:
        x = padded_for_strides(x, kernel, f"{name}_depthwise")
    x = layers.DepthwiseConv2D(
        kernel,
        strides,
        padding="same" if strides == 1 else "valid",
        use_bias=False,
        name=f"{name}_depthwise",
    )(x)
    x = _active(_normalized(x, f"{name}_depthwise_bn"), activation)
    x = _weighed(x, name) if weighs else x
    x = _convolution(x, filters, f"{name}_project")
    if strides == 1 and before == filters:
        x = layers.Add(name=f"{name}_add")([inputs, x])
    return x


def _trunk(x, blocks, alpha, minimalistic):
    x = _convolution(x, 16, "conv", 3, 2)
    x = _active(x, _RELU if minimalistic else _SWISH)
    for i, (expansion, filters, kernel, strides, *more) in enumerate(blocks):
        weighs, activation = (False, _RELU) if minimalistic else more
        name = f"expanded_conv_{i}" if i else "expanded_conv"
        wide, kernel = divisible(filters * alpha), 3 if minimalistic else kernel
        x = _block(x, expansion, wide, kernel, strides, weighs, activation, name)
    x = _convolution(x, divisible(channels(x) * 6), "conv_1")
    return _active(x, _RELU if minimalistic else _SWISH)


def _weights_key(title, weights, alpha, minimalistic):
    if weights != "imagenet":
        return title
    owner = f"{title}() with weights='imagenet'"
    if minimalistic:
        check_choice(f"{owner} and minimalistic=True", "alpha", alpha, (1.0,))
        return f"{title}-minimalistic"
    return f"{title}-{check_choice(owner, 'alpha', float(alpha), (0.75, 1.0))}"


class _V3(Protocol):
    """An architecture of MobileNet V3."""

    def __call__(
        self,
        input_shape: Shape = None,
        alpha: float = 1.0,
        minimalistic: bool = False,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: KerasTensor | None = None,
        classes: int = 1000,
        pooling: Pooling = None,
        dropout_rate: float = 0.2,
        classifier_activation: Activation = "softmax",
        include_preprocessing: bool = True,
        name: str = ...,
    ) -> Model: ...


def mobilenet_v3(title: str, parameters: int, blocks: Any, last: int) -> _V3:
    """Return the public function of a MobileNet V3.

    Args:
        title: its name.
        parameters: how many weights its default model has.
        blocks: its blocks, as in the table.
        last: how many filters the first convolution of the top has.
    """

    def application(
        input_shape: Shape = None,
        alpha: float = 1.0,
        minimalistic: bool = False,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: KerasTensor | None = None,
        classes: int = 1000,
        pooling: Pooling = None,
        dropout_rate: float = 0.2,
        classifier_activation: Activation = "softmax",
        include_preprocessing: bool = True,
        name: str = title,
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

        def top(x, classes, activation):
            wide = divisible(last * alpha) if alpha > 1 else last
            x = layers.GlobalAveragePooling2D(keepdims=True)(x)
            x = layers.Conv2D(wide, 1, padding="same", name="conv_2")(x)
            x = _active(x, _RELU if minimalistic else _SWISH)
            x = layers.Dropout(dropout_rate)(x) if dropout_rate > 0 else x
            x = layers.Conv2D(classes, 1, padding="same", name="logits")(x)
            x = layers.Flatten()(x)
            return layers.Activation(activation, name="predictions")(x)

        return assemble(
            title,
            lambda x: _trunk(x, blocks, alpha, minimalistic),
            request,
            size=None,
            top=top,
            before=(lambda x, _: layers.Rescaling(1 / 127.5, offset=-1.0)(x))
            if include_preprocessing
            else None,
            weights_key=_weights_key(title, weights, alpha, minimalistic),
        )

    paper = (
        'Howard et al., "Searching for MobileNetV3", 2019, '
        "https://arxiv.org/abs/1905.02244"
    )
    return documented(application, title, parameters, paper)


MobileNetV3Small: _V3 = mobilenet_v3("MobileNetV3Small", 2_554_968, _SMALL, 1024)
MobileNetV3Large: _V3 = mobilenet_v3("MobileNetV3Large", 5_507_432, _LARGE, 1280)
preprocess_input: Preprocessing = preprocessing(None)
