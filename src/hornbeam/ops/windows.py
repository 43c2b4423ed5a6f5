"""Arithmetic of windows that slide along axes: padding, sizes, counts.

"same" means that `ceil(size / stride)` windows cover the axis; an odd padding puts the
extra element at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from hornbeam.core.config import standardize_data_format
from hornbeam.core.errors import check_choice
from hornbeam.typing import DataFormat


def per_axis(value: Any, rank: int, owner: str, argument: str) -> tuple[Any, ...]:
    """Return `value` (a number, or one per axis) as a tuple of `rank` numbers.

    None, an unknown size, stays None.
    """
    numbers = np.atleast_1d(np.asarray(value)).tolist() if value is not None else [1]
    if len(numbers) == 1:
        numbers *= rank
    if len(numbers) != rank:
        raise ValueError(
            f"Argument `{argument}` of {owner} must be a number or {rank} numbers, one "
            f"for each spatial axis. Received: {argument}={value}"
        )
    return tuple(n if n is None else int(n) for n in numbers)


def extent(window: int, dilation: int) -> int:
    """Return how many elements a dilated window spans."""
    return (window - 1) * dilation + 1


def check_padding(padding: str, owner: str, causal: bool = False) -> str:
    """Return the name of the padding in lower case."""
    choices = ("valid", "same", "causal") if causal else ("valid", "same")
    return check_choice(owner, "padding", str(padding).lower(), choices)


def pads(
    size: int, window: int, stride: int, padding: str, dilation: int = 1
) -> tuple[int, int]:
    """Return how many elements are added before and after an axis."""
    span = extent(window, dilation)
    if padding == "valid":
        return (0, 0)
    if padding == "causal":
        return (span - 1, 0)
    total = max((-(-size // stride) - 1) * stride + span - size, 0)
    return (total // 2, total - total // 2)


def output_size(
    size: int | None, window: int | None, stride: int, padding: str, dilation: int = 1
) -> int | None:
    """Return the number of windows along an axis of `size` elements."""
    if size is None or window is None:
        return None
    if padding != "valid":
        return -(-size // stride)
    return (size - extent(window, dilation)) // stride + 1


def transposed_size(
    size: int | None,
    window: int | None,
    stride: int,
    padding: str,
    output_padding: int | None,
    dilation: int = 1,
) -> int | None:
    """Return the length of an axis after a transposed convolution."""
    if size is None or window is None:
        return None
    span = extent(window, dilation)
    if output_padding is not None:
        cropped = 2 * (span // 2) if padding == "same" else 0
        return (size - 1) * stride + span - cropped + output_padding
    return size * stride + (max(span - stride, 0) if padding == "valid" else 0)


def transposed_crop(
    size: int, length: int, window: int, stride: int, padding: str, dilation: int = 1
) -> tuple[int, int]:
    """Return what is cut before and after the full result to leave `length`."""
    surplus = (size - 1) * stride + extent(window, dilation) - length
    before = max(surplus, 0) // 2 if padding == "same" else 0
    return (before, surplus - before)


def counts(
    sizes: Sequence[int],
    windows: Sequence[int],
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
) -> np.ndarray:
    """Return how many elements of the unpadded axes each window covers."""
    result = np.ones(())
    for size, window, stride, (before, after) in zip(
        sizes, windows, strides, padding, strict=True
    ):
        starts = np.arange(-before, size + after - window + 1, stride)
        covered = np.minimum(starts + window, size) - np.maximum(starts, 0)
        result = result[..., None] * covered
    return result


def split_shape(
    full_shape: Sequence[Any], data_format: str
) -> tuple[tuple[Any, ...], Any]:
    """Return the spatial sizes and the number of channels of a batch."""
    if data_format == "channels_last":
        return tuple(full_shape[1:-1]), full_shape[-1]
    return tuple(full_shape[2:]), full_shape[1]


def assembled(
    batch: Any, spatial: Sequence[Any], channels: Any, data_format: str
) -> tuple[Any, ...]:
    """Return the shape of a batch of the spatial sizes and number of channels."""
    if data_format == "channels_last":
        return (batch, *spatial, channels)
    return (batch, channels, *spatial)


class Windows:
    """The arguments of a convolution or pool, checked against the input's shape."""

    spatial: tuple[Any, ...]
    channels: Any

    def __init__(
        self,
        owner: str,
        input_shape: Sequence[Any],
        size: Any,
        strides: Any,
        padding: str,
        data_format: DataFormat | None,
        dilation: Any = 1,
    ) -> None:
        self.data_format = standardize_data_format(data_format)
        self.spatial, self.channels = split_shape(input_shape, self.data_format)
        rank = len(self.spatial)
        if not 1 <= rank <= 3:
            raise ValueError(
                f"{owner} expects inputs of rank 3, 4 or 5: batch, channels and 1 to 3 "
                f"spatial axes. Received: inputs of shape {tuple(input_shape)}"
            )
        self.batch: Any = input_shape[0]
        self.size: tuple[Any, ...] = per_axis(size, rank, owner, "pool_size")
        self.strides: tuple[Any, ...] = per_axis(strides, rank, owner, "strides")
        self.dilation: tuple[Any, ...] = per_axis(
            dilation, rank, owner, "dilation_rate"
        )
        self.padding: str = check_padding(padding, owner, causal=rank == 1)

    def axes(self) -> Iterator[tuple[Any, ...]]:
        """Yield (size, window, stride, padding, dilation) for each spatial axis."""
        for n, k, s, d in zip(
            self.spatial, self.size, self.strides, self.dilation, strict=True
        ):
            yield n, k, s, self.padding, d

    def pads(self) -> list[tuple[int, int]]:
        return [pads(*axis) for axis in self.axes()]

    def output_shape(self, channels: Any) -> tuple[Any, ...]:
        spatial = tuple(output_size(*axis) for axis in self.axes())
        if any(n is not None and n < 1 for n in spatial):
            raise ValueError(
                f"The window {self.size} with dilation {self.dilation} does not fit "
                f"into the spatial sizes {self.spatial}. Use `padding='same'`, a "
                "smaller window, or larger inputs."
            )
        return assembled(self.batch, spatial, channels, self.data_format)
