"""`BackupAndRestore`: resume interrupted training."""

from __future__ import annotations

import contextlib
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hornbeam.callbacks import backup_file
from hornbeam.callbacks.callback import Callback
from hornbeam.callbacks.fit_state import FitState, Position
from hornbeam.core.errors import DamagedFileError
from hornbeam.core.replacing import folder_to_write, replacing
from hornbeam.core.warning import warn
from hornbeam.typing import Config, Logs, PathLike

if TYPE_CHECKING:
    from hornbeam.callbacks.callback_list import CallbackList


class BackupAndRestore(Callback):
    """Saves the state of training, and resumes from it when `fit` is called again.

    After an interruption at any moment, the same `fit` in a new process goes on with
    the step after the last backup, bit for bit as if nothing had happened. The state is
    that of the model, the optimizer and the metrics, of seeds and random states, of the
    order of the data, and of the other callbacks (what their `state_attributes` name).

    The data and its batches must be the same: other numbers of rows or steps, another
    batch size or order are an error within an epoch, and a warning between two. Batches
    of a generator that were used before are computed and skipped, and an iterator that
    has gone beyond the backup cannot go back. The order in an iterable that keeps a
    random state of its own is not restored.

    Args:
        backup_dir: the folder of the backup, for this training alone.
        save_freq: `"epoch"`, or a number of batches, which are counted through the
            epochs. Default: `"epoch"`
        double_checkpoint: whether the backup before the last is kept too, in case the
            last is damaged. Default: False
        delete_checkpoint: whether the folder is removed when training ends (unless its
            loss is not finite); other files in it stay. Default: True

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
        check_folder("BackupAndRestore", "backup_dir", backup_dir)
        is_count = isinstance(save_freq, int) and not isinstance(save_freq, bool)
        if save_freq != "epoch" and not (is_count and save_freq > 0):
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
        self._state: Config | None = None
        self._current_epoch = 0
        self._last_batch_seen = -1
        self._batches_since_saving = 0
        # Where the training is of which a backup is to be made; the epoch that ended.
        self._due: Position | None = None
        self._ended: tuple[int, Any] = (0, {})

    @property
    def uses_batch_methods(self) -> bool:
        """Whether `save_freq` counts batches."""
        return self.save_freq != "epoch"

    @property
    def batches_to_wait(self) -> int:
        """How many batches from now on the next backup is due."""
        if self.save_freq == "epoch":
            return 1
        return max(1, int(self.save_freq) - self._batches_since_saving)

    def join(self, callback_list: CallbackList) -> None:
        """Set the list it belongs to, whose callbacks' state is saved too."""
        self._list = callback_list

    def on_train_begin(self, logs: Logs = None) -> None:
        """Load the backup, if there is one; nothing changes unless all of it fits."""
        self._batches_since_saving = 0
        self._last_batch_seen = -1
        self._due = None
        self._state = self._load()
        if self._state is not None:
            self._fit_state().check(self._state, self.backup_dir)
            self._current_epoch = self.position.epoch

    @property
    def is_loaded(self) -> bool:
        """Whether there was a backup when the training began."""
        return self._state is not None

    @property
    def position(self) -> Position:
        """Where the training of the backup that was loaded was."""
        return Position(**self._state["position"]) if self._state else Position(0)

    def restore(self, data: bool = False) -> None:
        """Restore the state, after the others' `on_train_begin`, if there is a backup.

        Args:
            data: whether the data is put where it was, and nothing else is restored.
                Default: False
        """
        if self._state is None:
            return
        if data:
            self._fit_state().resume_data(self._state)
        else:
            self._fit_state().restore(self._state)
            self._last_batch_seen = self.position.step - 1

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note the epoch; the loop has started at the right one."""
        self._current_epoch = epoch
        self._last_batch_seen = -1

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save after every `save_freq` batches."""
        if self.save_freq == "epoch":
            return
        self._batches_since_saving += batch - self._last_batch_seen
        self._last_batch_seen = batch
        if self._batches_since_saving >= self.save_freq:
            self._due = Position(self._current_epoch, batch + 1, dict(logs or {}))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save after the epoch."""
        self._current_epoch = epoch + 1
        if self.save_freq == "epoch":
            self._due, self._ended = Position(epoch + 1), (epoch, logs or {})

    def save_if_due(self) -> None:
        """Save what a step or an epoch asked for, once all callbacks were called."""
        if self._due is not None:
            due, self._due = self._due, None
            self._batches_since_saving = 0
            self._save(due)

    def on_train_end(self, logs: Logs = None) -> None:
        """Remove the backup after a successful training."""
        self._state = None
        loss = (logs or {}).get("loss", 0.0)
        if self.delete_checkpoint and math.isfinite(float(loss)):
            for path in (
                # Without these there may be no state; with them there must be one.
                self._training_metadata_path,
                self._prev_training_metadata_path,
                self._weights_path,
                self._prev_weights_path,
            ):
                with contextlib.suppress(FileNotFoundError):
                    os.remove(path)
            with contextlib.suppress(OSError):  # there are other files in it
                os.rmdir(self.backup_dir)

    def _fit_state(self):
        others = self._list.callbacks if self._list is not None else []
        return FitState(self.model, others, getattr(self._list, "data", None))

    def _save(self, position):
        position = position._replace(stop=bool(self.model.stop_training))
        state = self._fit_state().read(position)
        if position.step == 0 and "History 0" in state["callbacks"]:
            _add_epoch(state["callbacks"]["History 0"], *self._ended)
        self._write(state, position)

    def _write(self, state, position):
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint:
            _move(self._weights_path, self._prev_weights_path)
            _move(self._training_metadata_path, self._prev_training_metadata_path)
        backup_file.write(self._weights_path, state)
        # For people who look into the folder.
        text = json.dumps({"epoch": position.epoch, "batch": position.step})
        with replacing(Path(self._training_metadata_path)) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def _load(self):
        """Return the state in the newest backup that can be read, or None."""
        paths = [self._weights_path, self._prev_weights_path]
        paths = [path for path in paths if os.path.exists(path)]
        is_lost = self._weights_path not in paths and os.path.exists(
            self._training_metadata_path
        )
        if is_lost and not paths:
            raise DamagedFileError(
                f"The backup in {self.backup_dir!r} cannot be resumed from: it lacks "
                f"{self._weights_path!r}, which holds its state. Put the file back, or "
                f"remove the folder {self.backup_dir!r} to start anew."
            )
        if is_lost:
            warn(f"{self._weights_path!r} is missing; the backup before it is used.")
        for path in paths:
            try:
                return backup_file.read(path)
            except DamagedFileError:
                if path == paths[-1]:
                    raise
                warn(
                    f"The backup {path!r} is damaged; the one before it is used.",
                )
        return None


def check_folder(owner: str, argument: str, folder: Any) -> None:
    """Raise unless `folder` is the path of a folder, which may not exist yet."""
    if folder in (None, ""):
        raise ValueError(
            f"Empty `{argument}` argument passed to {owner}. Expected the path of a "
            "folder, such as 'backup'."
        )
    folder_to_write(owner, argument, folder)


def _move(source, target):
    if os.path.exists(source):
        os.replace(source, target)


def _add_epoch(state, epoch, logs):
    """Add the epoch, which `History`, the last, lacks if a callback has raised."""
    if epoch in state["epoch"]:
        return
    state["epoch"] = [*state["epoch"], epoch]
    state["history"] = {**state["history"]}
    for name, value in logs.items():
        state["history"][name] = [*state["history"].get(name, []), value]
