"""Class weights as sample weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.core import config, tree
from hornbeam.core.errors import did_you_mean


class ClassWeight:
    """Turns `class_weight` into sample weights, batch by batch or all at once.

    Args:
        class_weight: `{class: weight}`, `"balanced"` (weights inverse to the classes'
            frequencies, with mean 1 over the rows), or a dict of these by output name.
        output_names: the names of the outputs, if the targets are a list.
            Default: None
    """

    def __init__(self, class_weight: Any, output_names: Sequence[str] | None = None):
        self.class_weight = class_weight
        self.output_names = output_names
        self._outputs: list[OutputWeight] | None = None

    def __call__(self, y: Any, sample_weight: Any = None) -> Any:
        """Return the sample weights for targets `y`, times `sample_weight`."""
        if y is None:
            raise ValueError("`class_weight` needs targets, and there is no `y`.")
        if self._outputs is None:
            self._outputs = self._for_each_output(y)
        targets = tree.flatten(y)
        weights = tree.flatten(sample_weight)
        if len(weights) == 1:
            weights = weights * len(targets)
        if len(weights) != len(targets):
            raise ValueError(
                f"`sample_weight` has {len(weights)} arrays for {len(targets)} outputs."
            )
        weights = [
            output.apply(target, weight)
            for output, target, weight in zip(
                self._outputs, targets, weights, strict=True
            )
        ]
        return tree.pack_like(y, weights)

    def _for_each_output(self, y):
        weight = self.class_weight
        names = self._names(y)
        by_output = isinstance(weight, dict) and any(
            isinstance(value, dict) or key in names for key, value in weight.items()
        )
        if by_output:
            for key in weight:
                if key not in names:
                    raise ValueError(
                        f"`class_weight` has the key {key!r}, which names no output. "
                        f"Outputs: {names}.{did_you_mean(key, names)}"
                    )
            return [OutputWeight(weight.get(name), name) for name in names]
        if len(names) > 1 and weight != "balanced":
            raise ValueError(
                f"The model has {len(names)} outputs, so `class_weight` must say which "
                "it is about: `class_weight={output name: {class: weight}}`. "
                f"Outputs: {names}."
            )
        return [OutputWeight(weight, name) for name in names]

    def _names(self, y):
        paths = tree.paths(y)
        if isinstance(y, dict):
            return [path[0] for path in paths]
        if self.output_names and len(self.output_names) == len(paths):
            return list(self.output_names)
        return ["y"] if len(paths) == 1 else [f"y[{path[0]}]" for path in paths]


def class_weight_to_sample_weights(y: Any, class_weight: Any) -> Any:
    """Return a weight for each row of the targets `y` of one output."""
    return ClassWeight(class_weight)(np.asarray(y))


class OutputWeight:
    """The class weights of one output."""

    def __init__(self, weight: Any, name: str):
        self.name = name
        self.balanced: bool = isinstance(weight, str) and weight == "balanced"
        self.table: dict[int, float] | None = None
        self._one_hot = None
        if weight is None or self.balanced:
            return
        if not isinstance(weight, dict):
            raise ValueError(
                f"`class_weight` of {name} must be a dict {{class: weight}} or "
                f"'balanced'. Received: {weight!r}"
            )
        try:
            self.table = {int(key): float(value) for key, value in weight.items()}
        except (TypeError, ValueError):
            raise ValueError(
                f"`class_weight` of {name} must map class numbers to weights. "
                f"Received: {weight!r}"
            ) from None

    def apply(
        self, target: np.ndarray, sample_weight: np.ndarray | None
    ) -> np.ndarray | None:
        """Return the weights of the rows of `target`, times `sample_weight`."""
        if target is None or (self.table is None and not self.balanced):
            if sample_weight is not None or target is None:
                return sample_weight
            return np.ones(len(target), config.floatx())
        labels = self.labels(target)
        classes, places = np.unique(labels, return_inverse=True)
        weights = self._weights(classes, places.ravel(), labels.size)
        weights = weights[places].reshape(labels.shape).astype(config.floatx())
        return weights if sample_weight is None else _times(weights, sample_weight)

    def _weights(self, classes, places, total):
        if self.balanced:
            return total / (len(classes) * np.bincount(places))
        table = self.table or {}
        missing = [int(c) for c in classes if int(c) not in table]
        if missing:
            raise ValueError(
                f"The targets of {self.name} have the classes {missing}, which "
                f"`class_weight` lacks: its keys are {sorted(table)}. Give every "
                "class a weight; 1.0 leaves it as it is."
            )
        return np.array([table[int(c)] for c in classes])

    def labels(self, target: np.ndarray) -> np.ndarray:
        """Return the class numbers of integer, column or one-hot targets."""
        if target.ndim > 1 and target.shape[-1] == 1:
            target = target[..., 0]
        elif target.ndim > 1:
            if self._one_hot is None:
                self._one_hot = _is_one_hot(target)
            if self._one_hot:
                self._check_columns(target.shape[-1])
                return target.argmax(-1)
        if target.dtype.kind == "f" and (target != np.floor(target)).any():
            raise ValueError(
                f"`class_weight` needs class targets, but those of {self.name} are not "
                "whole numbers."
            )
        return target

    def _check_columns(self, columns):
        beyond = [key for key in self.table or () if not 0 <= key < columns]
        if beyond:
            raise ValueError(
                f"`class_weight` has the classes {beyond}, but the one-hot targets of "
                f"{self.name} have {columns} columns."
            )


def _is_one_hot(target):
    """One-hot or soft labels: the last axis holds probabilities, which add up to 1."""
    probabilities = target.astype("float64")
    in_range = ((probabilities >= 0) & (probabilities <= 1)).all()
    return bool(in_range and np.allclose(probabilities.sum(-1), 1.0, atol=1e-3))


def _times(weights, sample_weight):
    sample_weight = np.asarray(sample_weight)
    while sample_weight.ndim > weights.ndim and sample_weight.shape[-1] == 1:
        sample_weight = sample_weight[..., 0]
    while sample_weight.ndim < weights.ndim:
        sample_weight = sample_weight[..., None]
    return (weights * sample_weight).astype(weights.dtype)
