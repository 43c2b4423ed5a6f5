"""PyTorch: element by element, reductions, shapes, indexing.

Each function first tries the case that training is made of, tensors of one float dtype,
which goes straight to torch; whatever else is converted and promoted before.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hornbeam.core.config import floatx
from hornbeam.core.dtypes import result_type

from .arrays import FLOATS, INEXACT, cast, convert, dtype_of, to_numpy, torch_dtype

_INTS_SUMMED = {
    torch.bool: torch.int32,
    torch.int8: torch.int32,
    torch.int16: torch.int32,
    torch.int32: torch.int32,
}
_HALF = (torch.float16, torch.bfloat16)


def _array(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else convert(x)


def _to_float(x: Any) -> Tensor:
    x = _array(x)
    return x if x.dtype in INEXACT else x.to(torch_dtype(floatx()))


def _weak_dtype(x: Any) -> Any:
    if isinstance(x, Tensor):
        return dtype_of(x)
    for kind in (bool, int, float):
        if isinstance(x, kind):
            return kind
    return dtype_of(x)


def _promoted(*xs: Any, least: tuple = ()) -> list[Tensor]:
    """The operands in their common dtype."""
    dtype = torch_dtype(result_type(*[_weak_dtype(x) for x in xs], *least))
    return [convert(x, dtype) for x in xs]


def _not_bool(xs: list[Tensor]) -> list[Tensor]:
    return [x.to(torch.int32) for x in xs] if xs[0].dtype is torch.bool else xs


def _named(run: Callable, fn: Callable) -> Callable:
    run.__name__ = run.__qualname__ = fn.__name__
    return run


def _unary(fn: Callable) -> Callable:
    return _named(lambda x: fn(x if isinstance(x, Tensor) else convert(x)), fn)


def _unary_float(fn: Callable) -> Callable:
    def run(x):
        if isinstance(x, Tensor) and x.dtype in INEXACT:
            return fn(x)
        return fn(_to_float(x))

    return _named(run, fn)


def _unary_exact(fn: Callable) -> Callable:
    """Of booleans and integers: themselves."""

    def run(x):
        x = _array(x)
        return fn(x) if x.dtype in INEXACT else x

    return _named(run, fn)


def _binary(fn: Callable) -> Callable:
    def run(x1, x2):
        if isinstance(x1, Tensor) and isinstance(x2, Tensor) and x1.dtype is x2.dtype:
            return fn(x1, x2)
        return fn(*_promoted(x1, x2))

    return _named(run, fn)


def _binary_scalar(fn: Callable) -> Callable:
    """Like `_binary`; torch's function takes a Python scalar on the right as well."""

    def run(x1, x2):
        if isinstance(x1, Tensor):
            if isinstance(x2, Tensor):
                if x1.dtype is x2.dtype:
                    return fn(x1, x2)
            elif x1.dtype in FLOATS and isinstance(x2, (int, float)):
                return fn(x1, x2)
        return fn(*_promoted(x1, x2))

    return _named(run, fn)


def _binary_number(fn: Callable) -> Callable:
    """Of booleans: int32."""

    def run(x1, x2):
        if isinstance(x1, Tensor) and x1.dtype in FLOATS:
            if isinstance(x2, (int, float)) or (
                isinstance(x2, Tensor) and x1.dtype is x2.dtype
            ):
                return fn(x1, x2)
        return fn(*_not_bool(_promoted(x1, x2)))

    return _named(run, fn)


def _binary_float(fn: Callable) -> Callable:
    def run(x1, x2):
        if (
            isinstance(x1, Tensor)
            and isinstance(x2, Tensor)
            and x1.dtype is x2.dtype
            and x1.dtype in INEXACT
        ):
            return fn(x1, x2)
        return fn(*_promoted(x1, x2, least=(float,)))

    return _named(run, fn)


def _binary_bits(fn: Callable) -> Callable:
    return _named(lambda x, y: fn(*_promoted(x, y)), fn)


def _binary_logical(fn: Callable) -> Callable:
    return _named(lambda x1, x2: fn(_array(x1), _array(x2)), fn)


def _reduction(fn: Callable, prepare: Callable = _array) -> Callable:
    def run(x, axis=None, keepdims=False):
        x = prepare(x)
        if axis is None and not keepdims:
            return fn(x)
        return fn(x, _dims(x, axis), keepdims)

    return _named(run, fn)


def _dims(x: Tensor, axis: Any) -> Any:
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(axis) if isinstance(axis, list) else axis


def _indices(x: Any) -> Tensor:
    return convert(x).to(torch.int64)


arccos = _unary_float(torch.arccos)
arccosh = _unary_float(torch.arccosh)
arcsin = _unary_float(torch.arcsin)
arcsinh = _unary_float(torch.arcsinh)
arctan = _unary_float(torch.arctan)
arctanh = _unary_float(torch.arctanh)
ceil = _unary_float(torch.ceil)
cos = _unary_float(torch.cos)
cosh = _unary_float(torch.cosh)
erf = _unary_float(torch.erf)
erfc = _unary_float(torch.erfc)
erfinv = _unary_float(torch.erfinv)
exp = _unary_float(torch.exp)
exp2 = _unary_float(torch.exp2)
expm1 = _unary_float(torch.expm1)
floor = _unary_float(torch.floor)
i0 = _unary_float(torch.i0)
log = _unary_float(torch.log)
log10 = _unary_float(torch.log10)
log1p = _unary_float(torch.log1p)
log2 = _unary_float(torch.log2)
reciprocal = _unary_float(torch.reciprocal)
rsqrt = _unary_float(torch.rsqrt)
sin = _unary_float(torch.sin)
sinh = _unary_float(torch.sinh)
sqrt = _unary_float(torch.sqrt)
tan = _unary_float(torch.tan)
tanh = _unary_float(torch.tanh)

absolute = _named(
    lambda x: x if _array(x).dtype is torch.bool else torch.abs(_array(x)), torch.abs
)
bitwise_not = _unary(torch.bitwise_not)
conj = _unary(torch.conj)
copy = _unary(torch.clone)
isfinite = _unary(torch.isfinite)
isinf = _unary(torch.isinf)
isnan = _unary(torch.isnan)
logical_not = _unary(torch.logical_not)
negative = _unary(torch.negative)
real = _unary(torch.real)
sign = _unary(torch.sign)
signbit = _unary(torch.signbit)
trunc = _unary_exact(torch.trunc)

add = _binary_scalar(torch.add)
equal = _binary_scalar(torch.eq)
greater = _binary_scalar(torch.gt)
greater_equal = _binary_scalar(torch.ge)
less = _binary_scalar(torch.lt)
less_equal = _binary_scalar(torch.le)
multiply = _binary_scalar(torch.mul)
not_equal = _binary_scalar(torch.ne)
subtract = _binary_scalar(torch.sub)

maximum = _binary(torch.maximum)
minimum = _binary(torch.minimum)
gcd = _binary(torch.gcd)
lcm = _binary(torch.lcm)

floor_divide = _binary_number(torch.floor_divide)
fmod = _binary_number(torch.fmod)
mod = _binary_number(torch.remainder)
power = _binary_number(torch.pow)

arctan2 = _binary_float(torch.arctan2)
divide = _binary_float(torch.true_divide)
hypot = _binary_float(torch.hypot)
logaddexp = _binary_float(torch.logaddexp)
nextafter = _binary_float(torch.nextafter)

bitwise_and = _binary_bits(torch.bitwise_and)
bitwise_or = _binary_bits(torch.bitwise_or)
bitwise_xor = _binary_bits(torch.bitwise_xor)
left_shift = _named(
    lambda x, y: torch.bitwise_left_shift(*_not_bool(_promoted(x, y))),
    torch.bitwise_left_shift,
)
right_shift = _named(
    lambda x, y: torch.bitwise_right_shift(*_not_bool(_promoted(x, y))),
    torch.bitwise_right_shift,
)

logical_and = _binary_logical(torch.logical_and)
logical_or = _binary_logical(torch.logical_or)
logical_xor = _binary_logical(torch.logical_xor)

all = _reduction(torch.all)
any = _reduction(torch.any)
mean = _reduction(torch.mean, _to_float)


def angle(x):
    x = _to_float(x)
    # torch has no `angle` of short floats.
    return torch.angle(x.float()).to(x.dtype) if x.dtype in _HALF else torch.angle(x)


def imag(x):
    x = _array(x)
    return x.imag if x.is_complex() else torch.zeros_like(x)


def square(x):
    x = _array(x)
    return torch.square(x.to(torch.int32) if x.dtype is torch.bool else x)


def round(x, decimals=0):
    x = _array(x)
    if x.dtype in INEXACT:
        return torch.round(x, decimals=decimals)
    if decimals >= 0:
        return x
    return torch.round(x.double(), decimals=decimals).to(x.dtype)


def sum(x, axis=None, keepdims=False):
    x = _array(x)
    if x.dtype in INEXACT:
        if axis is None and not keepdims:
            return torch.sum(x)
        return torch.sum(x, _dims(x, axis), keepdims)
    dtype = _INTS_SUMMED.get(x.dtype, torch.int64)
    return torch.sum(x, _dims(x, axis), keepdims, dtype=dtype)


def _extreme(fn: Callable, pair: Callable) -> Callable:
    def run(x, axis=None, keepdims=False, initial=None):
        x = _array(x)
        if initial is not None and x.numel() == 0:
            shape = torch.sum(x, _dims(x, axis), keepdims).shape
            return torch.full(shape, initial, dtype=x.dtype)
        y = fn(x, _dims(x, axis), keepdims)
        return y if initial is None else pair(y, convert(initial, y.dtype))

    return _named(run, fn)


max = _extreme(torch.amax, torch.maximum)
min = _extreme(torch.amin, torch.minimum)


def _position(fn: Callable) -> Callable:
    def run(x, axis=None, keepdims=False):
        x = _array(x)
        x = x.to(torch.uint8) if x.dtype is torch.bool else x
        if axis is not None:
            return fn(x, axis, keepdims).to(torch.int32)
        found = fn(x).to(torch.int32)
        return found.reshape((1,) * x.ndim) if keepdims else found

    return _named(run, fn)


argmax = _position(torch.argmax)
argmin = _position(torch.argmin)


def var(x, axis=None, keepdims=False):
    x = _to_float(x)
    return torch.var(x, _dims(x, axis), correction=0, keepdim=keepdims)


def logsumexp(x, axis=None, keepdims=False):
    x = _to_float(x)
    return torch.logsumexp(x, _dims(x, axis), keepdims)


def prod(x, axis=None, keepdims=False, dtype=None):
    x = _array(x)
    if dtype is not None:
        x = cast(x, dtype)
    elif x.dtype not in INEXACT:
        x = x.to(_INTS_SUMMED.get(x.dtype, torch.int64))
    dims = _dims(x, axis)
    dims = [dims] if isinstance(dims, int) else [d % x.ndim for d in dims]
    for dim in sorted_descending(dims):
        x = torch.prod(x, dim, keepdims, dtype=x.dtype)
    return x


def sorted_descending(dims: Sequence[int]) -> list[int]:
    """The axes with the last first, so that removing one moves no other."""
    return builtins.sorted(dims, reverse=True)


def cumsum(x, axis=None, dtype=None):
    return _accumulated(torch.cumsum, x, axis, dtype)


def cumprod(x, axis=None, dtype=None):
    return _accumulated(torch.cumprod, x, axis, dtype)


def _accumulated(fn, x, axis, dtype):
    x = _array(x)
    if dtype is not None:
        x = cast(x, dtype)
    elif x.dtype is torch.bool:
        x = x.to(torch.int32)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    return fn(x, axis, dtype=x.dtype)


def sort(x, axis=-1):
    x = _array(x)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    return torch.sort(x, dim=axis, stable=True).values


def argsort(x, axis=-1):
    x = _array(x)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    return torch.argsort(x, dim=axis, stable=True).to(torch.int32)


def argpartition(x, kth, axis=-1):
    return argsort(x, axis)


def top_k(x, k, sorted=True):
    values, indices = torch.topk(_array(x), k, sorted=sorted)
    return values, indices.to(torch.int32)


def searchsorted(sorted_sequence, values, side="left"):
    sequence, values = _promoted(sorted_sequence, values)
    return torch.searchsorted(sequence, values, side=side, out_int32=True)


def nonzero(x):
    return tuple(i.to(torch.int32) for i in torch.nonzero(_array(x), as_tuple=True))


def unique(
    x,
    sorted=True,
    return_index=False,
    return_inverse=False,
    return_counts=False,
    axis=None,
    size=None,
    fill_value=None,
):
    # On the host: torch.unique gives no positions and no fixed size.
    from hornbeam.backends.numpy.functions import unique as host_unique

    x = _array(x)
    options = (return_index, return_inverse, return_counts, axis, size, fill_value)
    found = host_unique(to_numpy(x), sorted, *options)
    if isinstance(found, tuple):
        return tuple(torch.as_tensor(y, device=x.device) for y in found)
    return torch.as_tensor(found, device=x.device).to(x.dtype)


def count_integers(x, weights=None, minlength=0):
    x = _indices(x)
    longest = int(x.max()) + 1 if x.numel() else 0
    length = builtins.max(longest, minlength)
    weights = torch.ones_like(x, dtype=torch.int32) if weights is None else weights
    weights = convert(weights)
    counts = torch.zeros((*x.shape[:-1], length), dtype=weights.dtype, device=x.device)
    return counts.scatter_add(-1, x, weights.expand(x.shape))


def reshape(x, newshape):
    return torch.reshape(_array(x), _shape(newshape))


def _shape(shape: Any) -> tuple:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def transpose(x, axes=None):
    x = _array(x)
    return x.permute(*(range(x.ndim - 1, -1, -1) if axes is None else axes))


def expand_dims(x, axis):
    x = _array(x)
    if isinstance(axis, int):
        return torch.unsqueeze(x, axis)
    rank = x.ndim + len(axis)
    for a in builtins.sorted(a % rank for a in axis):
        x = torch.unsqueeze(x, a)
    return x


def squeeze(x, axis=None):
    x = _array(x)
    if axis is None:
        return torch.squeeze(x)
    dims = (axis,) if isinstance(axis, int) else tuple(axis)
    if builtins.any(x.shape[d] != 1 for d in dims):
        raise ValueError(
            "squeeze() can remove only axes of size 1. "
            f"Received: axis={axis}, shape={tuple(x.shape)}"
        )
    return torch.squeeze(x, dims)


def broadcast_to(x, shape):
    return torch.broadcast_to(_array(x), _shape(shape))


def concatenate(xs, axis=0):
    xs = [_array(x) for x in xs]
    if len({x.dtype for x in xs}) > 1:
        xs = _promoted(*xs)
    if axis is None:
        return torch.cat([x.reshape(-1) for x in xs])
    return torch.cat(xs, axis)


def stack(x, axis=0):
    x = [_array(v) for v in x]
    if len({v.dtype for v in x}) > 1:
        x = _promoted(*x)
    return torch.stack(x, axis)


def split(x, indices_or_sections, axis=0):
    x = _array(x)
    if isinstance(indices_or_sections, int):
        size = x.shape[axis]
        if size % indices_or_sections:
            raise ValueError(
                f"split() needs equal parts: axis {axis} of size {size} cannot be "
                f"divided by {indices_or_sections}."
            )
        return list(torch.split(x, builtins.max(size // indices_or_sections, 1), axis))
    places = tuple(int(i) for i in indices_or_sections)
    return list(torch.tensor_split(x, places, axis))


def flip(x, axis=None):
    x = _array(x)
    dims = _dims(x, axis)
    return torch.flip(x, (dims,) if isinstance(dims, int) else dims)


def roll(x, shift, axis=None):
    axis = tuple(axis) if isinstance(axis, list) else axis
    return torch.roll(_array(x), shift, axis)


def repeat(x, repeats, axis=None):
    x = _array(x)
    if not isinstance(repeats, int):
        repeats = _indices(repeats).to(x.device)
        repeats = int(repeats) if repeats.numel() == 1 else repeats
    return torch.repeat_interleave(x, repeats, axis)


def tile(x, repeats):
    return torch.tile(_array(x), _shape(repeats))


def padded(x, pad_width, mode="constant", constant_values=None):
    x = _array(x)
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    if mode == "constant":
        flat = [w for pair in reversed(widths) for w in pair]
        value = 0 if constant_values is None else constant_values
        value = value.item() if hasattr(value, "item") else value
        return F.pad(x, flat, value=value)
    # NumPy says which element goes where, axis by axis: this serves every mode.
    for axis, (before, after) in enumerate(widths):
        if before or after:
            places = np.pad(np.arange(x.shape[axis]), (before, after), mode)
            x = x.index_select(axis, torch.as_tensor(places, device=x.device))
    return x


def take(x, indices, axis=None):
    x, indices = _array(x), _indices(indices)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis % x.ndim)
    indices = torch.where(indices < 0, indices + x.shape[axis], indices)
    # Unlike `x[indices]`, `index_select` has a fast gradient.
    taken = x.index_select(axis, indices.reshape(-1))
    return taken.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


def take_along_axis(x, indices, axis=None):
    x, indices = _array(x), _indices(indices)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    indices = torch.where(indices < 0, indices + x.shape[axis], indices)
    return torch.take_along_dim(x, indices, axis)


def get_item(x, key):
    key = key if isinstance(key, tuple) else (key,)
    return _array(x)[tuple(_key(k) for k in key)]


def _key(k: Any) -> Any:
    if isinstance(k, (list, np.ndarray)):
        k = convert(k)
    if isinstance(k, Tensor) and k.dtype not in (torch.bool, torch.uint8):
        return k.to(torch.int64)
    return k


def where(condition, x1=None, x2=None):
    condition = _array(condition)
    if x1 is None and x2 is None:
        return nonzero(condition)
    return torch.where(condition.to(torch.bool), *_promoted(x1, x2))


def clip(x, x_min, x_max):
    if isinstance(x, Tensor) and x.dtype in FLOATS:
        if isinstance(x_min, (int, float)) and isinstance(x_max, (int, float)):
            return torch.clamp(x, x_min, x_max)
    given = [b for b in (x_min, x_max) if b is not None]
    x, *bounds = _not_bool(_promoted(x, *given))
    if x_min is not None:
        x = torch.maximum(x, bounds[0])
    return x if x_max is None else torch.minimum(x, bounds[-1])


def dynamic_slice(inputs, start_indices, shape):
    inputs = _array(inputs)
    return inputs[_window(inputs, start_indices, shape)]


def _window(x: Tensor, start: Any, shape: Sequence[int]) -> tuple:
    start = start.tolist() if isinstance(start, (Tensor, np.ndarray)) else start
    window = []
    for first, size, total in zip(start, shape, x.shape, strict=True):
        first = builtins.max(0, builtins.min(int(first), total - size))
        window.append(builtins.slice(first, first + size))
    return tuple(window)


def dynamic_update(inputs, start_indices, updates):
    inputs = _array(inputs)
    updates = convert(updates, inputs.dtype)
    result = inputs.clone()
    result[_window(inputs, start_indices, updates.shape)] = updates
    return result


def scatter_into(inputs, indices, updates, reduction=None):
    inputs, indices = _array(inputs), _indices(indices)
    updates = convert(updates, inputs.dtype)
    places = indices.unbind(-1)
    if reduction in (None, "add"):
        return inputs.index_put(places, updates, accumulate=reduction == "add")
    names = {"max": "amax", "min": "amin", "mul": "prod"}
    depth = len(places)
    rows = torch.zeros_like(places[0])
    for place, size in zip(places, inputs.shape[:depth], strict=True):
        rows = rows * size + torch.where(place < 0, place + size, place)
    width = inputs[(0,) * depth].numel()
    flat = inputs.reshape(-1, width)
    rows = rows.reshape(-1, 1).expand(-1, width)
    result = flat.scatter_reduce(
        0,
        rows,
        updates.expand(indices.shape[:-1] + inputs.shape[depth:]).reshape(-1, width),
        names[reduction],
    )
    return result.reshape(inputs.shape)


def zeros(shape, dtype=None):
    return torch.zeros(shape, dtype=torch_dtype(dtype))


def ones(shape, dtype=None):
    return torch.ones(shape, dtype=torch_dtype(dtype))


def full(shape, fill_value, dtype=None):
    value = convert(fill_value, dtype=torch_dtype(dtype))
    return value.expand(_shape(shape)).clone()


def arange(start, stop=None, step=None, dtype=None):
    given = [v for v in (start, stop, step) if v is not None]
    if dtype is None:
        dtype = result_type(*(_weak_dtype(v) for v in given))
    start, stop = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    numbers = (v.item() if hasattr(v, "item") else v for v in (start, stop, step))
    return torch.arange(*numbers, dtype=torch_dtype(dtype))


def eye(N, M=None, k=0, dtype=None):
    ones = torch.ones((N, N if M is None else M), dtype=torch_dtype(dtype))
    return torch.triu(torch.tril(ones, k), k)


def tri(N, M=None, k=0, dtype=None):
    return torch.tril(torch.ones((N, M or N), dtype=torch_dtype(dtype)), k)


def tril(x, k=0):
    return torch.tril(_array(x), k)


def triu(x, k=0):
    return torch.triu(_array(x), k)


def diag(x, k=0):
    return torch.diag(_array(x), k)


def diagonal(x, offset=0, axis1=0, axis2=1):
    return torch.diagonal(_array(x), offset, axis1, axis2)


def view(x, dtype=None):
    return _array(x).view(torch_dtype(dtype))


def matmul(x1, x2):
    if (
        isinstance(x1, Tensor)
        and isinstance(x2, Tensor)
        and x1.dtype is x2.dtype
        and x1.dtype in FLOATS
    ):
        return torch.matmul(x1, x2)
    return _product(torch.matmul, x1, x2)


def _product(fn: Callable, *xs: Any) -> Tensor:
    """A product of matrices; torch has none of booleans, and int8 would overflow."""
    factors = _promoted(*xs)
    dtype = factors[0].dtype
    if dtype not in (torch.bool, torch.int8):
        return fn(*factors)
    result = fn(*[x.to(torch.int32) for x in factors])
    return result.to(torch.bool) if dtype is torch.bool else result


def dot(x1, x2):
    x1, x2 = _promoted(x1, x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return torch.mul(x1, x2)
    axes = ([x1.ndim - 1], [builtins.max(x2.ndim - 2, 0)])
    dtype = x1.dtype
    return _product(lambda a, b: torch.tensordot(a, b, axes), x1, x2).to(dtype)


def tensordot(x1, x2, axes=2):
    if not isinstance(axes, int):
        axes = [[a] if isinstance(a, int) else list(a) for a in axes]
    x1, x2 = _promoted(x1, x2)
    dtype = x1.dtype
    return _product(lambda a, b: torch.tensordot(a, b, axes), x1, x2).to(dtype)


def einsum(subscripts, *operands, **kwargs):
    operands = [_array(x) for x in operands]
    if len({x.dtype for x in operands}) == 1 and operands[0].dtype in FLOATS:
        return torch.einsum(subscripts, *operands)
    return _product(lambda *xs: torch.einsum(subscripts, *xs), *operands)


def _segment(reduce: str) -> Callable:
    def run(data, segment_ids, num_segments=None, sorted=False):
        data, ids = _array(data), _indices(segment_ids)
        if num_segments is None:
            num_segments = int(ids.max()) + 1 if ids.numel() else 0
        # Ids out of range are dropped: they go to a last row, which is cut off.
        inside = (ids >= 0) & (ids < num_segments)
        ids = torch.where(inside, ids, num_segments)
        ids = ids.reshape(-1, *(1,) * (data.ndim - 1)).expand(data.shape)
        start = torch.full(
            (num_segments + 1, *data.shape[1:]),
            _neutral(reduce, data.dtype),
            dtype=data.dtype,
            device=data.device,
        )
        return start.scatter_reduce(0, ids, data, reduce)[:num_segments]

    return run


def _neutral(reduce: str, dtype: torch.dtype) -> Any:
    if reduce in ("sum", "prod"):
        return int(reduce == "prod")
    if dtype in FLOATS:
        return float("-inf") if reduce == "amax" else float("inf")
    limits = torch.iinfo(dtype)
    return limits.min if reduce == "amax" else limits.max


segment_sum = _segment("sum")
segment_max = _segment("amax")
segment_min = _segment("amin")
segment_prod = _segment("prod")
