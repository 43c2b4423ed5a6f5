"""Products of vectors, matrices and tensors."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Literal

from hornbeam.core import dtypes
from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.arithmetic import as_result_type, multiply, subtract
from hornbeam.ops.core import convert_to_tensor
from hornbeam.ops.declare import broadcast_shapes, composite, primitive
from hornbeam.ops.einsum_shape import einsum_shape
from hornbeam.ops.elementwise import conj
from hornbeam.ops.joining import stack
from hornbeam.ops.shaping import flip, moveaxis, pad, ravel, reshape
from hornbeam.typing import Tensor, TensorLike


def _pair_dtype(a):
    return dtypes.result_type(*(rules.weak_dtype(x) for x in rules.first_two(a)))


def _same_size(owner, m, n, shapes):
    if None not in (m, n) and m != n:
        raise ValueError(
            f"{owner}(): the sizes {m} and {n} that are summed over must be equal. "
            f"Received: shapes {shapes[0]} and {shapes[1]}"
        )


def _matmul_spec(a):
    first, second = (list(rules.shape_of(x)) for x in rules.first_two(a))
    if not first or not second:
        raise ValueError("matmul() does not take scalars. Use multiply().")
    left, right = first[:-1], second[-1:] if len(second) > 1 else []
    _same_size("matmul", first[-1], second[max(len(second) - 2, 0)], (first, second))
    batch = broadcast_shapes(left[:-1], second[:-2])
    dtype = _pair_dtype(a)
    both_int8 = all(rules.weak_dtype(x) == "int8" for x in rules.first_two(a))
    return KerasTensor([*batch, *left[-1:], *right], "int32" if both_int8 else dtype)


@primitive(_matmul_spec)
def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The product of matrices, over all leading axes.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.matmul(keras.ops.ones((5, 2, 3)), keras.ops.ones((3, 4))).shape)
    (5, 2, 4)
    """


def _dot_spec(a):
    first, second = (list(rules.shape_of(x)) for x in rules.first_two(a))
    if not first or not second:
        return KerasTensor([*first, *second], _pair_dtype(a))
    place = max(len(second) - 2, 0)
    _same_size("dot", first[-1], second[place], (first, second))
    shape = [*first[:-1], *(d for i, d in enumerate(second) if i != place)]
    return KerasTensor(shape, _pair_dtype(a))


@primitive(_dot_spec)
def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum over the last axis of `x1` and the last but one (or only) of `x2`.

    >>> import hornbeam as keras
    >>> float(keras.ops.dot([1.0, 2.0], [3.0, 4.0]))
    11.0
    """


def _tensordot_spec(a):
    first, second = (list(rules.shape_of(x)) for x in rules.first_two(a))
    axes = a["axes"]
    if isinstance(axes, int):
        pairs = list(range(len(first) - axes, len(first))), list(range(axes))
    else:
        pairs = [[i] if isinstance(i, int) else list(i) for i in axes]
        pairs = [i % len(first) for i in pairs[0]], [i % len(second) for i in pairs[1]]
    for i, j in zip(*pairs, strict=True):
        _same_size("tensordot", first[i], second[j], (first, second))
    shape = [d for i, d in enumerate(first) if i not in pairs[0]]
    shape += [d for i, d in enumerate(second) if i not in pairs[1]]
    return KerasTensor(shape, _pair_dtype(a))


@primitive(_tensordot_spec)
def tensordot(x1: TensorLike, x2: TensorLike, axes: int | Sequence[Any] = 2) -> Tensor:
    """The sum over pairs of axes.

    Args:
        x1: a tensor.
        x2: a tensor.
        axes: how many last axes of `x1` and first of `x2` (default 2), or two lists.

    >>> import hornbeam as keras
    >>> x, y = keras.ops.ones((2, 3)), keras.ops.ones((3, 4))
    >>> tuple(keras.ops.tensordot(x, y, 1).shape)
    (2, 4)
    """


def _einsum_spec(a):
    operands = a["operands"]
    kinds = [rules.weak_dtype(x) for x in operands]
    int8 = all(kind == "int8" for kind in kinds)
    shape = einsum_shape(a["subscripts"], [rules.shape_of(x) for x in operands])
    return KerasTensor(shape, "int32" if int8 else dtypes.result_type(*kinds))


@primitive(_einsum_spec)
def einsum(subscripts: str, *operands: TensorLike, **kwargs: Any) -> Tensor:
    """The sum of products that Einstein's notation describes.

    Args:
        subscripts: for example "ij,jk->ik" or "...i,i->...".
        operands: a tensor for each term.

    >>> import hornbeam as keras
    >>> x, y = keras.ops.ones((2, 3)), keras.ops.ones((3, 4))
    >>> tuple(keras.ops.einsum("ij,jk->ik", x, y).shape)
    (2, 4)
    """


def _vdot_spec(a):
    return KerasTensor((), _pair_dtype(a))


@composite(rule=_vdot_spec)
def vdot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum of the products of all elements, `x1` conjugated.

    >>> import hornbeam as keras
    >>> float(keras.ops.vdot([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    return dot(ravel(conj(convert_to_tensor(x1))), ravel(convert_to_tensor(x2)))


def _inner_spec(a):
    first, second = (list(rules.shape_of(x)) for x in rules.first_two(a))
    if not first or not second:
        return KerasTensor([*first, *second], _pair_dtype(a))
    _same_size("inner", first[-1], second[-1], (first, second))
    return KerasTensor([*first[:-1], *second[:-1]], _pair_dtype(a))


@composite(rule=_inner_spec)
def inner(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum over the last axes.

    >>> import hornbeam as keras
    >>> float(keras.ops.inner([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    if not rules.shape_of(x1) or not rules.shape_of(x2):
        return multiply(x1, x2)
    return tensordot(x1, x2, axes=[[-1], [-1]])


def _outer_spec(a):
    sizes = [rules.size_of(rules.shape_of(x)) for x in rules.first_two(a)]
    return KerasTensor(sizes, _pair_dtype(a))


@composite(rule=_outer_spec)
def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The product of each element of `x1` with each of `x2`.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.outer([1, 2], [3, 4, 5]).shape)
    (2, 3)
    """
    x1, x2 = as_result_type(x1, x2)
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


@composite
def kron(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The Kronecker product: each element of `x1` times the whole of `x2`.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.kron(keras.ops.ones((2, 2)), keras.ops.ones((3, 3))).shape)
    (6, 6)
    """
    x1, x2 = as_result_type(x1, x2)
    rank = max(len(x1.shape), len(x2.shape))
    first, second = ((1,) * (rank - len(x.shape)) + tuple(x.shape) for x in (x1, x2))
    blocks = multiply(
        reshape(x1, [d for size in first for d in (size, 1)]),
        reshape(x2, [d for size in second for d in (1, size)]),
    )
    return reshape(blocks, [m * n for m, n in zip(first, second, strict=True)])


def _cross_spec(a):
    if a["axis"] is not None:
        a = {**a, "axisa": a["axis"], "axisb": a["axis"], "axisc": a["axis"]}
    leads, sizes = [], []
    for x, axis in (("x1", "axisa"), ("x2", "axisb")):
        shape = list(rules.shape_of(a[x]))
        size = shape.pop(a[axis] % len(shape))
        _check_components(size)
        leads.append(shape)
        sizes.append(size)
    lead = list(broadcast_shapes(*leads))
    if sizes != [2, 2]:
        lead.insert(
            a["axisc"] % (len(lead) + 1),
            None if None in sizes and 3 not in sizes else 3,
        )
    return KerasTensor(lead, _pair_dtype(a))


def _check_components(size):
    if size not in (2, 3, None):
        raise ValueError(
            f"cross() needs vectors of 2 or 3 components. Received: {size} components"
        )


@composite(rule=_cross_spec)
def cross(
    x1: TensorLike,
    x2: TensorLike,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Tensor:
    """The cross product of vectors of 2 or 3 components.

    Args:
        x1: a tensor.
        x2: a tensor.
        axisa: where the components of `x1` lie. Default: the last axis.
        axisb: the same of `x2`.
        axisc: the same of the result.
        axis: all three at once.

    >>> import hornbeam as keras
    >>> [float(x) for x in keras.ops.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])]
    [0.0, 0.0, 1.0]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = as_result_type(x1, x2)
    x1, x2 = moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)
    sizes = x1.shape[-1], x2.shape[-1]
    for size in sizes:
        _check_components(size)

    def times(i, j):
        # The third component of a vector of two is 0.
        return 0 if i >= sizes[0] or j >= sizes[1] else multiply(x1[..., i], x2[..., j])

    parts = [subtract(times(i, j), times(j, i)) for i, j in ((1, 2), (2, 0), (0, 1))]
    if sizes == (2, 2):
        return parts[2]
    return moveaxis(stack(parts, -1), -1, axisc)


def _correlate_spec(a):
    check_choice("correlate()", "mode", a["mode"], ("valid", "same", "full"))
    shapes = [rules.shape_of(x) for x in rules.first_two(a)]
    if any(len(shape) != 1 for shape in shapes):
        raise ValueError(
            f"correlate() needs tensors of rank 1. Received: shapes {shapes}"
        )
    (first,), (second,) = shapes
    dtype = dtypes.result_type(_pair_dtype(a), float)
    if None in (first, second):
        return KerasTensor((None,), dtype)
    sizes = {
        "full": first + second - 1,
        "same": max(first, second),
        "valid": abs(first - second) + 1,
    }
    return KerasTensor((sizes[a["mode"]],), dtype)


@composite(rule=_correlate_spec)
def correlate(
    x1: TensorLike, x2: TensorLike, mode: Literal["valid", "same", "full"] = "valid"
) -> Tensor:
    """The cross-correlation of two vectors.

    Args:
        x1: a tensor of rank 1.
        x2: a tensor of rank 1.
        mode: "valid" (default) where they overlap fully, "same", or "full".

    >>> import hornbeam as keras
    >>> [float(x) for x in keras.ops.correlate([1.0, 2.0, 3.0], [1.0, 1.0])]
    [3.0, 5.0]
    """
    check_choice("correlate()", "mode", mode, ("valid", "same", "full"))
    x1, x2 = as_result_type(x1, x2, least=(float,))
    long, short = x1.shape[0], x2.shape[0]
    if long < short:
        return flip(correlate(x2, x1, mode), 0)
    around = {"valid": (0, 0), "full": (short - 1,) * 2}
    # NumPy's centring: of an odd surplus the longer part is in front.
    around["same"] = (short // 2, short - 1 - short // 2)
    padded = pad(x1, [around[mode]])
    count = padded.shape[0] - short + 1
    return functools.reduce(
        lambda total, i: total + multiply(padded[i : i + count], x2[i]),
        range(short),
        0,
    )
