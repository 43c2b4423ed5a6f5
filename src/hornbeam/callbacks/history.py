"""`History`: the logs of each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hornbeam.callbacks.callback import Callback
from hornbeam.core.lazy import public
from hornbeam.typing import Logs


class History(Callback):
    """Keeps the logs of the epochs; `fit` returns it.

    `history.epoch` lists the epochs, `history.history` maps each name to its values.

    >>> import hornbeam as keras
    >>> history = keras.callbacks.History()
    >>> history.on_train_begin()
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> history.history
    {'loss': [0.5]}
    """

    state_attributes: Mapping[str, type] = {"epoch": list, "history": dict}

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Logs = None) -> None:
        """Clear the history."""
        self.epoch = []
        self.history = {}

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Keep the logs."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self

    def _repr_html_(self) -> str:
        return public("visualization", "to_html")(self)
