"""Segments, largest elements, special functions."""

from __future__ import annotations

import numpy as np

from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.arithmetic import (
    as_result_type,
    multiply,
    subtract,
)
from hornbeam.ops.comparison import greater, isfinite, logical_and
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.declare import composite, primitive
from hornbeam.ops.elementwise import sqrt
from hornbeam.ops.indexing import take, take_along_axis, where
from hornbeam.ops.reductions import sum
from hornbeam.ops.shaping import expand_dims
from hornbeam.typing import Axes, Tensor, TensorLike


def _segment_spec(owner):
    def spec(a):
        data = a["data"]
        shape, ids = rules.shape_of(data), rules.shape_of(a["segment_ids"])
        if not rules.may_be_equal(ids, shape[:1]):
            raise ValueError(
                f"{owner}(): `segment_ids` must be a vector of one id per slice of "
                f"`data`. Received: data of shape {shape}, segment_ids of shape {ids}"
            )
        return KerasTensor((a["num_segments"], *shape[1:]), data.dtype)

    return spec


@primitive(_segment_spec("segment_sum"))
def segment_sum(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,
) -> Tensor:
    """The sums of slices along axis 0 that have the same id.

    Args:
        data: a tensor.
        segment_ids: an integer for each slice of `data`.
        num_segments: the number of results. Default: the largest id plus 1.
        sorted: whether the ids rise, which is faster; default False.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.segment_sum([1, 2, 3], [0, 0, 1])]
    [3, 3]
    """


@primitive(_segment_spec("segment_max"))
def segment_max(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,
) -> Tensor:
    """The largest elements of slices along axis 0 that have the same id.

    Args:
        data: a tensor.
        segment_ids: an integer for each slice of `data`.
        num_segments: the number of results. Default: the largest id plus 1.
        sorted: whether the ids rise, which is faster; default False.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.segment_max([1, 2, 3], [0, 0, 1])]
    [2, 3]
    """


@primitive(_segment_spec("segment_min"))
def segment_min(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,
) -> Tensor:
    """The smallest elements of slices along axis 0 that have the same id.

    Args:
        data: a tensor.
        segment_ids: an integer for each slice of `data`.
        num_segments: the number of results. Default: the largest id plus 1.
        sorted: whether the ids rise, which is faster; default False.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.segment_min([1, 2, 3], [0, 0, 1])]
    [1, 3]
    """


@primitive(_segment_spec("segment_prod"))
def segment_prod(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,
) -> Tensor:
    """The products of slices along axis 0 that have the same id.

    Args:
        data: a tensor.
        segment_ids: an integer for each slice of `data`.
        num_segments: the number of results. Default: the largest id plus 1.
        sorted: whether the ids rise, which is faster; default False.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.segment_prod([1, 2, 3], [0, 0, 1])]
    [2, 3]
    """


@primitive("same_float")
def rsqrt(x: TensorLike) -> Tensor:
    """1 divided by the square root of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.rsqrt(4.0))
    0.5
    """


@primitive("same_float")
def erf(x: TensorLike) -> Tensor:
    """The error function: 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    >>> import hornbeam as keras
    >>> float(keras.ops.erf(0.0))
    0.0
    """


@primitive("same_float")
def erfc(x: TensorLike) -> Tensor:
    """1 minus the error function, exact for large elements.

    >>> import hornbeam as keras
    >>> float(keras.ops.erfc(0.0))
    1.0
    """


@primitive("same_float")
def erfinv(x: TensorLike) -> Tensor:
    """The inverse of the error function.

    >>> import hornbeam as keras
    >>> float(keras.ops.erfinv(0.0))
    0.0
    """


@primitive("reduce_float")
def logsumexp(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))), without overflow.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.logsumexp([1000.0]))
    1000.0
    """


def _top_k_spec(a):
    size = a["x"].shape[-1] if len(a["x"].shape) else 0
    if a["k"] < 0 or size is not None and a["k"] > size:
        raise ValueError(
            "top_k(): `k` must not be negative, nor larger than the last axis. "
            f"Received: k={a['k']}, x of shape {tuple(a['x'].shape)}"
        )
    shape = (*a["x"].shape[:-1], a["k"])
    return KerasTensor(shape, a["x"].dtype), KerasTensor(shape, "int32")


@primitive(_top_k_spec)
def top_k(x: TensorLike, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The `k` largest elements along the last axis, and their indices.

    Args:
        x: a tensor.
        k: how many.
        sorted: whether they come in falling order. Default: True.

    >>> import hornbeam as keras
    >>> values, indices = keras.ops.top_k([1, 3, 2], k=2)
    >>> [int(i) for i in indices]
    [1, 2]
    """


def _in_top_k_spec(a):
    return KerasTensor(rules.shape_of(a["targets"]), "bool")


@composite(rule=_in_top_k_spec)
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Tensor:
    """Whether the score of the target is among the `k` largest of its row.

    A target is in if fewer than `k` classes score higher: ties count as in.

    Args:
        targets: integers of shape (batch,).
        predictions: scores of shape (batch, classes).
        k: how many.

    >>> import hornbeam as keras
    >>> bool(keras.ops.in_top_k([1], [[0.1, 0.7, 0.2]], k=1)[0])
    True
    """
    targets, predictions = convert_to_tensor(targets), convert_to_tensor(predictions)
    score = take_along_axis(predictions, expand_dims(cast(targets, "int32"), -1), -1)
    higher = sum(cast(greater(predictions, score), "int32"), -1)
    return logical_and(higher < k, isfinite(score)[..., 0])


def _sequences_spec(a):
    if not rules.shape_of(a["x"]):
        raise ValueError("extract_sequences() needs a tensor of rank 1 or more.")
    *lead, size = rules.shape_of(a["x"])
    length, stride = a["sequence_length"], a["sequence_stride"]
    count = None if size is None else 1 + (size - length) // stride
    return KerasTensor((*lead, count, length), a["x"].dtype)


@composite(rule=_sequences_spec)
def extract_sequences(
    x: TensorLike, sequence_length: int, sequence_stride: int
) -> Tensor:
    """The windows of `sequence_length`, `sequence_stride` apart, of the last axis.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.extract_sequences(keras.ops.ones((2, 10)), 4, 3).shape)
    (2, 3, 4)
    """
    x = convert_to_tensor(x)
    starts = np.arange(0, x.shape[-1] - sequence_length + 1, sequence_stride)
    places = starts[:, None] + np.arange(sequence_length)
    return take(x, places.astype("int32"), axis=-1)


@composite
def cdist(x: TensorLike, y: TensorLike) -> Tensor:
    """The distance of each row of `x` from each of `y`.

    Args:
        x: of shape (..., m, d).
        y: of shape (..., n, d).

    >>> import hornbeam as keras
    >>> float(keras.ops.cdist([[0.0, 0.0]], [[3.0, 4.0]])[0, 0])
    5.0
    """
    x, y = as_result_type(x, y, least=(float,))
    if not rules.may_be_equal(x.shape[-1], y.shape[-1]):
        raise ValueError(
            "cdist(): the rows of `x` and `y` must have the same length. "
            f"Received: shapes {tuple(x.shape)} and {tuple(y.shape)}"
        )
    step = subtract(expand_dims(x, -2), expand_dims(y, -3))
    squared = sum(multiply(step, step), -1)
    zero = squared == 0
    # The square root has no gradient at 0, so equal rows get the gradient 0.
    return where(zero, cast(0, x.dtype), sqrt(where(zero, cast(1, x.dtype), squared)))
