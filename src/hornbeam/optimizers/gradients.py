"""Gradients made ready for an update: present, dense, of the right size and dtype."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hornbeam import ops
from hornbeam.core.warning import warn
from hornbeam.typing import Tensor

if TYPE_CHECKING:
    from hornbeam.core.variable import Variable


def present(
    gradients: Sequence[Tensor | None], variables: Sequence[Variable]
) -> tuple[list[Tensor], list[Variable]]:
    """Drop the variables without a gradient; give gradients the variables' dtypes."""
    missing = [v.path for g, v in zip(gradients, variables, strict=True) if g is None]
    if len(missing) == len(variables):
        raise ValueError(
            "No gradients provided for any variable. Expected a gradient for some "
            f"of {missing}."
        )
    if missing:
        warn(
            f"Gradients do not exist for variables {missing} when minimizing the loss.",
        )
        kept = [
            (g, v) for g, v in zip(gradients, variables, strict=True) if g is not None
        ]
        gradients, variables = zip(*kept, strict=True)
    dense = [_dense(g, v) for g, v in zip(gradients, variables, strict=True)]
    return dense, list(variables)


def _dense(gradient, variable):
    engine = variable.backend
    if engine.is_sparse(gradient):
        gradient = engine.to_dense(gradient)
    if engine.is_tensor(gradient) and engine.dtype_of(gradient) == variable.dtype:
        return gradient
    return ops.convert_to_tensor(gradient, dtype=variable.dtype)


def clip_limit(value: float | None) -> float | None:
    """Return a limit, or None for the numbers that mean no clipping: 0 and below."""
    is_off = isinstance(value, numbers.Real) and not value > 0
    return None if is_off else value


def clip_by_norm(gradients: Sequence[Tensor], limit: Any) -> list[Tensor]:
    """Shrink each gradient whose Euclidean norm is above `limit` to that norm."""
    return [_scaled(g, _shrink(_norm([g]), limit)) for g in gradients]


def clip_by_global_norm(gradients: Sequence[Tensor], limit: Any) -> list[Tensor]:
    """Shrink all gradients alike so that their common norm is at most `limit`."""
    if not gradients:
        return []
    scale = _shrink(_norm(gradients), limit)
    return [_scaled(g, scale) for g in gradients]


def clip_by_value(gradients: Sequence[Tensor], limit: Any) -> list[Tensor]:
    """Limit each entry to `[-limit, limit]`."""
    return [ops.clip(g, -limit, limit) for g in gradients]


def _norm(tensors):
    return ops.sqrt(sum(ops.sum(ops.square(t)) for t in tensors))


def _scaled(gradient, scale):
    return ops.multiply(gradient, ops.cast(scale, gradient.dtype))


def _shrink(norm, limit):
    return limit / ops.maximum(norm, limit)
