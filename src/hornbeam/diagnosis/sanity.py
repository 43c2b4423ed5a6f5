"""`overfit_one_batch` and `sanity_check`: can the model learn at all?"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.diagnosis.facts import outputs_of
from hornbeam.diagnosis.probe import Probe
from hornbeam.diagnosis.report import Report
from hornbeam.diagnosis.trial import loss_of, one_step, rows_of, trial
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.training.binding import checks
from hornbeam.training.steps import unpack

# A batch is learnt when its loss is so small a share of that at the start, or so small.
_SHARE, _LOSS = 0.1, 0.01
# After so many steps it goes on only as long as the loss falls: by this share from the
# mean of one stretch of steps to that of the next.
_PATIENCE, _STRETCH, _FALL = 500, 100, 0.03
_BATCH = 32


@dataclasses.dataclass(repr=False)
class Overfit:
    """Whether a model learns one batch by heart.

    Attributes:
        losses: the loss before each step, and at the end that of evaluation, if it is
            less: dropout raises the loss of training.
        learned: whether the last one is below a tenth of the first, or below 0.01.
        rows: the rows of the batch.
        falling: whether the batch is not learnt, and the loss was still falling when
            the steps were over: nobody can tell yet.
    """

    losses: list[float]
    learned: bool
    rows: int
    falling: bool = False

    def __str__(self) -> str:
        first, last, steps = self.losses[0], self.losses[-1], len(self.losses)
        if not math.isfinite(last):
            return (
                f"The model does not learn one batch of {self.rows} rows by heart: the "
                f"loss is {last:.4g} at step {steps}. `model.diagnose(x, y)` says more."
            )
        verdict = "learns" if self.learned else "does not learn"
        verdict = "has not yet learnt" if self.falling else verdict
        advice = (
            " It is still falling: take more steps, or a larger learning rate "
            "(`model.find_lr(x, y)` suggests one)."
        )
        return (
            f"The model {verdict} one batch of {self.rows} rows by heart: the loss goes"
            f" from {first:.4g} to {last:.4g} in {steps} steps."
            f"{advice if self.falling else ''}"
        )

    __repr__ = __str__

    def __bool__(self) -> bool:
        return self.learned


def overfit_one_batch(
    model: Any, x: Any, y: Any = None, batch_size: int | None = None, steps: int = 2000
) -> Overfit:
    """Train on one batch, and take it back; see `Doctor.overfit_one_batch`."""
    checks.counts(model, "overfit_one_batch", steps=steps)
    size = _BATCH if batch_size is None else batch_size
    with trial(model, "overfit_one_batch", x, y, size) as data:
        return _overfit(model, _spread_batch(data), steps)


def _overfit(model, batch, steps):
    losses: list[float] = []
    for _ in range(steps):
        loss = loss_of(model, one_step(model, batch), "overfit_one_batch")
        losses.append(loss)
        if not math.isfinite(loss) or _is_learned(losses, 0.1):
            break
        waited, rest = divmod(len(losses) - _PATIENCE, _STRETCH)
        if waited >= 0 and not rest and (_is_learned(losses) or not _falls(losses)):
            break
    falling = _falls(losses)
    last = one_step(model, batch, "test").get("loss", math.inf)
    if last < losses[-1]:
        losses.append(float(last))
    learned = _is_learned(losses)
    return Overfit(losses, learned, rows_of(batch), not learned and falling)


def _falls(losses):
    """Return whether the last stretch of steps has a lower loss than that before."""
    length = min(_STRETCH, len(losses) // 2)
    before, now = losses[-2 * length : -length], losses[-length:]
    if not length or not math.isfinite(sum(now)):
        return False
    return sum(now) < (1 - _FALL) * sum(before)


def _is_learned(losses, factor=1.0):
    first, last = losses[0], losses[-1]
    bound = max(_SHARE * factor * first, _LOSS * factor)
    return math.isfinite(last) and first > last and last < bound


def _spread_batch(data):
    """Return a batch of rows from all over the data."""
    if not data.in_memory:
        return data.peek()
    size = min(data.batch_size, data.rows)
    return data.take(np.linspace(0, data.rows - 1, size).astype(int))


class Sanity(Report):
    """What `sanity_check` tried; `passed` says whether all is well."""

    def __init__(self, model_name: str, tried: list[tuple[str, bool | None, str]]):
        marks = {True: "ok", False: "FAILED", None: "unknown"}
        rows = [(name, marks[result], text) for name, result, text in tried]
        failed = sum(result is False for _, result, _ in tried)
        title = f"Sanity check of model {model_name!r}: "
        unknown = sum(result is None for _, result, _ in tried)
        well = f"nothing failed, {unknown} unknown" if unknown else "all is well"
        title += f"{failed} failed" if failed else well
        super().__init__(title, ("check", "result", "seen"), rows)
        self.passed: bool = not failed
        self.results: dict[str, bool | None] = {n: result for n, result, _ in tried}

    def __bool__(self) -> bool:
        return self.passed


def sanity_check(
    model: Any, x: Any, y: Any = None, batch_size: int | None = None, steps: int = 2000
) -> Sanity:
    """Try what a model that can be trained must do; see `Doctor.sanity_check`."""
    checks.counts(model, "sanity_check", steps=steps)
    size = _BATCH if batch_size is None else batch_size
    with trial(model, "sanity_check", x, y, size) as data:
        batch = _spread_batch(data)
        tried: list[tuple[str, bool | None, str]] = []
        for name, check in _CHECKS:
            if tried and check is not _copies and tried[0][1] is False:
                tried.append((name, None, "not tried, as the data does not fit"))
                continue
            try:
                result, text = check(model, batch, steps)
            except Exception as error:
                result, text = False, f"{type(error).__name__}: {error}"
            tried.append((name, result, " ".join(text.split())[:300]))
    return Sanity(model.name, tried)


def _shapes(model, batch, steps):
    x, y, _ = unpack(batch)
    shapes = [tuple(leaf.shape) for leaf in tree.flatten((x, y)) if leaf is not None]
    one_step(model, batch, "test")
    return True, f"a step of evaluation runs on arrays of the shapes {shapes}"


def _chance(model, batch, steps):
    loss = one_step(model, batch, "test").get("loss")
    if loss is None:
        return None, "the step reports no loss"
    found = outputs_of(model, unpack(batch)[1], False)
    name = found[0].loss if len(found) == 1 else ""
    chance = None
    if "categorical_crossentropy" in name and found[0].units:
        chance = math.log(max(2, found[0].units))
    elif "binary_crossentropy" in name:
        chance = math.log(2)
    if chance is None:
        return math.isfinite(loss), f"the loss is {loss:.4g}"
    text = f"the loss is {loss:.4g}; that of guessing is {chance:.3g}"
    return math.isfinite(loss) and loss < 4 * chance + 1, text


def _gradients(model, batch, steps):
    if not model._has_call or model._has_own_step("train"):
        return None, "the training step is your own"
    look = Probe(model).look(batch)
    without = [g.variable.path for g in look.gradients if not g.bad and not g.greatest]
    bad = [g.variable.path for g in look.gradients if g.bad]
    text = f"{len(look.gradients)} weights"
    if without:
        text += f"; {without[:5]} get a gradient of 0"
    if bad:
        text += f"; the gradients of {bad[:5]} are NaN or infinite"
    return not bad and not without, text


def _learns(model, batch, steps):
    result = _overfit(model, batch, steps)
    return None if result.falling else result.learned, str(result)


def _repeats(model, batch, steps):
    logs = [one_step(model, batch, "test") for _ in range(2)]
    pairs = {name: (logs[0][name], logs[1][name]) for name in logs[0]}
    differ = {name: pair for name, pair in pairs.items() if not _equal(*pair)}
    if differ:
        return False, f"two evaluations of one batch differ: {differ}"
    return True, f"two evaluations of one batch are equal: {logs[0]}"


def _equal(one, other):
    return np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True)


def _copies(model, batch, steps):
    try:
        copy = type(model).from_config(model.get_config())
    except Exception as error:
        return None, f"it cannot be made from its config: {error}"
    x, _, _ = unpack(batch)
    if not copy.built:
        copy._infer_outputs(tree.map_structure(_symbol, x))
    copy.set_weights(model.get_weights())
    outputs = [tree.flatten(m.predict_on_batch(x)) for m in (model, copy)]
    equal = all(map(_equal, *outputs))
    return equal, "a copy from config and weights predicts " + (
        "the same" if equal else "something else"
    )


def _symbol(x):
    return None if x is None else KerasTensor(tuple(x.shape), x.dtype)


_CHECKS = (
    ("the data fits the model", _shapes),
    ("the loss starts near chance", _chance),
    ("gradients reach all weights", _gradients),
    ("one batch can be learnt by heart", _learns),
    ("evaluation repeats itself", _repeats),
    ("a copy predicts the same", _copies),
)
