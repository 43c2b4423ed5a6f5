"""`LambdaCallback`: a callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.callbacks.callback import Callback
from hornbeam.core.errors import did_you_mean


class LambdaCallback(Callback):
    """Calls functions at the events of training.

    The functions of epochs take `(epoch, logs)`, those of batches `(batch, logs)`, and
    those of the whole training `(logs)`.

    Args:
        on_epoch_begin: a function. Default: None
        on_epoch_end: a function. Default: None
        on_train_begin: a function. Default: None
        on_train_end: a function. Default: None
        on_train_batch_begin: a function. Default: None
        on_train_batch_end: a function. Default: None
        **kwargs: other methods of `Callback`, such as `on_test_end`.

    >>> import hornbeam as keras
    >>> show = keras.callbacks.LambdaCallback(
    ...     on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"])
    ... )
    """

    def __init__(
        self,
        on_epoch_begin: Callable[[int, Any], Any] | None = None,
        on_epoch_end: Callable[[int, Any], Any] | None = None,
        on_train_begin: Callable[[Any], Any] | None = None,
        on_train_end: Callable[[Any], Any] | None = None,
        on_train_batch_begin: Callable[[int, Any], Any] | None = None,
        on_train_batch_end: Callable[[int, Any], Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__()
        functions = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in functions.items():
            if name.startswith("on_") and not hasattr(Callback, name):
                hooks = [hook for hook in dir(Callback) if hook.startswith("on_")]
                raise ValueError(
                    f"LambdaCallback has no hook {name!r}: no one would call it."
                    f"{did_you_mean(name, hooks)}"
                )
            if function is not None:
                if name.startswith("on_") and not callable(function):
                    raise ValueError(
                        f"Argument `{name}` of LambdaCallback must be a function. "
                        f"Received: {name}={function!r}"
                    )
                setattr(self, name, function)
