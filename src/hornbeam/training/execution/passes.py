"""Passes over the data, in calls of several steps, with events for callbacks."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.core.warning import warn

# How long one call of many steps should take, in seconds: short enough for a live
# display and for an interrupt, long enough that the call itself costs nothing.
_CALL_SECONDS = 0.25
_FIRST_STEPS = 8
# Of data whose end is not known.
_MOST_STEPS = 1024
# The attribute of a model that ends a pass.
_STOP = {
    "train": "stop_training",
    "test": "stop_evaluating",
    "predict": "stop_predicting",
}


class Pass:
    """Passes over the data, in calls of some steps: as many as take a quarter second.

    Args:
        model: the model; its `stop_training`, `stop_evaluating` or `stop_predicting`
            ends a pass.
        runner: carries out the steps.
        callbacks: a CallbackList.
        mode: "train", "test" or "predict".
        limit: most steps in one call, from `steps_per_execution`; None: no limit.
    """

    def __init__(
        self, model: Any, runner: Any, callbacks: Any, mode: str, limit: Any = None
    ) -> None:
        self.model = model
        self.runner = runner
        self.callbacks = callbacks
        self.mode = mode
        self.stop: Any = _STOP[mode]
        self.every_batch: Any = callbacks.wants_batches(mode)
        self.limit = limit
        self.seconds_per_step: Any = getattr(runner, "seconds_per_step", None)
        self.warned: bool = False
        self.ready: dict[int, Any] = {}
        self.steps_done: int = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[Any]:
        """A block that runs passes; what it compiles is shown where progress is."""
        try:
            with self.callbacks.shows_compilations():
                yield
        finally:
            self.runner.data.close()
            self.callbacks.close()

    def reset_metrics(self, epoch: int) -> None:
        """Start the metrics anew for a pass, unless the runner will do so."""
        if epoch not in self.ready and not self.runner.resets:
            self.model.reset_metrics()

    def run_with_events(self, epoch: int = 0) -> Any:
        """Run a pass of evaluation or prediction with its events; return its logs.

        Those of a prediction are in the runner's `outputs()`.
        """
        self.reset_metrics(epoch)
        setattr(self.model, self.stop, False)
        getattr(self.callbacks, f"on_{self.mode}_begin")()
        logs = self.run_epoch(epoch)
        ended = {} if self.mode == "predict" else logs
        getattr(self.callbacks, f"on_{self.mode}_end")(ended)
        return logs

    def run_epoch(self, epoch: int, ahead: int = 1, resumed: Any = None) -> Any:
        """Run one pass; return its logs as Python numbers.

        Args:
            epoch: the number of the pass.
            ahead: how many passes may be run at once from this one on; their logs are
                kept for the calls to come.
            resumed: the Position within this pass at which it goes on. Default: None
        """
        if epoch in self.ready:
            return self.ready.pop(epoch)
        passes = self._passes_in_call(ahead)
        if passes > 1:
            self._run_ahead(epoch, passes)
            return self.ready.pop(epoch)
        return self._run_one(epoch, resumed)

    def _run_ahead(self, epoch, passes):
        runner = self.runner
        runner.start(epoch, passes)
        started = time.perf_counter()
        with self.model._frozen_structure():
            logs_of_passes = runner.run_passes(passes)
        seconds = time.perf_counter() - started
        for number, logs in enumerate(logs_of_passes):
            self.ready[epoch + number] = as_numbers(logs)
        self._measure(runner.steps * passes, seconds)
        self.callbacks.run_together(passes)
        self._warn_if_nan(epoch, {})
        self.steps_done = runner.steps

    def _run_one(self, epoch, resumed):
        runner, callbacks = self.runner, self.callbacks
        position, logs = 0, {}
        if resumed is not None and resumed.step:
            position, logs = resumed.step, resumed.logs
        runner.start(epoch, first=position)
        if position:
            callbacks.restore()
        begin = getattr(callbacks, f"on_{self.mode}_batch_begin")
        end = getattr(callbacks, f"on_{self.mode}_batch_end")
        while runner.steps is None or position < runner.steps:
            count = self._steps_in_call(position)
            if self.every_batch:
                begin(position)
            started = time.perf_counter()
            with self.model._frozen_structure():
                new = runner.run_steps(position, position + count)
            if new is None:
                break
            logs = new if self.mode == "predict" else as_numbers(new)
            done, position = runner.reached - position, runner.reached
            self._measure(done, time.perf_counter() - started)
            self._warn_if_nan(epoch, logs)
            if self.every_batch:
                end(position - 1, logs)
            callbacks.progress(position, logs)
            if getattr(self.model, self.stop):
                break
        self.steps_done = position
        return logs

    def _steps_in_call(self, position):
        steps = self.runner.steps
        left = _MOST_STEPS if steps is None else steps - position
        if self.limit:
            return min(self.limit, left)
        if self.every_batch:
            left = min(left, self.callbacks.batches_before_call(self.mode))
        if self.seconds_per_step is None:
            return min(_FIRST_STEPS, left)
        return max(1, min(left, int(_CALL_SECONDS / self.seconds_per_step)))

    def _passes_in_call(self, ahead):
        most = min(ahead, self.runner.most_passes)
        if most < 2 or self.every_batch or self.limit or self.seconds_per_step is None:
            return 1
        seconds = self.seconds_per_step * self.runner.steps
        return max(1, min(most, int(_CALL_SECONDS / seconds)))

    def _measure(self, count, seconds):
        # The first call may hold the compilation: it counts once it was repeated.
        if self.seconds_per_step is None:
            self.seconds_per_step = min(seconds / count, _CALL_SECONDS / _FIRST_STEPS)
        else:
            self.seconds_per_step = max(seconds / count, 1e-6)

    def _warn_if_nan(self, epoch, logs):
        if self.warned or self.mode != "train":
            return
        # The mean loss of the epoch is on the host already, where it is logged.
        if not np.isnan(logs.get("loss", np.nan)):
            return
        step = self.runner.nan_step()
        if step is not None:
            self.warned = True
            if self.runner.steps:
                passes, step = divmod(step, self.runner.steps)
                epoch += passes
            warn(
                f"The loss of model {self.model.name!r} became NaN at step {step + 1} "
                f"of epoch {epoch + 1}. Training goes on. Check the data for NaN, or "
                "lower the learning rate; `keras.callbacks.TerminateOnNaN()` stops "
                "training when this happens.",
                RuntimeWarning,
            )


def as_numbers(logs: Any) -> Any:
    """Return logs with Python numbers in the place of scalar tensors."""
    numbers: dict[str, Any] = {}
    for name, value in logs.items():
        if isinstance(value, dict):
            numbers |= as_numbers(value)
        elif isinstance(value, int | float):
            numbers[name] = value
        else:
            array = np.asarray(_on_host(value))
            numbers[name] = array.item() if array.ndim == 0 else array
    return numbers


def _on_host(value):
    return ops.convert_to_numpy(value)
