"""Sizes that are not known: every op takes them, and what it says of the rest holds."""

import numpy as np
import pytest

from hornbeam import backends
from hornbeam.core import tree
from hornbeam.graph.keras_tensor import KerasTensor
from tests.ops.table import TABLE

# The form of the result depends on sizes, or the transform does; or one size known and
# one not are no square matrix, as in Keras.
NEED_SIZES = {"fft", "fft2", "ifft2", "istft", "qr", "squeeze", "unstack"}
NEED_SIZES |= {"solve", "solve_triangular", "image.crop_images", "scan"}
ROWS = [
    r
    for r in TABLE
    if any(isinstance(x, np.ndarray) for x in tree.flatten(list(r.args)))
    # Which axes go is not known; or a symbol is no argument.
    and not (r.op == "squeeze" and len(r.args) == 1)
    and r.op not in ("convert_to_numpy", "vectorize")
]


def _symbols(row, unknown):
    """The row's arguments, arrays as symbols; `unknown(place, axis)` has no size."""
    count = iter(range(100))

    def symbol(x):
        if not isinstance(x, np.ndarray):
            return x
        place = next(count)
        shape = [None if unknown(place, i) else d for i, d in enumerate(x.shape)]
        return KerasTensor(shape, x.dtype.name)

    return tree.map_structure(symbol, [list(row.args), row.kwargs])


def _shapes(row, unknown):
    args, kwargs = _symbols(row, unknown)
    results = tree.flatten(row(args, kwargs))
    return [tuple(x.shape) for x in results if hasattr(x, "shape")]


def _agree(found, known):
    same_rank = [len(s) for s in found] == [len(s) for s in known]
    sizes = [*zip(tree.flatten(found), tree.flatten(known), strict=True)]
    return same_rank and all(m is None or n is None or m == n for m, n in sizes)


@pytest.mark.parametrize(
    "row", ROWS, ids=[f"{i}-{row.op}" for i, row in enumerate(ROWS)]
)
def test_sizes_may_be_unknown(row):
    with backends.scope("numpy"):
        known = _shapes(row, lambda place, axis: False)
        for unknown in (
            lambda place, axis: axis == 0,
            lambda place, axis: place == 0 and axis == 0,
            lambda place, axis: place == 0,
            lambda place, axis: True,
        ):
            try:
                found = _shapes(row, unknown)
            except ValueError as error:
                assert row.op in NEED_SIZES, error
            else:
                assert _agree(found, known), (found, known)
