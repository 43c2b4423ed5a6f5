"""What the doctor looks at: the facts about a model, its data and some steps.

The facts are gathered first, all of them, and the rules read nothing else.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import Any

import numpy as np

from hornbeam import losses
from hornbeam.core import tree
from hornbeam.data.streams import IteratorSource, StreamData
from hornbeam.diagnosis.probe import Call, Look, activation_of
from hornbeam.losses.loss import Loss

# At most so many bytes of each array are looked at, and so many batches of a source.
SAMPLE_BYTES = 1 << 26
SAMPLE_BATCHES = 8


@dataclasses.dataclass
class Output:
    """An output with a loss.

    Attributes:
        name: the name of the output.
        loss: the name of the loss, such as "sparse_categorical_crossentropy".
        from_logits: whether the loss takes logits; None if it has no such argument.
        target: the targets of the sample, or None.
        weighted: whether rows or classes have weights.
        shape: the shape of the prediction, or None.
        prediction, later: predictions for the batch, before and after some steps.
        activation: the name of the last activation, "" if it is not known.
        where: the path of the layer that gives it, or the output's name.
    """

    name: str
    loss: str
    from_logits: bool | None
    target: Any
    weighted: bool
    shape: tuple[Any, ...] | None = None
    prediction: Any = None
    later: Any = None
    activation: str = ""
    where: str = ""

    @property
    def units(self) -> int | None:
        """The size of the last axis of the prediction."""
        return self.shape[-1] if self.shape else None

    @property
    def classes(self) -> Any:
        """The class of each row of the sample, or None where there is no such thing."""
        y = self.target
        if y is None or "crossentropy" not in self.loss or y.dtype.kind not in "iufb":
            return None
        if y.ndim == 2 and y.shape[1] > 1 and "categorical" in self.loss:
            sums = np.nan_to_num(y).sum(axis=1)
            is_one_hot = np.isin(y, (0, 1)).all() and (sums == 1).all()
            return y.argmax(axis=1) if is_one_hot else None
        if y.ndim > 2 or (y.ndim == 2 and y.shape[1] != 1) or not len(y):
            return None
        y = y.reshape(-1)
        whole = np.isfinite(y.astype(float)).all() and (y == np.rint(y)).all()
        return y.astype(int) if whole else None

    @property
    def is_regression(self) -> bool:
        """Whether the loss compares numbers."""
        return any(word in self.loss for word in ("mean_", "huber", "log_cosh"))


@dataclasses.dataclass
class Steps:
    """What some training steps on one batch did.

    Attributes:
        losses: the loss of each step; None where a step reports none.
        updates: by variable id, the norm of the first step's change over the weight's.
        changes: by variable id, the norm of the whole change.
        rate: the learning rate, or None.
        failed: the error that a step raised, as text, or "".
    """

    losses: list[float | None] = dataclasses.field(default_factory=list)
    updates: dict[int, float] = dataclasses.field(default_factory=dict)
    changes: dict[int, float] = dataclasses.field(default_factory=dict)
    rate: float | None = None
    failed: str = ""


@dataclasses.dataclass
class Facts:
    """All facts.

    Attributes:
        model: the model.
        own_step: whether the training step is the user's.
        inputs: `{name: array}`, rows of the sample.
        sample_weight: that of the sample, or None.
        rows: how many rows there are in all, or None.
        batch_size: rows in a batch.
        validation: `(inputs, targets)` of the validation data as lists, or None.
        is_split: whether the validation data are the last rows of the training data.
        outputs: the Outputs.
        values: by variable id, the weight before the steps.
        later: by variable id, the weight after them.
        operation: words on the operation that gives NaN or infinity first, or "".
        look, after: the pass before and after the steps, or None.
        steps: the Steps, or None.
        refused: by what the error is about, errors as text: "build" or "data".
        notes: what could not be looked at.
    """

    model: Any
    own_step: bool = False
    inputs: dict[str, Any] = dataclasses.field(default_factory=dict)
    sample_weight: Any = None
    rows: int | None = None
    batch_size: int = 32
    validation: Any = None
    is_split: bool = False
    outputs: list[Output] = dataclasses.field(default_factory=list)
    values: dict[int, Any] = dataclasses.field(default_factory=dict)
    later: dict[int, Any] = dataclasses.field(default_factory=dict)
    operation: str = ""
    look: Look | None = None
    after: Look | None = None
    steps: Steps | None = None
    refused: dict[str, str] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)

    @property
    def layers(self) -> list[Any]:
        """All layers inside the model."""
        return self.model._flatten_layers(include_self=False)

    @property
    def calls(self) -> list[Call]:
        """The calls of layers before the steps."""
        return [] if self.look is None else self.look.calls

    def weights(self) -> Any:
        """Yield `(layer, weight)` for each weight, once."""
        seen = set()
        for layer in self.model._flatten_layers():
            for variable in layer._own_weights():
                if id(variable) not in seen:
                    seen.add(id(variable))
                    yield layer, variable


def sample_of(data: Any) -> tuple[Any, ...]:
    """Return rows of the data, in their order: all of little data, and never a whole
    generator."""
    if not data.in_memory:
        batches = []
        for batch in data:
            batches.append(batch)
            if len(batches) == SAMPLE_BATCHES:
                break
        return _joined(batches)
    leaves = [x for x in tree.flatten(data.arrays) if x is not None]
    most = max((x.nbytes for x in leaves), default=0)
    if most <= SAMPLE_BYTES:
        return data.take(slice(None))
    rows = max(256, data.rows * SAMPLE_BYTES // most)
    return data.take(np.linspace(0, data.rows - 1, rows).astype(int))


def held(data: Any) -> Any:
    """Return data that can be read again: of a source, some batches in memory."""
    if data.in_memory:
        return data
    batches = list(itertools.islice(data, SAMPLE_BATCHES))
    return StreamData(IteratorSource(batches, len(batches)), None, None, False)


def _joined(batches):
    """Return batches as one, where their rows have one shape."""
    try:
        return tree.map_structure(
            lambda *parts: None if parts[0] is None else np.concatenate(parts),
            *batches,
        )
    except (ValueError, TypeError):
        return batches[0]


def named(nest: Any, prefix: str) -> dict[str, Any]:
    """Return `{name: array}` of a nest of inputs."""
    leaves = [x for x in tree.flatten(nest) if x is not None]
    if isinstance(nest, dict) and len(leaves) == len(nest):
        return dict(zip(sorted(nest), tree.flatten(nest), strict=True))
    if len(leaves) == 1:
        return {prefix: leaves[0]}
    return {f"{prefix}[{i}]": leaf for i, leaf in enumerate(leaves)}


def name_of_loss(loss: Any) -> str:
    """Return the standard name of a loss: that of its function, in snake case."""
    if isinstance(loss, str):
        loss = losses.get(loss)
    function = getattr(loss, "fn", None)
    if function is None and not isinstance(loss, Loss):
        function = loss
    name = getattr(function, "__name__", None) or type(loss).__name__
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _from_logits(loss):
    value = getattr(loss, "from_logits", None)
    if value is None:
        value = getattr(loss, "kwargs", {}).get("from_logits")
    if value is None and "crossentropy" in name_of_loss(loss):
        return False
    return value


def outputs_of(model: Any, y: Any, weighted: bool) -> list[Output]:
    """Return the outputs that a loss of `compile()` sees, before any prediction."""
    container = model._compile_loss
    if container is None:
        return []
    if container.built:
        return [
            Output(
                str(name), name_of_loss(loss), _from_logits(loss), target, weighted,
                tuple(spec.shape), where=str(name),
            )
            for name, loss, target, _, spec in container.pairs(y)
        ]  # fmt: skip
    losses = [loss for loss in tree.flatten(model.loss) if loss is not None]
    targets = [leaf for leaf in tree.flatten(y) if leaf is not None]
    if len(losses) != len(targets):
        return []
    graph = model._graph_within
    symbols = [None] * len(targets) if graph is None else graph._outputs
    found = []
    for i, (loss, target) in enumerate(zip(losses, targets, strict=True)):
        symbol = symbols[i] if len(symbols) == len(targets) else None
        shape = None if symbol is None else tuple(symbol.shape)
        where = f"output {i}" if symbol is None else symbol._keras_history[0].name
        found.append(
            Output(
                where, name_of_loss(loss), _from_logits(loss), target, weighted, shape,
                where=where,
            )
        )  # fmt: skip
    return found


def add_predictions(facts: Facts) -> None:
    """Tell the outputs what was predicted, and by which layer."""
    look, after = facts.look, facts.after
    if look is None or len(look.outputs) < len(facts.outputs):
        return
    places = range(len(look.outputs))
    if len(look.outputs) != len(facts.outputs):
        # Some outputs have no loss: their order among all is told by the names.
        names = facts.model._output_names() or []
        places = [names.index(o.name) for o in facts.outputs if o.name in names]
    for output, place in zip(facts.outputs, places, strict=False):
        output.prediction = np.asarray(look.outputs[place]).astype(np.float32)
        output.shape = output.prediction.shape
        if after is not None:
            output.later = np.asarray(after.outputs[place]).astype(np.float32)
        producer = look.producers[place]
        if producer is not None:
            layer = look.calls[producer].layer
            output.where = layer.path
            output.activation = activation_of(layer) or ""
