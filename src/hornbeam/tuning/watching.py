"""What is looked at when a candidate's training begins, and after each epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from hornbeam.callbacks.callback import Callback
from hornbeam.core.errors import did_you_mean
from hornbeam.models.model import Model
from hornbeam.tuning.copies import SearchError
from hornbeam.tuning.losses import check_losses, loss_of


class MissingObjectiveError(SearchError):
    """No candidate has the objective in its logs."""


class PreparedError(Exception):
    """A training was about to begin, and all that it needs is built."""


class Watch(Callback):
    """Checks that the objectives are there, and ends a training whose loss is NaN.

    Args:
        owner: the name of the function, for errors.
        objectives: the names of the objectives in the logs.
        is_probe: whether the training ends with PreparedError before it begins.
            Default: False
        loss: the loss that the model must have, in words. Default: None, any
    """

    def __init__(
        self,
        owner: str,
        objectives: Any,
        is_probe: bool = False,
        loss: str | None = None,
    ) -> None:
        super().__init__()
        self._owner = owner
        self._objectives = objectives
        self._is_probe = is_probe
        self._loss = loss

    def on_train_begin(self, logs: Any = None) -> None:
        """End the training of a probe; refuse a loss that cannot be compared."""
        if self._is_probe:
            raise PreparedError
        if self._loss is not None:
            losses = {"one candidate": self._loss, "another": loss_of(self.model)}
            check_losses(self._owner, self._objectives, losses)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Check the logs."""
        logs = logs or {}
        check_objectives(self._owner, self._objectives, logs)
        if not np.isfinite(logs.get("loss", 0.0)):
            self.model.stop_training = True


def check_objectives(owner: str, objectives: Iterable[str], known: Any) -> None:
    """Raise MissingObjectiveError unless all objectives are known.

    Args:
        owner: the name of the function.
        objectives: their names.
        known: the names in the logs.
    """
    for name in objectives:
        if name not in known:
            plain = name.removeprefix("val_")
            reason = ""
            if plain in known and f"val_{plain}" not in known:
                reason = " Nothing is measured on other rows: `validation` is None."
            raise MissingObjectiveError(
                f"The objective {name!r} of {owner} is not in the logs. "
                f"Available: {', '.join(known)}.{did_you_mean(name, known)}{reason}"
            )


def names_in_logs(model: Any, is_validated: bool) -> list[str] | None:
    """Return the names that the logs of a training have; None: steps of its own say so.

    Args:
        model: a model whose metrics are built.
        is_validated: whether it is measured on other rows, too.
    """
    has_own = any(model._has_own_step(mode) for mode in ("train", "test"))
    if has_own or type(model).compute_metrics is not Model.compute_metrics:
        return None
    names = list(model.get_metrics_result())
    return names + [f"val_{name}" for name in names] * is_validated
