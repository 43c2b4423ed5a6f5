"""`memory_plan`: the bytes that training and prediction take."""

from __future__ import annotations

import math
import re
from typing import Any

from hornbeam.core import tree
from hornbeam.diagnosis.report import Report
from hornbeam.diagnosis.shapes import shape_calls, symbols_of


class MemoryPlan(Report):
    """The bytes of a model, by what they are for; prints as a table.

    Attributes:
        weights: of all weights.
        gradients: of the gradients of those that are trained.
        optimizer: of the optimizer's variables.
        activations: of what the layers give, which training keeps for the gradients.
        layers: `{path: bytes}` of the activations.
        training: all of it.
        prediction: the weights, and the inputs and outputs of the largest layer.
    """

    def __init__(
        self,
        name: str,
        batch_size: int,
        parts: dict[str, int],
        layers: dict[str, int],
        largest: int,
    ):
        self.weights: int = parts["weights"]
        self.gradients: int = parts["gradients"]
        self.optimizer: int = parts["optimizer"]
        self.layers = layers
        self.activations: int = sum(layers.values())
        self.training: int = sum(parts.values()) + self.activations
        self.prediction: int = self.weights + largest
        rows = [*parts.items(), ("activations", self.activations)]
        rows += [(f"  {path}", n) for path, n in layers.items()]
        rows += [("training", self.training), ("prediction", self.prediction)]
        super().__init__(
            f"Memory of model {name!r} with batches of {batch_size}",
            ("what", "bytes", ""),
            [(what, f"{n:,}", readable(n)) for what, n in rows],
            ["An estimate: a compiler may keep less, and libraries take some more."],
        )


def memory_plan(model: Any, batch_size: int = 32, inputs: Any = None) -> MemoryPlan:
    """Return the bytes that the model takes; see `Doctor.memory_plan`."""
    symbols = symbols_of(model, inputs, batch_size, "memory_plan()")
    rows = tree.flatten(symbols)[0].shape[0]
    layers: dict[str, int] = {}
    largest = 0
    for call in shape_calls(model, symbols):
        if call.is_leaf:
            given = sum(bytes_of(*form) for form in call.outputs)
            taken = sum(bytes_of(*form) for form in call.inputs)
            path = call.layer.path
            layers[path] = layers.get(path, 0) + given
            largest = max(largest, given + taken)
    optimizer = getattr(model, "optimizer", None)
    trained = model.trainable_variables
    if optimizer is not None and not optimizer.built:
        with model._engine_scope():
            optimizer.build(trained)
    parts = {
        "weights": _bytes(model.variables),
        "gradients": _bytes(trained) if optimizer is not None else 0,
        "optimizer": _bytes(optimizer.variables) if optimizer is not None else 0,
    }
    return MemoryPlan(model.name, rows, parts, layers, largest)


def _bytes(variables):
    return sum(bytes_of(v.shape, v._dtype) for v in variables)


def bytes_of(shape: tuple[int, ...], dtype: str) -> int:
    """Return the bytes of a tensor."""
    bits = re.search(r"\d+", dtype)
    return math.prod(shape) * (int(bits[0]) // 8 if bits else 1)


def readable(count: float, unit: str = "B") -> str:
    """Return a number with the prefix that suits it."""
    for prefix in ("", "K", "M", "G", "T"):
        if abs(count) < 1000 or prefix == "T":
            break
        count /= 1000
    return f"{count:.3g} {prefix}{unit}"
