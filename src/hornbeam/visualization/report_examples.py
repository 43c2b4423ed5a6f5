"""Rows of data as a page shows them: pictures, words, or a table."""

from __future__ import annotations

import base64
import dataclasses
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.diagnosis.facts import named
from hornbeam.layers.core.embedding import Embedding
from hornbeam.utils import html

_MOST_FEATURES = 8
_MOST_LETTERS = 200


@dataclasses.dataclass
class Examples:
    """Rows that a page can show.

    Attributes:
        x: the inputs, a structure of arrays or a frame.
        columns: names of the features, or None.
        vocabulary: the words that integers stand for, or None.
        inputs: the names of the model's inputs, or None.
    """

    x: Any = None
    columns: list[str] | None = None
    vocabulary: list[str] | None = None
    inputs: list[str] | None = None

    def shown(self, rows: np.ndarray, label: Callable[[int], str], what: str) -> str:
        """Return rows as pictures where the data has images, else as a table.

        Args:
            rows: their numbers.
            label: the words for a row, by its number.
            what: what the words are, for the table's head.
        """
        for leaf in tree.flatten(self.x):
            if (images := _as_images(leaf, rows)) is not None:
                figures = "".join(
                    f'<figure><img alt="row {row}" src="{_data_uri(image)}">'
                    f"<figcaption>{html.escape(label(row))}</figcaption></figure>"
                    for row, image in zip(rows, images, strict=True)
                )
                return f'<div class="hb-examples">{figures}</div>'
        columns = self._columns(rows)
        lines = zip(rows, map(label, rows), *columns.values(), strict=True)
        headings = ["row", what, *columns]
        return html.scrolled(html.table(headings, list(lines), numbers=[0]))

    def _columns(self, rows):
        """Return the first features of the rows, or what each input is, as words."""
        inputs = {"": self.x} if hasattr(self.x, "iloc") else named(self.x, "")
        if isinstance(self.x, list | tuple) and 1 < len(inputs) == len(
            self.inputs or ()
        ):
            inputs = dict(zip(self.inputs or (), inputs.values(), strict=True))
        columns = {}
        for name, leaf in inputs.items():
            chosen = leaf.iloc[rows] if hasattr(leaf, "iloc") else leaf[rows]
            values = np.asarray(chosen).reshape(len(rows), -1)
            if self._is_text(values):
                columns[name or "text"] = [self._words(row) for row in values]
            elif len(inputs) > 1:
                columns[name] = [short(row) for row in values]
            else:
                columns |= self._features(values)
        return columns

    def _is_text(self, values):
        if values.shape[1] == 1:
            return values.dtype.kind in "OSUT"
        words = self.vocabulary
        is_integer = values.dtype.kind in "iu" or (values == np.rint(values)).all()
        return words is not None and is_integer and values.max() < len(words)

    def _words(self, row):
        if len(row) == 1:
            return short(row[0])
        words = self.vocabulary or []  # of which the first is that of padding
        return short(" ".join(words[int(i)] for i in row if i > 0))

    def _features(self, values):
        count = values.shape[1]
        names = self.columns if self.columns and len(self.columns) == count else None
        names = names or [f"feature {n}" for n in range(min(count, _MOST_FEATURES))]
        columns = {
            name: list(map(short, column))
            for name, column in zip(names[:_MOST_FEATURES], values.T, strict=False)
        }
        if count > len(columns):
            columns[f"and {count - len(columns)} more"] = [""] * len(values)
        return columns


def vocabulary_of(model: Any) -> list[str] | None:
    """Return the words that integers in a model's inputs stand for, where it has them.

    They are those of a layer of the model that looks words up, where the model embeds.
    """
    layers = model._flatten_layers()
    if not any(isinstance(layer, Embedding) for layer in layers):
        return None
    found = (x.get_vocabulary() for x in layers if hasattr(x, "get_vocabulary"))
    return next(([str(word) for word in words] for words in found), None)


def spread(rows: int, most: int) -> np.ndarray:
    """Return at most so many numbers of rows, spread over all of them."""
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).astype(int))


def _as_images(x, rows):
    """Return pictures of 8 bits for rows of images, or None."""
    if hasattr(x, "iloc") or x.dtype.kind not in "fiub":
        return None
    is_grey = x.ndim == 3 and x.shape[1] == x.shape[2] >= 8
    if x.ndim == 4 and x.shape[-1] not in (1, 3, 4) and x.shape[1] in (1, 3, 4):
        x = np.moveaxis(x, 1, -1)
    if not is_grey and not (x.ndim == 4 and x.shape[-1] in (1, 3, 4)):
        return None
    some = np.asarray(x[spread(len(x), 256)], float)
    low, high = min(0.0, float(some.min())), float(some.max())
    if low == 0 and high > 1:
        # Values of bytes, unless they stay so far below that it would be dark.
        high = 255.0 if high > 127 else high
    chosen = np.asarray(x[rows], float)
    chosen = chosen if x.ndim == 4 else chosen[..., None]
    scaled = (chosen - low) / ((max(high, 1.0) if low == 0 else high) - low or 1.0)
    return np.clip(np.nan_to_num(scaled) * 255, 0, 255).round().astype(np.uint8)


def _data_uri(pixels):
    return "data:image/png;base64," + base64.b64encode(as_png(pixels)).decode()


def as_png(pixels: np.ndarray) -> bytes:
    """Return an image of bytes, of 1, 3 or 4 channels, as a PNG file."""
    height, width, channels = pixels.shape
    kind = {1: 0, 3: 2, 4: 6}[channels]
    lines = np.zeros((height, 1 + width * channels), np.uint8)  # each begins with 0
    lines[:, 1:] = pixels.reshape(height, -1)

    def chunk(name, content):
        check = zlib.crc32(name + content)
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)
        )

    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def short(value: Any) -> str:
    """Return a number, a string or the first few of a row as words."""
    if isinstance(value, np.ndarray):
        return ", ".join(map(short, value[:4])) + ", …" * (len(value) > 4)
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    words = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return words if len(words) <= _MOST_LETTERS else f"{words[: _MOST_LETTERS - 1]}…"
