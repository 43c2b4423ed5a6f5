"""One forward and backward pass with a look at every layer.

A tap on the `call` of each layer notes its inputs and outputs while the pass is traced,
so the whole look is one program, whose state goes nowhere. Layers that
others call inside loops of their own (the cells of an RNN) are not looked into.
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import numpy as np

from hornbeam import backends, ops
from hornbeam.core import tree
from hornbeam.core.gradients import value_and_grad
from hornbeam.data.sparse import tensor_of
from hornbeam.layers.activations.relu import ReLU
from hornbeam.layers.activations.softmax import Softmax
from hornbeam.layers.replaced_calls import replaced_calls
from hornbeam.training.binding.binding import UnknownVariablesError
from hornbeam.training.execution.programs import Program
from hornbeam.training.steps import Steps, unpack

# Within this share of the range of a sigmoid or tanh from its end, the slope is less
# than 4% of the greatest, and hardly anything is passed back (Glorot, Bengio 2010).
_SATURATED = 0.01
# A softmax that is so sure.
_SURE = 0.999
_RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


@dataclasses.dataclass
class Statistics:
    """Numbers of one tensor.

    Attributes:
        shape: its shape.
        bad: how many values are NaN or infinite.
        low, high, mean, std: of its finite values.
        dead: the share of units (places of the last axis) that are 0 for all rows.
        saturated: the share of values at the end of the activation's range.
        unit_low, unit_high: the least (not 0) and the greatest standard deviation of a
            unit.
    """

    shape: tuple[int, ...] = ()
    bad: float = 0.0
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    std: float = 0.0
    dead: float = 0.0
    saturated: float = 0.0
    unit_low: float = 0.0
    unit_high: float = 0.0

    def range(self) -> str:
        """Return the range as text."""
        return f"[{self.low:.4g}, {self.high:.4g}]"


@dataclasses.dataclass
class Call:
    """One call of a layer.

    Attributes:
        layer: the layer.
        inputs, outputs: Statistics of the tensors.
        sources: for each input the number of the call that gave it, or None.
    """

    layer: Any
    inputs: list[Statistics]
    outputs: list[Statistics]
    sources: list[int | None]


@dataclasses.dataclass
class Gradient:
    """Numbers of the gradient of a weight, and of the weight."""

    variable: Any
    bad: float
    norm: float
    rms: float
    zeros: float
    greatest: float


@dataclasses.dataclass
class Look:
    """What a pass showed.

    Attributes:
        calls: the Calls in their order.
        gradients: a Gradient for each trainable weight, if there is a loss.
        loss: the loss, or None.
        added: the part of it that layers and regularizers added.
        outputs: the predictions, NumPy arrays.
        producers: for each prediction the number of the Call that gave it, or None.
    """

    calls: list[Call]
    gradients: list[Gradient]
    loss: float | None
    added: float
    outputs: list[Any]
    producers: list[int | None]


def activation_of(layer: Any) -> str | None:
    """Return the name of the layer's activation, None where it has none."""
    if hasattr(layer, "return_sequences"):
        return None  # inside the loop of a recurrent layer
    if isinstance(layer, Softmax):
        return "softmax"
    if isinstance(layer, ReLU):
        return "relu" if not layer.negative_slope and not layer.threshold else None
    return getattr(getattr(layer, "activation", None), "__name__", None)


class Probe:
    """Passes over batches of one form; several looks share one program.

    Args:
        model: a built, compiled model.
        gradients: whether to go backward too. Default: True
        compiled: whether the pass is a program, if the model's steps are. Default: True
    """

    def __init__(self, model: Any, gradients: bool = True, compiled: bool = True):
        self.model = model
        self.binding: Any = model._binding("train")
        self.with_gradients = gradients
        self._calls: list[Any] = []
        self._producers: list[Any] = []
        self._depth: int | None = None
        self._compiled: Any = compiled and model._compiles()

    def look(self, batch: Any) -> Look:
        """Make a pass over `batch`, host arrays, in training mode."""
        engine = self.binding.engine
        tensors = tree.map_structure(
            lambda x: None if x is None else tensor_of(engine, x), batch
        )
        with self.model._running_steps():
            while True:
                try:
                    return self._look(tensors)
                except UnknownVariablesError as error:
                    self.binding.add(error.variables)
                except Exception:
                    # A layer of the user's that calls others in a loop: look into
                    # fewer. A model whose call fails without a look raises.
                    if self._depth == 0:
                        raise
                    self._depth = 1 if self._depth is None else 0

    def _look(self, tensors):
        binding = self.binding
        is_sparse = binding.engine.is_sparse
        run = self._run_once
        if self._compiled and not any(map(is_sparse, tree.flatten(tensors))):
            run = self._run_program
        try:
            results = run(tensors)
        finally:
            self.model._forget_losses()
        host = tree.map_structure(binding.engine.to_numpy, results)
        loss, added, tensors, gradients, outputs = host
        pairs = zip(self._variables(), gradients, strict=True)
        return Look(
            calls=self._described(tensors),
            gradients=[gradient_of(v, g) for v, g in pairs],
            loss=float(loss),
            added=float(added),
            outputs=outputs,
            producers=self._producers,
        )

    def _run_once(self, tensors):
        binding = self.binding
        run = binding.pure(self._run)
        run = binding.engine.jit(run) if self._compiled else run
        results, _ = run(binding.values(), binding.structure.values(), tensors)
        return results

    def _run_program(self, tensors):
        """Run the pass as a program, which models of one structure share."""
        binding = self.binding
        leaves, spec = tree.flatten_with_spec(tensors)
        present = tuple(x is not None for x in leaves)
        arrays = [x for x in leaves if x is not None]
        shapes = tuple((tuple(x.shape), str(x.dtype)) for x in arrays)
        kind = "probe", self.with_gradients, self._depth
        program = binding.program(
            lambda: (kind, binding.key(), spec, present, shapes),
            lambda: self._compile(spec, present, arrays),
        )
        numbers = binding.structure.values()
        results = program.executable(binding.values(), numbers, arrays)
        layers = tapped_layers(self.model, self._depth)
        self._calls = [(layers[place], *rest) for place, *rest in program.calls]
        self._producers = program.producers
        return tree.unflatten(program.output_spec, results)

    def _compile(self, spec, present, arrays):
        binding, output_spec = self.binding, None

        def run(arrays):
            values = iter(arrays)
            leaves = [next(values) if there else None for there in present]
            return self._run(tree.unflatten(spec, leaves))

        pure_run = binding.pure(run)

        def flat_run(values, numbers, arrays):
            nonlocal output_spec
            results, _ = pure_run(values, numbers, arrays)
            leaves, output_spec = tree.flatten_with_spec(results)
            return leaves

        arguments = (binding.values(), binding.structure.values(), arrays)
        executable = binding.engine.compile(flat_run, arguments)
        layers = tapped_layers(self.model, self._depth)
        places = {id(layer): place for place, layer in enumerate(layers)}
        program = ProbeProgram(binding.engine, executable, output_spec)
        program.calls = [(places[id(layer)], *rest) for layer, *rest in self._calls]
        program.producers = self._producers
        return program

    def _described(self, tensors):
        kept: dict[Any, Statistics] = {}

        def statistics(place, activation=None):
            key = place, activation
            if key not in kept:
                kept[key] = statistics_of(tensors[place], activation)
            return kept[key]

        return [
            Call(
                layer,
                [statistics(place) for place in inputs],
                [statistics(place, activation_of(layer)) for place in outputs],
                sources,
            )
            for layer, inputs, outputs, sources in self._calls
        ]

    def _variables(self):
        return self.model.trainable_variables if self.with_gradients else []

    def _run(self, batch):
        model = self.model
        x, y, sample_weight = unpack(batch)

        def loss_fn():
            taps = Taps()
            with tapped(tapped_layers(model, self._depth), taps):
                y_pred = model._call_for_step(x, True)
            added = [ops.sum(ops.cast(loss, "float32")) for loss in model.losses]
            loss = ops.zeros(())
            if model._compile_loss is not None or self.with_gradients:
                loss = model._loss_in_step(x, y, y_pred, sample_weight, True)
            outputs = tree.flatten(y_pred)
            self._calls = taps.calls
            self._producers = [taps.made.get(id(x)) for x in outputs]
            loss = ops.cast(loss, "float32")
            return loss, (loss, sum(added, ops.zeros(())), taps.tensors, outputs)

        variables = self._variables()
        if variables:
            (_, aux), gradients = value_and_grad(loss_fn, variables, has_aux=True)
        else:
            _, aux = loss_fn()
            gradients = []
        loss, added, tensors, outputs = aux
        gradients = [_dense(gradient) for gradient in gradients]
        return loss, added, tensors, gradients, outputs


class ProbeProgram(Program):
    """A compiled pass, and what its taps noted; layers are told by their places.

    Attributes:
        calls: those of `Taps`, with numbers in the place of layers.
        producers: for each prediction the number of the call that gave it, or None.
    """

    calls: list[Any]
    producers: list[int | None]


class Taps:
    """What the taps note of the calls.

    Attributes:
        calls: `(layer, inputs, outputs, sources)` in their order; inputs and outputs
            are numbers of tensors.
        tensors: the tensors, each once.
        made: by the id of a tensor the number of the call that made it.
    """

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.tensors: list[Any] = []
        self.made: dict[int, int] = {}
        self._places: dict[int, int] = {}

    def note(self, layer: Any, args: Any, kwargs: Any, outputs: Any) -> None:
        """Note a call of `layer`."""
        inputs, results = _tensors((args, kwargs)), _tensors(outputs)
        sources = [self.made.get(id(x)) for x in inputs]
        places = [[self._place(x) for x in group] for group in (inputs, results)]
        for x in results:
            self.made.setdefault(id(x), len(self.calls))
        self.calls.append((layer, *places, sources))

    def _place(self, x):
        place = self._places.setdefault(id(x), len(self.tensors))
        if place == len(self.tensors):
            self.tensors.append(x)
        return place


def _tensors(nest):
    is_sparse = backends.current().is_sparse
    return [
        x
        for x in tree.flatten(nest)
        if hasattr(x, "shape")
        and hasattr(x, "dtype")
        and "string" not in str(x.dtype)
        and not is_sparse(x)
    ]


def statistics_of(x: Any, activation: str | None = None) -> Statistics:
    """Return the numbers of an array, the output of an activation or not."""
    x = np.asarray(x).astype(np.float32)
    if x.size == 0:
        return Statistics(x.shape)
    finite = np.isfinite(x)
    bad = int(x.size - finite.sum())
    if bad:
        x = np.where(finite, x, 0)
    result = Statistics(
        x.shape,
        bad,
        float(x.min()),
        float(x.max()),
        float(x.mean(dtype=np.float64)),
        float(x.std(dtype=np.float64)),
    )
    if x.ndim > 1:
        units = x.reshape(-1, x.shape[-1])
        result.dead = float((units == 0).all(axis=0).mean())
        spread = units.std(axis=0, dtype=np.float64)
        result.unit_high = float(spread.max())
        # A unit that never changes tells nothing of the scales.
        result.unit_low = float(spread[spread > 0].min(initial=result.unit_high))
    if activation in _RANGES:
        low, high = _RANGES[activation]
        edge = _SATURATED * (high - low)
        result.saturated = float(((x < low + edge) | (x > high - edge)).mean())
    elif activation == "softmax" and x.ndim > 1:
        result.saturated = float((x.max(axis=-1) > _SURE).mean())
    return result


def gradient_of(variable: Any, gradient: Any) -> Gradient:
    """Return the numbers of the gradient of a weight."""
    # In float64, so that the squares of small numbers do not vanish.
    x = np.asarray(gradient).astype(np.float64)
    finite = np.isfinite(x)
    bad = int(x.size - finite.sum())
    x = np.where(finite, x, 0) if bad else x
    norm = float(np.sqrt(np.square(x).sum()))
    return Gradient(
        variable=variable,
        bad=bad,
        norm=norm,
        rms=norm / max(1, x.size) ** 0.5,
        zeros=float((x == 0).mean()) if x.size else 0.0,
        greatest=float(np.abs(x).max(initial=0)),
    )


def _dense(gradient):
    engine = backends.current()
    return engine.to_dense(gradient) if engine.is_sparse(gradient) else gradient


def tapped_layers(model: Any, depth: int | None = None) -> list[Any]:
    """Return the layers that are looked at: those that models and users' layers call.

    Args:
        model: a model.
        depth: None: all; 1: none inside users' layers; 0: none at all.
    """
    if depth == 0:
        return []
    found: dict[int, Any] = {}

    def walk(layer):
        is_users = not type(layer).__module__.startswith("hornbeam.") and depth is None
        if not (layer is model or isinstance(layer, Steps) or is_users):
            return
        for inner in layer._layers:
            if id(inner) not in found:
                found[id(inner)] = inner
                walk(inner)

    walk(model)
    return list(found.values())


def tapped(layers: list[Any], taps: Any) -> contextlib.AbstractContextManager[None]:
    """A block in which `taps.note` is told of each call of one of the layers."""
    return replaced_calls(layers, lambda layer, call: _tap(layer, call, taps))


def _tap(layer, call, taps):
    def tapped_call(*args, **kwargs):
        outputs = call(*args, **kwargs)
        taps.note(layer, args, kwargs, outputs)
        return outputs

    return tapped_call
