"""What the families that were scaled have in common: rounding, padding."""

from __future__ import annotations

from typing import Any

from hornbeam import layers
from hornbeam.core.config import image_data_format


def divisible(number: float, divisor: int = 8) -> int:
    """Return the multiple of `divisor` next to `number`, at least nine tenths of it.

    >>> divisible(16 * 0.35), divisible(24 * 0.75)
    (8, 24)
    """
    rounded = max(divisor, int(number + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * number else rounded + divisor


def padding_for_strides(x: Any, kernel: int) -> tuple[tuple[int, int], ...]:
    """Return how to pad so that a kernel with strides 2 keeps images in the middle.

    As TensorFlow pads: an even side gets one row less before than after.
    """
    first = image_data_format() == "channels_first"
    sides = x.shape[2:] if first else x.shape[1:3]
    after = kernel // 2
    return tuple((after if side and side % 2 else after - 1, after) for side in sides)


def padded_for_strides(x: Any, kernel: int, name: str) -> Any:
    """Return images padded by `padding_for_strides`, by the layer `<name>_pad`."""
    padding: Any = padding_for_strides(x, kernel)
    return layers.ZeroPadding2D(padding, name=f"{name}_pad")(x)
