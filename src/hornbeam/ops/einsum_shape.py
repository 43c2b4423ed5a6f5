"""The shape that Einstein's notation gives, with unknown sizes kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hornbeam.ops.declare import broadcast_shapes


def einsum_shape(subscripts: str, shapes: Sequence[Any]) -> tuple[Any, ...]:
    """Return the shape of `einsum(subscripts, ...)` of operands of `shapes`.

    >>> einsum_shape("...ij,jk->...ik", [(None, 2, 3), (3, 4)])
    (None, 2, 4)
    """
    terms, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = terms.split(",")
    if len(terms) != len(shapes):
        raise ValueError(
            f"einsum(): {subscripts!r} has {len(terms)} terms. "
            f"Received: {len(shapes)} operands"
        )
    sizes: dict = {}
    around: tuple = ()
    for term, shape in zip(terms, shapes, strict=True):
        around = broadcast_shapes(around, _read(term, tuple(shape), sizes))
    if not arrow:
        counts = Counter("".join(terms).replace("...", ""))
        result = "..." + "".join(sorted(c for c in counts if counts[c] == 1))
    before, dots, after = result.partition("...")
    unknown = set(before + after) - set(sizes)
    if unknown:
        raise ValueError(
            f"einsum(): the result of {subscripts!r} names {sorted(unknown)}, which "
            "no operand has."
        )
    middle = around if dots else ()
    return (*(sizes[c] for c in before), *middle, *(sizes[c] for c in after))


def _read(term, shape, sizes):
    """Note the size of each label of a term; return the shape of its `...`."""
    before, dots, after = term.partition("...")
    named = len(before) + len(after)
    if named > len(shape) or (not dots and named < len(shape)):
        raise ValueError(
            f"einsum(): the term {term!r} does not fit an operand of shape {shape}."
        )
    end = len(shape) - len(after)
    pairs = zip(before + after, shape[: len(before)] + shape[end:], strict=True)
    for label, size in pairs:
        noted = sizes.get(label)
        if noted in (None, 1):
            sizes[label] = size if size is not None or noted is None else noted
        elif size not in (None, 1, noted):
            raise ValueError(
                f"einsum(): the label {label!r} has the sizes {noted} and {size}."
            )
    return shape[len(before) : end]
