"""The base of callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hornbeam.core.arguments import CheckedArguments
from hornbeam.typing import AnyModel, Config, Logs

if TYPE_CHECKING:
    from hornbeam.models.model import Model


class Callback(CheckedArguments):
    """The base of callbacks: override the methods to be called.

    `self.model` is the model, and `self.params` a dict with `verbose`, `epochs` and
    `steps`. `logs` holds the loss and the metrics so far. A callback that overrides a
    batch method is called at every batch, which takes time; with epoch methods only,
    many steps run in one program.

    Epochs and batches are counted from 0. Setting `self.model.stop_training = True`
    ends the training after the epoch.

    >>> import hornbeam as keras
    >>> class StopWhenGood(keras.callbacks.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         if logs["loss"] < 0.1:
    ...             self.model.stop_training = True
    """

    # Attributes that a resumed training restores, by name and type: numbers, strings,
    # arrays, lists and dicts of these. Each may be None too.
    state_attributes: Mapping[str, type] = {}

    params: Any = None
    validation_data: Any = None
    _model: Any = None

    # Those that set nothing of their own work without `super().__init__()`.
    _set_by_init = "validation_data"

    def __init__(self) -> None:
        self.params = None
        self.validation_data = None
        self._model = None

    def set_params(self, params: Config) -> None:
        """Take the parameters of the run."""
        self.params = params

    def set_model(self, model: Model) -> None:
        """Take the model."""
        self._model = model

    @property
    def model(self) -> AnyModel:
        """The model that the callback watches."""
        return self._model

    @property
    def uses_batch_methods(self) -> bool:
        """Whether the batch methods that it overrides must be called."""
        return True

    @property
    def epochs_may_wait(self) -> bool:
        """Whether epochs may be told of late, after several that ran in one call."""
        return False

    @property
    def batches_to_wait(self) -> int:
        """How many batches may pass until the batch methods must be called."""
        return 1

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """The same as `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """The same as `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Called before each epoch of training."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called after each epoch and its validation; `logs` has both results."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each batch of training."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each batch of training."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each batch of evaluation, in `fit` too."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each batch of evaluation, in `fit` too."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each batch of prediction; `logs["outputs"]` are the outputs."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Called once before training."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Called once after training."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Called before each evaluation, in `fit` too."""

    def on_test_end(self, logs: Logs = None) -> None:
        """Called after each evaluation, in `fit` too."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Called before prediction."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """Called after prediction."""
