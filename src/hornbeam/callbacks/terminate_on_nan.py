"""`TerminateOnNaN`: end training when the loss is NaN or infinite."""

from __future__ import annotations

import math

from hornbeam.callbacks.callback import Callback
from hornbeam.typing import Logs
from hornbeam.utils.printing import print_message


class TerminateOnNaN(Callback):
    """Ends training at the first batch after which the loss is NaN or infinite.

    Args:
        raise_error: whether a `RuntimeError` is raised, so that backups stay and
            `on_train_end` is not called. Default: False

    >>> import hornbeam as keras
    >>> guard = keras.callbacks.TerminateOnNaN()
    """

    def __init__(self, raise_error: bool = False):
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Check the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(float(loss)):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}: loss={float(loss)}. "
                "Training ends; a smaller learning rate, `clipnorm`, or a look for NaN "
                "in the data may help."
            )
        print_message(f"Batch {batch}: the loss is {float(loss)}, training ends.")
        self.model.stop_training = True
