"""`SwapEMAWeights`: evaluate with the averages of the weights."""

from __future__ import annotations

from collections.abc import Mapping

from hornbeam.callbacks.callback import Callback
from hornbeam.callbacks.rates import single_optimizers
from hornbeam.typing import Logs


class SwapEMAWeights(Callback):
    """Puts the moving averages of the weights into the model while it is evaluated.

    The optimizer must have `use_ema=True`. Weights and averages change places before
    evaluation and prediction, and back afterwards.

    Args:
        swap_on_epoch: whether they also change places from the end of an epoch to the
            beginning of the next, so that what is saved there has the averages.
            Default: False

    >>> import hornbeam as keras
    >>> swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    """

    state_attributes: Mapping[str, type] = {"_swapped": list}

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch

    def _optimizers(self):
        optimizer = getattr(self.model, "optimizer", None)
        averaging = [o for o in single_optimizers(optimizer) if _averages(o)]
        if not averaging:
            raise ValueError(
                "SwapEMAWeights must be used when `use_ema=True` is set on the "
                f"optimizer. Received: optimizer={optimizer!r}"
            )
        return [o for o in averaging if o.built]

    @property
    def _swapped(self):
        """For each optimizer, whether the model has its averages."""
        return [optimizer._is_swapped for optimizer in self._optimizers()]

    @_swapped.setter
    def _swapped(self, values):
        for optimizer, value in zip(self._optimizers(), values, strict=True):
            optimizer._is_swapped = value

    def _averages_in(self):
        for optimizer in self._optimizers():
            if not optimizer._is_swapped:
                optimizer.swap_averages()

    def _weights_in(self):
        for optimizer in self._optimizers():
            if optimizer._is_swapped:
                optimizer.swap_averages()

    def on_train_begin(self, logs: Logs = None) -> None:
        """Check the optimizer; put the weights back after an interrupted training."""
        self._weights_in()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Put the weights back."""
        if self.swap_on_epoch:
            self._weights_in()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Put the averages in, so that what is saved has them."""
        if self.swap_on_epoch:
            self._averages_in()

    def on_test_begin(self, logs: Logs = None) -> None:
        """Put the averages in."""
        self._averages_in()

    def on_test_end(self, logs: Logs = None) -> None:
        """Put the weights back."""
        self._weights_in()

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Put the averages in."""
        self._averages_in()

    def on_predict_end(self, logs: Logs = None) -> None:
        """Put the weights back."""
        self._weights_in()


def _averages(optimizer):
    return getattr(optimizer, "use_ema", False)
