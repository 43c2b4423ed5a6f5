"""`BackupAndRestore`: resume interrupted training."""

from __future__ import annotations

import json
import math
import os
import shutil
import zipfile
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hornbeam.callbacks.callback import Callback
from hornbeam.core.errors import UnsafeFileError
from hornbeam.core.warning import warn
from hornbeam.typing import Config, Logs, PathLike

if TYPE_CHECKING:
    from hornbeam.callbacks.callback_list import CallbackList

_METADATA = "metadata"


class BackupAndRestore(Callback):
    """Saves the state of training, and resumes from it when `fit` is called again.

    The state is the model's and the optimizer's variables, the seeds of layers and of
    the order of the rows, and the state of other callbacks (best value, epochs waited,
    history). After an interruption at any moment, the same `fit` in a new process goes
    on with the epoch after the last backup, bit for bit as if nothing had happened.
    A backup within an epoch keeps the weights, and the epoch is started over.

    Args:
        backup_dir: the folder of the backup, for this training alone.
        save_freq: `"epoch"`, or a number of batches. Default: `"epoch"`
        double_checkpoint: whether the backup before the last is kept too, in case the
            last is damaged. Default: False
        delete_checkpoint: whether the folder is removed when training ends (unless its
            loss is not finite). Default: True

    >>> import hornbeam as keras
    >>> backup = keras.callbacks.BackupAndRestore("backup")
    """

    def __init__(
        self,
        backup_dir: PathLike,
        save_freq: Literal["epoch"] | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        if not backup_dir:
            raise ValueError(
                "Empty `backup_dir` argument passed to BackupAndRestore. Expected the "
                f"path of a folder. Received: backup_dir={backup_dir!r}"
            )
        is_count = isinstance(save_freq, int) and not isinstance(save_freq, bool)
        if save_freq != "epoch" and not is_count:
            raise ValueError(
                "Invalid value for argument `save_freq` of BackupAndRestore. Expected "
                f"'epoch' or a number of batches. Received: save_freq={save_freq!r}"
            )
        self.backup_dir: str = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._weights_path = os.path.join(self.backup_dir, "latest.npz")
        self._prev_weights_path = os.path.join(self.backup_dir, "previous.npz")
        self._training_metadata_path = os.path.join(self.backup_dir, "latest.json")
        self._prev_training_metadata_path = os.path.join(
            self.backup_dir, "previous.json"
        )
        self._list: CallbackList | None = None
        self._states: dict[str, Config] = {}
        self._current_epoch = 0
        self._last_batch_seen = 0
        self._batches_since_saving = 0

    @property
    def uses_batch_methods(self) -> bool:
        """Whether `save_freq` counts batches."""
        return self.save_freq != "epoch"

    def join(self, callback_list: CallbackList) -> None:
        """Set the list it belongs to, whose callbacks' state is saved too."""
        self._list = callback_list

    def on_train_begin(self, logs: Logs = None) -> None:
        """Load the backup, if there is one."""
        self._states = {}
        self._batches_since_saving = 0
        self._last_batch_seen = 0
        backup = self._load()
        if backup is None:
            return
        arrays, metadata = backup
        states = _decode(metadata["callbacks"], arrays)
        self._check_states(states)
        self._check_and_assign(arrays, metadata)
        self._states = states
        self._current_epoch = metadata["epoch"]
        self.model._initial_epoch = metadata["epoch"]
        data = getattr(self._list, "data", None)
        if data is not None and metadata["seed"] is not None:
            data.seed = metadata["seed"]

    def _check_states(self, states):
        """Refuse what the callbacks do not declare as their state."""
        for key, callback in self._others():
            for name, value in states.get(key, {}).items():
                declared = name in callback.state_attributes
                if declared and _is_number(getattr(callback, name, None)):
                    declared = _is_number(value)
                if not declared:
                    raise UnsafeFileError(
                        f"The backup in {self.backup_dir!r} sets the attribute "
                        f"{name!r} of {key!r} to {str(value)[:50]!r}, which is no "
                        f"state of it: {callback.state_attributes}."
                    )

    def restore_callbacks(self) -> None:
        """Restore the state of the other callbacks, after their `on_train_begin`."""
        for key, callback in self._others():
            for name, value in self._states.get(key, {}).items():
                setattr(callback, name, value)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note the epoch; the loop has started at the right one."""
        self._current_epoch = epoch
        self.model._initial_epoch = None

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save after every `save_freq` batches."""
        if self.save_freq == "epoch":
            return
        self._batches_since_saving += 1
        self._last_batch_seen = batch
        if self._batches_since_saving >= self.save_freq:
            self._batches_since_saving = 0
            self._save(self._current_epoch, batch)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save after the epoch."""
        self._current_epoch = epoch + 1
        self._last_batch_seen = 0
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0, epoch, logs)

    def on_train_end(self, logs: Logs = None) -> None:
        """Remove the backup after a successful training."""
        loss = (logs or {}).get("loss", 0.0)
        if self.delete_checkpoint and math.isfinite(float(loss)):
            shutil.rmtree(self.backup_dir, ignore_errors=True)

    def _variables(self):
        optimizer = getattr(self.model, "optimizer", None)
        return [*self.model.variables, *getattr(optimizer, "variables", ())]

    def _others(self):
        """Yield the other callbacks, with their class and number as keys."""
        seen: dict[str, int] = {}
        for callback in getattr(self._list, "callbacks", ()):
            name = type(callback).__name__
            seen[name] = seen.get(name, -1) + 1
            if getattr(callback, "state_attributes", ()):
                yield f"{name} {seen[name]}", callback

    def _save(self, epoch, batch, ended=None, logs=None):
        arrays = [_plain(variable.numpy()) for variable in self._variables()]
        states = {
            key: {name: getattr(callback, name) for name in callback.state_attributes}
            for key, callback in self._others()
        }
        if ended is not None and "History 0" in states:
            _add_epoch(states["History 0"], ended, logs or {})
        metadata = {
            "epoch": epoch,
            "batch": batch,
            "variables": [variable.path for variable in self._variables()],
            "seed": getattr(getattr(self._list, "data", None), "seed", None),
            "callbacks": _encode(states, arrays),
        }
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint:
            _move(self._weights_path, self._prev_weights_path)
            _move(self._training_metadata_path, self._prev_training_metadata_path)
        # One file, renamed at the end: a kill leaves either the old or the new one.
        with open(self._weights_path + ".new", "wb") as file:
            contents: dict[str, Any] = {str(i): x for i, x in enumerate(arrays)}
            contents[_METADATA] = np.array(json.dumps(metadata))
            np.savez(file, **contents)
            file.flush()
            os.fsync(file.fileno())
        _move(self._weights_path + ".new", self._weights_path)
        with open(self._training_metadata_path, "w", encoding="utf-8") as file:
            json.dump({"epoch": epoch, "batch": batch}, file)

    def _load(self):
        """Return the arrays and the metadata of the best backup that can be read."""
        paths = [self._weights_path, self._prev_weights_path]
        paths = [path for path in paths if os.path.exists(path)]
        for path in paths:
            try:
                return _read(path)
            except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as e:
                if path == paths[-1]:
                    raise ValueError(
                        f"The backup {path!r} is damaged and cannot be resumed from. "
                        f"Remove the folder {self.backup_dir!r} to start anew."
                    ) from e
                warn(
                    f"The backup {path!r} is damaged; the one before it is used.",
                )
        return None

    def _check_and_assign(self, arrays, metadata):
        variables = self._variables()
        saved = metadata["variables"]
        same = len(saved) == len(variables) and all(
            array.shape == tuple(variable.shape)
            for array, variable in zip(arrays, variables, strict=False)
        )
        if not same:
            raise ValueError(
                f"The backup in {self.backup_dir!r} is of another model: it holds "
                f"{len(saved)} variables, {saved[:5]} ..., and this model and its "
                f"optimizer have {len(variables)}, "
                f"{[variable.path for variable in variables[:5]]} ..."
            )
        for variable, array in zip(variables, arrays, strict=False):
            kind = variable.numpy().dtype
            variable.assign(array.view(kind) if kind.kind == "V" else array)


def _read(path):
    with np.load(path, allow_pickle=False) as file:
        metadata = json.loads(str(file[_METADATA]))
        arrays = [file[str(i)] for i in range(len(file.files) - 1)]
    return arrays, metadata


def _is_number(value):
    return isinstance(value, int | float)


def _move(source, target):
    if os.path.exists(source):
        os.replace(source, target)


def _plain(array):
    """Dtypes that NumPy files do not know, such as bfloat16, are kept as integers."""
    return array.view(f"u{array.dtype.itemsize}") if array.dtype.kind == "V" else array


def _add_epoch(state, epoch, logs):
    """`History` comes after the backup, so the epoch is added to its state here."""
    if epoch in state["epoch"]:
        return
    state["epoch"] = [*state["epoch"], epoch]
    state["history"] = {**state["history"]}
    for name, value in logs.items():
        state["history"][name] = [*state["history"].get(name, []), value]


def _encode(value, arrays):
    """Return plain data; arrays are appended to `arrays` and named by number."""
    if isinstance(value, dict):
        return {str(key): _encode(item, arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encode(item, arrays) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        # bfloat16 and its like fit into float32 exactly.
        arrays.append(array.astype("float32") if array.dtype.kind == "V" else array)
        return {"__array__": len(arrays) - 1}
    return value


def _decode(value, arrays):
    if isinstance(value, dict):
        if list(value) == ["__array__"]:
            return arrays[value["__array__"]]
        return {key: _decode(item, arrays) for key, item in value.items()}
    if isinstance(value, list):
        return [_decode(item, arrays) for item in value]
    return value
