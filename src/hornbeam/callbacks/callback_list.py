"""`CallbackList`: several callbacks as one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hornbeam.callbacks.backup_and_restore import BackupAndRestore
from hornbeam.callbacks.callback import Callback
from hornbeam.callbacks.fit_state import Position
from hornbeam.callbacks.history import History
from hornbeam.callbacks.progbar_logger import ProgbarLogger
from hornbeam.core import scopes, tree
from hornbeam.typing import Config, Logs

if TYPE_CHECKING:
    from hornbeam.models.model import Model

_EPOCH_METHODS = ("on_epoch_begin", "on_epoch_end")
_BATCH_METHODS = {
    "train": (
        "on_train_batch_begin",
        "on_train_batch_end",
        "on_batch_begin",
        "on_batch_end",
    ),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


class CallbackList(Callback):
    """Calls its callbacks in their order; `History` and the progress display come last.

    Args:
        callbacks: a callback, or a list of them. Default: None
        add_history: whether a `History` is added. Default: False
        add_progbar: whether a `ProgbarLogger` is added. Default: False
        model: the model of the callbacks. Default: None
        **params: the parameters of the run: `verbose`, `epochs`, `steps`.

    >>> import hornbeam as keras
    >>> callbacks = keras.callbacks.CallbackList(add_history=True)
    >>> [type(callback).__name__ for callback in callbacks.callbacks]
    ['History']
    """

    def __init__(
        self,
        callbacks: Callback | Sequence[Any] | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Model | None = None,
        **params: Any,
    ):
        super().__init__()
        self.callbacks: list[Any] = [] if callbacks is None else tree.flatten(callbacks)
        for callback in self.callbacks:
            if isinstance(callback, type) or not hasattr(callback, "set_model"):
                raise TypeError(
                    "`callbacks` must be objects of `keras.callbacks.Callback`. "
                    f"Received: {callback!r} (of type {type(callback).__name__})"
                )
        # The training data; a backup keeps the order of its rows.
        self.data: Any = None
        self._history = self._find_or_add(History, add_history)
        self._display = self._find_or_add(ProgbarLogger, add_progbar)
        self._pages = [c for c in self.callbacks if getattr(c, "shows_progress", False)]
        self._backups = [c for c in self.callbacks if isinstance(c, BackupAndRestore)]
        for backup in self._backups:
            backup.join(self)
            self._put_behind_state(backup)
        # For each mode, the callbacks that are called at batches.
        self._watching = {
            mode: [c for c in self.callbacks if _watches_batches(c, methods)]
            for mode, methods in _BATCH_METHODS.items()
        }
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def _find_or_add(self, kind, wanted):
        for callback in self.callbacks:
            if isinstance(callback, kind):
                return callback
        if not wanted:
            return None
        self.callbacks.append(kind())
        return self.callbacks[-1]

    def _put_behind_state(self, backup):
        """Move a backup behind callbacks with state, to save their new state."""
        place = self.callbacks.index(backup)
        for later in range(len(self.callbacks) - 1, place, -1):
            callback = self.callbacks[later]
            if getattr(callback, "state_attributes", ()) and (
                callback is not self._history
            ):
                self.callbacks.insert(later, self.callbacks.pop(place))
                return

    def wants_batches(self, mode: str) -> bool:
        """Whether a callback has batch methods for "train", "test" or "predict"."""
        return bool(self._watching[mode])

    def batches_before_call(self, mode: str) -> int:
        """How many batches may pass until the batch methods must be called."""
        return min(getattr(c, "batches_to_wait", 1) for c in self._watching[mode])

    @property
    def wants_epochs(self) -> bool:
        """Whether a callback must be called as soon as an epoch begins or ends."""
        return any(
            _overrides(callback, _EPOCH_METHODS)
            for callback in self.callbacks
            if not getattr(callback, "epochs_may_wait", False)
        )

    def on_train_begin(self, logs: Logs = None) -> None:
        """Call it for all; then backups restore the callbacks' state."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_train_begin(logs)
        for backup in self._backups:
            backup.restore()

    def resumed(self) -> Position | None:
        """Return where the training goes on that a backup has restored, or None."""
        for backup in self._backups:
            if backup.is_loaded:
                return backup.position
        return None

    def restore(self, data: bool = False) -> None:
        """Restore the data of a resumed training, or once more all the rest."""
        for backup in self._backups:
            backup.restore(data)

    def run_together(self, passes: int) -> None:
        """Tell the history that the epochs to come ran in one call of a program."""
        if self._history is not None:
            self._history.run_together(passes)

    def shows_compilations(self) -> contextlib.AbstractContextManager[None]:
        """A block whose compilations are timed, and shown where there is a display."""
        return scopes.display_scope(_Compilations(self))

    def close(self) -> None:
        """End the displays, also after an error."""
        if self._display is not None:
            self._display.close()
        for page in self._pages:
            page.pass_ended()

    def append(self, callback: Callback) -> None:
        """Add a callback at the end."""
        self.callbacks.append(callback)
        if isinstance(callback, BackupAndRestore):
            callback.join(self)
            self._backups.append(callback)
        if self.model is not None:
            callback.set_model(self.model)
        if self.params is not None:
            callback.set_params(self.params)
        for mode, methods in _BATCH_METHODS.items():
            if _watches_batches(callback, methods):
                self._watching[mode].append(callback)

    def progress(self, step: int, logs: Logs | Callable[[], Logs] = None) -> None:
        """Tell the display that `step` steps of the pass are done.

        `logs` is a dict of values, or a function that gives it: it is called only when
        something is about to be shown.
        """
        if self._display is not None:
            self._display.progress(step, logs)
        for page in self._pages:
            page.progress(step, logs)

    def set_params(self, params: Config) -> None:
        """Give the parameters of the run to all."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Model) -> None:
        """Give the model to all."""
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)


# What callbacks do within an epoch, between steps.
_TIMED = *_BATCH_METHODS["train"], "on_epoch_end"


class _Compilations:
    """What compilations are shown by: the display of a CallbackList, or one outside."""

    def __init__(self, callbacks):
        self._history = callbacks._history
        self._shown_by = callbacks._display or scopes.display()

    def compiling(self):
        shown = None if self._shown_by is None else self._shown_by.compiling()
        if self._history is None:
            return shown or contextlib.nullcontext()
        return self._history.compiling(shown)


def _watches_batches(callback, methods):
    return getattr(callback, "uses_batch_methods", True) and _overrides(
        callback, methods
    )


def _overrides(callback, methods):
    return any(
        name in vars(callback)
        or getattr(type(callback), name, None) is not getattr(Callback, name)
        for name in methods
    )


def _calls_all(name):
    """Return the method `name` that calls the method of that name of every callback."""
    is_timed = name in _TIMED

    def call(self, *arguments):
        *number, logs = arguments
        logs = {} if logs is None else logs
        history = self._history if is_timed else None
        began = 0.0 if history is None else history.clock()
        try:
            for callback in self.callbacks:
                getattr(callback, name)(*number, logs)
        finally:
            # Also where one of them raises: its step or epoch is over.
            for backup in self._backups:
                backup.save_if_due()
            if history is not None:
                history.add("callbacks", history.clock() - began)

    def of_batch(self, batch, logs=None):
        call(self, batch, logs)

    def of_epoch(self, epoch, logs=None):
        call(self, epoch, logs)

    def of_run(self, logs=None):
        call(self, logs)

    method = (
        of_batch if "_batch_" in name else of_epoch if "_epoch_" in name else of_run
    )
    method.__name__ = name
    method.__qualname__ = f"CallbackList.{name}"
    method.__doc__ = f"Call `{name}` of every callback."
    return method


for _name in vars(Callback):
    if _name.startswith("on_") and _name not in vars(CallbackList):
        setattr(CallbackList, _name, _calls_all(_name))
