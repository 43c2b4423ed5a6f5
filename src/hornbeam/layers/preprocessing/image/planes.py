"""Saturation and hue of images, as planes of red, green and blue.

They are those of the HSV model (A. R. Smith, "Color gamut transform pairs", 1978). The
planes stay apart from step to step: a compiler that makes one loop of all steps would
compute the channels before for each channel that follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from hornbeam import ops
from hornbeam.layers.preprocessing.image.value_range import mapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from hornbeam.typing import Tensor

Planes: TypeAlias = Sequence[Any]


def in_planes(
    layer: Any, images: Tensor, steps: Sequence[Callable[[Planes], Planes]]
) -> Any:
    """Return images after steps, which take and give planes of values from 0 to 1.

    Args:
        layer: what has the `data_format` and the `value_range` of the images.
        images: of rank 4.
        steps: what is done, in this order.
    """
    axis = -1 if layer.data_format == "channels_last" else -3
    if images.shape[axis] not in (3, None):
        raise ValueError(
            f"Layer {layer.path!r} ({type(layer).__name__}) expects images with 3 "
            f"channels, red, green and blue, at axis {axis}. Received: "
            f"images.shape={tuple(images.shape)}, data_format={layer.data_format!r}"
        )
    x = ops.cast(mapped(images, layer.value_range, (0, 1)), "float32")
    planes: Planes = ops.split(x, 3, axis=axis)
    for step in steps:
        planes = step(planes)
    x = ops.concatenate(planes, axis=axis)
    return ops.cast(mapped(x, (0, 1), layer.value_range), images.dtype)


def _value_and_chroma(planes):
    red, green, blue = planes
    value = ops.maximum(ops.maximum(red, green), blue)
    return value, value - ops.minimum(ops.minimum(red, green), blue)


def saturated(planes: Planes, factor: Tensor) -> Planes:
    """Return colours whose saturation was multiplied by `factor`, from 0 to 1.

    The hue stays, and with it how the distances of a colour's planes from the largest
    are to each other; chroma over value is the saturation.
    """
    value, chroma = _value_and_chroma(planes)
    factor = ops.maximum(ops.cast(ops.reshape(factor, (-1, 1, 1, 1)), "float32"), 0)
    # The saturation may grow to 1, so by value / chroma.
    most = ops.where(chroma > 0, value, 1) / ops.where(chroma > 0, chroma, 1)
    factor = ops.minimum(factor, most)
    return [value - (value - plane) * factor for plane in planes]


def turned(planes: Planes, part: Tensor) -> Planes:
    """Return colours whose hue was turned by `part` of the circle."""
    red, green, blue = planes
    value, chroma = _value_and_chroma(planes)
    safe = ops.where(chroma > 0, chroma, 1)
    # The hue in sixths of the circle. Past its end it comes round below.
    hue = ops.where(
        value == red,
        (green - blue) / safe,
        ops.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    hue = hue + ops.cast(ops.reshape(part, (-1, 1, 1, 1)), "float32") * 6.0

    def plane(n):
        k = hue + n
        k = k - 6.0 * ops.floor(k * (1.0 / 6.0))
        return value - chroma * ops.clip(ops.minimum(k, 4.0 - k), 0.0, 1.0)

    return [plane(5.0), plane(3.0), plane(1.0)]
