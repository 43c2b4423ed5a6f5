"""`ProgbarLogger`: the progress of training, evaluation and prediction."""

from __future__ import annotations

import contextlib
import functools
import sys
import textwrap
import time
from collections.abc import Callable, Iterator

from hornbeam.callbacks.callback import Callback
from hornbeam.callbacks.notebook_display import NotebookDisplay
from hornbeam.config.switches import is_interactive_logging_enabled
from hornbeam.typing import Config, Logs
from hornbeam.utils.compile_notice import compile_notice
from hornbeam.utils.notebook_progress import in_notebook
from hornbeam.utils.printing import print_message
from hornbeam.utils.progbar import format_rate, format_value

_SECONDS_BETWEEN_DISPLAYS = 0.2
# Without a terminal the usual results take one line; those of many outputs take more.
_COLUMNS_OF_A_LOG = 160


class ProgbarLogger(Callback):
    """Shows a live bar in a terminal, elsewhere one line per epoch.

    In a notebook a training is one display with a bar and its curves.

    It has no batch methods: the loop calls `progress(step, logs)` after a number of
    steps, so that the display costs nothing per step.

    `verbose` is 0 (silent), 1 or `"auto"` (a bar where there is a terminal), or 2 (one
    line per epoch).
    """

    def __init__(self) -> None:
        super().__init__()
        self.verbose: int = 1
        self.epochs: int = 1
        self.target: int | None = None
        self._training = False
        self._validating = False
        self._title = ""
        self._steps = 0
        self._started = 0.0
        self._bar: _Bar | NotebookDisplay | None = None
        self._notebook: NotebookDisplay | None = None

    def set_params(self, params: Config) -> None:
        """Take `verbose`, `epochs` and `steps`."""
        super().set_params(params)
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def progress(self, step: int, logs: Logs | Callable[[], Logs] = None) -> None:
        """Note that `step` steps of the epoch are done; update the display if due.

        Args:
            step: the number of steps done.
            logs: a dict of values, or a function that gives it. Default: None
        """
        if self._validating:
            return
        self._steps = step
        if self._bar is not None:
            self._bar.show(step, logs, time.perf_counter() - self._started)

    @contextlib.contextmanager
    def compiling(self) -> Iterator[None]:
        """A block that compiles a program; its time does not count as that of steps."""
        started = time.perf_counter()
        notice: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        if self.verbose:
            notice = compile_notice(self._bar.note if self._bar else None)
        try:
            with notice:
                yield
        finally:
            self._started += time.perf_counter() - started

    def close(self) -> None:
        """Remove the bar from the screen."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._notebook = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Evaluation within training is not shown."""
        self._training = True
        if self._shows_bar and _console().is_jupyter:
            self._bar = self._notebook = NotebookDisplay(self.epochs)

    def on_train_end(self, logs: Logs = None) -> None:
        """Show evaluations again."""
        self._training = False
        if self._notebook is not None:
            self.close()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Start the bar of the epoch."""
        if self._notebook is None:
            self._begin(f"Epoch {epoch + 1}/{self.epochs}")
        else:
            self._steps, self._started = 0, time.perf_counter()
            self._notebook.begin(epoch, self._target)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Finish it, with the results of training and validation."""
        if self._notebook is None:
            self._end(logs)
        else:
            self._notebook.end_epoch(epoch, logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        """Start the bar of an evaluation outside training."""
        self._validating = self._training
        if not self._validating:
            self._begin("Evaluate")

    def on_test_end(self, logs: Logs = None) -> None:
        """Finish it."""
        if not self._validating:
            self._end(logs)
        self._validating = False

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Start the bar of a prediction."""
        self._begin("Predict")

    def on_predict_end(self, logs: Logs = None) -> None:
        """Finish it; without a bar nothing is printed unless `verbose` is 2."""
        self._end(None, quiet=self.verbose == 1)

    def _begin(self, title):
        self.close()
        self._title = title
        self._steps = 0
        self._started = time.perf_counter()
        if self._shows_bar:
            self._bar = _Bar(title, self._target)

    @property
    def _shows_bar(self):
        return (
            self.verbose == 1 and is_interactive_logging_enabled() and _can_show_bar()
        )

    @property
    def _target(self):
        return (self.params or {}).get("steps", self.target)

    def _end(self, logs, quiet=False):
        width = _COLUMNS_OF_A_LOG
        if self._bar is not None:
            width = self._bar.width
            self.close()
        elif not self.verbose or quiet:
            return
        print_message(self._result(logs or {}, width))

    def _result(self, logs, width):
        """Return the title, time and values, in lines of at most `width` columns."""
        seconds = time.perf_counter() - self._started
        rate = format_rate(seconds, self._steps)
        taken = f"{self._steps} steps - {seconds:.1f}s - {rate}"
        return _wrapped(f"{self._title} - {taken}{_values(logs)}", width)


class _Bar:
    """A live bar with the rate and the time left, and the logs below."""

    def __init__(self, title, total):
        from rich import progress

        console = _console()
        kind = _progress_with_text()
        kind = in_notebook(kind) if console.is_jupyter else kind
        self._progress = kind(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(bar_width=20),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[rate]}"),
            progress.TimeRemainingColumn(),
            auto_refresh=False,
            transient=True,
            console=console,
        )
        self._task = self._progress.add_task(title, total=total, rate="")
        self._shown = time.perf_counter()
        self._progress.start()

    @property
    def width(self):
        """The columns of the terminal."""
        return self._progress.console.width

    def show(self, step, logs, seconds):
        """Show the state, unless it was shown a moment ago."""
        now = time.perf_counter()
        if now - self._shown < _SECONDS_BETWEEN_DISPLAYS:
            return
        self._shown = now
        rate = format_rate(seconds, step)
        self._progress.update(self._task, completed=step, rate=rate)
        logs = logs() if callable(logs) else logs
        self.note(_values(logs or {}).removeprefix(" - "))

    def note(self, text):
        """Show a text below the bar."""
        self._progress.text = text
        self._progress.refresh()

    def stop(self):
        """Remove the bar from the screen."""
        self._progress.stop()


@functools.cache
def _progress_with_text():
    """Return rich's Progress with a line of text below it."""
    from rich.progress import Progress
    from rich.text import Text

    class ProgressWithText(Progress):
        text = ""

        def get_renderables(self):
            yield self.make_tasks_table(self.tasks)
            if self.text:
                yield Text(self.text, no_wrap=True, overflow="ellipsis")

    return ProgressWithText


def _console():
    from rich.console import Console

    return Console(file=sys.stdout)


def _can_show_bar():
    console = _console()
    return console.is_terminal or console.is_jupyter


def _wrapped(text, width):
    """Return the text in lines; a name and its value stay together."""
    text = text.replace(": ", ":\0").replace(" - ", " -\0")
    return textwrap.fill(text, width, subsequent_indent="  ").replace("\0", " ")


def _values(logs):
    return "".join(f" - {name}: {format_value(x)}" for name, x in logs.items())
