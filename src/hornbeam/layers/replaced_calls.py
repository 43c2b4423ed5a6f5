"""Layers that do something else, or more, when they are called: in a block."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any


@contextlib.contextmanager
def replaced_calls(
    layers: Sequence[Any], around: Callable[[Any, Any], Callable[..., Any]]
) -> Iterator[None]:
    """A block in which the `call` of each layer is `around(layer, call)`."""
    before = [vars(layer).get("call") for layer in layers]
    try:
        for layer in layers:
            object.__setattr__(layer, "call", around(layer, layer.call))
        yield
    finally:
        for layer, call in zip(layers, before, strict=True):
            if call is None:
                vars(layer).pop("call", None)
            else:
                object.__setattr__(layer, "call", call)
