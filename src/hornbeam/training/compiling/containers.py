"""CompileLoss and CompileMetrics: what `compile()` takes, ready for a step.

Both are built from the first outputs. They keep flat lists, one entry per output.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from typing import Any

from hornbeam import metrics as metrics_module
from hornbeam import ops
from hornbeam.core import tree
from hornbeam.core.configurable import parameters_of
from hornbeam.core.scopes import batch_mask
from hornbeam.losses.loss import Loss
from hornbeam.metrics.metric import Metric
from hornbeam.metrics.reduction import merge_mask
from hornbeam.training.compiling.loss_terms import find_terms
from hornbeam.training.compiling.output_structure import OutputStructure
from hornbeam.training.compiling.resolve import (
    check_loss_weights,
    check_losses,
    check_metrics,
    resolve_loss,
    resolve_metric,
    shape_of,
)


class CompileLoss(Loss):
    """The weighted sum of the outputs' losses.

    Args:
        loss: a loss, its name or a function for all outputs, or a list, dict or nest
            of them.
        loss_weights: a number, or a list or dict of numbers; default: 1 each.
        reduction: accepted; each loss has its own.
        output_names: the names of the outputs, or None.
    """

    def __init__(
        self,
        loss: Any,
        loss_weights: Any = None,
        reduction: Any = "sum_over_batch_size",
        output_names: Any = None,
    ) -> None:
        super().__init__(name="compile_loss", reduction=reduction)
        check_losses(loss)
        check_loss_weights(loss_weights)
        self.loss = loss
        self.loss_weights = loss_weights
        self.output_names = output_names
        self.built: bool = False
        self._terms: list[Any] = []
        self._trackers: dict[str, Any] = {}
        self._outputs: Any = None

    @property
    def metrics(self) -> list[Any]:
        """The running means of the outputs' losses, where there are several."""
        return list(self._trackers.values())

    @property
    def variables(self) -> list[Any]:
        """The state of the running means."""
        return [v for tracker in self.metrics for v in tracker.variables]

    @property
    def accepts_padding(self) -> bool:
        """Whether all losses do, once they are built."""
        return all(term.loss.accepts_padding for term in self._terms)

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Assign the losses to the outputs."""
        if _makes_more_outputs(self.loss, y_true, y_pred):
            y_pred = tree.map_structure(lambda _: y_pred, y_true)
        outputs = OutputStructure(y_pred, self.output_names)
        terms = find_terms(outputs, self.loss)
        targets = _targets(outputs, y_true, _seen(outputs, terms))
        predictions = outputs.flatten(y_pred)
        for term in terms:
            pair = term.pick(targets), term.pick(predictions)
            term.loss = resolve_loss(term.entry, *pair)
        _name_terms(terms)
        self._weigh(outputs, terms)
        self._outputs = outputs
        self._terms = terms
        if not self.built and len(terms) > 1:
            self._trackers = {
                term.label: metrics_module.Mean(name=f"{term.label}_loss")
                for term in terms
            }
        self.built = True

    def _weigh(self, outputs, terms):
        """Give the terms their weights, which have the form of the losses or outputs.

        A list has one per output or one per loss.
        """
        weights = self.loss_weights
        flat = tree.flatten(weights)
        if isinstance(weights, list | tuple) and len(flat) == len(terms):
            for term, weight in zip(terms, flat, strict=True):
                term.weight = weight
            return
        if isinstance(weights, list | tuple) and len(weights) != outputs.count:
            raise ValueError(
                "`loss_weights` must match the number of losses, got "
                f"{len(terms)} losses and {len(flat)} weights."
            )
        by_output = outputs.distribute(weights, "loss_weights", _is_weight)
        for term in terms:
            term.weight = by_output[term.numbers[0]]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the weighted sum of the losses, or None where there is none."""
        if not self.built:
            self.build(y_true, y_pred)
        outputs = self._outputs
        seen = _seen(outputs, self._terms)
        targets = _targets(outputs, y_true, seen)
        predictions = outputs.flatten(y_pred)
        if len(predictions) != outputs.count:
            raise _different_structures(outputs, seen, y_true, y_pred)
        weights = _sample_weights(outputs, sample_weight, seen)
        total = None
        tracked: dict[str, Any] = {}
        for term in self._terms:
            target = term.pick(targets)
            if target is None and term.compares_targets:
                raise ValueError(
                    f"The loss {term.loss.name!r} of output {term.label or 0!r} has no "
                    "targets to compare with. Give them in `y`, or leave the output's "
                    "loss out."
                )
            value = term.loss(
                target, term.pick(predictions), term.sample_weight(weights)
            )
            if self._trackers:
                tracked[term.label] = ops.stop_gradient(value) + tracked.get(
                    term.label, 0
                )
            if term.weight is not None:
                value = value * ops.convert_to_tensor(term.weight, dtype=value.dtype)
            total = value if total is None else total + value
        if tracked:
            rows = valid_row_count(predictions[0])
            for label, value in tracked.items():
                self._trackers[label].update_state(value, sample_weight=rows)
        return total

    def pairs(self, y_true: Any, sample_weight: Any = None) -> Iterator[Any]:
        """Yield `(output, loss, target, weights, spec)` where a loss sees one output.

        Args:
            y_true: targets as for the call.
            sample_weight: weights as for the call.
        """
        outputs = self._outputs
        seen = _seen(outputs, self._terms)
        targets = _targets(outputs, y_true, seen)
        weights = _sample_weights(outputs, sample_weight, seen)
        specs = outputs.flatten(outputs.structure)
        for term in self._terms:
            if isinstance(term.place, int):
                number = term.place
                name = outputs.name(number) or number
                weight = weights[number]
                yield name, term.loss, targets[number], weight, specs[number]

    def call(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the weighted sum of the losses."""
        return self(y_true, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """A container has no config: compile() has that of its arguments."""
        raise NotImplementedError("CompileLoss has no config of its own.")


def valid_row_count(y_pred: Any) -> Any:
    """Return how many rows of the batch are no padding."""
    mask = batch_mask()
    if mask is not None:
        return ops.sum(ops.cast(mask, "float32"))
    shape = shape_of(y_pred)
    return 1 if not shape or shape[0] is None else shape[0]


def _makes_more_outputs(loss, y_true, y_pred):
    """Whether the one output must become several in the user's `compute_loss`."""
    is_list = isinstance(loss, list | tuple) and len(loss) > 1
    if not is_list or tree.is_nested(y_pred) or not tree.is_nested(y_true):
        return False
    return len(tree.flatten(y_true)) == len(loss)


def _seen(outputs, terms):
    """Return for each output whether a loss sees it: True or None."""
    numbers = {number for term in terms for number in term.numbers}
    return [True if i in numbers else None for i in range(outputs.count)]


def _name_terms(terms):
    """Label what has no name after its loss, if that tells the losses apart."""
    names = [t.entry if isinstance(t.entry, str) else t.loss.name for t in terms]
    distinct = len(set(names)) == len(names)
    for term, name in zip(terms, names, strict=True):
        if term.label is None:
            term.label = name if distinct else f"output_{term.numbers[0]}"


def _is_weight(x, single=True):
    return isinstance(x, numbers.Number) or hasattr(x, "shape")


def _targets(outputs, y_true, losses):
    """Return the targets of each output, None where an output has none.

    Outputs without a loss need no targets.
    """
    if isinstance(y_true, dict) and outputs.are_named_by(y_true):
        outputs.check_names(y_true, "y")
        return [y_true.get(name) for name in outputs.names]
    flat = outputs.flatten(y_true)
    if len(flat) == outputs.count:
        return flat
    with_loss = [i for i, loss in enumerate(losses) if loss is not None]
    if not with_loss:
        return [None] * outputs.count
    if len(flat) == len(with_loss):
        by_index = dict(zip(with_loss, flat, strict=True))
        return [by_index.get(i) for i in range(outputs.count)]
    raise _different_structures(outputs, losses, y_true, outputs.structure)


def _different_structures(outputs, losses, y_true, y_pred):
    with_loss = sum(loss is not None for loss in losses)
    return ValueError(
        "y_true and y_pred have different structures. The model has "
        f"{len(tree.flatten(y_pred))} outputs"
        f"{f' {outputs.names}' if outputs.names else ''}, "
        f"{with_loss} of them with a loss or a metric, but "
        f"{len(tree.flatten(y_true))} targets were given.\n"
        f"y_true: {_shapes(y_true)}\ny_pred: {_shapes(y_pred)}"
    )


def _shapes(nest):
    return tree.map_structure(lambda x: None if x is None else str(shape_of(x)), nest)


def _sample_weights(outputs, sample_weight, losses):
    """Return the sample weights of each output, or None."""
    if sample_weight is None or not tree.is_nested(sample_weight):
        return [sample_weight] * outputs.count
    if all(x is None for x in tree.flatten(sample_weight)):
        return [None] * outputs.count
    if isinstance(sample_weight, dict) and outputs.are_named_by(sample_weight):
        outputs.check_names(sample_weight, "sample_weight")
        return [sample_weight.get(name) for name in outputs.names]
    flat = outputs.flatten(sample_weight)
    if len(flat) == 1:
        return flat * outputs.count
    if len(flat) == outputs.count:
        return flat
    with_loss = [i for i, loss in enumerate(losses) if loss is not None]
    if len(flat) == len(with_loss):
        by_index = dict(zip(with_loss, flat, strict=True))
        return [by_index.get(i) for i in range(outputs.count)]
    raise ValueError(
        f"`sample_weight` has {len(flat)} entries, but the model has {outputs.count} "
        f"outputs{f' {outputs.names}' if outputs.names else ''}. Expected one array "
        "for all outputs, or one per output."
    )


class CompileMetrics(Metric):
    """The metrics of all outputs, and those weighted by the sample weights.

    Args:
        metrics: a list of metrics, names and functions; with several outputs a list
            or dict of such lists, or a nest like the outputs.
        weighted_metrics: likewise.
        name: default "compile_metrics".
        output_names: the names of the outputs, or None.
    """

    def __init__(
        self,
        metrics: Any,
        weighted_metrics: Any,
        name: str = "compile_metrics",
        output_names: Any = None,
    ) -> None:
        super().__init__(name=name)
        for argument, value in (
            ("metrics", metrics),
            ("weighted_metrics", weighted_metrics),
        ):
            if value is not None and not isinstance(value, list | tuple | dict):
                raise ValueError(
                    f"Expected `{argument}` argument to be a list, tuple, or dict, "
                    f"such as {argument}=[{value!r}]. Received instead: "
                    f"{argument}={value!r} of type {type(value)}"
                )
            check_metrics(value)
        self._metrics = metrics
        self._weighted_metrics = weighted_metrics
        self.output_names = output_names
        self.built: bool = False
        self._plain: list[Any] = []
        self._weighted: list[Any] = []
        self._outputs: Any = None

    @property
    def metrics(self) -> list[Any]:
        """The metrics, and then those that are weighted."""
        return [m for entry in (*self._plain, *self._weighted) for m in entry]

    @property
    def variables(self) -> list[Any]:
        """The state of all metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def accepts_padding(self) -> bool:
        """Whether all metrics do, once they are built."""
        return all(metric.accepts_padding for metric in self.metrics)

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Assign the metrics to the outputs."""
        if self.built:
            return
        outputs = OutputStructure(y_pred, self.output_names)
        self._outputs = outputs
        lists = [
            self._distribute(self._metrics, "metrics"),
            self._distribute(self._weighted_metrics, "weighted_metrics"),
        ]
        measured = [a or b or None for a, b in zip(*lists, strict=True)]
        targets = _targets(outputs, y_true, measured)
        predictions = outputs.flatten(y_pred)
        self._plain, self._weighted = (
            [
                [resolve_metric(one, y, p) for one in entry]
                for entry, y, p in zip(entries, targets, predictions, strict=True)
            ]
            for entries in lists
        )
        for plain, weighted, y, p in zip(
            self._plain, self._weighted, targets, predictions, strict=True
        ):
            for metric in (*plain, *weighted):
                _build(metric, y, p)
        self.built = True

    def _distribute(self, metrics, what):
        """Return the list of metrics of each output."""
        outputs = self._outputs
        if metrics is None or len(metrics) == 0:
            return [[] for _ in range(outputs.count)]
        if outputs.count == 1 and isinstance(metrics, list | tuple):
            nested = len(metrics) == 1 and isinstance(metrics[0], list | tuple)
            return [_as_list(metrics[0] if nested else metrics)]
        entries = outputs.distribute(metrics, what, _is_metrics)
        return [_as_list(entry) for entry in entries]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Update all metrics with a batch."""
        if not self.built:
            self.build(y_true, y_pred)
        outputs = self._outputs
        measured = [
            a or b or None for a, b in zip(self._plain, self._weighted, strict=True)
        ]
        targets = _targets(outputs, y_true, measured)
        predictions = outputs.flatten(y_pred)
        weights = _sample_weights(outputs, sample_weight, measured)
        mask = batch_mask()
        if mask is not None:
            mask = ops.cast(mask, "int32")
        for index, (plain, weighted) in enumerate(
            zip(self._plain, self._weighted, strict=True)
        ):
            pair = targets[index], predictions[index]
            for metric in plain:
                if mask is None:
                    metric.update_state(*pair)
                else:
                    metric.update_state(*pair, sample_weight=mask)
            for metric in weighted:
                weight = merge_mask(weights[index], mask, metric.dtype)
                metric.update_state(*pair, sample_weight=weight)

    def reset_state(self) -> None:
        """Reset all metrics."""
        for metric in self.metrics:
            metric.reset_state()

    def result(self) -> Any:
        """Return `{name: value}`; names have the output's name in front, if several."""
        return self._by_name_in_logs(lambda metric: metric.result())

    def names_in_logs(self) -> Iterator[Any]:
        """Yield `(name, metric)`, but for metrics whose result is a dict."""
        yield from self._by_name_in_logs(lambda metric: metric).items()

    def _by_name_in_logs(self, value_of):
        results: dict[str, Any] = {}
        several = self._outputs is not None and self._outputs.count > 1
        for index, pair in enumerate(zip(self._plain, self._weighted, strict=True)):
            label = self._outputs.name(index) if several else None
            for weighted, entry in enumerate(pair):
                for metric in entry:
                    value = value_of(metric)
                    named = value if isinstance(value, dict) else {metric.name: value}
                    for name, one in named.items():
                        results[_free_name(name, label, weighted, results)] = one
        return results

    def get_config(self) -> dict[str, Any]:
        """A container has no config: compile() has that of its arguments."""
        raise NotImplementedError("CompileMetrics has no config of its own.")


def _free_name(name, label, weighted, taken):
    """Return the name of a result in the logs, one that is not taken."""
    prefix = f"{label}_" if label else ""
    if weighted and f"{prefix}{name}" in taken:
        prefix += "weighted_"
    full, number = f"{prefix}{name}", 0
    while full in taken:
        number += 1
        full = f"{prefix}{name}_{number}"
    return full


def _is_metrics(x, single):
    """Whether `x` is a metric or, for one output, a list of metrics."""
    if isinstance(x, list | tuple):
        return single
    return not isinstance(x, dict) or "class_name" in x


def _as_list(entry):
    if entry is None:
        return []
    return list(entry) if isinstance(entry, list | tuple) else [entry]


def _build(metric, y_true, y_pred):
    """Let a metric make the state that depends on the shapes."""
    if y_true is None or not hasattr(metric, "build"):
        return
    accepts = len(parameters_of(metric.build)) == 2
    if accepts:
        metric.build(shape_of(y_true), shape_of(y_pred))
