"""Inception V3: branches of convolutions of several sizes, put side by side."""

from __future__ import annotations

from typing import Any

from hornbeam import layers
from hornbeam.applications.assembly import channel_axis
from hornbeam.applications.imagenet_utils import (
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.signatures import Standard, standard

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

# A branch is a row of convolutions: filters and kernel, and strides 2 if they are
# "smaller", which then keep nothing of the border.
_SMALL_BLOCK = (((64, 1),), ((48, 1), (64, 5)), ((64, 1), (96, 3), (96, 3)))


def _middle_block(width):
    """Return branches with a 7x7 kernel in two parts."""
    tall, wide = (7, 1), (1, 7)
    return (
        ((192, 1),),
        ((width, 1), (width, wide), (192, tall)),
        ((width, 1), (width, tall), (width, wide), (width, tall), (192, wide)),
    )


_FIRST_REDUCTION = (((384, 3, "smaller"),), ((64, 1), (96, 3), (96, 3, "smaller")))
_SECOND_REDUCTION = (
    ((192, 1), (320, 3, "smaller")),
    ((192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, "smaller")),
)


def convolution(
    x: Any, filters: int, kernel: Any, smaller: str = "", padding: str = "same"
) -> Any:
    """Return a convolution of `x`, normalised and activated."""
    x = layers.Conv2D(
        filters,
        kernel,
        strides=2 if smaller else 1,
        padding="valid" if smaller else padding,  # type: ignore[arg-type]
        use_bias=False,
    )(x)
    x = layers.BatchNormalization(axis=channel_axis(), scale=False)(x)
    return layers.Activation("relu")(x)


def branched(x: Any, row: Any) -> Any:
    """Return what a row of convolutions makes of `x`."""
    for arguments in row:
        x = convolution(x, *arguments)
    return x


def side_by_side(parts: Any, name: str | None = None) -> Any:
    """Return features put side by side."""
    return layers.Concatenate(axis=channel_axis(), name=name)(parts)


def block(x: Any, branches: Any, pooled_filters: int, name: str) -> Any:
    """Return branches of `x` and a pooled one, side by side."""
    parts = [branched(x, branch) for branch in branches]
    pooled = layers.AveragePooling2D(3, 1, padding="same")(x)
    return side_by_side([*parts, convolution(pooled, pooled_filters, 1)], name)


def reduction(x: Any, branches: Any, name: str) -> Any:
    """Return branches of half the sides, side by side."""
    parts = [branched(x, branch) for branch in branches]
    return side_by_side([*parts, layers.MaxPooling2D(3, 2)(x)], name)


def _forked(x, name=None):
    """Return a 3x3 kernel in two parts that stand side by side."""
    return side_by_side([convolution(x, 384, k) for k in ((1, 3), (3, 1))], name)


def _last_block(x, name, fork_name):
    parts = [
        convolution(x, 320, 1),
        _forked(convolution(x, 384, 1), fork_name),
        _forked(branched(x, ((448, 1), (384, 3)))),
    ]
    pooled = layers.AveragePooling2D(3, 1, padding="same")(x)
    return side_by_side([*parts, convolution(pooled, 192, 1)], name)


def stem(x: Any) -> Any:
    """Return the first features, of an eighth of the sides."""
    x = convolution(x, 32, 3, "smaller")
    x = convolution(x, 32, 3, padding="valid")
    x = layers.MaxPooling2D(3, 2)(convolution(x, 64, 3))
    x = convolution(x, 80, 1, padding="valid")
    return layers.MaxPooling2D(3, 2)(convolution(x, 192, 3, padding="valid"))


def _trunk(x: Any) -> Any:
    x = stem(x)
    for i, filters in enumerate((32, 64, 64)):
        x = block(x, _SMALL_BLOCK, filters, f"mixed{i}")
    x = reduction(x, _FIRST_REDUCTION, "mixed3")
    for i, width in enumerate((128, 160, 160, 192), 4):
        x = block(x, _middle_block(width), 192, f"mixed{i}")
    x = reduction(x, _SECOND_REDUCTION, "mixed8")
    for i in range(2):
        x = _last_block(x, f"mixed{9 + i}", f"mixed9_{i}")
    return x


InceptionV3: Standard = standard(
    "InceptionV3",
    23_851_784,
    _trunk,
    paper='Szegedy et al., "Rethinking the Inception architecture for computer '
    'vision", 2016, https://arxiv.org/abs/1512.00567',
    size=299,
    least=75,
    default_name="inception_v3",
)
preprocess_input: Preprocessing = preprocessing("tf")
