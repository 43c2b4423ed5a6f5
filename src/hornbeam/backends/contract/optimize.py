"""Updates of all variables in one call. Optional: an engine may have none of them.

Each changes tensors in place (so only an engine whose tensors can be changed has it)
and returns whether it did; if not, the optimizer's own rule is used.
"""

from __future__ import annotations

from typing import Any


def adam_update(
    values: Any,
    gradients: Any,
    momentums: Any,
    velocities: Any,
    maxima: Any = (),
    *,
    step: Any,
    learning_rate: Any,
    beta_1: Any,
    beta_2: Any,
    epsilon: Any,
) -> bool:
    """Adam's step; `step` counts the updates before, `maxima` are AMSGrad's."""


def add_in_place(old: Any, value: Any) -> Any:
    """`old += value` for a number or a tensor; a copy of the sum, None if not made."""


def decay_update(values: Any, rate: Any) -> bool:
    """`values -= rate * values`."""


def rmsprop_update(
    values: Any,
    gradients: Any,
    velocities: Any,
    averages: Any = (),
    momentums: Any = (),
    *,
    learning_rate: Any,
    rho: Any,
    momentum: Any,
    epsilon: Any,
) -> bool:
    """RMSprop's step; `averages` are those of centered RMSprop."""


def sgd_update(
    values: Any,
    gradients: Any,
    momentums: Any = (),
    *,
    learning_rate: Any,
    momentum: Any,
    nesterov: Any,
) -> bool:
    """The step of gradient descent, with velocities if `momentums` are given."""
