"""PyTorch: updates of all variables in one call. Optional, see the contract."""

from __future__ import annotations

import functools
import math

import torch

from .arrays import FLOATS
from .recording import is_traced, whole

__all__ = [
    "adam_update",
    "add_in_place",
    "decay_update",
    "rmsprop_update",
    "sgd_update",
]

# As PyTorch's functions of many tensors take them.
Tensors = list[torch.Tensor] | tuple[torch.Tensor, ...]

_FUSED_DEVICES = ("cpu", "cuda")


def adam_update(
    values: Tensors,
    gradients: Tensors,
    momentums: Tensors,
    velocities: Tensors,
    maxima: Tensors = (),
    *,
    step: torch.Tensor,
    learning_rate: torch.Tensor | float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> bool:
    """Adam's step in place on `values` and the slots; whether it was made.

    `step` counts the updates before this one; `maxima` are AMSGrad's.
    """
    if is_traced():
        return False  # a compiler fuses the rule itself
    first = values[0]
    # The fused kernel reads all tensors as flat memory of one kind.
    if first.device.type not in _FUSED_DEVICES or not _alike(values):
        return False
    if not all(value.is_contiguous() for value in values):
        return False
    gradients = [g if g.is_contiguous() else g.contiguous() for g in gradients]
    numbers = (step, learning_rate, beta_1, beta_2, epsilon)
    with torch.no_grad():
        _fused_adam(values, gradients, momentums, velocities, list(maxima), *numbers)
    return True


@whole
def _fused_adam(
    values,
    gradients,
    momentums,
    velocities,
    maxima,
    step,
    rate,
    beta_1,
    beta_2,
    epsilon,
):
    # PyTorch divides by sqrt(v / (1 - beta_2**t)) + epsilon. At t = infinity that is
    # the sqrt(v) + epsilon of the form wanted; the rate carries the corrections.
    endless = _infinity(values[0].device)
    torch._fused_adam_(
        values,
        gradients,
        momentums,
        velocities,
        maxima,
        [endless] * len(values),
        lr=_corrected_rate(step, rate, beta_1, beta_2),
        beta1=beta_1,
        beta2=beta_2,
        weight_decay=0.0,
        eps=epsilon,
        amsgrad=bool(maxima),
        maximize=False,
    )


def add_in_place(old: torch.Tensor, value: torch.Tensor | float) -> torch.Tensor | None:
    """`old += value`; a copy of the sum, or None if `value` may not suit."""
    if isinstance(value, torch.Tensor):
        if value.dtype is not old.dtype or value.shape != old.shape:
            return None
        value = value.detach()
    elif type(value) not in (int, float) or old.dtype not in FLOATS:
        if type(value) is not int or old.dtype is torch.bool:
            return None
    return old.detach().add_(value).clone()


def sgd_update(
    values: Tensors,
    gradients: Tensors,
    momentums: Tensors = (),
    *,
    learning_rate: torch.Tensor | float,
    momentum: float,
    nesterov: bool,
) -> bool:
    """Gradient descent in place on `values` and `momentums`; whether it was made."""
    if not _alike(values):
        return False
    with torch.no_grad():
        steps: Tensors = torch._foreach_mul(gradients, -learning_rate)
        if momentums:
            torch._foreach_mul_(momentums, momentum)
            torch._foreach_add_(momentums, steps)
            if nesterov:
                torch._foreach_add_(steps, momentums, alpha=momentum)
            else:
                steps = momentums
        torch._foreach_add_(values, steps)
    return True


def rmsprop_update(
    values: Tensors,
    gradients: Tensors,
    velocities: Tensors,
    averages: Tensors = (),
    momentums: Tensors = (),
    *,
    learning_rate: torch.Tensor | float,
    rho: float,
    momentum: float,
    epsilon: float,
) -> bool:
    """RMSprop's step in place on `values` and the slots; whether it was made.

    `averages` are those of centered RMSprop.
    """
    if not _alike(values):
        return False
    with torch.no_grad():
        torch._foreach_mul_(velocities, rho)
        torch._foreach_addcmul_(velocities, gradients, gradients, 1 - rho)
        if averages:
            torch._foreach_lerp_(averages, gradients, 1 - rho)
            roots = torch._foreach_addcmul(velocities, averages, averages, -1)
            torch._foreach_add_(roots, epsilon)
        else:
            roots = torch._foreach_add(velocities, epsilon)
        torch._foreach_sqrt_(roots)
        steps: Tensors = torch._foreach_div(gradients, roots)
        torch._foreach_mul_(steps, learning_rate)
        if momentums:
            torch._foreach_mul_(momentums, momentum)
            torch._foreach_add_(momentums, steps)
            steps = momentums
        torch._foreach_sub_(values, steps)
    return True


def decay_update(values: Tensors, rate: torch.Tensor | float) -> bool:
    """`values -= rate * values` in place; whether it was made."""
    if not _alike(values):
        return False
    with torch.no_grad():
        torch._foreach_mul_(values, 1 - rate)
    return True


def _alike(values):
    """Whether all are floats of one dtype on one device."""
    first = values[0]
    return first.is_floating_point() and all(
        v.dtype is first.dtype and v.device == first.device for v in values
    )


def _corrected_rate(step, learning_rate, beta_1, beta_2):
    """`learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t)` for the next step t."""
    if step.device.type == "cpu":
        t = int(step) + 1
        root = math.sqrt(1 - beta_2**t)
        return float(learning_rate) * root / (1 - beta_1**t)
    # Reading the step would make the host wait for the device.
    t = step.to(torch.float32) + 1
    return learning_rate * torch.sqrt(1 - beta_2**t) / (1 - beta_1**t)


@functools.lru_cache(maxsize=8)
def _infinity(device):
    return torch.tensor(math.inf, device=device)
