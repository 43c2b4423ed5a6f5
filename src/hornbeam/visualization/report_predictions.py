"""What is predicted, as sections of a page: confusion, errors, examples."""

from __future__ import annotations

import dataclasses

import numpy as np

from hornbeam.utils import charts, html
from hornbeam.visualization.report_examples import Examples, short, spread

Sections = list[tuple[str, str]]

_MOST_EXAMPLES = 24
_MOST_CLASSES = 100
_MOST_POINTS = 1000


@dataclasses.dataclass
class Classes:
    """Predictions of classes: numbers of true classes, rows of probabilities, names."""

    true: np.ndarray
    scores: np.ndarray
    names: list[str]
    examples: Examples = dataclasses.field(default_factory=Examples)

    def sections(self) -> Sections:
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
            shown = self.examples.shown(worst, label, "true class")
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
class Labels:
    """Predictions of labels that a row may have several of.

    Attributes:
        true: rows of 0 and 1.
        scores: rows of probabilities.
    """

    true: np.ndarray
    scores: np.ndarray
    examples: Examples = dataclasses.field(default_factory=Examples)

    def sections(self) -> Sections:
        """Return a table of the labels, and the rows surest of a wrong one."""
        true, predicted = self.true > 0.5, self.scores > 0.5
        finite = np.isfinite(self.scores).all(1)
        is_right = (true == predicted) & finite[:, None]
        words = (
            f"{is_right.all(1).mean():.2%} of {len(true):,} rows have all labels "
            f"right; {is_right.mean():.2%} of the labels are right"
        )
        if not finite.all():
            words += f"; {(~finite).sum():,} rows have a prediction that is not finite"
        hits = (true & predicted)[finite].sum(0)
        precision = hits / np.maximum(predicted[finite].sum(0), 1)
        recall = hits / np.maximum(true[finite].sum(0), 1)
        rows = [
            (
                n, f"{precision[n]:.3f}", f"{recall[n]:.3f}", f"{true[:, n].sum():,}",
                f"{predicted[:, n].sum():,}", charts.bar(recall[n], 60),
            )
            for n in range(true.shape[1])
        ]  # fmt: skip
        headings = ["label", "precision", "recall", "rows", "predicted", ""]
        table = html.table(headings, rows, [0, 1, 2, 3, 4], most=_MOST_CLASSES)
        head = f"<div>{html.escape(words)}</div>"
        sections = [("Labels", head + html.scrolled(table))]
        distance = np.where(is_right, 0, np.abs(self.scores - true)).max(1)
        wrong = np.flatnonzero(finite & (distance > 0))
        if len(wrong):
            worst = wrong[np.argsort(-distance[wrong], kind="stable")][:_MOST_EXAMPLES]
            shown = self.examples.shown(worst, self._words, "labels")
            more = f"{len(wrong):,} rows; these were the surest of a wrong label."
            sections.append(("Wrong examples", f"<div>{more}</div>{shown}"))
        return sections

    def _words(self, row):
        missed = np.flatnonzero((self.true[row] > 0.5) & (self.scores[row] <= 0.5))
        added = np.flatnonzero((self.true[row] <= 0.5) & (self.scores[row] > 0.5))
        parts = []
        for what, labels in (("without", missed), ("with", added)):
            named = [f"{n} ({self.scores[row, n]:.0%})" for n in labels[:4]]
            if named:
                parts.append(f"{what} {', '.join(named)}{', …' * (len(labels) > 4)}")
        return f"predicted {' and '.join(parts)}"


@dataclasses.dataclass
class Numbers:
    """Predictions of numbers: targets and predictions of one shape."""

    true: np.ndarray
    predicted: np.ndarray
    examples: Examples = dataclasses.field(default_factory=Examples)

    def sections(self) -> Sections:
        """Return predictions against targets, and the largest errors."""
        true = np.asarray(self.true, float).reshape(len(self.true), -1)
        predicted = np.asarray(self.predicted, float).reshape(true.shape)
        errors = predicted - true
        total = ((true - true.mean(0)) ** 2).sum()
        fit = 1 - (errors**2).sum() / total if total > 0 else np.nan
        words = (
            f"R² {fit:.4f}, root mean square error {np.sqrt((errors**2).mean()):.4g}, "
            f"mean absolute error {np.abs(errors).mean():.4g}; {len(true):,} rows"
        )
        chosen = spread(true.size, _MOST_POINTS)
        picture = charts.points(
            "predictions against targets", true.reshape(-1)[chosen],
            predicted.reshape(-1)[chosen], diagonal=True,
        )  # fmt: skip
        worst = np.argsort(-np.abs(errors).max(1), kind="stable")[:_MOST_EXAMPLES]
        label = lambda row: (  # noqa: E731
            f"{short(true[row])}, predicted {short(predicted[row])}"
        )
        shown = self.examples.shown(worst, label, "target")
        return [
            ("Predictions", f"<div>{html.escape(words)}</div>{picture}"),
            ("Largest errors", shown),
        ]
