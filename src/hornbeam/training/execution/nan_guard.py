"""`fit(on_nan=...)`: what happens when the loss is NaN or infinite.

A guard stands in for the runner. It keeps the state before each call of the program.
After a call that went wrong it repeats the call from there, step by step with the same
program, and so finds the first step after which the loss or a weight is not finite.
Without `on_nan` there is no guard, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

import numpy as np

from hornbeam import ops
from hornbeam.core import tree
from hornbeam.core.errors import check_choice
from hornbeam.core.variable import Variable
from hornbeam.core.warning import warn

OnNan: TypeAlias = Literal["explain", "rollback"] | None
CHOICES = (None, "explain", "rollback")
# A training that is rolled back so often is not going to work. Batches with NaN are not
# counted, and are warned of so often.
_MOST_ROLLBACKS = 10


def snapshot(variables: Any) -> list[Any]:
    """Return copies of the variables' values, which `restore` takes."""
    return [variable.backend.copy(variable.value) for variable in variables]


def restore(variables: Any, values: Any) -> None:
    """Let the variables hold copies of these values."""
    for variable, value in zip(variables, values, strict=True):
        # A program may take the memory of what a variable holds.
        variable.hold(variable.backend.copy(value))


def is_finite(x: Any) -> bool:
    """Whether an array or tensor is free of NaN and infinity."""
    array = np.asarray(ops.convert_to_numpy(x))
    if array.dtype.kind in "biuSU":
        return True
    return bool(np.isfinite(array.astype(np.float32)).all())


class _Batches:
    """Batches, of which those that were taken can be given once more."""

    def __init__(self, batches: Iterator[Any]) -> None:
        self._batches = batches
        self._again: list[Any] = []
        self.taken: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        batch = self._again.pop(0) if self._again else next(self._batches)
        self.taken.append(batch)
        return batch

    def rewind(self) -> list[Any]:
        """Give the batches that were taken once more; return them."""
        taken, self.taken = self.taken, []
        self._again = taken + self._again
        return taken


class NanGuard:
    """A runner of training steps that acts when the loss is not finite.

    Args:
        model: the model.
        runner: the runner of its training steps.
        action: "explain" or "rollback".
        explain: `explain(batch)` says what is not finite first in a step on a batch.
    """

    # Several passes in one call would be repeated as a whole.
    most_passes = 1

    def __init__(
        self, model: Any, runner: Any, action: Any, explain: Callable[[Any], str]
    ) -> None:
        check_choice(f"fit() of model {model.name!r}", "on_nan", action, CHOICES)
        self._model = model
        self._runner = runner
        self._rolls_back = action == "rollback"
        self._explain = explain
        self._variables: list[Any] = model._binding("train").variables
        self._epoch = 0
        # The batches, where they come one by one.
        self._batches: _Batches | None = None
        # The state at the start of the epoch after the one with the least loss.
        self._best: list[Any] = []
        self._least = np.inf
        self._last: float | None = None
        # Rollbacks in all and since an epoch without any, and bad batches.
        self._rollbacks = self._recent = self._skipped = 0
        self._is_clean = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)

    def start(self, epoch: int, passes: int = 1, first: int = 0) -> None:
        """Begin an epoch."""
        self._runner.start(epoch, passes, first=first)
        self._epoch = epoch
        self._recent = 0 if self._is_clean else self._recent
        self._is_clean = True
        if self._rolls_back and (not self._best or self._is_best()):
            self._best = snapshot(self._variables)
        if hasattr(self._runner, "batches"):
            self._batches = _Batches(self._runner.batches)
            self._runner.batches = self._batches

    def _is_best(self):
        if self._last is None or not self._last < self._least:
            return False
        self._least = self._last
        return True

    def nan_step(self) -> None:
        """Nothing is left to be warned of."""

    def run_steps(self, first: int, last: int) -> Any:
        """Run the steps from `first` up to `last` (not included); return their logs."""
        state = snapshot(self._variables)
        if self._batches is not None:
            self._batches.taken = []
        logs = self._runner.run_steps(first, last)
        if logs is None or not self._is_bad(logs):
            self._note_loss(logs)
            return logs
        batches: list[Any] = []
        if self._batches is not None:
            batches = self._batches.rewind()
            last = first + len(batches)
            self._runner.reached -= len(batches)
        step, before, good = self._repeat(first, last, state)
        batch = batches[step - first] if batches else self._runner.batch(step)
        if not self._rolls_back:
            restore(self._variables, before)
            raise FloatingPointError(self._told(step, batch))
        self._roll_back(step, before, batch)
        if step + 1 < last:
            return self.run_steps(step + 1, last)
        # Of an epoch without any good step, the logs are what they were.
        return logs if good is None and step == 0 else good or self._results(logs)

    def _repeat(self, first, last, state):
        """Return the first bad step, the state before it, and the logs before it."""
        restore(self._variables, state)
        good = None
        for step in range(first, last - 1):
            before = snapshot(self._variables)
            logs = self._runner.run_steps(step, step + 1)
            if self._is_bad(logs) or not self._weights_are_finite():
                return step, before, good
            good = logs
        # What was bad after all of them is so after the last one.
        before = snapshot(self._variables)
        self._runner.run_steps(last - 1, last)
        return last - 1, before, good

    def _note_loss(self, logs):
        loss = None if logs is None else logs.get("loss")
        if self._rolls_back and loss is not None:
            self._last = float(np.asarray(ops.convert_to_numpy(loss)))
            if self._least == np.inf:
                # The loss near the start of the training, with the first state.
                self._least = self._last

    def _is_bad(self, logs):
        if self._runner.nan_step() is not None:
            return True
        losses = [value for name, value in logs.items() if "loss" in name]
        return not all(is_finite(x) for x in tree.flatten(losses))

    def _weights_are_finite(self):
        return all(is_finite(v.value) for v in self._model.trainable_variables)

    def _results(self, logs):
        finish = self._runner.plan.finish
        return logs if finish is None else finish()

    def _told(self, step, batch):
        return (
            f"The loss or a weight of model {self._model.name!r} became NaN or infinite"
            f" at step {step + 1} of epoch {self._epoch + 1}. {self._explain(batch)} "
            "The model has the weights from before this step."
        )

    def _roll_back(self, step, before, batch):
        if not all(is_finite(x) for x in tree.flatten(batch) if hasattr(x, "dtype")):
            restore(self._variables, before)
            self._skipped += 1
            if self._skipped <= _MOST_ROLLBACKS:
                self._warn(step, "The batch holds NaN or infinity, and is skipped.")
            return
        self._rollbacks += 1
        self._recent += 1
        self._is_clean = False
        if self._rollbacks > _MOST_ROLLBACKS:
            restore(self._variables, before)
            raise FloatingPointError(
                f"{self._told(step, batch)} It was the {self._rollbacks}th time in "
                "this training: fit(on_nan='rollback') gives up."
            )
        rates = [x for x in self._rates() if isinstance(x, Variable)]
        lower = [float(rate.numpy()) / 2 for rate in rates]
        again = self._recent > 1
        restore(self._variables, self._best if again else before)
        for rate, value in zip(rates, lower, strict=True):
            rate.assign(value)
        halved = f"; the learning rate is halved to {lower[0]:.3g}" if rates else ""
        self._warn(
            step,
            f"The state is that from {'when the loss was least' if again else 'before'}"
            f", and the batch is skipped{halved} (time {self._rollbacks} of at most "
            f"{_MOST_ROLLBACKS}).",
        )

    def _warn(self, step, done):
        warn(
            f"The loss or a weight of model {self._model.name!r} became NaN or infinite"
            f" at step {step + 1} of epoch {self._epoch + 1}. {done}",
            RuntimeWarning,
        )

    def _rates(self):
        for optimizer in self._model._optimizers():
            inner = getattr(optimizer, "inner_optimizer", optimizer)
            yield inner._learning_rate
