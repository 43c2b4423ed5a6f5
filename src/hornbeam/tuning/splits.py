"""What candidates are trained on, and what they are measured on."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.core.errors import check_number
from hornbeam.data.make import in_memory
from hornbeam.data.pack import (
    NAMES,
    count_rows,
    host_tree,
    unpack_x_y_sample_weight,
)

Split = tuple[tuple[Any, Any, Any], Any]


def splits_of(data: Any, validation: Any, seed: int) -> list[Split]:
    """Return a list of `((x, y, sample_weight), validation_data)`, one for each fold.

    Args:
        data: `(x, y)`, `(x, y, sample_weight)`, or a source of batches.
        validation: a fraction of the rows, a number of folds, a splitter of
            scikit-learn, `(x, y)`, a source of batches, or None.
        seed: the seed by which rows are chosen.
    """
    train = unpack_x_y_sample_weight(data)
    is_split = hasattr(validation, "split") or isinstance(validation, int | float)
    if validation is None or validation is False or not is_split:
        return [(train, validation or None if validation is False else validation)]
    if not in_memory(train[0]):
        raise ValueError(
            "search() can cut rows off arrays alone. Its `data` is a "
            f"{type(train[0]).__name__}: pass `validation=` another one, or `(x, y)`."
        )
    parts = tuple(
        host_tree(part, name) for part, name in zip(train, NAMES, strict=True)
    )
    rows = count_rows([part for part in parts if part is not None])
    return [
        (_rows_of(parts, kept), _rows_of(parts, held_out))
        for kept, held_out in _cuts(parts, rows, validation, seed)
    ]


def _cuts(parts, rows, validation, seed):
    """Return pairs of numbers of rows: of those to train on, and of those held out."""
    if hasattr(validation, "split"):
        return list(validation.split(np.zeros(rows), parts[1]))
    order = _by_class(parts[1], rows, seed)
    if isinstance(validation, int):
        check_number("search()", "validation", validation, 2, rows, integer=True)
        fold = np.arange(rows) % validation
        return [
            (np.sort(order[fold != i]), np.sort(order[fold == i]))
            for i in range(validation)
        ]
    check_number("search()", "validation", validation, above=0, below=1)
    counts = np.floor(np.arange(rows + 1) * validation + 0.5)
    is_held_out = np.diff(counts) > 0
    if not is_held_out.any() or is_held_out.all():
        raise ValueError(
            f"`validation={validation}` leaves no rows for training or for validation: "
            f"there are {rows} rows in all."
        )
    return [(np.sort(order[~is_held_out]), np.sort(order[is_held_out]))]


def _by_class(y, rows, seed):
    """Return the rows in a random order, those of a class beside each other.

    Rows that are taken at even distances then have the classes in proportion.
    """
    order = np.random.default_rng(seed).permutation(rows)
    labels = y if isinstance(y, np.ndarray) else None
    if labels is None or labels.ndim != 1 or labels.dtype.kind not in "biuOUS":
        return order
    _, codes = np.unique(labels[order], return_inverse=True)
    return order[np.argsort(codes, kind="stable")]


def _rows_of(parts, rows):
    return tuple(
        None if part is None else tree.map_structure(lambda leaf: leaf[rows], part)
        for part in parts
    )
