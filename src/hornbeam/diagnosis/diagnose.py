"""`diagnose`: gathers the facts about a model and its data, and asks the rules."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.core.random_states import random_states, set_random_states
from hornbeam.data import make_data, train_validation_split
from hornbeam.data.make import in_memory
from hornbeam.diagnosis import facts as gathering
from hornbeam.diagnosis.facts import Facts, Steps
from hornbeam.diagnosis.findings import Diagnosis
from hornbeam.diagnosis.not_finite import operation_in
from hornbeam.diagnosis.probe import Probe
from hornbeam.diagnosis.rules import RULES
from hornbeam.diagnosis.rules.layer_rules import origin
from hornbeam.diagnosis.trial import one_step, rows_of
from hornbeam.diagnosis.unchanged import unchanged
from hornbeam.training.binding import checks, data_checks
from hornbeam.training.steps import unpack

# So many rows tell which units are dead; fewer where they are large, as all activations
# are kept.
_ROWS, _ROW_BYTES, _FEWEST = 256, 1 << 21, 4
# What JAX adds to errors about its tracebacks.
_JAX = "JAX has removed its internal frames"


def diagnose(
    model: Any,
    x: Any = None,
    y: Any = None,
    batch_size: int | None = None,
    validation_split: float = 0.0,
    validation_data: Any = None,
    class_weight: Any = None,
    sample_weight: Any = None,
    steps: int = 10,
) -> Diagnosis:
    """Return what seems wrong with the model and its data; see `Model.diagnose`."""
    checks.compiled(model, "diagnose")
    checks.counts(model, "diagnose", batch_size=batch_size)
    checks.counts(model, "diagnose", low=0, steps=steps)
    facts = Facts(model, is_split=bool(validation_split and validation_data is None))
    if facts.is_split:
        x = model._on_host(x) if in_memory(x) else x
        (x, y, sample_weight), validation_data = train_validation_split(
            (x, y, sample_weight), validation_split=validation_split
        )
    with model._turn("diagnose") as engine:
        checks.engine_trains(model, engine)
        data = make_data(
            x, y, sample_weight, batch_size=batch_size, class_weight=class_weight,
            output_names=model._output_names(), on_host=model._on_host,
        )  # fmt: skip
        try:
            # What would be warned of is among the findings.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _gather(facts, data, validation_data, steps)
        finally:
            data.close()
    findings = [finding for rule in RULES for finding in rule(facts)]
    return Diagnosis(findings, model.name, facts.notes)


def _gather(facts, data, validation_data, steps):
    model = facts.model
    facts.own_step = model._has_own_step("train")
    facts.rows = data.rows if data.in_memory else None
    states = random_states()
    data = gathering.held(data)
    batch, rows = _rows_to_look_at(data)
    facts.batch_size = data.batch_size or rows_of(batch)
    x, y, weights = unpack(gathering.sample_of(data))
    # A source may have drawn; what building draws stays drawn, as in `fit`.
    set_random_states(states)
    if facts.rows is None:
        facts.notes.append(
            f"The data comes batch by batch: at most {gathering.SAMPLE_BATCHES} batches"
            " were looked at."
        )
    facts.inputs = gathering.named(x, "x")
    facts.sample_weight = weights
    facts.validation = _validation(validation_data, model._on_host)
    try:
        model._build_parts(batch, "train")
    except Exception as error:
        facts.refused["build"] = _told(error)
    weighted = weights is not None
    facts.outputs = gathering.outputs_of(model, y, weighted)
    if facts.refused:
        return
    try:
        data_checks.data_fits(model, data, "train")
    except ValueError as error:
        facts.refused["data"] = _told(error)
    facts.values = {id(v): v.numpy() for _, v in facts.weights()}
    with unchanged(model):
        _look_and_train(facts, batch, rows, steps)
    gathering.add_predictions(facts)


def _look_and_train(facts, batch, rows, steps):
    model = facts.model
    probe = None
    if model._has_call:
        probe = Probe(model, gradients=not facts.own_step)
        try:
            facts.look = probe.look(rows)
            found = origin(facts.look)
            if found is not None and found[0] == "layer":
                facts.operation = operation_in(model, rows, found[1])
        except Exception as error:
            if not facts.own_step:
                facts.refused["call"] = _told(error)
            facts.notes.append(f"The layers were not looked at: {error}")
    if facts.refused or not model.trainable_variables or not steps:
        return
    facts.steps = take_steps(model, batch, steps)
    facts.later = {id(v): v.numpy() for _, v in facts.weights()}
    if probe is not None and facts.look is not None:
        facts.after = probe.look(rows)


def take_steps(model: Any, batch: Any, count: int) -> Steps:
    """Train `count` steps on one batch, and say what they did."""
    result = Steps()
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        result.rate = float(np.asarray(_on_host(optimizer.learning_rate)))
    variables = model.trainable_variables
    before = [variable.numpy() for variable in variables]
    for step in range(count):
        try:
            logs = one_step(model, batch)
        except Exception as error:
            result.failed = _told(error)
            break
        result.losses.append(logs.get("loss"))
        if step == 0:
            result.updates = {
                id(v): _norm(v.numpy() - old) / max(_norm(old), 1e-12)
                for v, old in zip(variables, before, strict=True)
            }
    result.changes = {
        id(v): _norm(v.numpy() - old) for v, old in zip(variables, before, strict=True)
    }
    return result


def _told(error):
    """Return the error as text, with the layer in which it arose."""
    notes = getattr(error, "__notes__", ())
    return "\n".join([str(error), *(x for x in notes if _JAX not in x)])


def _on_host(x):
    return x.numpy() if hasattr(x, "numpy") else x


def _norm(x):
    return float(np.sqrt(np.square(x.astype(np.float64)).sum()))


def _rows_to_look_at(data):
    """Return a batch to train on, and about as many rows as tell which units are dead.

    They are spread over the data: sorted rows of one class would tell little.
    """
    if not data.in_memory:
        return (data.peek(),) * 2
    leaves = [x for x in tree.flatten(data.arrays) if x is not None]
    row_bytes = max(1, sum(x.nbytes for x in leaves) // max(1, data.rows))
    count = max(_FEWEST, min(_ROWS, _ROW_BYTES // row_bytes))
    return tuple(
        data.take(np.linspace(0, data.rows - 1, min(size, data.rows)).astype(int))
        for size in (data.batch_size, count)
    )


def _validation(validation_data, on_host):
    if validation_data is None:
        return None
    x, y, weights = unpack(validation_data)
    data = make_data(x, y, weights, continues=False, on_host=on_host)
    x, y, _ = unpack(gathering.sample_of(data))
    data.close()
    return [list(named.values()) for named in (
        gathering.named(x, "x"), gathering.named(y, "y"))]  # fmt: skip
