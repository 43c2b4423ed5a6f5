"""`Report`: rows of text that print as a table, also in a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterable

_CELL = "text-align:left;vertical-align:top"


class Report:
    """Rows of text under a title.

    Args:
        title: the first line.
        columns: the names of the columns.
        rows: what stands in them: texts and numbers.
        notes: lines below the table. Default: none

    >>> from hornbeam.diagnosis.report import Report
    >>> print(Report("Sizes", ["name", "bytes"], [["kernel", 48], ["bias", 8]]))
    Sizes
    name    bytes
    ------  -----
    kernel  48
    bias    8
    """

    def __init__(
        self,
        title: str,
        columns: Iterable[str],
        rows: Iterable[Iterable[object]],
        notes: Iterable[str] = (),
    ):
        self.title = title
        self.columns: list[str] = list(columns)
        self.rows: list[tuple[str, ...]] = [tuple(map(str, row)) for row in rows]
        self.notes: list[str] = list(notes)

    def __str__(self) -> str:
        rows = [tuple(self.columns), *self.rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        rows.insert(1, tuple("-" * width for width in widths))
        lines = [
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True))
            for row in rows
        ]
        table = [line.rstrip() for line in lines] if self.rows else []
        return "\n".join([self.title, *table, *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(_html_row(row, "td") for row in self.rows)
        table = f"<table>{_html_row(self.columns, 'th')}{rows}</table>"
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        body = (table if self.rows else "") + notes
        return f"<div><p><b>{html.escape(self.title)}</b></p>{body}</div>"


def _html_row(cells, tag):
    inner = "".join(f'<{tag} style="{_CELL}">{html.escape(x)}</{tag}>' for x in cells)
    return f"<tr>{inner}</tr>"
