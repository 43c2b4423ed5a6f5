"""Conversion, slices and updates, control flow."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal, ParamSpec, TypeVar

import numpy as np

from hornbeam import backends
from hornbeam.core import dtypes
from hornbeam.core.errors import check_choice
from hornbeam.core.variable import Variable
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import any_symbolic
from hornbeam.ops.declare import _prepare, composite, primitive
from hornbeam.typing import DTypeLike, ShapeLike, Tensor, TensorLike

P = ParamSpec("P")
R = TypeVar("R")


def _cast_spec(a):
    dtype = dtypes.standardize_dtype(a["dtype"])
    return KerasTensor(tuple(a["x"].shape), dtype)


@primitive(_cast_spec)
def cast(x: TensorLike, dtype: DTypeLike) -> Tensor:
    """Convert the elements of `x` to `dtype`.

    >>> import hornbeam as keras
    >>> keras.backend.standardize_dtype(keras.ops.cast([1, 2], "float16").dtype)
    'float16'
    """


def _convert_spec(a):
    x = a["x"]
    return KerasTensor(tuple(x.shape), a["dtype"] or x.dtype)


@composite(rule=_convert_spec)
def convert_to_tensor(
    x: TensorLike,
    dtype: DTypeLike = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
) -> Tensor:
    """Return `x` as a tensor of the current backend.

    Args:
        x: a tensor, a Variable, a NumPy array, a number or nested lists of numbers.
        dtype: the dtype. Default: that of `x`; Python floats become
            `keras.config.floatx()` and Python integers "int32".
        sparse: False turns a sparse tensor into a dense one. Default: it stays sparse.
        ragged: False turns a ragged tensor into a dense one.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_tensor([[1.0, 2.0]]).shape
    (1, 2)
    """
    return backends.current().convert(x, dtype)


def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """Return `x` as a NumPy array of its own: what is written to it changes no `x`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.ones(2)).tolist()
    [1.0, 1.0]
    """
    if isinstance(x, KerasTensor):
        raise ValueError(
            "A KerasTensor has no value, so it cannot be turned into a NumPy array. "
            f"Received: {x}"
        )
    array = _to_numpy(x)
    return array if array.flags.owndata and array is not x else np.array(array)


def _to_numpy(x):
    if isinstance(x, Variable):
        return x.numpy()
    if backends.is_scipy_sparse(x):
        return x.toarray()
    engine = backends.of(x)
    if engine is not None:
        return engine.to_numpy(x)
    if isinstance(x, list | tuple):
        x = [convert_to_numpy(v) for v in x]
    return np.asarray(x)


def shape(x: TensorLike) -> tuple[Any, ...]:
    """Return the shape as a tuple; unknown sizes of a symbolic tensor are None.

    An unknown size of a tensor in a `tf.function` is a scalar tensor.

    >>> import hornbeam as keras
    >>> keras.ops.shape(keras.ops.ones((2, 3)))
    (2, 3)
    """
    sizes = getattr(x, "shape", None)
    if sizes is None:
        return np.shape(x)
    # The engine gives unknown sizes of a traced tensor as scalar tensors.
    engine = backends.of(x) if None in sizes else None
    return tuple(sizes) if engine is None else engine.shape_of(x)


def dtype(x: Tensor) -> str:
    """Return the name of the dtype.

    >>> import hornbeam as keras
    >>> keras.ops.dtype(keras.ops.ones(2))
    'float32'
    """
    return dtypes.standardize_dtype(x.dtype)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of the current backend.

    >>> import hornbeam as keras
    >>> keras.ops.is_tensor([1, 2]), keras.ops.is_tensor(keras.ops.ones(2))
    (False, True)
    """
    return backends.current().is_tensor(x)


def _range_within(target, source):
    """Return the limits of `target` as numbers that `source` can hold."""
    limits: list[float] = []
    for bound in (_limits(target).min, _limits(target).max):
        bound = float(bound) if dtypes.is_float_dtype(target) else int(bound)
        if dtypes.is_int_dtype(source):
            held = np.iinfo(source)
            limits.append(int(min(max(bound, int(held.min)), int(held.max))))
        else:
            held = _limits(source)
            value = np.float64(min(max(bound, float(held.min)), float(held.max)))
            # Where the nearest float lies outside, take the one before it.
            step = float(held.eps) * builtins.abs(value) / 2
            exact = builtins.abs(value) <= 2 / float(held.eps)
            inside = exact or dtypes.is_float_dtype(target)
            limits.append(float(value if inside else value - np.sign(value) * step))
    return limits


def _limits(name):
    import ml_dtypes

    return np.iinfo(name) if dtypes.is_int_dtype(name) else ml_dtypes.finfo(name)


@composite(rule=_cast_spec)
def saturate_cast(x: TensorLike, dtype: DTypeLike) -> Tensor:
    """Convert to `dtype`, where values outside its range become its limits.

    >>> import hornbeam as keras
    >>> x = keras.ops.saturate_cast([-1.0, 256.0], "uint8")
    >>> [int(v) for v in x]
    [0, 255]
    """
    from hornbeam.ops.numpy import clip

    x = convert_to_tensor(x)
    source, target = dtypes.standardize_dtype(x.dtype), dtypes.standardize_dtype(dtype)
    if "bool" not in (source, target) and source != target:
        x = clip(x, *_range_within(target, source))
    return cast(x, target)


@primitive("same")
def stop_gradient(variable: TensorLike) -> Tensor:
    """Return the same values as a constant for the gradient.

    >>> import hornbeam as keras
    >>> float(keras.ops.stop_gradient(keras.ops.ones(())))
    1.0
    """


def _as_ints(numbers):
    """Return the numbers as ints; None while they are traced or symbolic."""
    if isinstance(numbers, KerasTensor):
        return None
    try:
        return [int(n) for n in numbers]
    except Exception:  # each engine has its own error for a traced number
        return None


def _slice_sizes(inputs, start_indices, sizes):
    rank = len(inputs.shape)
    listed = isinstance(start_indices, list | tuple)
    starts = len(start_indices) if listed else shape(start_indices)[0]
    if len(sizes) != rank or starts != rank:
        raise ValueError(
            "slice: the number of dimensions in `inputs` must match the number of "
            "dimensions in `shape`, and the number of dimensions in `start_indices` "
            "must match the number of dimensions in `inputs`. Received: inputs of "
            f"shape {tuple(inputs.shape)}, {starts} start indices, "
            f"shape={tuple(sizes)}"
        )
    sizes = [int(n) for n in sizes]
    if -1 not in sizes:
        return tuple(sizes)
    begins = _as_ints(start_indices) or [None] * rank
    return tuple(
        (None if n is None or b is None else n - b) if size == -1 else size
        for size, n, b in zip(sizes, inputs.shape, begins, strict=True)
    )


@composite(
    rule=lambda a: KerasTensor(
        _slice_sizes(a["inputs"], a["start_indices"], a["shape"]), a["inputs"].dtype
    )
)
def slice(inputs: TensorLike, start_indices: TensorLike, shape: ShapeLike) -> Tensor:
    """Return the block of shape `shape` that begins at `start_indices`.

    Args:
        inputs: a tensor.
        start_indices: the first index along each axis; may be a tensor.
        shape: sizes of the block; -1 is the rest of the axis.

    >>> import hornbeam as keras
    >>> keras.ops.slice(keras.ops.ones((5, 5)), (3, 3), (2, 2)).shape
    (2, 2)
    """
    inputs = convert_to_tensor(inputs)
    sizes = _slice_sizes(inputs, start_indices, shape)
    if None in sizes:
        raise ValueError(
            "slice: a size of -1 needs start indices that are known. Received: "
            f"start_indices={start_indices}, shape={shape}"
        )
    return backends.current().dynamic_slice(inputs, start_indices, sizes)


@composite(rule="same")
def slice_update(
    inputs: TensorLike, start_indices: TensorLike, updates: TensorLike
) -> Tensor:
    """Return `inputs` with the block that begins at `start_indices` replaced.

    >>> import hornbeam as keras
    >>> x = keras.ops.slice_update(keras.ops.zeros(4), [1], keras.ops.ones(2))
    >>> [float(v) for v in x]
    [0.0, 1.0, 1.0, 0.0]
    """
    inputs, updates = convert_to_tensor(inputs), convert_to_tensor(updates)
    return backends.current().dynamic_update(inputs, start_indices, updates)


@composite(rule=lambda a: KerasTensor(a["shape"], a["values"].dtype))
def scatter(indices: TensorLike, values: TensorLike, shape: Sequence[int]) -> Tensor:
    """Return zeros of shape `shape` with `values` added at `indices`.

    Args:
        indices: integers `(..., depth)`; each row is a place in the first axes.
        values: a tensor `(..., *shape[depth:])`.
        shape: shape of the result.

    >>> import hornbeam as keras
    >>> x = keras.ops.scatter([[0], [2], [2]], [1.0, 2.0, 3.0], (3,))
    >>> [float(v) for v in x]
    [1.0, 0.0, 5.0]
    """
    from hornbeam.ops.numpy import zeros

    values = convert_to_tensor(values)
    start = zeros(tuple(int(n) for n in shape), values.dtype)
    return scatter_update(start, indices, values, "add")


@composite(rule="same")
def scatter_update(
    inputs: TensorLike,
    indices: TensorLike,
    updates: TensorLike,
    reduction: Literal["add", "max", "min", "mul"] | None = None,
) -> Tensor:
    """Return `inputs` with `updates` at `indices`.

    Args:
        inputs: a tensor.
        indices: integers `(..., depth)`; each row is a place in the first axes.
        updates: a tensor `(..., *inputs.shape[depth:])`.
        reduction: how an update meets the old value: None (default) replaces it, or
            `"add"`, `"max"`, `"min"`, `"mul"`.

    >>> import hornbeam as keras
    >>> x = keras.ops.scatter_update(keras.ops.zeros(3), [[1]], [5.0])
    >>> [float(v) for v in x]
    [0.0, 5.0, 0.0]
    """
    choices = (None, "add", "max", "min", "mul")
    check_choice("scatter_update", "reduction", reduction, choices)
    engine = backends.current()
    indices = convert_to_tensor(indices)
    return engine.scatter_into(inputs, indices, convert_to_tensor(updates), reduction)


def _unstack_count(x, num, axis):
    axis = range(len(x.shape))[axis]
    count = x.shape[axis] if num is None else num
    if count is None:
        raise ValueError(
            f"Cannot infer argument `num` from shape {tuple(x.shape)}. Give `num`, the "
            "number of slices."
        )
    if x.shape[axis] not in (None, count):
        raise ValueError(
            f"unstack(): `num` must be the size of axis {axis}. Received: num={num}, "
            f"x of shape {tuple(x.shape)}"
        )
    return axis, count


def _unstack_spec(a):
    axis, count = _unstack_count(a["x"], a["num"], a["axis"])
    rest = tuple(n for i, n in enumerate(a["x"].shape) if i != axis)
    return [KerasTensor(rest, a["x"].dtype) for _ in range(count)]


@composite(rule=_unstack_spec)
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Return the list of slices along `axis`.

    Args:
        x: a tensor.
        num: the size of the axis, if it cannot be read from the shape.
        axis: the axis. Default: 0.

    >>> import hornbeam as keras
    >>> len(keras.ops.unstack(keras.ops.ones((2, 3)), axis=1))
    3
    """
    x = convert_to_tensor(x)
    axis, count = _unstack_count(x, num, axis)
    before = (builtins.slice(None),) * axis
    return [x[(*before, i)] for i in range(count)]


def custom_gradient(f: Callable) -> Callable:
    """Replace the gradient of a function.

    Args:
        f: a function of tensors that returns `(output, gradient)`, where `gradient`
            maps the gradient of the output to those of the arguments.

    >>> import hornbeam as keras
    >>> @keras.ops.custom_gradient
    ... def twice(x):
    ...     def gradient(upstream):
    ...         return 2 * upstream
    ...     return 2 * x, gradient
    >>> float(twice(keras.ops.ones(())))
    2.0
    """

    @functools.wraps(f)
    def run(*args, **kwargs):
        if any_symbolic((args, kwargs)):
            return f(*args, **kwargs)[0]
        engine = backends.current()
        args = [_prepare(x, engine) for x in args]
        kwargs = {name: _prepare(x, engine) for name, x in kwargs.items()}
        return engine.custom_gradient(f)(*args, **kwargs)

    return run
