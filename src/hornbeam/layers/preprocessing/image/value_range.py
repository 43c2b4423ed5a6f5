"""The range of the values of images, and values in another range."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING

from hornbeam import ops

if TYPE_CHECKING:
    from typing import Any

    from hornbeam.typing import Tensor

BYTES = (0, 255)


def value_pair(layer: Any, value: Any) -> tuple[float, float]:
    """Return the argument `value_range` of a layer: the lowest and highest value."""
    try:
        low, high = value
        good = all(isinstance(v, numbers.Real) for v in (low, high)) and low != high
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(
            f"Invalid value for argument `value_range` of {type(layer).__name__}. "
            "Expected two different numbers, such as (0, 255) or (0, 1). Received: "
            f"value_range={value!r}"
        )
    return min(low, high), max(low, high)


def mapped(x: Tensor, source: tuple[float, float], target: tuple[float, float]) -> Any:
    """Return values of the range `source` in the range `target`."""
    if tuple(source) == tuple(target):
        return x
    low, high = source
    new_low, new_high = target
    scale = (new_high - new_low) / (high - low)
    return x * scale + (new_low - low * scale)


def clipped(x: Tensor, value_range: tuple[float, float]) -> Any:
    """Return values with those outside of the range at its ends."""
    return ops.clip(x, *value_range)
