"""Linear maps, convolutions and windows.

Shapes are known here: `padding` holds a pair of numbers for each spatial axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def linear(x: Any, kernel: Any, bias: Any = None) -> Any:
    """`x @ kernel + bias` over the last axis of `x`, as one product of matrices."""


def general_conv(
    inputs: Any,
    kernel: Any,
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    groups: int,
    data_format: str,
) -> Any:
    """Correlation of `inputs` with a kernel of layout (*window, in / groups, out)."""


def general_conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    data_format: str,
) -> Any:
    """The transpose of a strided convolution, for a kernel (*window, out, in).

    `padding` says by how much the full result is cropped (negative: extended).
    """


def window_max(
    inputs: Any,
    size: Sequence[int],
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    data_format: str,
) -> Any:
    """The maximum of every window; the padding never wins."""


def window_sum(
    inputs: Any,
    size: Sequence[int],
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    data_format: str,
) -> Any:
    """The sum of every window."""
