"""A block that trains and draws, and after which nothing has changed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from hornbeam.core.random_states import random_states, set_random_states
from hornbeam.training.execution.nan_guard import restore, snapshot

_ATTRIBUTES = ("stop_training", "stop_evaluating", "stop_predicting", "history")


@contextlib.contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """A block after which a built, compiled model is bit for bit what it was.

    Weights, statistics, optimizers, metrics, seeds, the random states of Python, NumPy
    and torch, and the attributes that a `fit` sets.
    """
    variables = list(model._binding("train").variables)
    values = snapshot(variables)
    attributes = {name: getattr(model, name) for name in _ATTRIBUTES}
    states = random_states()
    try:
        yield
    finally:
        restore(variables, values)
        set_random_states(states)
        for name, value in attributes.items():
            setattr(model, name, value)
        model._forget_losses()
