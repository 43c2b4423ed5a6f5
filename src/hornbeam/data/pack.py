"""`(x, y, sample_weight)`: packing, unpacking, splitting off validation rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hornbeam.core import tree
from hornbeam.core.errors import check_number
from hornbeam.data.host import host_tree, is_array_like
from hornbeam.data.stored import split_columns

NAMES = ("x", "y", "sample_weight")


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return `(x, y, sample_weight)` of a batch, with None for missing parts.

    Args:
        data: `x`, or a tuple or list `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    >>> import hornbeam as keras
    >>> keras.utils.unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if not isinstance(data, list | tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "A batch must be `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`. "
            f"Received: a {type(data).__name__} of length {len(data)}. Several inputs "
            "go into one list or dict: `([x1, x2], y)`."
        )
    return (*data, None, None)[:3]


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return a batch as datasets yield it: the inverse of unpacking.

    Args:
        x: the inputs, one array or a nest of arrays.
        y: the targets. Default: None
        sample_weight: the weights of the rows. Default: None

    >>> import hornbeam as keras
    >>> keras.utils.pack_x_y_sample_weight(1, 2)
    (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, list | tuple) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def host_arrays(x: Any, y: Any = None, sample_weight: Any = None) -> tuple[Any, ...]:
    """Return the parts as a tuple without trailing Nones, leaves as NumPy arrays."""
    parts = [
        host_tree(part, name)
        for part, name in zip((x, y, sample_weight), NAMES, strict=True)
    ]
    while len(parts) > 1 and parts[-1] is None:
        parts.pop()
    return tuple(parts)


def named_leaves(arrays: Sequence[Any]) -> list[tuple[str, Any]]:
    """Return `[("x['a']", array), ...]` for the leaves that are not None."""
    named = []
    for name, part in zip(NAMES, arrays, strict=False):
        for path, leaf in zip(tree.paths(part), tree.flatten(part), strict=True):
            if leaf is not None:
                named.append((name + "".join(f"[{key!r}]" for key in path), leaf))
    return named


def count_rows(arrays: Sequence[Any]) -> int:
    """Return the number of rows, which all arrays must share."""
    named = named_leaves(arrays)
    if not named or not any(name.startswith("x") for name, _ in named):
        raise ValueError("There is no data: `x` holds no array.")
    for name, leaf in named:
        if leaf.ndim == 0:
            raise ValueError(
                f"`{name}` is a single number, {leaf!r}. Expected an array whose first "
                "dimension counts the rows."
            )
    sizes = {name: leaf.shape[0] for name, leaf in named}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"`{name}` has {size}" for name, size in sizes.items())
        raise ValueError(
            f"All arrays need the same number of rows (first dimension), but {listed}."
        )
    rows = next(iter(sizes.values()))
    if rows == 0:
        raise ValueError(f"The data is empty: `{named[0][0]}` has no rows.")
    return rows


def train_validation_split(arrays: Any, validation_split: float) -> tuple[Any, Any]:
    """Split `(x, y, sample_weight)` into the first rows and the last rows.

    Args:
        arrays: a tuple of arrays or nests of arrays, None where absent.
        validation_split: the fraction of the rows, in (0, 1), that goes to the second.
    """
    check_number("fit()", "validation_split", validation_split, 0, 1)
    if len(arrays) > 1 and isinstance(arrays[1], str):
        arrays = (*split_columns(*arrays[:2]), *arrays[2:])
    for part in arrays:
        for leaf in tree.flatten(part):
            if leaf is not None and not is_array_like(leaf):
                raise ValueError(
                    "`validation_split` needs data in arrays, which it can cut. "
                    f"Received: {type(leaf).__name__}. Pass `validation_data` instead."
                )
    arrays = tuple(
        host_tree(part, name) for part, name in zip(arrays, NAMES, strict=False)
    )
    rows = count_rows(arrays)
    # Slightly less, so that 0.9 of 10 rows is 9 despite rounding.
    cut = rows - math.ceil(rows * validation_split - 1e-9)
    if cut in (0, rows):
        raise ValueError(
            f"`validation_split={validation_split}` leaves no rows for "
            f"{'training' if cut == 0 else 'validation'}: there are {rows} rows in all."
        )

    def part_of(rows_taken):
        return tuple(
            tree.map_structure(
                lambda leaf: None if leaf is None else leaf[rows_taken], part
            )
            for part in arrays
        )

    return part_of(slice(None, cut)), part_of(slice(cut, None))
