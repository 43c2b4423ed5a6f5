"""Mixing samples of a batch with others of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random

if TYPE_CHECKING:
    from typing import Any

    from hornbeam.typing import Seed, Tensor


def order_of(count: Any, seed: Seed) -> Tensor:
    """Return a random order of `count` samples, as int32."""
    keys = random.uniform((count,), dtype="float32", seed=seed)
    return ops.cast(ops.argsort(keys), "int32")


def mixed_labels(x: Tensor, transformation: Any) -> Tensor:
    """Return `w x + (1 - w) y`, where y are the samples in another order."""
    dtype = ops.dtype(x)
    if "float" not in dtype:
        x, dtype = ops.cast(x, "float32"), "float32"
    weight = ops.reshape(transformation["mix_weight"], (-1, *[1] * (len(x.shape) - 1)))
    other = ops.take(x, transformation["permutation_order"], axis=0)
    return other + ops.cast(weight, dtype) * (x - other)
