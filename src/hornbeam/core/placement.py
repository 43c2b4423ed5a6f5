"""Where values live, and which are computed again instead of kept."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, Literal, Self, TypeAlias

from hornbeam import backends
from hornbeam.core.carried_state import carrying
from hornbeam.core.errors import check_choice

RematMode: TypeAlias = (
    Literal["full", "activations", "larger_than", "list_of_layers"] | None
)

_remat: ContextVar[Any] = ContextVar("hornbeam_remat", default=None)


def device(device_name: str) -> AbstractContextManager[Any]:
    """Return a block in which new tensors are made on the device, e.g. `"cpu:0"`.

    It holds for this thread and the engine in force, and goes before what
    `keras.config.set_device` and the environment variable `HORNBEAM_DEVICE` say.

    >>> import hornbeam as keras
    >>> with keras.device("cpu:0"):
    ...     x = keras.ops.ones(3)
    """
    return backends.current().device_scope(device_name)


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return `f`, whose intermediate values are computed again for the gradient.

    >>> import hornbeam as keras
    >>> float(keras.remat(keras.ops.square)(keras.ops.array(3.0)))
    9.0
    """

    @functools.wraps(f)
    def run(*args, **kwargs):
        def call(values, f):
            return backends.current().remat(f)(values, *args, **kwargs)

        return carrying(call, f)

    return run


class RematScope:
    """A block in which new layers compute values again for the gradient.

    Args:
        mode: "full", "activations", "larger_than", "list_of_layers" or None.
        output_size_threshold: the size for "larger_than".
        layer_names: names for "list_of_layers".
    """

    def __init__(
        self,
        mode: RematMode = "full",
        output_size_threshold: int = 1024,
        layer_names: Sequence[str] | None = None,
    ):
        modes = ("full", "activations", "larger_than", "list_of_layers", None)
        self.mode: RematMode = check_choice("RematScope", "mode", mode, modes)
        self.output_size_threshold = output_size_threshold
        self.layer_names: Sequence[str] = layer_names or []

    def __enter__(self) -> Self:
        self._token = _remat.set(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        _remat.reset(self._token)


def current_remat() -> RematScope | None:
    """Return the RematScope in force, or None."""
    return _remat.get()
