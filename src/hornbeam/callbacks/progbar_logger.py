"""`ProgbarLogger`: the progress of training, evaluation and prediction."""

import sys
import time

from hornbeam.callbacks.callback import Callback
from hornbeam.config.switches import is_interactive_logging_enabled
from hornbeam.utils.printing import print_message
from hornbeam.utils.progbar import format_rate, format_value

_SECONDS_BETWEEN_DISPLAYS = 0.2


class ProgbarLogger(Callback):
    """Shows a live bar in a terminal or notebook, and elsewhere a line an epoch.

    It has no methods of batches: the loop calls `progress(step, logs)` whenever some
    steps are done, so that showing costs nothing per step.

    `verbose` is 0 (silent), 1 or `"auto"` (a bar where there is a terminal), or 2 (a
    line an epoch).
    """

    def __init__(self):
        super().__init__()
        self.verbose = 1
        self.epochs = 1
        self.target = None
        self._training = False
        self._validating = False
        self._title = ""
        self._steps = 0
        self._started = 0.0
        self._bar = None

    def set_params(self, params):
        """Take `verbose`, `epochs` and `steps`."""
        super().set_params(params)
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def progress(self, step, logs=None):
        """Note that `step` steps of the epoch are done, and show it if it is time.

        Args:
            step: the number of steps done.
            logs: a dict of values, or a function that gives it. Default: None
        """
        if self._validating:
            return
        self._steps = step
        if self._bar is not None:
            self._bar.show(step, logs)

    def close(self):
        """Take the bar off the screen."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def on_train_begin(self, logs=None):
        """Evaluation within training is not shown."""
        self._training = True

    def on_train_end(self, logs=None):
        """Evaluation on its own is shown again."""
        self._training = False

    def on_epoch_begin(self, epoch, logs=None):
        """Start the bar of the epoch."""
        self._begin(f"Epoch {epoch + 1}/{self.epochs}")

    def on_epoch_end(self, epoch, logs=None):
        """Finish it, with the results of training and validation."""
        self._end(logs)

    def on_test_begin(self, logs=None):
        """Start the bar of an evaluation on its own."""
        self._validating = self._training
        if not self._validating:
            self._begin("Evaluate")

    def on_test_end(self, logs=None):
        """Finish it."""
        if not self._validating:
            self._end(logs)
        self._validating = False

    def on_predict_begin(self, logs=None):
        """Start the bar of a prediction."""
        self._begin("Predict")

    def on_predict_end(self, logs=None):
        """Finish it; without a bar, a prediction has nothing to say unless asked."""
        self._end(None, quiet=self.verbose == 1)

    def _begin(self, title):
        self.close()
        self._title = title
        self._steps = 0
        self._started = time.perf_counter()
        if self.verbose == 1 and is_interactive_logging_enabled() and _can_show_bar():
            self._bar = _Bar(title, (self.params or {}).get("steps", self.target))

    def _end(self, logs, quiet=False):
        if self._bar is not None:
            self._bar.show(self._steps, logs, last=True)
            self.close()
        elif self.verbose and not quiet:
            seconds = time.perf_counter() - self._started
            print_message(
                f"{self._title} - {self._steps} steps - {seconds:.1f}s - "
                f"{format_rate(seconds, self._steps)}{_values(logs)}"
            )


class _Bar:
    """A live bar with the rate, the time left and the logs; then the time taken."""

    def __init__(self, title, total):
        from rich import progress
        from rich.table import Column

        name = progress.TextColumn("{task.description}")
        count = progress.MofNCompleteColumn()
        rate = progress.TextColumn("{task.fields[rate]}")
        # Where the line is too long the values go on below; the rest keeps its width.
        values = progress.TextColumn("{task.fields[values]}", table_column=Column())
        left, bar = progress.TimeRemainingColumn(), progress.BarColumn(bar_width=20)
        self._finished = name, count, progress.TimeElapsedColumn(), rate, values
        self._progress = progress.Progress(
            name, bar, count, rate, left, values, auto_refresh=False, console=_console()
        )
        self._task = self._progress.add_task(title, total=total, rate="", values="")
        self._started = self._shown = time.perf_counter()
        self._progress.start()

    def show(self, step, logs, last=False):
        """Show the state, unless it was shown a moment ago."""
        now = time.perf_counter()
        if not last and now - self._shown < _SECONDS_BETWEEN_DISPLAYS:
            return
        self._shown = now
        if last:
            self._progress.columns = self._finished
        self._progress.update(
            self._task,
            completed=step,
            total=step if last else self._progress.tasks[0].total,
            rate=format_rate(now - self._started, step),
            values=_values(logs).removeprefix(" - "),
        )
        self._progress.refresh()

    def stop(self):
        """Leave the last state on the screen."""
        self._progress.stop()


def _console():
    from rich.console import Console

    return Console(file=sys.stdout)


def _can_show_bar():
    console = _console()
    return console.is_terminal or console.is_jupyter


def _values(logs):
    logs = logs() if callable(logs) else logs
    return "".join(
        f" - {name}: {format_value(value)}" for name, value in (logs or {}).items()
    )
