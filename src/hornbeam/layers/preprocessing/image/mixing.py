"""Mixing samples of a batch with others of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.core.dtypes import is_int_dtype

if TYPE_CHECKING:
    from typing import Any

    from hornbeam.typing import Seed, Tensor


def order_of(count: Any, seed: Seed) -> Tensor:
    """Return a random order of `count` samples, as int32."""
    keys = random.uniform((count,), dtype="float32", seed=seed)
    return ops.cast(ops.argsort(keys), "int32")


def check_mixable(layer: Any, labels: Tensor) -> None:
    """Raise where labels are the numbers of classes: a mean of them is none.

    Args:
        layer: whose labels they are, for the error.
        labels: those of a batch.
    """
    dtype = ops.dtype(labels)
    if len(labels.shape) == 1 and is_int_dtype(dtype):
        raise ValueError(
            f"Layer {layer.path!r} ({type(layer).__name__}) mixes labels, so it "
            "expects one-hot labels, or floats. Received: labels of shape "
            f"{tuple(labels.shape)} and dtype {dtype}. Make them one-hot with "
            "`keras.ops.one_hot(labels, num_classes)`, or read the folder with "
            'label_mode="categorical".'
        )


def mixed_labels(x: Tensor, transformation: Any) -> Tensor:
    """Return `w x + (1 - w) y`, where y are the samples in another order."""
    dtype = ops.dtype(x)
    if "float" not in dtype:
        x, dtype = ops.cast(x, "float32"), "float32"
    weight = ops.reshape(transformation["mix_weight"], (-1, *[1] * (len(x.shape) - 1)))
    other = ops.take(x, transformation["permutation_order"], axis=0)
    return other + ops.cast(weight, dtype) * (x - other)
