"""`OrbaxCheckpoint`: save the model with Orbax while it trains."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hornbeam.callbacks.checkpoint import Checkpoint
from hornbeam.callbacks.orbax_layout import ASSETS, CONFIG, VARIABLES, orbax, parts
from hornbeam.core.replacing import folder_to_write
from hornbeam.typing import Logs, PathLike

if TYPE_CHECKING:
    from hornbeam.models.model import Model

# The items of a step, and whether Orbax packs the arrays of one into few files.
_ITEMS = {VARIABLES: True, CONFIG: False, ASSETS: True}


# By their directories: a training that was interrupted may be writing still when the
# next one begins.
_open_managers: dict[Path, Any] = {}


class OrbaxCheckpoint(Checkpoint):
    """Saves the model every epoch or after a number of batches, with Orbax.

    `directory` gets a folder per step: the number of the epoch, from 0, or of the
    batches that the optimizer has seen. `keras.saving.load_model(directory)` makes the
    model of the last one, `model.load_weights(directory)` loads its values; both take
    the folder of a step too, and read what Keras wrote. It needs the package
    `orbax-checkpoint`, and runs on every engine. Of several processes each must have a
    directory of its own.

    Args:
        directory: where the folders of the steps are.
        monitor: the watched value. Default: `"val_loss"`
        verbose: 1 prints a message when it saves. Default: 0
        save_best_only: whether to save only when the value has improved.
            Default: False
        mode: `"min"`, `"max"` or `"auto"`. Default: `"auto"`
        save_freq: `"epoch"`, or a number of batches, which are counted through the
            epochs. Default: `"epoch"`
        initial_value_threshold: the value to beat at first. Default: None
        max_to_keep: how many steps are kept, the newest; None: all. Default: 1
        save_on_background: whether training goes on while the files are written. The
            values are those of the step in either case. Default: True
        save_weights_only: whether the architecture, the optimizer's state and the
            metrics are left out. Default: False

    Raises:
        ValueError: before the first step, if `directory` has steps of an earlier
            training that this one would write again.

    >>> import hornbeam as keras
    >>> save = keras.callbacks.OrbaxCheckpoint("checkpoints", max_to_keep=3)
    """

    state_attributes: Mapping[str, type] = {
        **Checkpoint.state_attributes,
        "_total_batches": int,
        "_last_step": int,
    }

    def __init__(
        self,
        directory: PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: Literal["auto", "min", "max"] = "auto",
        save_freq: Literal["epoch"] | int = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ):
        super().__init__(
            monitor,
            verbose,
            save_best_only,
            save_weights_only,
            mode,
            save_freq,
            initial_value_threshold,
        )
        folder_to_write("OrbaxCheckpoint", "directory", directory)
        self.directory: str = os.fspath(directory)
        self.max_to_keep = max_to_keep
        self.save_on_background = save_on_background
        self._total_batches = 0
        # The last step that this training has saved; a resumed one has it too.
        self._last_step: int | None = None
        self._manager: Any = None
        self._checked = False
        is_count = isinstance(max_to_keep, int) and not isinstance(max_to_keep, bool)
        if max_to_keep is not None and not (is_count and max_to_keep > 0):
            raise ValueError(
                "Argument `max_to_keep` of OrbaxCheckpoint must be a number of steps, "
                f"at least 1, or None to keep all. Received: max_to_keep={max_to_keep}"
            )

    def set_model(self, model: Model) -> None:
        """Take the model; batches are counted on from its optimizer's iterations."""
        super().set_model(model)
        optimizer = getattr(model, "optimizer", None)
        self._total_batches = 0 if optimizer is None else int(optimizer.iterations)

    def is_multihost_enabled(self) -> bool:
        """Whether several processes write one checkpoint: never."""
        return False

    def is_primary_host(self) -> bool:
        """Whether this process writes: always."""
        return True

    def wait_until_finished(self) -> None:
        """Wait until what is being saved in the background is on the disk."""
        if self._manager is not None:
            self._manager.wait_until_finished()

    def on_train_begin(self, logs: Logs = None) -> None:
        """Open the directory."""
        _close(Path(self.directory).absolute())
        self._last_step, self._checked = None, False
        self._manager = _open(
            Path(self.directory).absolute(), self.max_to_keep, self.save_on_background
        )

    def on_train_end(self, logs: Logs = None) -> None:
        """Wait for what is being saved."""
        _close(Path(self.directory).absolute())
        self._manager = None

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note the epoch; before the first one, refuse steps of another training."""
        super().on_epoch_begin(epoch, logs)
        if not self._checked:
            self._checked = True
            self._check_steps(epoch)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save after every `save_freq` batches."""
        if self.save_freq != "epoch":
            self._total_batches += batch - self._last_batch
        super().on_train_batch_end(batch, logs)

    def _check_steps(self, epoch):
        first = epoch if self.save_freq == "epoch" else self._total_batches + 1
        steps = self._manager.all_steps()
        if self._last_step is None and steps and max(steps) >= first:
            advice = (
                f"pass `fit(initial_epoch={max(steps) + 1})` to go on with it"
                if self.save_freq == "epoch"
                else "load them with `load_model` to go on with it"
            )
            raise ValueError(
                f"The directory {self.directory!r} of OrbaxCheckpoint has checkpoints "
                f"of steps up to {max(steps)} of another training, and this one begins "
                f"with step {first}: {advice}, or take another directory."
            )

    def _place(self, epoch, batch, logs):
        step = epoch if batch is None else self._total_batches
        return os.path.join(self.directory, str(step))

    def _save(self, place):
        step = int(os.path.basename(place))
        # Written after the backup from which this training was resumed.
        for later in self._manager.all_steps():
            if later >= step:
                self._manager.delete(later)
        save = orbax().args
        items = {
            name: save.PyTreeSave(tree)
            for name, tree in parts(self.model, self.save_weights_only).items()
        }
        self._manager.save(step, args=save.Composite(**items), force=True)
        self._last_step = step


def _is_no_noise(record):
    """Orbax warns at every step that the text of the model is no array to merge."""
    return "Skipping merge of OCDBT" not in str(record.msg)


def _open(directory, max_to_keep, in_background):
    library = orbax()
    logging.getLogger("absl").addFilter(_is_no_noise)
    _open_managers[directory] = library.CheckpointManager(
        directory,
        options=library.CheckpointManagerOptions(
            max_to_keep=max_to_keep,
            enable_async_checkpointing=in_background,
            cleanup_tmp_directories=True,
        ),
        item_handlers={
            name: library.PyTreeCheckpointHandler(use_ocdbt=packed)
            for name, packed in _ITEMS.items()
        },
    )
    return _open_managers[directory]


def _close(directory):
    """Wait until what is being saved in a directory is there, and let go of it."""
    manager = _open_managers.pop(directory, None)
    if manager is not None:
        manager.wait_until_finished()
        manager.close()
