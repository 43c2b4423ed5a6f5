"""What ops do with sparse tensors: one table of rules, the same on every engine.

A function that maps 0 to 0 works on the entries alone; one that does not has a dense
result. What combines tensors element by element is sparse where the zeros of the
arguments make zeros. A rule is called like its op, after the op itself; ops that are
composed of others need none. All other ops take no sparse tensor, and say so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam import backends, ops
from hornbeam.core import dtypes, tree
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import declare, shaping, sparse_products
from hornbeam.ops.declare import _prepare, broadcast_shapes, compute_output_spec
from hornbeam.ops.sparse_products import (
    HOW,
    SparseInputError,
    is_sparse,
    shape_of,
    to_dense,
)
from hornbeam.typing import Tensor


def call(op: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return `op(*args, **kwargs)`, where an argument is a sparse tensor."""
    engine = backends.current()

    def prepared(x):
        x = _prepare(x, engine, sparse=True)
        return engine.convert(x) if backends.is_scipy_sparse(x) else x

    args = [tree.map_structure(prepared, x) for x in args]
    kwargs = {name: tree.map_structure(prepared, x) for name, x in kwargs.items()}
    rule = RULES.get(op.name)
    if rule is not None:
        return rule(op, *args, **kwargs)
    try:
        if not op.is_primitive:
            return op.body(*args, **kwargs)
    except Exception as error:
        # Errors of the op's parts would confuse the caller.
        raise _what_is_wrong(op, args, kwargs) from error
    raise _what_is_wrong(op, args, kwargs)


def _what_is_wrong(op, args, kwargs):
    """Return what the op says of such arguments if they are dense, else of sparse."""
    args, kwargs = tree.map_structure(_dense_symbol, (tuple(args), kwargs))
    try:
        compute_output_spec(op, args, kwargs)
    except (TypeError, ValueError) as error:
        return error
    return _unsupported(op)


def _dense_symbol(x):
    return (
        KerasTensor(x.shape, dtypes.standardize_dtype(x.dtype)) if is_sparse(x) else x
    )


def _unsupported(op):
    return SparseInputError(
        f"ops.{op.name} takes no sparse tensor. Before the call, {HOW}. Ops that take "
        "sparse tensors: element-wise functions, arithmetic, and "
        f"{', '.join(sorted(set(RULES) - _SPARSE_FUNCTIONS))}."
    )


def _dense(op, *args, **kwargs):
    """The op of dense arguments: its result has few zeros, if any."""
    args = [tree.map_structure(to_dense, x) for x in args]
    return op(*args, **{k: tree.map_structure(to_dense, x) for k, x in kwargs.items()})


def _on_entries(op, x, *args, **kwargs):
    """A function of each element that maps 0 to 0."""
    if not is_sparse(x):
        return _dense(op, x, *args, **kwargs)
    engine = backends.current()
    return engine.map_values(lambda values: op(values, *args, **kwargs), x)


def _convert_to_tensor(op, x, dtype=None, sparse=None, ragged=None):
    engine = backends.current()
    return engine.convert(x if sparse is not False else to_dense(x), dtype)


def _array(op, x, dtype=None):
    return backends.current().convert(x, dtype)


def _aligned(x1, x2):
    """Return the places where x1 or x2 has an entry, and the values of each there."""
    engine = backends.current()
    (first, a), (second, b) = engine.coordinates(x1), engine.coordinates(x2)
    places = ops.concatenate([first, second])
    values = []
    for parts in (
        [a, ops.zeros_like(b, dtype=a.dtype)],
        [ops.zeros_like(a, dtype=b.dtype), b],
    ):
        union = engine.sparse_tensor(places, ops.concatenate(parts), shape_of(x1))
        indices, present = engine.coordinates(union)
        values.append(present)
    return indices, *values


def _on_both(op, x1, x2):
    """A function of two elements that maps 0 and 0 to 0: sparse where both are."""
    both = is_sparse(x1) and is_sparse(x2)
    if not both or tuple(x1.shape) != tuple(x2.shape):
        return _dense(op, x1, x2)
    indices, *values = _aligned(x1, x2)
    engine = backends.current()
    return engine.sparse_tensor(indices, op(*values), shape_of(x1), unique=True)


def _at(x, indices, shape):
    """Return the values that `x`, broadcast to `shape`, has at the places."""
    sizes = tuple(getattr(x, "shape", ()))
    if math.prod(sizes) == 1:
        return ops.reshape(x, ()) if sizes else x
    x, flat = ops.convert_to_tensor(x), 0
    for axis, size in enumerate(sizes, len(shape) - len(sizes)):
        # An entry outside the shape is padding, so its index does not matter.
        here = indices[:, axis] * 0 if size == 1 else indices[:, axis]
        flat = flat * size + here
    return ops.take(ops.reshape(x, (-1,)), flat)


def _fits(x1, x2):
    """Whether x1 has the shape of both broadcast together."""
    shapes = tuple(x1.shape), tuple(getattr(x2, "shape", ()))
    return broadcast_shapes(*shapes) == shapes[0]


def _multiply(op, x1, x2):
    if not is_sparse(x1):
        x1, x2 = x2, x1
    if is_sparse(x2):
        return _on_both(op, x1, x2)
    if not _fits(x1, x2):
        return _dense(op, x1, x2)
    return _of_places(op, x1, x2)


def _divide(op, x1, x2):
    if is_sparse(x2) or not _fits(x1, x2) or _has_zeros(x2):
        return _dense(op, x1, x2)
    return _of_places(op, x1, x2)


def _has_zeros(x):
    """Whether 0 / x is not 0 somewhere; False in a program, where it is unknown."""
    try:
        return bool(ops.any(ops.logical_or(x == 0, ops.isnan(x))))
    except Exception:
        return False


def _of_places(op, x1, x2):
    """The op at the entries of x1 alone."""
    engine = backends.current()
    if not getattr(x2, "shape", ()):
        return engine.map_values(lambda values: op(values, x2), x1)
    indices, values = engine.coordinates(x1)
    values = op(values, _at(x2, indices, x1.shape))
    return engine.sparse_tensor(indices, values, shape_of(x1), unique=True)


def _power(op, x1, x2):
    plain = isinstance(x2, int | float) and x2 > 0 and is_sparse(x1)
    return _of_places(op, x1, x2) if plain else _dense(op, x1, x2)


def _axes(x, axis):
    """Return the axes that are reduced over, counted from the front."""
    rank = len(x.shape)
    axes = range(rank) if axis is None else axis
    axes = [axes] if isinstance(axes, int) else axes
    return sorted({int(i) % rank for i in axes})


def _columns(indices, axes, new=0):
    """Return the columns of a matrix of indices; None makes one of `new`."""
    if not len(axes):
        return indices[:, :0]
    columns = [
        ops.full_like(indices[:, 0], new) if i is None else indices[:, i] for i in axes
    ]
    return ops.stack(columns, axis=1)


def _sum(op, x, axis=None, keepdims=False):
    engine = backends.current()
    shape, reduced = shape_of(x), _axes(x, axis)
    dtype = dtypes.standardize_dtype(x.dtype)
    dtype = compute_output_spec(op, (KerasTensor((1,), dtype),), {}).dtype
    indices, values = engine.coordinates(x)
    if len(reduced) == len(shape):
        total = op(ops.cast(values, dtype))
        return ops.reshape(total, (1,) * len(shape)) if keepdims else total
    if not reduced:
        return engine.cast(x, dtype)
    axes = [None if i in reduced else i for i in range(len(shape))]
    axes = axes if keepdims else [i for i in axes if i is not None]
    sizes = [1 if i is None else shape[i] for i in axes]
    places = _columns(indices, axes)
    return engine.sparse_tensor(places, ops.cast(values, dtype), sizes)


def _mean(op, x, axis=None, keepdims=False):
    dtype = dtypes.result_type(dtypes.standardize_dtype(x.dtype), float)
    shape = shape_of(x)
    count = math.prod(shape[i] for i in _axes(x, axis))
    return ops.divide(ops.sum(ops.cast(x, dtype), axis, keepdims), count)


def _expand_dims(op, x, axis):
    rank = len(x.shape)
    new = [axis] if isinstance(axis, int) else list(axis)
    new = {i % (rank + len(new)) for i in new}
    old = iter(range(rank))
    return _rearranged(
        x, [None if i in new else next(old) for i in range(rank + len(new))]
    )


def _squeeze(op, x, axis=None):
    shape = tuple(x.shape)
    if axis is None:
        gone = {i for i, size in enumerate(shape) if size == 1}
    else:
        gone = set(_axes(x, axis))
        if any(shape[i] != 1 for i in gone):
            raise ValueError(
                f"squeeze(): axis {axis} of a tensor of shape {shape} has not size 1."
            )
    return _rearranged(x, [i for i in range(len(shape)) if i not in gone])


def _transpose(op, x, axes=None):
    rank = len(x.shape)
    axes = range(rank)[::-1] if axes is None else [i % rank for i in axes]
    return _rearranged(x, list(axes))


def _rearranged(x, axes):
    """Return the tensor with its axes in this order; None is a new one."""
    engine = backends.current()
    if axes == list(range(len(x.shape))):
        return x
    indices, values = engine.coordinates(x)
    if not axes:
        return engine.sparse_tensor(indices[:, :0], values, ())
    shape = shape_of(x)
    sizes = [1 if i is None else shape[i] for i in axes]
    kept = [i for i in axes if i is not None]
    in_order = kept == sorted(kept)
    return engine.sparse_tensor(_columns(indices, axes), values, sizes, unique=in_order)


def _reshape(op, x, newshape):
    engine = backends.current()
    shape, sizes = shape_of(x), shaping.reshaped(tuple(x.shape), newshape)
    if tuple(sizes) == tuple(x.shape):
        return x
    if None in sizes:
        raise ValueError(
            "reshape() of a sparse tensor needs sizes that are known. Received: "
            f"newshape={newshape} for the shape {tuple(x.shape)}"
        )
    indices, values = engine.coordinates(x)
    largest = math.prod(x.shape)
    if largest > 2**31 - 1 and dtypes.standardize_dtype(indices.dtype) == "int32":
        raise ValueError(
            f"reshape() of a sparse tensor of {largest} places: this backend counts "
            "them in 32 bits."
        )
    flat = indices[:, 0] * 0
    for axis, size in enumerate(shape):
        flat = flat * size + indices[:, axis]
    columns: list[Tensor] = []
    for size in sizes[:0:-1]:
        columns.append(ops.mod(flat, size))
        flat = ops.floor_divide(flat, size)
    columns = [flat, *columns[::-1]][: len(sizes)]
    places = ops.stack(columns, axis=1) if columns else indices[:, :0]
    return engine.sparse_tensor(places, values, sizes, unique=True)


def _concatenate(op, xs, axis=0):
    if not all(is_sparse(x) for x in xs):
        return _dense(op, xs, axis)
    engine = backends.current()
    rank, shape = len(xs[0].shape), list(shape_of(xs[0]))
    axis = axis % rank
    dtype = dtypes.result_type(*(dtypes.standardize_dtype(x.dtype) for x in xs))
    places, values, begin = [], [], 0
    for x in xs:
        rest = [(m, n) for i, (m, n) in enumerate(zip(x.shape, shape, strict=True))
                if i != axis]  # fmt: skip
        if any(m != n for m, n in rest):
            raise ValueError(
                "concatenate(): all shapes must match except along the axis. Received: "
                f"shapes {[tuple(x.shape) for x in xs]}, axis={axis}"
            )
        indices, entries = engine.coordinates(x)
        columns = [indices[:, i] + (begin if i == axis else 0) for i in range(rank)]
        places.append(ops.stack(columns, axis=1))
        values.append(ops.cast(entries, dtype))
        begin = begin + shape_of(x)[axis]
    shape[axis] = begin
    return engine.sparse_tensor(
        ops.concatenate(places), ops.concatenate(values), shape, unique=axis == 0
    )


def _digitize(op, x, bins):
    moves_zero = np.digitize(0.0, np.asarray(bins)) != 0
    return (_dense if moves_zero else _on_entries)(op, x, bins)


def _zeros_like(op, x, dtype=None):
    return ops.zeros(shape_of(x), dtype=dtype or dtypes.standardize_dtype(x.dtype))


def _ones_like(op, x, dtype=None):
    return ops.ones(shape_of(x), dtype=dtype or dtypes.standardize_dtype(x.dtype))


def _size(op, x):
    return math.prod(x.shape)


_ZERO_TO_ZERO = """abs absolute angle arcsin arcsinh arctan arctanh cast cbrt ceil celu
conj conjugate copy deg2rad elu erf erfinv expm1 fabs floor gelu hard_shrink hard_silu
hard_tanh imag isinf isnan leaky_relu log1p nan_to_num negative rad2deg real relu relu6
round saturate_cast selu sign signbit silu sin sinh soft_shrink softsign sqrt square
stop_gradient tan tanh tanh_shrink trunc""".split()

_ELEMENTWISE = """arccos arccosh arctan2 bitwise_and bitwise_invert bitwise_not
bitwise_or bitwise_xor clip cos cosh divide_no_nan equal erfc exp exp2 floor_divide
fmax fmin fmod greater greater_equal hard_sigmoid heaviside hypot i0 isclose isfinite
isneginf isposinf isreal less less_equal log log10 log2 log_sigmoid logaddexp
logaddexp2 logical_and logical_not logical_or logical_xor mod nextafter not_equal
reciprocal rsqrt sigmoid sinc softplus sparse_plus sparse_sigmoid squareplus threshold
where""".split()

RULES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(_ELEMENTWISE, _dense),
    **dict.fromkeys(_ZERO_TO_ZERO, _on_entries),
    **dict.fromkeys(["add", "subtract", "maximum", "minimum"], _on_both),
    "array": _array,
    "concatenate": _concatenate,
    "convert_to_tensor": _convert_to_tensor,
    "digitize": _digitize,
    "divide": _divide,
    "dot": sparse_products.matmul,
    "einsum": sparse_products.einsum,
    "empty_like": _zeros_like,
    "expand_dims": _expand_dims,
    "linear": sparse_products.linear,
    "matmul": sparse_products.matmul,
    "mean": _mean,
    "multiply": _multiply,
    "ones_like": _ones_like,
    "power": _power,
    "reshape": _reshape,
    "size": _size,
    "squeeze": _squeeze,
    "sum": _sum,
    "take": _dense,
    "transpose": _transpose,
    "true_divide": _divide,
    "zeros_like": _zeros_like,
}
# Ops that the error does not list one by one, and the library's internal ones.
_SPARSE_FUNCTIONS = frozenset(
    [*_ZERO_TO_ZERO, *_ELEMENTWISE, "add", "array", "divide", "empty_like", "linear",
     "maximum", "minimum", "multiply", "power", "size", "subtract", "true_divide"]
)  # fmt: skip

declare.extensions["sparse"] = call
