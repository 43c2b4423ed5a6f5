"""Targets as users give them, and as networks want them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam.core.config import floatx
from hornbeam.core.warning import warn
from hornbeam.wrappers.distinct_rows import moments

CLASS_KINDS = ("binary", "multiclass", "multilabel-indicator", "multiclass-multioutput")


class Numbers:
    """Targets of a regression.

    Args:
        scaled: whether the network sees them with mean 0 and variance 1.
    """

    def __init__(self, scaled: bool) -> None:
        self.scaled = scaled
        self.mean: Any = 0.0
        self.scale: Any = 1.0

    def fit(self, y: Any) -> None:
        """Learn the form of the targets `y`."""
        self.ndim: int = y.ndim
        self.columns: int = math.prod(y.shape[1:])

    def learn_scale(self, y: Any, weight: Any = None) -> None:
        """Learn mean and scale of the targets `y`, whose rows may have weights."""
        if self.scaled:
            mean, variance = moments(y.reshape(len(y), -1), weight)
            scale = np.sqrt(np.where(variance > 0, variance, 1.0))
            self.mean = mean.reshape(y.shape[1:])
            self.scale = scale.reshape(y.shape[1:])

    def encode(self, y: Any, outputs: Any) -> Any:
        """Return the targets for a network with these NetworkOutputs."""
        sizes = outputs.sizes
        if (
            not (None in sizes or any(outputs.has_user_loss))
            and sum(sizes) != self.columns
        ):
            raise ValueError(
                f"`y` has {self.columns} number(s) per row, and the network gives "
                f"{sum(sizes)}. They must be as many."
            )
        y = (y.astype(np.float64) - self.mean) / self.scale
        y = y.astype(floatx())
        if len(outputs.units) == 1:
            return y
        ends = np.cumsum(outputs.units)[:-1]
        return np.split(y.reshape(len(y), -1), ends, axis=1)

    def decode(self, predicted: Any) -> Any:
        """Return what the network predicted, in the form of the targets."""
        if isinstance(predicted, list):
            predicted = np.concatenate(
                [p.reshape(len(p), -1) for p in predicted], axis=1
            )
        if self.ndim == 1 and predicted.size == len(predicted):
            predicted = predicted.reshape(-1)
        elif self.ndim == 2 and predicted.ndim == 1:
            predicted = predicted.reshape(-1, 1)
        predicted = predicted.astype(np.float64)
        return predicted * self.scale + self.mean if self.scaled else predicted


class Labels:
    """One column of class labels, and the output of a network that predicts it."""

    def __init__(self, y: Any, classes: Any = None) -> None:
        self.classes: Any = np.unique(y if classes is None else classes)

    def codes(self, y: Any) -> Any:
        """Return the positions of the labels among the classes."""
        codes = np.searchsorted(self.classes, y).clip(max=len(self.classes) - 1)
        unknown = self.classes[codes] != y
        if unknown.any():
            raise ValueError(
                "`y` holds labels that were not among the classes at first: "
                f"{np.unique(y[unknown]).tolist()}. Classes: {self.classes.tolist()}."
            )
        return codes

    def encode(self, y: Any, units: Any, one_hot: bool) -> Any:
        """Return the labels for an output of `units` numbers."""
        codes = self.codes(y)
        if one_hot and units == 1 < len(self.classes) - 1:
            raise ValueError(
                f"`y` has {len(self.classes)} classes, and the network gives one "
                f"number. Give it {len(self.classes)} units and a softmax."
            )
        if units == 1:
            return codes.astype(floatx())
        if one_hot:
            return np.eye(max(units, len(self.classes)), dtype=floatx())[codes]
        return codes.astype(np.int32)

    def decode(self, scores: Any, threshold: float) -> Any:
        """Return the labels that an output stands for."""
        if scores.ndim == 1 or scores.shape[-1] == 1:
            codes = (scores.reshape(-1) > threshold).astype(int)
        else:
            codes = scores.argmax(axis=-1)
        return self.classes[codes.clip(max=len(self.classes) - 1)]

    def probabilities(self, scores: Any, logits: bool) -> Any:
        """Return the probability of each class."""
        scores = scores.astype(np.float64)
        if scores.ndim == 1 or scores.shape[-1] == 1:
            one = scores.reshape(-1, 1)
            one = 1 / (1 + np.exp(-one.clip(-700, 700))) if logits else one
            both = np.concatenate([1 - one, one], axis=1)
            return np.ones_like(one) if len(self.classes) == 1 else both
        if logits:
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        total = scores.sum(axis=-1, keepdims=True)
        return (scores / np.where(total > 0, total, 1)).astype(floatx())


class Classes:
    """Targets of a classification: one column of labels, several, or indicators."""

    def fit(self, y: Any, kind: Any, classes: Any = None) -> None:
        """Learn the classes of `y`, of the kind that scikit-learn calls it."""
        if kind not in CLASS_KINDS:
            raise ValueError(
                f"Unknown label type: {kind}. A classifier expects class labels; for "
                "numbers use a regressor."
            )
        self.kind = kind
        self.columns: int = 1 if y.ndim == 1 else y.shape[1]
        if kind == "multilabel-indicator":
            self.labels = [Labels(np.array([0, 1])) for _ in range(self.columns)]
        elif kind == "multiclass-multioutput":
            classes = [None] * self.columns if classes is None else classes
            self.labels = [
                Labels(column, c) for column, c in zip(y.T, classes, strict=True)
            ]
        else:
            self.labels = [Labels(y, classes)]
        self.dtype: Any = y.dtype
        self.one_hot = kind == "multilabel-indicator" and (y.sum(axis=1) == 1).all()

    def learn_scale(self, y: Any, weight: Any = None) -> None:
        """Do nothing: classes have no scale."""

    @property
    def classes(self) -> Any:
        """The classes as scikit-learn's `classes_`."""
        if self.kind == "multilabel-indicator":
            return np.arange(self.columns)
        if self.kind == "multiclass-multioutput":
            return [labels.classes for labels in self.labels]
        return self.labels[0].classes

    def exclude(self, outputs: Any) -> bool:
        """Whether a row has one label: the indicators are one-hot, as the loss has it.

        Args:
            outputs: the NetworkOutputs of the network.
        """
        return self.one_hot and outputs.exclusive[0] and not outputs.several

    def encode(self, y: Any, outputs: Any) -> Any:
        """Return the targets for a network with these NetworkOutputs."""
        if self.kind == "multilabel-indicator":
            y = y.astype(floatx())
            return y if len(outputs.units) == 1 else list(y.T)
        columns = y.T if self.kind == "multiclass-multioutput" else [y]
        if len(columns) != len(outputs.units):
            raise ValueError(
                f"`y` has {len(columns)} column(s) of labels, and the network has "
                f"{len(outputs.units)} output(s). Give it one output per column."
            )
        parts = zip(self.labels, columns, outputs.units, outputs.one_hot, strict=True)
        encoded = [labels.encode(c, u, one_hot) for labels, c, u, one_hot in parts]
        return encoded if outputs.several else encoded[0]

    def decode(self, predicted: Any, outputs: Any) -> Any:
        """Return the labels that the network predicted."""
        parts = predicted if isinstance(predicted, list) else [predicted]
        if self.kind == "multilabel-indicator":
            scores = np.concatenate([p.reshape(len(p), -1) for p in parts], axis=1)
            if self.exclude(outputs):
                return np.eye(scores.shape[1], dtype=self.dtype)[scores.argmax(axis=1)]
            return (scores > outputs.thresholds[0]).astype(self.dtype)
        columns = [
            labels.decode(p, threshold)
            for labels, p, threshold in zip(
                self.labels, parts, outputs.thresholds, strict=True
            )
        ]
        return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)

    def probabilities(self, predicted: Any, outputs: Any) -> Any:
        """Return the probabilities of the classes: an array, or one per column."""
        parts = predicted if isinstance(predicted, list) else [predicted]
        if self.kind == "multilabel-indicator":
            scores = np.concatenate([p.reshape(len(p), -1) for p in parts], axis=1)
            if not outputs.logits[0]:
                return scores
            if outputs.exclusive[0]:
                return Labels(np.arange(self.columns)).probabilities(scores, True)
            return 1 / (1 + np.exp(-scores))
        columns = [
            labels.probabilities(p, logits)
            for labels, p, logits in zip(
                self.labels, parts, outputs.logits, strict=True
            )
        ]
        return columns[0] if len(columns) == 1 else columns


def one_column(y: Any, estimator: Any) -> Any:
    """Return a column vector as a plain vector, with scikit-learn's warning."""
    if y.ndim != 2 or y.shape[1] != 1:
        return y
    from sklearn.exceptions import DataConversionWarning

    warn(
        f"{type(estimator).__name__}: a column-vector y was passed when a 1d array was "
        "expected. Change the shape of y to (n_samples,), for example using ravel().",
        DataConversionWarning,
    )
    return y.ravel()
