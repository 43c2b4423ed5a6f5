"""The circle loss pulls embeddings of one class together and others apart."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.scopes import batch_mask
from hornbeam.losses.loss import Loss, keep_integers
from hornbeam.typing import DTypePolicyLike, Reduction, Tensor, TensorLike

# A logit that counts as minus infinity, in float16 too, and has a gradient.
_NOTHING = -6e4


def circle(
    y_true: TensorLike,
    y_pred: TensorLike,
    ref_labels: TensorLike | None = None,
    ref_embeddings: TensorLike | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """Return the circle loss of each embedding against the reference embeddings.

    With the similarities `s_p` to those of the same class and `s_n` to the others it
    is `softplus(logsumexp(gamma a_n (s_n - margin)) + logsumexp(-gamma a_p
    (s_p - 1 + margin)))`, where `a_p = max(1 + margin - s_p, 0)` and
    `a_n = max(s_n + margin, 0)` (Sun et al., arXiv:2002.10857; here the weights `a`
    are differentiated too). An embedding without another of its class, or without
    one of another class, has loss 0.

    Args:
        y_true: class indices, shape `(batch,)`.
        y_pred: embeddings of length 1, shape `(batch, d)`.
        ref_labels: labels of the references; default `y_true`.
        ref_embeddings: embeddings to compare with; default `y_pred`.
        remove_diagonal: whether an embedding is not compared with itself, where the
            references are the embeddings themselves; default True.
        gamma: the scale; default 80.
        margin: the margin; default 0.4.

    Returns:
        One value for each embedding, shape `(batch,)`.

    >>> import hornbeam as keras
    >>> embeddings = [[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]
    >>> loss = keras.losses.circle([0, 0, 1], embeddings, gamma=1.0)
    >>> round(float(loss[2]), 4)
    0.0
    """
    embeddings = ops.convert_to_tensor(y_pred)
    dtype = embeddings.dtype
    others = embeddings
    if ref_embeddings is not None:
        others = ops.convert_to_tensor(ref_embeddings, dtype=dtype)
    is_positive, is_negative = _pairs(
        y_true, ref_labels, remove_diagonal, among_themselves=ref_embeddings is None
    )
    s = ops.matmul(embeddings, ops.transpose(others))
    m = ops.convert_to_tensor(margin, dtype=dtype)
    a_p = ops.relu(1.0 - s + m)
    a_n = ops.relu(s + m)
    positive = -gamma * (a_p * (s - 1.0 + m))
    negative = gamma * (a_n * (s - m))
    positive = ops.where(is_positive, positive, _NOTHING)
    negative = ops.where(is_negative, negative, _NOTHING)
    value = ops.softplus(
        ops.logsumexp(positive, axis=1) + ops.logsumexp(negative, axis=1)
    )
    return ops.cast(value, dtype)


def _pairs(y_true, ref_labels, remove_diagonal, among_themselves):
    """Return which pairs are of one class, and which are of two."""
    labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")
    others = labels
    if ref_labels is not None:
        others = ops.cast(ops.reshape(ref_labels, (-1,)), "int32")
    is_positive = ops.expand_dims(labels, 1) == ops.expand_dims(others, 0)
    is_negative = ops.logical_not(is_positive)
    if remove_diagonal:
        rows = ops.expand_dims(ops.arange(labels.shape[0]), 1)
        columns = ops.expand_dims(ops.arange(others.shape[0]), 0)
        is_positive = ops.logical_and(is_positive, rows != columns)
    if among_themselves and batch_mask() is not None:
        valid = ops.expand_dims(ops.cast(batch_mask(), "bool"), 0)
        is_positive = ops.logical_and(is_positive, valid)
        is_negative = ops.logical_and(is_negative, valid)
    return is_positive, is_negative


class Circle(Loss):
    """The circle loss of embeddings of length 1, for labels of classes.

    Embeddings that are alone in their class do not count, in means either. See
    `keras.losses.circle` for the formula (Sun et al., arXiv:2002.10857).

    Args:
        gamma: the scale; default 80.
        margin: the margin; default 0.4.
        remove_diagonal: whether an embedding is not compared with itself; default
            True.
        reduction: how the values are combined, see `Loss`.
        name: default "circle".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.Circle(gamma=1.0)
    >>> float(loss([0, 1], [[1.0, 0.0], [0.0, 1.0]]))
    0.0
    """

    gamma: float = Hyperparameter(above=0)
    margin: float = Hyperparameter()

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal

    def _convert_target(self, x):
        return keep_integers(x, self._dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each embedding."""
        return circle(
            y_true,
            y_pred,
            remove_diagonal=self.remove_diagonal,
            gamma=self.gamma,
            margin=self.margin,
        )

    def target_mask(self, y_true: Tensor, y_pred: Tensor) -> Tensor | None:
        """Return which embeddings have another one of their class."""
        is_positive, _ = _pairs(
            y_true, None, self.remove_diagonal, among_themselves=True
        )
        return ops.any(is_positive, axis=1)
