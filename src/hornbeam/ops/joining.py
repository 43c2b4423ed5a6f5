"""Putting tensors together and cutting them up."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from hornbeam.core import dtypes
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.core import convert_to_tensor
from hornbeam.ops.declare import composite, primitive
from hornbeam.ops.shaping import _rank, expand_dims, ravel
from hornbeam.typing import IntOrInts, Tensor, TensorLike


def _common_dtype(xs):
    return dtypes.result_type(*(rules.weak_dtype(x) for x in xs))


def joined(owner: str, shapes: Sequence[Any], axis: Any) -> tuple[Any, ...]:
    """Return the shape of tensors concatenated along `axis`."""
    rank = len(shapes[0])
    axis %= rank
    result = list(shapes[0])
    for shape in shapes[1:]:
        if len(shape) != rank:
            raise ValueError(
                f"{owner}(): all tensors must have the same rank. "
                f"Received: shapes {shapes}"
            )
        for i, (a, b) in enumerate(zip(result, shape, strict=True)):
            if i == axis:
                result[i] = None if a is None or b is None else a + b
            elif a is None:
                result[i] = b
            elif b is not None and a != b:
                raise ValueError(
                    f"{owner}(): all sizes but that of axis {axis} must be equal. "
                    f"Received: shapes {shapes}"
                )
    return tuple(result)


def _concatenate_spec(a):
    shapes = [rules.shape_of(x) for x in a["xs"]]
    if a["axis"] is None:
        raise ValueError("concatenate(): symbolic tensors need an axis.")
    return KerasTensor(joined("concatenate", shapes, a["axis"]), _common_dtype(a["xs"]))


@primitive(_concatenate_spec)
def concatenate(xs: Sequence[TensorLike] | TensorLike, axis: int = 0) -> Tensor:
    """Tensors joined end to end along an existing axis.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.concatenate([[[1, 2]], [[3, 4]]]).shape)
    (2, 2)
    """


def _stack_spec(a):
    shapes = {rules.shape_of(x) for x in a["x"]}
    shape = shapes.pop()
    for other in shapes:
        if len(other) != len(shape) or any(
            m != n for m, n in zip(shape, other, strict=True) if None not in (m, n)
        ):
            raise ValueError(
                "stack(): all tensors must have the same shape. "
                f"Received: shapes {shape} and {other}"
            )
        shape = tuple(n if m is None else m for m, n in zip(shape, other, strict=True))
    axis = a["axis"] % (len(shape) + 1)
    shape = (*shape[:axis], len(a["x"]), *shape[axis:])
    return KerasTensor(shape, _common_dtype(a["x"]))


@primitive(_stack_spec)
def stack(x: Sequence[TensorLike] | TensorLike, axis: int = 0) -> Tensor:
    """Tensors of one shape stacked along a new axis.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.stack([keras.ops.ones(3), keras.ops.ones(3)], axis=1).shape)
    (3, 2)
    """


def _stacked_spec(make, axis_of):
    """The shape of a stack: shapes are extended to a minimal rank, then joined."""

    def spec(a):
        shapes = [make(rules.shape_of(x)) for x in a["xs"]]
        shape = joined("stacking", shapes, axis_of(shapes[0]))
        return KerasTensor(shape, _common_dtype(a["xs"]))

    return spec


def _shape_at_least(shape, rank):
    if rank == 3 and len(shape) < 3:
        return (*_shape_at_least(shape, 2), 1)
    return (1,) * (rank - len(shape)) + tuple(shape)


def _at_least(x, rank):
    """`x` with new first axes (rank 1 and 2) and, for rank 3, a new last one."""
    x = convert_to_tensor(x)
    if rank == 3 and len(x.shape) < 3:
        return expand_dims(_at_least(x, 2), 2)
    while len(x.shape) < rank:
        x = expand_dims(x, 0)
    return x


@composite(rule=_stacked_spec(lambda s: _shape_at_least(s, 2), lambda s: 0))
def vstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors stacked as rows: along axis 0, after vectors became rows.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.vstack([[1, 2], [3, 4]]).shape)
    (2, 2)
    """
    return concatenate([_at_least(x, 2) for x in xs], axis=0)


@composite(
    rule=_stacked_spec(
        lambda s: _shape_at_least(s, 1), lambda s: 0 if len(s) == 1 else 1
    )
)
def hstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors put side by side: along axis 1, or 0 for rank 1.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.hstack([[1, 2], [3, 4]]).shape)
    (4,)
    """
    rows = [_at_least(x, 1) for x in xs]
    return concatenate(rows, axis=0 if len(rows[0].shape) == 1 else 1)


@composite(rule=_stacked_spec(lambda s: _shape_at_least(s, 3), lambda s: 2))
def dstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors stacked in depth: along axis 2.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.dstack([[1, 2], [3, 4]]).shape)
    (1, 2, 2)
    """
    return concatenate([_at_least(x, 3) for x in xs], axis=2)


@composite
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Tensor:
    """`x1` and `x2` joined along `axis`; both are flattened without an axis.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.append([1, 2], [3]).shape)
    (3,)
    """
    if axis is None:
        return concatenate([ravel(x1), ravel(x2)])
    return concatenate([x1, x2], axis)


def _check_sections(owner, sections):
    if sections < 1:
        raise ValueError(
            f"{owner}(): the number of pieces must be positive. "
            f"Received: indices_or_sections={sections}"
        )


def _places(size, parts):
    """Return the indices that cut `size` into `parts`, the longer ones first."""
    short, longer = divmod(size, parts)
    return [i * short + min(i, longer) for i in range(1, parts)]


def _split_sizes(size, indices_or_sections):
    if isinstance(indices_or_sections, int):
        _check_sections("split", indices_or_sections)
        if size is None:
            return [None] * indices_or_sections
        if size % indices_or_sections:
            raise ValueError(
                f"split(): an axis of size {size} cannot be cut into "
                f"{indices_or_sections} equal parts."
            )
        return [size // indices_or_sections] * indices_or_sections
    places = [operator.index(i) for i in indices_or_sections]
    if size is None:
        inner = [b - a for a, b in zip(places, places[1:], strict=False)]
        return [*places[:1], *inner, None]
    edges = [0, *(min(max(p + size if p < 0 else p, 0), size) for p in places), size]
    return [max(b - a, 0) for a, b in zip(edges, edges[1:], strict=False)]


def _split_spec(a):
    shape = tuple(a["x"].shape)
    axis = a["axis"] % len(shape)
    sizes = _split_sizes(shape[axis], a["indices_or_sections"])
    return [
        KerasTensor((*shape[:axis], s, *shape[axis + 1 :]), a["x"].dtype) for s in sizes
    ]


@primitive(_split_spec)
def split(x: TensorLike, indices_or_sections: IntOrInts, axis: int = 0) -> list[Tensor]:
    """The tensor cut into pieces, as a list.

    Args:
        x: a tensor.
        indices_or_sections: a number of equal pieces, or the indices of the cuts.
        axis: the axis. Default: 0.

    >>> import hornbeam as keras
    >>> [tuple(piece.shape) for piece in keras.ops.split(keras.ops.ones((4, 3)), 2)]
    [(2, 3), (2, 3)]
    """


@composite
def array_split(
    x: TensorLike, indices_or_sections: IntOrInts, axis: int = 0
) -> list[Tensor]:
    """Like `split`, where the pieces need not be equal: the first ones are longer.

    >>> import hornbeam as keras
    >>> [tuple(piece.shape) for piece in keras.ops.array_split(keras.ops.ones(5), 2)]
    [(3,), (2,)]
    """
    if isinstance(indices_or_sections, int):
        _check_sections("array_split", indices_or_sections)
        size = rules.shape_of(x)[axis]
        indices_or_sections = _places(size, indices_or_sections)
    return split(x, indices_or_sections, axis)


@composite
def vsplit(x: TensorLike, indices_or_sections: IntOrInts) -> list[Tensor]:
    """The tensor cut along axis 0.

    >>> import hornbeam as keras
    >>> len(keras.ops.vsplit(keras.ops.ones((4, 3)), 2))
    2
    """
    return split(x, indices_or_sections, 0)


@composite
def hsplit(x: TensorLike, indices_or_sections: IntOrInts) -> list[Tensor]:
    """The tensor cut along axis 1, or 0 for rank 1.

    >>> import hornbeam as keras
    >>> len(keras.ops.hsplit(keras.ops.ones((4, 6)), 3))
    3
    """
    return split(x, indices_or_sections, 0 if _rank(x) == 1 else 1)


@composite
def dsplit(x: TensorLike, indices_or_sections: IntOrInts) -> list[Tensor]:
    """The tensor cut along axis 2.

    >>> import hornbeam as keras
    >>> len(keras.ops.dsplit(keras.ops.ones((1, 2, 4)), 2))
    2
    """
    if _rank(x) < 3:
        raise ValueError(
            "dsplit() needs a tensor of rank 3 or more. "
            f"Received: shape={rules.shape_of(x)}"
        )
    return split(x, indices_or_sections, 2)
