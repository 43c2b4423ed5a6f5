"""Masks that go with tensors from layer to layer."""

import weakref
from typing import Any

# Masks of tensors that take no attributes: NumPy arrays, the tracers of a program.
_beside: dict[int, tuple[weakref.ref, Any]] = {}


def get_keras_mask(x):
    """Return the mask that goes with the tensor `x`, or None."""
    mask = getattr(x, "_keras_mask", None)
    if mask is None and _beside:
        entry = _beside.get(id(x))
        if entry is not None and entry[0]() is x:
            return entry[1]
    return mask


def set_keras_mask(x, mask):
    """Let `mask` go with the tensor `x`; None takes it away."""
    try:
        x._keras_mask = mask
    except AttributeError:
        key = id(x)
        if mask is None:
            _beside.pop(key, None)
        else:
            _beside[key] = (weakref.ref(x, lambda _: _beside.pop(key, None)), mask)
