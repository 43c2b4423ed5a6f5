"""What a model predicts, as sections of a page: confusion, errors, examples."""

from __future__ import annotations

import base64
import dataclasses
import struct
import zlib
from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.data import make_data
from hornbeam.diagnosis.facts import outputs_of
from hornbeam.ops.core import convert_to_numpy
from hornbeam.training.steps import unpack
from hornbeam.utils import charts, html

_MOST_ROWS = 10_000
_MOST_EXAMPLES = 24
_MOST_CLASSES = 100
_MOST_POINTS = 1000
_MOST_FEATURES = 8


def sections_of_data(estimator: Any, data: Any) -> list[tuple[str, str]]:
    """Return sections about the predictions of a model or an estimator for data."""
    x, y, columns = _rows_of(estimator, data)
    if y is None:
        return [("Predictions", "The data has no targets.")]
    if hasattr(estimator, "model_"):
        found = _of_estimator(estimator, x, y)
    else:
        found = _of_model(estimator, x, y)
    if found is None:
        return [("Predictions", "Pages show models with one output of two axes.")]
    found.x, found.columns = x, columns
    return found.sections()


def _rows_of(estimator, data):
    """Return inputs, targets and the names of columns; at most 10,000 rows."""
    parts = data if isinstance(data, tuple | list) else (data,)
    columns = getattr(parts[0], "columns", None)
    columns = None if columns is None else list(map(str, columns))
    if hasattr(estimator, "model_"):
        x, y = parts[:2]
        chosen = _spread(len(y))
        take = lambda a: a.iloc[chosen] if hasattr(a, "iloc") else np.asarray(a)[chosen]  # noqa: E731
        return take(x), np.asarray(y)[chosen], columns
    arrays = dict(zip(("x", "y", "sample_weight"), parts, strict=False))
    source: Any = make_data(
        **arrays, output_names=estimator._output_names(), on_host=estimator._on_host
    )
    try:
        if source.in_memory:
            batch = source.take(_spread(source.rows))
            x, y, _ = unpack(batch)
        else:
            x, y = _first_batches(source)
    finally:
        source.close()
    return *(tree.map_structure(_on_host, part) for part in (x, y)), columns


def _spread(rows):
    return np.unique(np.linspace(0, rows - 1, min(rows, _MOST_ROWS)).astype(int))


def _first_batches(source):
    inputs: list[Any] = []
    targets: list[Any] = []
    rows = 0
    for batch in source:
        x, y, _ = unpack(batch)
        inputs.append(tree.map_structure(_on_host, x))
        targets.append(None if y is None else tree.map_structure(_on_host, y))
        rows += len(tree.flatten(inputs[-1])[0])
        if rows >= _MOST_ROWS:
            break
    join = lambda *leaves: np.concatenate(leaves)  # noqa: E731
    x = tree.map_structure(join, *inputs)
    return x, None if targets[0] is None else tree.map_structure(join, *targets)


def _on_host(leaf):
    return None if leaf is None else np.asarray(convert_to_numpy(leaf))


def _of_estimator(estimator, x, y):
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return Numbers(y, np.asarray(estimator.predict(x)))
    if not isinstance(classes, np.ndarray) or classes.ndim != 1 or y.ndim != 1:
        return None
    scores = estimator.predict_proba(x)
    true = np.searchsorted(classes, y)
    return Classes(true, np.asarray(scores), [str(name) for name in classes])


def _of_model(model, x, y):
    targets = [leaf for leaf in tree.flatten(y) if leaf is not None]
    outputs = tree.flatten(model.predict(x, verbose=0))
    if len(targets) != 1 or len(outputs) != 1 or outputs[0].ndim > 2:
        return None
    true, scores = targets[0], outputs[0].reshape(len(outputs[0]), -1)
    found = outputs_of(model, y, False) if model.compiled else []
    loss = found[0].loss if len(found) == 1 else ""
    is_binary = scores.shape[1] == 1 and ("binary" in loss or "hinge" in loss)
    if is_binary:
        given = np.concatenate([-scores, scores], 1)  # logits of two classes
        if "hinge" not in loss and scores.min() >= 0 and scores.max() <= 1:
            given = np.concatenate([1 - scores, scores], 1)
        true = (true.reshape(len(true), -1)[:, 0] > 0).astype(int)
        return Classes(true, _probabilities(given), ["0", "1"])
    if scores.shape[1] > 1 and "categorical" in loss:
        if true.ndim == 2 and true.shape[1] == scores.shape[1]:
            true = true.argmax(1)
        names = [str(number) for number in range(scores.shape[1])]
        return Classes(true.reshape(-1).astype(int), _probabilities(scores), names)
    if true.size != scores.size or true.dtype.kind not in "fiub":
        return None
    return Numbers(true.reshape(len(scores), -1), scores)


def _probabilities(scores):
    """Return rows that sum to 1: as they are, or by a softmax of logits."""
    scores = np.asarray(scores, float)
    known = scores[np.isfinite(scores).all(1)]
    if (known >= 0).all() and np.allclose(known.sum(1), 1, atol=1e-2):
        return scores
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


@dataclasses.dataclass
class Classes:
    """Predictions of classes: numbers of true classes, rows of probabilities, names."""

    true: np.ndarray
    scores: np.ndarray
    names: list[str]
    x: Any = None
    columns: list[str] | None = None

    def sections(self) -> list[tuple[str, str]]:
        """Return the confusion matrix, a table of classes, and what was wrong."""
        predicted = self.scores.argmax(1)
        count = len(self.names)
        is_class = (self.true >= 0) & (self.true < count)
        finite = np.isfinite(self.scores).all(1)
        known = is_class & finite
        table = np.zeros((count, count), int)
        np.add.at(table, (self.true[known], predicted[known]), 1)
        right = (predicted == self.true) & finite
        words = f"{right.mean():.2%} of {len(right):,} rows are right"
        if not is_class.all():
            words += f"; {(~is_class).sum():,} have a label outside of the classes"
        if not finite.all():
            words += f"; {(~finite).sum():,} have a prediction that is not finite"
        picture = ""
        if count <= _MOST_CLASSES:
            picture = html.scrolled(charts.matrix("confusion", table, self.names))
        content = (
            f"<div>{html.escape(words)}</div>"
            f'<div class="hb-row">{picture}{self._by_class(table)}</div>'
        )
        sections = [("Confusion", content)]
        wrong = np.flatnonzero(~right & known)
        if len(wrong):
            given = self.scores[wrong, self.true[wrong]]
            worst = wrong[np.argsort(given, kind="stable")][:_MOST_EXAMPLES]
            label = lambda row: (  # noqa: E731
                f"{self.names[self.true[row]]}, not {self.names[predicted[row]]} "
                f"({self.scores[row, predicted[row]]:.0%})"
            )
            more = f"{len(wrong):,} rows; these were the surest of a wrong class."
            shown = _examples(self.x, self.columns, worst, label, "true class")
            sections.append(("Wrong examples", f"<div>{more}</div>{shown}"))
        return sections

    def _by_class(self, table):
        hits = np.diag(table)
        recall = hits / np.maximum(table.sum(1), 1)
        precision = hits / np.maximum(table.sum(0), 1)
        rows = [
            (
                name, f"{precision[number]:.3f}", f"{recall[number]:.3f}",
                f"{table[number].sum():,}", charts.bar(recall[number], 60),
            )
            for number, name in enumerate(self.names)
        ]  # fmt: skip
        headings = ["class", "precision", "recall", "rows", ""]
        return html.scrolled(html.table(headings, rows, numbers=[1, 2, 3]))


@dataclasses.dataclass
class Numbers:
    """Predictions of numbers: targets and predictions of one shape."""

    true: np.ndarray
    predicted: np.ndarray
    x: Any = None
    columns: list[str] | None = None

    def sections(self) -> list[tuple[str, str]]:
        """Return predictions against targets, and the largest errors."""
        true = np.asarray(self.true, float).reshape(len(self.true), -1)
        predicted = np.asarray(self.predicted, float).reshape(true.shape)
        errors = predicted - true
        spread = ((true - true.mean(0)) ** 2).sum()
        fit = 1 - (errors**2).sum() / spread if spread > 0 else np.nan
        words = (
            f"R² {fit:.4f}, root mean square error {np.sqrt((errors**2).mean()):.4g}, "
            f"mean absolute error {np.abs(errors).mean():.4g}; {len(true):,} rows"
        )
        chosen = _spread(true.size)[
            :: max(1, min(true.size, _MOST_ROWS) // _MOST_POINTS)
        ]
        picture = charts.points(
            "predictions against targets", true.reshape(-1)[chosen],
            predicted.reshape(-1)[chosen], diagonal=True,
        )  # fmt: skip
        worst = np.argsort(-np.abs(errors).max(1), kind="stable")[:_MOST_EXAMPLES]
        label = lambda row: (  # noqa: E731
            f"{_short(true[row])}, predicted {_short(predicted[row])}"
        )
        shown = _examples(self.x, self.columns, worst, label, "target")
        return [
            ("Predictions", f"<div>{html.escape(words)}</div>{picture}"),
            ("Largest errors", shown),
        ]


def _examples(x, columns, rows, label, what):
    """Return examples as pictures where the data are images, else as a table."""
    leaves = tree.flatten(x)
    if len(leaves) == 1 and (images := _as_images(leaves[0], rows)) is not None:
        figures = "".join(
            f'<figure><img alt="row {row}" src="{_data_uri(image)}">'
            f"<figcaption>{html.escape(label(row))}</figcaption></figure>"
            for row, image in zip(rows, images, strict=True)
        )
        return f'<div class="hb-examples">{figures}</div>'
    table, names = _as_table(leaves, columns, rows)
    lines = [
        (row, label(row), *values) for row, values in zip(rows, table, strict=True)
    ]
    return html.scrolled(html.table(["row", what, *names], lines, numbers=[0]))


def _as_images(x, rows):
    """Return pictures of 8 bits for rows of images, or None."""
    if hasattr(x, "iloc") or x.dtype.kind not in "fiub":
        return None
    is_grey = x.ndim == 3 and x.shape[1] == x.shape[2] >= 8
    if x.ndim == 4 and x.shape[-1] not in (1, 3, 4) and x.shape[1] in (1, 3, 4):
        x = np.moveaxis(x, 1, -1)
    if not is_grey and not (x.ndim == 4 and x.shape[-1] in (1, 3, 4)):
        return None
    some = np.asarray(x[_spread(len(x))[:256]], float)
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


def _as_table(leaves, columns, rows):
    """Return the first features of rows as text, and the names of the columns."""
    first = leaves[0]
    chosen = first.iloc[rows] if hasattr(first, "iloc") else first[rows]
    values = np.asarray(chosen).reshape(len(rows), -1)
    count = values.shape[1]
    names = columns if columns is not None and len(columns) == count else None
    names = list(names or (f"feature {n}" for n in range(min(count, _MOST_FEATURES))))
    names = names[:_MOST_FEATURES]
    table = [[_short(value) for value in row[: len(names)]] for row in values]
    if count > len(names):
        names.append(f"and {count - len(names)} more")
        table = [[*row, ""] for row in table]
    return table, names


def _short(value):
    if isinstance(value, np.ndarray):
        return ", ".join(map(_short, value[:4])) + ", …" * (len(value) > 4)
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    words = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return words if len(words) <= 200 else f"{words[:199]}…"
