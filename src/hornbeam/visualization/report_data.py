"""What a model predicts for data: the rows, and what each output is about."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.data import make_data
from hornbeam.data.make import in_memory
from hornbeam.diagnosis.facts import Output, outputs_of
from hornbeam.ops.core import convert_to_numpy
from hornbeam.training.steps import unpack
from hornbeam.utils import html
from hornbeam.visualization.report_examples import Examples, spread, vocabulary_of
from hornbeam.visualization.report_predictions import (
    Classes,
    Labels,
    Numbers,
    Sections,
)

_MOST_ROWS = 10_000


@dataclasses.dataclass
class Rows:
    """Rows of data: inputs, targets or None, and the names of columns or None."""

    x: Any
    y: Any
    columns: list[str] | None


def rows_of(estimator: Any, data: Any) -> Rows:
    """Return at most 10,000 rows of the data of a model or an estimator."""
    parts = data if isinstance(data, tuple | list) else (data,)
    columns = getattr(parts[0], "columns", None)
    columns = None if columns is None else list(map(str, columns))
    if hasattr(estimator, "model_"):
        x, y = parts[:2]
        chosen = spread(len(y), _MOST_ROWS)
        take = lambda a: a.iloc[chosen] if hasattr(a, "iloc") else np.asarray(a)[chosen]  # noqa: E731
        return Rows(take(x), np.asarray(y)[chosen], columns)
    arrays = dict(zip(("x", "y", "sample_weight"), parts, strict=False))
    source: Any = make_data(
        **arrays, output_names=estimator._output_names(), on_host=estimator._on_host
    )
    try:
        if source.in_memory:
            chosen = spread(source.rows, _MOST_ROWS)
            x, y, _ = unpack(source.take(chosen))
            strings = _strings(parts[0], chosen)
            x = x if strings is None else strings
        else:
            x, y = _first_batches(source)
    finally:
        source.close()
    x, y = (tree.map_structure(_on_host, part) for part in (x, y))
    return Rows(x, y, columns)


def _strings(x, rows):
    """Return rows of strings as they were given; None of other inputs."""
    if not in_memory(x) or hasattr(x, "iloc"):
        return None
    if isinstance(x, list) and all(isinstance(word, str | bytes) for word in x):
        x = np.asarray(x)
    leaves = tree.map_structure(lambda leaf: np.asarray(convert_to_numpy(leaf)), x)
    if not any(leaf.dtype.kind in "OSUT" for leaf in tree.flatten(leaves)):
        return None
    return tree.map_structure(lambda leaf: leaf[rows], leaves)


def sections_of_data(estimator: Any, rows: Rows) -> Sections:
    """Return sections about the predictions of a model or an estimator for rows."""
    if rows.y is None:
        return [("Predictions", "The data has no targets.")]
    model = getattr(estimator, "model_", estimator)
    find = _of_model if model is estimator else _of_estimator
    graph = getattr(model, "_graph_within", None)
    names = None if graph is None else graph._input_names
    examples = Examples(rows.x, rows.columns, vocabulary_of(model), names)
    sections = []
    for name, found in find(estimator, rows.x, rows.y).items():
        if found is None:
            words = f"{name or 'The output'}: pages show outputs of two axes."
            sections.append(("Predictions", html.escape(words)))
            continue
        found.examples = examples
        sections += [
            (f"{title}: {name}" if name else title, content)
            for title, content in found.sections()
        ]
    return sections


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
    """Return what is predicted by name; of one output the name is ""."""
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return {"": Numbers(y, np.asarray(estimator.predict(x)))}
    if not isinstance(classes, np.ndarray) or classes.ndim != 1 or y.ndim > 2:
        return {"": None}
    scores = np.asarray(estimator.predict_proba(x))
    if y.ndim == 2:
        return {"": Labels(y, scores) if scores.shape == y.shape else None}
    names = [str(name) for name in classes]
    return {"": Classes(np.searchsorted(classes, y), scores, names)}


def _of_model(model, x, y):
    """Return what is predicted by the outputs that have targets, by name."""
    predicted = tree.flatten(model.predict(x, verbose=0))
    outputs = outputs_of(model, y, False) if model.compiled else []
    if not outputs:
        targets = [leaf for leaf in tree.flatten(y) if leaf is not None]
        outputs = [
            Output(f"output {n}", "", None, target, False)
            for n, target in enumerate(targets)
        ]
    names = model._output_names() or []
    places = list(range(len(outputs)))
    if len(predicted) != len(outputs):
        # Some outputs have no loss: their order among all is told by the names.
        outputs = [output for output in outputs if output.name in names]
        places = [names.index(output.name) for output in outputs]
    if not outputs:
        return {"": None}
    found = [
        _kind(output, np.asarray(predicted[place]))
        for output, place in zip(outputs, places, strict=True)
    ]
    if len(predicted) == 1:
        return {"": found[0]}
    if len(names) != len(predicted):
        names = {place: x.name for place, x in zip(places, outputs, strict=True)}
    return {names[place]: kind for place, kind in zip(places, found, strict=True)}


def _kind(output, scores):
    """Return classes, labels or numbers: what an output predicts. None: neither."""
    loss, true = output.loss, output.target
    if scores.ndim > 2 or true is None:
        return None
    scores = scores.reshape(len(scores), -1)
    units = scores.shape[1]
    if "binary" in loss or "hinge" in loss:
        is_hinge = "hinge" in loss
        given = scores.astype(float)
        if is_hinge or output.from_logits or (scores < 0).any() or (scores > 1).any():
            with np.errstate(over="ignore"):
                given = 1 / (1 + np.exp(-given))
        if true.size != scores.size:
            return None
        true = true.reshape(scores.shape)
        if units > 1 and not is_hinge:
            return Labels(true, given)
        if units == 1:
            both = np.concatenate([1 - given, given], 1)
            return Classes((true[:, 0] > 0).astype(int), both, ["0", "1"])
    if units > 1 and "categorical" in loss:
        if true.ndim == 2 and true.shape[1] == units:
            true = true.argmax(1)
        names = [str(number) for number in range(units)]
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
