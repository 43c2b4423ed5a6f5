"""One-hot labels and normalised rows."""

from __future__ import annotations

import numpy as np

from hornbeam import backends, ops
from hornbeam.core.errors import shown
from hornbeam.typing import Tensor, TensorLike


def to_categorical(x: TensorLike, num_classes: int | None = None) -> Tensor:
    """Return class numbers as one-hot rows.

    Args:
        x: integers from 0, any shape; a last dimension of 1 is dropped.
        num_classes: the number of classes. Default: None (the largest number + 1)

    Output shape: `x.shape + (num_classes,)`.

    >>> import hornbeam as keras
    >>> keras.utils.to_categorical([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    if backends.of(x) is not None:
        numbers = ops.convert_to_tensor(x)
        if len(numbers.shape) > 1 and numbers.shape[-1] == 1:
            numbers = ops.squeeze(numbers, axis=-1)
        if num_classes is None:
            num_classes = int(ops.max(numbers)) + 1
        return ops.one_hot(numbers, num_classes)
    labels = _class_numbers(x)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if num_classes is None:
        if labels.size == 0:
            raise ValueError(
                "`to_categorical` needs `num_classes` where there are no labels."
            )
        num_classes = int(labels.max()) + 1
    if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(
            "`to_categorical` takes class numbers from 0 to num_classes - 1. Received: "
            f"numbers from {labels.min()} to {labels.max()}, num_classes={num_classes}"
        )
    return np.eye(num_classes)[labels]


def _class_numbers(x):
    """Return whole numbers of any dtype as integers."""
    labels = np.asarray(x)
    if labels.dtype.kind in "biu":
        return labels.astype("int64")
    try:
        numbers = labels.astype("float64")
        if (numbers == np.floor(numbers)).all() and np.isfinite(numbers).all():
            return numbers.astype("int64")
    except (TypeError, ValueError):
        pass
    raise ValueError(
        "`to_categorical` takes class numbers: whole numbers from 0. Received: "
        f"x={shown(x)}. `numpy.unique(x, return_inverse=True)[1]` numbers any labels."
    )


def normalize(x: TensorLike, axis: int = -1, order: int = 2) -> Tensor:
    """Return `x` divided by its norm along an axis; rows of zeros stay zeros.

    Args:
        x: an array or tensor.
        axis: the axis along which the norm is taken. Default: -1
        order: the order of the norm, as in `numpy.linalg.norm`. Default: 2

    >>> import numpy as np
    >>> import hornbeam as keras
    >>> keras.utils.normalize(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    if isinstance(x, np.ndarray):
        norm = np.atleast_1d(np.linalg.norm(x, order, axis))
        norm = np.where(norm == 0, 1, norm)
        return x / (norm if axis is None else np.expand_dims(norm, axis))
    vectors = ops.convert_to_tensor(x)
    norm = ops.norm(vectors, ord=order, axis=axis, keepdims=True)
    return ops.divide(x, ops.where(ops.equal(norm, 0), ops.ones_like(norm), norm))
