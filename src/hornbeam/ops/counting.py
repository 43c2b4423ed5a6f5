"""Counting: integers, and elements in bins."""

from __future__ import annotations

from collections.abc import Sequence

from hornbeam.core import dtypes
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.arithmetic import add, as_result_type, subtract, to_float
from hornbeam.ops.comparison import greater_equal, less_equal, logical_and
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.creation import linspace
from hornbeam.ops.declare import composite, primitive
from hornbeam.ops.elementwise import clip
from hornbeam.ops.indexing import searchsorted, where
from hornbeam.ops.reductions import max, min
from hornbeam.ops.shaping import ravel
from hornbeam.typing import Tensor, TensorLike


def _bincount_spec(a):
    weights = a["weights"]
    dtype = "int32" if weights is None else rules.weak_dtype(weights)
    return KerasTensor((*a["x"].shape[:-1], None), dtype)


@composite(rule=_bincount_spec)
def bincount(
    x: TensorLike,
    weights: TensorLike | None = None,
    minlength: int = 0,
    sparse: bool = False,
) -> Tensor:
    """How often each of the integers 0, 1, 2, ... occurs in a row.

    Args:
        x: integers, of rank 1, or of rank 2 for rows.
        weights: what each element counts. Default: 1.
        minlength: the least length of the result; default 0.
        sparse: sparse results are not supported.

    >>> import hornbeam as keras
    >>> [int(n) for n in keras.ops.bincount([1, 1, 3])]
    [0, 2, 0, 1]
    """
    if sparse:
        raise ValueError("bincount() gives no sparse tensors. Received: sparse=True")
    x = convert_to_tensor(x)
    if dtypes.is_bool_dtype(x.dtype):
        x = cast(x, "int32")
    if not dtypes.is_int_dtype(x.dtype):
        raise TypeError(f"bincount() takes integers. Received: {rules.weak_dtype(x)}")
    return count_integers(x, weights, minlength)


@primitive()
def count_integers(
    x: TensorLike, weights: TensorLike | None = None, minlength: int = 0
) -> Tensor:
    """The engine's `bincount`."""


def _histogram_spec(a):
    dtype = dtypes.result_type(rules.weak_dtype(a["x"]), float)
    bins = a["bins"]
    return KerasTensor((bins,), "int32"), KerasTensor((bins + 1,), dtype)


@composite(rule=_histogram_spec)
def histogram(
    x: TensorLike, bins: int = 10, range: Sequence[float] | None = None
) -> tuple[Tensor, Tensor]:
    """How many elements lie in each of some equal bins, and the edges of the bins.

    Args:
        x: a tensor.
        bins: the number of bins. Default: 10.
        range: the lowest and the highest edge; default those of the elements.

    >>> import hornbeam as keras
    >>> counts, edges = keras.ops.histogram([1.0, 1.5, 4.0], bins=3)
    >>> [int(n) for n in counts]
    [2, 0, 1]
    """
    if not isinstance(bins, int) or bins < 0:
        raise ValueError(
            f"histogram(): `bins` must be a non-negative integer. Received: {bins!r}"
        )
    if range is not None and (len(range) != 2 or range[1] < range[0]):
        raise ValueError(
            f"histogram(): `range` must be (lowest, highest). Received: range={range!r}"
        )
    x = ravel(convert_to_tensor(x))
    values = to_float(x)
    if range is None:
        range = (min(values), max(values)) if values.shape[0] else (0, 1)
    low, high = range
    low, high = as_result_type(
        low, high, least=(str(dtypes.standardize_dtype(values.dtype)),)
    )
    same = low == high
    low, high = where(same, subtract(low, 0.5), low), where(same, add(high, 0.5), high)
    edges = linspace(low, high, bins + 1)
    inside = logical_and(greater_equal(values, low), less_equal(values, high))
    place = subtract(searchsorted(edges, values, side="right"), 1)
    place = clip(place, 0, bins - 1)
    counts = count_integers(place, cast(inside, "int32"), minlength=bins)
    return counts, edges
