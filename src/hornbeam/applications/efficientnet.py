"""EfficientNet: blocks of MobileNet V2 that weigh their channels, scaled together."""

from __future__ import annotations

import math
from collections.abc import Callable
from string import ascii_lowercase
from typing import Any

import numpy as np

from hornbeam import initializers, layers
from hornbeam.applications.assembly import channel_axis, channels
from hornbeam.applications.imagenet_utils import (
    IMAGENET_DEVIATION,
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.scaling import divisible, padded_for_strides
from hornbeam.applications.signatures import Standard, standard
from hornbeam.core.config import image_data_format

__all__ = [
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]

# Of each stage: kernel, blocks, filters, how much wider blocks are inside, strides.
_STAGES = (
    *((3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2)),
    *((5, 3, 112, 6, 1), (5, 4, 192, 6, 2), (3, 1, 320, 6, 1)),
)
_LEFT_OUT = 0.2  # how often the last block of a network is left out in training
_PAPER = (
    'Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural '
    'networks", 2019, https://arxiv.org/abs/1905.11946'
)


class Parts:
    """Layers of EfficientNets, which differ in the momentum of normalisation."""

    def __init__(self, momentum: float = 0.99):
        self._momentum = momentum

    def convolution(
        self, x: Any, filters: int, kernel: int, name: str, **more: Any
    ) -> Any:
        """Return a convolution that starts as those of the paper's program."""
        more = {"padding": "same", "use_bias": False, **more}
        layer = layers.Conv2D(
            filters, kernel, kernel_initializer=_start(), name=name, **more
        )
        return layer(x)

    def depthwise(self, x: Any, kernel: int, name: str, **more: Any) -> Any:
        """Return a convolution of each channel by itself."""
        more = {"padding": "same", "use_bias": False, **more}
        layer = layers.DepthwiseConv2D(
            kernel, depthwise_initializer=_start(), name=name, **more
        )
        return layer(x)

    def normalized(self, x: Any, name: str, activation: str | None = None) -> Any:
        """Return `x` normalised, and activated by the layer `activation`."""
        x = layers.BatchNormalization(
            axis=channel_axis(), momentum=self._momentum, name=name
        )(x)
        return layers.Activation("silu", name=activation)(x) if activation else x

    def weighed(self, x: Any, filters: int, name: str) -> Any:
        """Return `x` with its channels weighed: squeeze-and-excitation."""
        number = channels(x)
        first = image_data_format() == "channels_first"
        shape = (number, 1, 1) if first else (1, 1, number)
        weight = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
        weight = layers.Reshape(shape, name=f"{name}se_reshape")(weight)
        for part, n, activation in (
            ("reduce", filters, "silu"),
            ("expand", number, "sigmoid"),
        ):
            more = {"activation": activation, "use_bias": True}
            weight = self.convolution(weight, n, 1, f"{name}se_{part}", **more)
        return layers.Multiply(name=f"{name}se_excite")([x, weight])

    @staticmethod
    def added(x: Any, inputs: Any, rate: float, name: str) -> Any:
        """Return `inputs` and `x`, which is left out for some samples in training."""
        if rate:
            shape = (None, 1, 1, 1)
            x = layers.Dropout(rate, noise_shape=shape, name=f"{name}drop")(x)
        return layers.Add(name=f"{name}add")([x, inputs])


def _start():
    return initializers.VarianceScaling(2.0, "fan_out", "truncated_normal")


def top(dropout: float) -> Callable[[Any, int, Any], Any]:
    """Return a function from features to class scores."""

    def scores(x, classes, activation):
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dropout(dropout, name="top_dropout")(x)
        return layers.Dense(
            classes,
            activation=activation,
            kernel_initializer=initializers.VarianceScaling(
                1 / 3, "fan_out", "uniform"
            ),
            name="predictions",
        )(x)

    return scores


def _block(parts, x, kernel, filters, expansion, strides, rate, name):
    inputs, before = x, channels(x)
    if expansion > 1:
        x = parts.convolution(x, expansion * before, 1, f"{name}expand_conv")
        x = parts.normalized(x, f"{name}expand_bn", f"{name}expand_activation")
    if strides == 2:
        x = padded_for_strides(x, kernel, f"{name}dwconv")
    more = {"strides": strides, "padding": "same" if strides == 1 else "valid"}
    x = parts.depthwise(x, kernel, f"{name}dwconv", **more)
    x = parts.normalized(x, f"{name}bn", f"{name}activation")
    x = parts.weighed(x, max(1, before // 4), name)
    x = parts.convolution(x, filters, 1, f"{name}project_conv")
    x = parts.normalized(x, f"{name}project_bn")
    return parts.added(x, inputs, rate, name) if _same(before, filters, strides) else x


def _same(before, filters, strides):
    return before == filters and strides == 1


def _scaled(x, pretrained):
    x = layers.Normalization(axis=channel_axis())(layers.Rescaling(1 / 255)(x))
    if not pretrained:
        return x
    # The weights expect it: they were trained with the root of the deviations in
    # the place of the deviations.
    scale = np.array([1 / math.sqrt(deviation) for deviation in IMAGENET_DEVIATION])
    if channel_axis() == 1:
        scale = scale.reshape(3, 1, 1)
    return layers.Rescaling(scale.tolist())(x)


def efficientnet(
    title: str,
    parameters: int,
    width: float,
    depth: float,
    size: int,
    dropout: float,
) -> Standard:
    """Return the public function of an EfficientNet.

    Args:
        title: its name.
        parameters: how many weights its default model has.
        width: what the numbers of filters of B0 are multiplied by.
        depth: what the numbers of blocks of B0 are multiplied by.
        size: the side of the images that its top was trained on.
        dropout: the dropout rate of its top.
    """
    parts = Parts()
    repeats = [math.ceil(depth * blocks) for _, blocks, *_ in _STAGES]

    def trunk(x):
        x = padded_for_strides(x, 3, "stem_conv")
        more = {"strides": 2, "padding": "valid"}
        x = parts.convolution(x, divisible(32 * width), 3, "stem_conv", **more)
        x = parts.normalized(x, "stem_bn", "stem_activation")
        number = 0
        for stage, (kernel, _, filters, expansion, strides) in enumerate(_STAGES):
            for i in range(repeats[stage]):
                name = f"block{stage + 1}{ascii_lowercase[i]}_"
                rate = _LEFT_OUT * number / sum(repeats)
                step, wide = strides if i == 0 else 1, divisible(filters * width)
                x = _block(parts, x, kernel, wide, expansion, step, rate, name)
                number += 1
        x = parts.convolution(x, divisible(1280 * width), 1, "top_conv")
        return parts.normalized(x, "top_bn", "top_activation")

    return standard(
        title,
        parameters,
        trunk,
        paper=_PAPER,
        size=size,
        top=top(dropout),
        before=_scaled,
    )


EfficientNetB0: Standard = efficientnet("EfficientNetB0", 5_330_571, 1.0, 1.0, 224, 0.2)
EfficientNetB1: Standard = efficientnet("EfficientNetB1", 7_856_239, 1.0, 1.1, 240, 0.2)
EfficientNetB2: Standard = efficientnet("EfficientNetB2", 9_177_569, 1.1, 1.2, 260, 0.3)
EfficientNetB3: Standard = efficientnet(
    "EfficientNetB3", 12_320_535, 1.2, 1.4, 300, 0.3
)
EfficientNetB4: Standard = efficientnet(
    "EfficientNetB4", 19_466_823, 1.4, 1.8, 380, 0.4
)
EfficientNetB5: Standard = efficientnet(
    "EfficientNetB5", 30_562_527, 1.6, 2.2, 456, 0.4
)
EfficientNetB6: Standard = efficientnet(
    "EfficientNetB6", 43_265_143, 1.8, 2.6, 528, 0.5
)
EfficientNetB7: Standard = efficientnet(
    "EfficientNetB7", 66_658_687, 2.0, 3.1, 600, 0.5
)
preprocess_input: Preprocessing = preprocessing(None)
