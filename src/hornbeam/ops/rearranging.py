"""Axes rearranged by a pattern, in the notation of einops (Rogozhnikov, 2022)."""

from __future__ import annotations

import math
import re

from hornbeam.core.errors import did_you_mean
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.core import convert_to_tensor
from hornbeam.ops.declare import composite
from hornbeam.ops.numpy import reshape, transpose
from hornbeam.typing import Tensor, TensorLike

_TOKEN = re.compile(r"\(|\)|\.\.\.|1\b|[A-Za-z_]\w*|\S")


def _groups(side: str, pattern: str, rest: int) -> list[list[str]]:
    """Return the axes of one side; `...` is `rest` axes."""
    groups: list[list[str]] = []
    inside = False
    for token in _TOKEN.findall(side):
        if token in ("(", ")") and inside != (token == "("):
            inside = not inside
            groups += [[]] if inside else []
        elif token == "...":
            names = [f"...{i}" for i in range(rest)]
            if inside:
                groups[-1] += names
            else:
                groups += [[name] for name in names]
        elif token == "1":
            groups += [] if inside else [[]]
        elif token.isidentifier():
            if inside:
                groups[-1].append(token)
            else:
                groups.append([token])
        else:
            raise ValueError(
                f"rearrange: invalid pattern at {token!r}. Received: "
                f"pattern={pattern!r}"
            )
    return groups


def _sizes(left, shape, lengths, pattern):
    """Return the size of every axis; None where it is unknown."""
    sizes = dict(lengths)
    for group, total in zip(left, shape, strict=True):
        unknown = [name for name in group if name not in sizes]
        lengths = [sizes[name] for name in group if name in sizes]
        if len(unknown) > 1:
            raise ValueError(
                f"rearrange: the sizes of {unknown} cannot be told apart. Give all but "
                f"one, such as {unknown[0]}=2. Received: pattern={pattern!r}"
            )
        product = None if None in lengths else math.prod(lengths)
        if total is not None and product is not None:
            fits = total % product == 0 if unknown else total == product
            if not fits:
                raise ValueError(
                    f"rearrange: an axis of size {total} does not divide into "
                    f"{ {n: sizes.get(n) for n in group} }. Received: "
                    f"pattern={pattern!r}, a tensor of shape {tuple(shape)}"
                )
        for name in unknown:
            inferred = total is not None and product is not None
            sizes[name] = total // product if inferred else None
    return sizes


def _plan(tensor, pattern, lengths):
    """Return the flat names, the order, the sizes and the groups of the result."""
    shape = tuple(tensor.shape)
    left, arrow, right = pattern.partition("->")
    axes = len(_groups(left, pattern, 0))
    rest = len(shape) - axes if "..." in left else 0
    before = _groups(left, pattern, max(rest, 0))
    after = _groups(right, pattern, max(rest, 0))
    if not arrow or len(before) != len(shape):
        raise ValueError(
            f"rearrange: the pattern must name the {len(shape)} axes of the tensor and "
            f"have an arrow, as in 'b h w -> b (h w)'. Received: pattern={pattern!r}, "
            f"a tensor of shape {shape}"
        )
    names = [name for group in before for name in group]
    order = [name for group in after for name in group]
    if sorted(names) != sorted(order) or len(set(names)) != len(names):
        raise ValueError(
            "rearrange: each axis must be once on each side of the arrow. Received: "
            f"pattern={pattern!r}"
        )
    for name in lengths:
        if name not in names:
            raise ValueError(
                f"rearrange: the pattern has no axis {name!r}."
                f"{did_you_mean(name, names)} Received: pattern={pattern!r}"
            )
    return names, order, _sizes(before, shape, lengths, pattern), after


def _merged(groups, sizes):
    """Return the shape in which each group is one axis."""
    parts = [[sizes[name] for name in group] for group in groups]
    return tuple(None if None in sub else math.prod(sub) for sub in parts)


def _rearrange_spec(a):
    tensor = a["tensor"]
    _, _, sizes, groups = _plan(tensor, a["pattern"], a["axes_lengths"])
    return KerasTensor(_merged(groups, sizes), tensor.dtype)


@composite(rule=_rearrange_spec)
def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> Tensor:
    """Split, move and merge axes as a pattern says.

    Args:
        tensor: a tensor.
        pattern: names of the axes before and after an arrow; parentheses merge axes,
            `...` is all axes without a name.
        **axes_lengths: sizes of the axes that cannot be told from the shape.

    >>> import hornbeam as keras
    >>> images = keras.ops.ones((2, 4, 6, 3))
    >>> keras.ops.rearrange(images, "b (h p) w c -> b h w (p c)", p=2).shape
    (2, 2, 6, 6)
    """
    tensor = convert_to_tensor(tensor)
    names, order, sizes, groups = _plan(tensor, pattern, axes_lengths)
    split = reshape(tensor, tuple(sizes[name] for name in names))
    moved = transpose(split, tuple(names.index(name) for name in order))
    return reshape(moved, _merged(groups, sizes))
