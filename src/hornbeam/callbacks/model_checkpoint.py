"""`ModelCheckpoint`: save the model while it trains."""

from __future__ import annotations

import os
from typing import Literal

from hornbeam.callbacks.checkpoint import Checkpoint
from hornbeam.core.errors import check_path, did_you_mean
from hornbeam.typing import PathLike


class ModelCheckpoint(Checkpoint):
    """Saves the model, or its weights, every epoch or after a number of batches.

    Args:
        filepath: the file, ending in `.keras`, or `.weights.h5` for weights. It may
            hold `{epoch}`, `{batch}` (counted from 1) and names of the logs:
            `"model.{epoch:02d}-{val_loss:.2f}.keras"`.
        monitor: the watched value. Default: `"val_loss"`
        verbose: 1 prints a message when it saves. Default: 0
        save_best_only: whether to save only when the value has improved.
            Default: False
        save_weights_only: whether only weights are saved. Default: False
        mode: `"min"`, `"max"` or `"auto"`. Default: `"auto"`
        save_freq: `"epoch"`, or a number of batches, which are counted through the
            epochs. Default: `"epoch"`
        initial_value_threshold: the value to beat at first. Default: None

    >>> import hornbeam as keras
    >>> save = keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True)
    """

    def __init__(
        self,
        filepath: PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: Literal["auto", "min", "max"] = "auto",
        save_freq: Literal["epoch"] | int = "epoch",
        initial_value_threshold: float | None = None,
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
        check_path("ModelCheckpoint", "filepath", filepath)
        self.filepath: str = os.fspath(filepath)
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            raise ValueError(
                f"`filepath` of ModelCheckpoint must end in {ending!r} where "
                f"save_weights_only={save_weights_only}. Received: {self.filepath!r}"
            )

    def _save(self, place):
        folder = os.path.dirname(place)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(place, overwrite=True)
        else:
            self.model.save(place, overwrite=True)

    def _place(self, epoch, batch, logs):
        fields = {**logs, "epoch": epoch + 1}
        if batch is not None:
            fields["batch"] = batch + 1
        try:
            return self.filepath.format(**fields)
        except KeyError as error:
            name = error.args[0]
            raise KeyError(
                f"`filepath` of ModelCheckpoint, {self.filepath!r}, asks for {name!r}. "
                f"Available: {', '.join(fields)}.{did_you_mean(name, fields)}"
            ) from None
