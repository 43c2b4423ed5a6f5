"""Missing values of tables, which a model cannot compute with."""

from __future__ import annotations

from typing import Any

import numpy as np

MISSING_VALUES = (
    "missing values (None, NA or NaT)",
    "Drop those rows or fill them, for example with `frame.dropna()`, "
    "`frame.fillna(...)` or `sklearn.impute.SimpleImputer`.",
)


def refuse_nulls(x: Any, name: str) -> None:
    """Raise if a table or column of polars or Arrow, or an array, has missing values.

    As NumPy arrays they would be NaN, or what is under the mask of a masked array;
    those of pandas arrive as objects.
    """
    if isinstance(x, np.ma.MaskedArray):
        counts = {None: np.ma.count_masked(x)}
    elif hasattr(x, "get_columns"):
        counts = {column.name: column.null_count() for column in x.get_columns()}
    elif hasattr(x, "column_names") and hasattr(x, "column"):
        counts = {column: x.column(column).null_count for column in x.column_names}
    else:
        count = getattr(x, "null_count", 0)
        counts = {None: count() if callable(count) else count}
    columns = [column for column, count in counts.items() if count]
    if columns:
        what, fix = MISSING_VALUES
        where = where_in(name, [column for column in columns if column is not None])
        raise ValueError(
            f"{where} holds {what}, and a model computes with numbers. {fix} Received: "
            "nulls"
        )


def where_in(name: str, columns: list[Any]) -> str:
    """Return what an error says of some columns of the argument `name`."""
    if len(columns) == 1:
        return f"Column {columns[0]!r} of `{name}`"
    return f"`{name}`, in its columns {columns}," if columns else f"`{name}`"
