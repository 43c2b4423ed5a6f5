"""Limits on the size of gradients."""

from hornbeam import ops


def by_norm(gradients, limit):
    """Shrink each gradient whose Euclidean norm is above `limit` to that norm."""
    return [g * _shrink(_norm([g]), limit) for g in gradients]


def by_global_norm(gradients, limit):
    """Shrink all gradients alike so that their common norm is at most `limit`."""
    if not gradients:
        return gradients
    scale = _shrink(_norm(gradients), limit)
    return [g * ops.cast(scale, g.dtype) for g in gradients]


def by_value(gradients, limit):
    """Limit each entry to `[-limit, limit]`."""
    return [ops.clip(g, -limit, limit) for g in gradients]


def _norm(tensors):
    return ops.sqrt(sum(ops.sum(ops.square(t)) for t in tensors))


def _shrink(norm, limit):
    return limit / ops.maximum(norm, limit)
