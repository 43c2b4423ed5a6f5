"""Labels and cross-entropies."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import backends
from hornbeam.core import dtypes
from hornbeam.core.config import epsilon, floatx
from hornbeam.core.errors import check_number
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.activation import log_sigmoid, log_softmax
from hornbeam.ops.arithmetic import to_float
from hornbeam.ops.core import cast, convert_to_tensor, shape
from hornbeam.ops.declare import composite
from hornbeam.ops.numpy import (
    arange,
    clip,
    equal,
    expand_dims,
    floor_divide,
    log,
    logical_and,
    max,
    minimum,
    mod,
    ones_like,
    reshape,
    squeeze,
    stack,
    sum,
)
from hornbeam.typing import DTypeLike, Tensor, TensorLike


def _one_hot_spec(a):
    sizes = list(a["x"].shape)
    sizes.insert(a["axis"] % (len(sizes) + 1), a["num_classes"])
    return KerasTensor(sizes, a["dtype"] or floatx(), sparse=a["sparse"])


@composite(rule=_one_hot_spec)
def one_hot(
    x: TensorLike,
    num_classes: int,
    axis: int = -1,
    dtype: DTypeLike = None,
    sparse: bool = False,
) -> Tensor:
    """Integers as vectors of zeros with a one at the integer's index.

    An integer outside `[0, num_classes)` gives zeros.

    Args:
        x: integers.
        num_classes: length of the vectors.
        axis: where the new axis goes. Default: -1.
        dtype: the dtype of the result. Default: `keras.config.floatx()`.
        sparse: whether to return a sparse tensor, if the backend has them.
            Default: False.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.one_hot(1, 3)]
    [0.0, 1.0, 0.0]
    """
    check_number("one_hot", "num_classes", num_classes, low=0, integer=True)
    x = convert_to_tensor(x)
    if not dtypes.is_int_dtype(x.dtype):
        x = cast(x, "int32")
    if sparse:
        return _sparse_one_hot(x, num_classes, axis, dtype or floatx())
    return cast(_is_class(x, num_classes, axis), dtype or floatx())


def _is_class(labels, count, axis):
    """Whether a label is the class of its place along a new axis."""
    places = [1] * (len(labels.shape) + 1)
    places[axis] = -1
    classes = reshape(arange(count, dtype=labels.dtype), places)
    return equal(expand_dims(labels, axis), classes)


def _sparse_one_hot(x, num_classes, axis, dtype):
    engine = backends.current()
    sizes = tuple(engine.shape_of(x))
    axis = axis if axis >= 0 else len(sizes) + 1 + axis
    classes = cast(reshape(x, (-1,)), "int32")
    flat = arange(math.prod(sizes), dtype="int32")
    columns: list[Tensor] = []
    for size in reversed(sizes):
        columns.insert(0, mod(flat, size))
        flat = floor_divide(flat, size)
    columns.insert(axis, classes)
    sizes = (*sizes[:axis], num_classes, *sizes[axis:])
    return engine.sparse_tensor(
        stack(columns, axis=1),
        ones_like(classes, dtype=dtype),
        sizes,
        logical_and(classes >= 0, classes < num_classes),
        unique=axis == len(sizes) - 1,
    )


@composite
def multi_hot(
    inputs: TensorLike,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: DTypeLike = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Tensor:
    """Sets of integers as vectors of zeros with ones at their indices.

    Args:
        inputs: integers; the last axis (the first of a vector) lists a set.
        num_classes: length of the vectors.
        axis: where the new axis goes. Default: -1.
        dtype: the dtype of the result. Default: `keras.config.floatx()`.
        sparse: whether to return a sparse tensor, if the backend has them.
            Default: False.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.multi_hot([0, 2], 3)]
    [1.0, 0.0, 1.0]
    """
    num_classes = kwargs.pop("num_tokens", num_classes)
    if num_classes is None:
        raise ValueError(
            "multi_hot: argument `num_classes` must be given. Received: None"
        )
    inputs = convert_to_tensor(inputs)
    listed = 1 if len(inputs.shape) > 1 else 0
    vectors = one_hot(inputs, num_classes, axis=axis, dtype=dtype, sparse=sparse)
    if not sparse:
        return max(vectors, axis=listed)
    counts = sum(vectors, axis=listed)
    # A class that is listed twice counts once.
    once = backends.current().map_values(lambda count: minimum(count, 1), counts)
    return cast(once, dtype or floatx())


@composite
def class_cross_entropy(
    logits: TensorLike, labels: TensorLike, axis: int = -1
) -> Tensor:
    """Minus the log-softmax of each label's class; 0 where the label is no class."""
    return -pick_class(log_softmax(logits, axis), labels, axis)


def _check_same_shape(owner, target, output):
    if len(target.shape) != len(output.shape):
        raise ValueError(
            f"{owner}: `target` and `output` must have the same rank (ndim). Received: "
            f"shapes {tuple(target.shape)} and {tuple(output.shape)}"
        )
    if not rules.may_be_equal(tuple(target.shape), tuple(output.shape)):
        raise ValueError(
            f"{owner}: `target` and `output` must have the same shape. Received: "
            f"{tuple(target.shape)} and {tuple(output.shape)}"
        )


def _without(x, axis):
    return tuple(n for i, n in enumerate(x.shape) if i != axis % len(x.shape))


def _check_categorical(target, output, axis):
    if len(output.shape) < 1:
        raise ValueError(
            "categorical_crossentropy: `target` and `output` must be at least rank 1. "
            f"Received: shapes {tuple(target.shape)} and {tuple(output.shape)}"
        )
    _check_same_shape("categorical_crossentropy", target, output)


def _categorical_spec(a):
    _check_categorical(a["target"], a["output"], a["axis"])
    return KerasTensor(_without(a["output"], a["axis"]), a["output"].dtype)


def _log_probabilities(output, from_logits, axis):
    output = to_float(output)
    if from_logits:
        return log_softmax(output, axis)
    output = output / sum(output, axis=axis, keepdims=True)
    return log(clip(output, epsilon(), 1 - epsilon()))


@composite(rule=_categorical_spec)
def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`-sum(target * log(output))` over the classes.

    Probabilities are divided by their sum and kept away from 0 and 1 by
    `keras.config.epsilon()`.

    Args:
        target: probabilities of the classes, such as one-hot vectors.
        output: probabilities or logits, of the same shape.
        from_logits: whether `output` holds logits. Default: False.
        axis: the axis of the classes. Default: -1.

    >>> import hornbeam as keras
    >>> loss = keras.ops.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    >>> round(float(loss[0]), 4)
    0.6931
    """
    target, output = convert_to_tensor(target), convert_to_tensor(output)
    _check_categorical(target, output, axis)
    logs = _log_probabilities(output, from_logits, axis)
    return -sum(cast(target, logs.dtype) * logs, axis=axis)


def _check_sparse(target, output, axis):
    if len(output.shape) < 1:
        raise ValueError(
            "sparse_categorical_crossentropy: `output` must be at least rank 1. "
            f"Received: output of shape {tuple(output.shape)}"
        )
    expected, sizes = _without(output, axis), tuple(target.shape)
    if len(sizes) == len(output.shape) and sizes[-1] == 1:
        sizes = sizes[:-1]
    if not rules.may_be_equal(sizes, expected):
        raise ValueError(
            "sparse_categorical_crossentropy: `target` must have the shape of `output` "
            f"without axis {axis}. Expected: {expected}. Received: target of shape "
            f"{tuple(target.shape)}, output of shape {tuple(output.shape)}"
        )
    return expected


@composite
def pick_class(values: Tensor, labels: TensorLike, axis: int = -1) -> Tensor:
    """The value of each label's class; 0 where the label is no class.

    Against a gather, whose gradient scatters, this fuses into one pass in a program.
    """
    chosen = _is_class(convert_to_tensor(labels), shape(values)[axis], axis)
    return sum(cast(chosen, values.dtype) * values, axis=axis)


@composite(
    rule=lambda a: KerasTensor(
        _check_sparse(a["target"], a["output"], a["axis"]), a["output"].dtype
    )
)
def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`-log(output[target])`: the cross-entropy of integer labels.

    Args:
        target: integers, of the shape of `output` without the axis of the classes; a
            last axis of size 1 is dropped.
        output: probabilities or logits.
        from_logits: whether `output` holds logits. Default: False.
        axis: the axis of the classes. Default: -1.

    >>> import hornbeam as keras
    >>> loss = keras.ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]])
    >>> round(float(loss[0]), 4)
    0.6931
    """
    target, output = convert_to_tensor(target), convert_to_tensor(output)
    _check_sparse(target, output, axis)
    if len(target.shape) == len(output.shape):
        target = squeeze(target, axis=-1)
    target = cast(target, "int32")
    if from_logits:
        return class_cross_entropy(to_float(output), target, axis)
    return -pick_class(_log_probabilities(output, False, axis), target, axis)


def _binary_spec(a):
    _check_same_shape("binary_crossentropy", a["target"], a["output"])
    return KerasTensor(a["output"].shape, a["output"].dtype)


@composite(rule=_binary_spec)
def binary_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False
) -> Tensor:
    """`-target * log(output) - (1 - target) * log(1 - output)`, element by element.

    Probabilities are kept away from 0 and 1 by `keras.config.epsilon()`.

    Args:
        target: probabilities of the class.
        output: probabilities or logits, of the same shape.
        from_logits: whether `output` holds logits. Default: False.

    >>> import hornbeam as keras
    >>> loss = keras.ops.binary_crossentropy([1.0], [0.5])
    >>> round(float(loss[0]), 4)
    0.6931
    """
    target, output = convert_to_tensor(target), to_float(output)
    _check_same_shape("binary_crossentropy", target, output)
    target = cast(target, output.dtype)
    if from_logits:
        return output - target * output - log_sigmoid(output)
    output = clip(output, epsilon(), 1 - epsilon())
    return -(target * log(output) + (1 - target) * log(1 - output))
