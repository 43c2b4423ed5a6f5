"""Xception: depthwise separable convolutions, added to what went in."""

from __future__ import annotations

from typing import Any

from hornbeam import layers
from hornbeam.applications.assembly import channel_axis
from hornbeam.applications.imagenet_utils import (
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.resnet import rectified
from hornbeam.applications.signatures import Standard, standard

__all__ = ["Xception", "decode_predictions", "preprocess_input"]


def _normalized(x, name=None):
    return layers.BatchNormalization(axis=channel_axis(), name=name)(x)


def _separable(x, filters, name):
    """A depthwise 3x3 and a 1x1 convolution, normalised."""
    layer = layers.SeparableConv2D(
        filters, 3, padding="same", use_bias=False, name=name
    )
    return _normalized(layer(x), f"{name}_bn")


def _smaller(x, filters, name, active=True):
    """Two separable convolutions and pooling, beside a 1x1 convolution."""
    shortcut = layers.Conv2D(filters[1], 1, 2, padding="same", use_bias=False)(x)
    shortcut = _normalized(shortcut)
    for i, number in enumerate(filters, 1):
        if active or i > 1:
            x = rectified(x, f"{name}_sepconv{i}_act")
        x = _separable(x, number, f"{name}_sepconv{i}")
    x = layers.MaxPooling2D(3, 2, padding="same", name=f"{name}_pool")(x)
    return layers.Add()([x, shortcut])


def _trunk(x: Any) -> Any:
    for i, (filters, strides) in enumerate(((32, 2), (64, 1)), 1):
        name = f"block1_conv{i}"
        x = layers.Conv2D(filters, 3, strides, use_bias=False, name=name)(x)
        x = rectified(_normalized(x, f"{name}_bn"), f"{name}_act")
    for block, filters in enumerate((128, 256, 728), 2):
        x = _smaller(x, (filters, filters), f"block{block}", active=block > 2)
    for block in range(5, 13):
        shortcut = x
        for i in range(1, 4):
            name = f"block{block}_sepconv{i}"
            x = _separable(rectified(x, f"{name}_act"), 728, name)
        x = layers.Add()([x, shortcut])
    x = _smaller(x, (728, 1024), "block13")
    for i, filters in enumerate((1536, 2048), 1):
        name = f"block14_sepconv{i}"
        x = rectified(_separable(x, filters, name), f"{name}_act")
    return x


Xception: Standard = standard(
    "Xception",
    22_910_480,
    _trunk,
    paper='Chollet, "Xception: deep learning with depthwise separable convolutions", '
    "2017, https://arxiv.org/abs/1610.02357",
    size=299,
    least=71,
)
preprocess_input: Preprocessing = preprocessing("tf")
