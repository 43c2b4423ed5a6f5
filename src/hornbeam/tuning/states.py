"""States of trainings that go on: in memory, or in a folder that outlives the process.

The state is that of a backup (`callbacks/fit_state.py`), without the random states of
the process, which the candidates of a search share.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.callbacks import backup_file
from hornbeam.callbacks.backup_and_restore import BackupAndRestore
from hornbeam.core.replacing import replacing

# A state is kept within a rung, in a folder only, where so much time has passed.
_SECONDS_BETWEEN_SAVES = 10.0


class StatesInMemory:
    """The states of trainings, by the training's name.

    Args:
        states: those that there are. Default: None, none
    """

    place = "memory"
    is_lasting = False

    def __init__(self, states: dict[str, Any] | None = None) -> None:
        self._states: dict[str, dict[str, Any]] = dict(states or {})

    def load(self, name: str) -> dict[str, Any] | None:
        """Return the state, or None."""
        state = self._states.get(name)
        return None if state is None else _with_own_containers(state)

    def save(self, name: str, state: dict[str, Any]) -> None:
        """Keep the state."""
        self._states[name] = _copied(state)

    def copy(self, source: str, target: str) -> None:
        """Keep the state of one training as that of another, too."""
        self._states[target] = self._states[source]

    def drop(self, name: str) -> None:
        """Forget the state, if there is one."""
        self._states.pop(name, None)


class StatesInFolder:
    """The states of trainings as files: the old one or the new one is there.

    Args:
        folder: the path of the folder, which is made.
    """

    is_lasting = True

    def __init__(self, folder: Path) -> None:
        self.place: str = str(folder)
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def load(self, name: str) -> dict[str, Any] | None:
        """Return the state, or None."""
        path = self._path(name)
        return backup_file.read(path) if Path(path).exists() else None

    def save(self, name: str, state: dict[str, Any]) -> None:
        """Keep the state."""
        backup_file.write(self._path(name), state)

    def copy(self, source: str, target: str) -> None:
        """Keep the state of one training as that of another, too."""
        with replacing(Path(self._path(target))) as temporary:
            shutil.copyfile(self._path(source), temporary)

    def drop(self, name: str) -> None:
        """Remove the state, if there is one."""
        Path(self._path(name)).unlink(missing_ok=True)

    def _path(self, name):
        return str(self._folder / f"{name}.npz")


class Continuation(BackupAndRestore):
    """Lets a `fit` go on from the state that was kept, and keeps its state at its end.

    Args:
        states: StatesInMemory or StatesInFolder.
        name: the name of the training.
        own_numbers: whether its rates stay those that its model has, because the state
            is another training's. Default: False
    """

    def __init__(self, states: Any, name: str, own_numbers: bool = False) -> None:
        super().__init__(states.place)
        self._states = states
        self._name = name
        self._own_numbers = own_numbers
        self._saved_at = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the state after the last epoch."""
        super().on_epoch_end(epoch, logs)
        is_last = epoch + 1 >= self.params["epochs"] or self.model.stop_training
        seconds = time.monotonic() - self._saved_at
        is_late = self._states.is_lasting and seconds > _SECONDS_BETWEEN_SAVES
        if not (is_last or is_late):
            self._due = None

    def on_train_end(self, logs: Any = None) -> None:
        """Leave the state for the next rung."""
        self._state = None

    def restore(self, data: bool = False) -> None:
        """Restore the state; one that was taken over comes without its numbers."""
        own = _numbers_of(self.model) if self._own_numbers and not data else None
        super().restore(data)
        if own is not None:
            _set_numbers(self.model, own)

    def _load(self):
        return self._states.load(self._name)

    def _write(self, state, position):
        self._saved_at = time.monotonic()
        self._states.save(self._name, state | {"random": {}})


def _numbers_of(model):
    """Return the numbers of a model: rates, decays, and the learning rate."""
    _, owners = model._state_of_steps()
    rates = [
        (optimizer, optimizer._learning_rate)
        for optimizer in model._optimizers()
        if hasattr(optimizer._learning_rate, "assign")
    ]
    numbers = [(owner, name, getattr(owner, name)) for owner, name in owners]
    return numbers, [(rate, rate.numpy().copy()) for _, rate in rates]


def _set_numbers(model, own):
    numbers, rates = own
    for owner, name, number in numbers:
        setattr(owner, name, number)
    for rate, value in rates:
        rate.assign(value)


def _copied(value):
    """Return plain data with the arrays copied: programs take over their memory."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(item) for item in value]
    if hasattr(value, "__array__") and not isinstance(value, np.generic):
        return np.array(backup_file.plain_array(value))
    return value


def _with_own_containers(value):
    """Return the same data in new lists and dicts, which a training changes."""
    if isinstance(value, dict):
        return {key: _with_own_containers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_own_containers(item) for item in value]
    return value
