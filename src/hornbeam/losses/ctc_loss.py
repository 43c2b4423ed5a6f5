"""Connectionist temporal classification: sequences without an alignment."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.losses.loss import Loss, keep_integers
from hornbeam.typing import DTypePolicyLike, Reduction, Tensor, TensorLike


def ctc(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return minus the log probability of the label sequences.

    All alignments of the labels with the timesteps count (Graves et al., ICML 2006).
    Index 0 is the blank, and pads shorter label sequences.

    Args:
        y_true: labels, shape `(batch, max_length)`.
        y_pred: logits, shape `(batch, timesteps, classes)`.

    Returns:
        One value for each sample, shape `(batch,)`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.ctc([[1]], [[[0.0, 0.0]]])
    >>> round(float(loss[0]), 4)
    0.6931
    """
    outputs = ops.convert_to_tensor(y_pred)
    labels = ops.convert_to_tensor(y_true)
    if len(labels.shape) != 2 or len(outputs.shape) != 3:
        raise ValueError(
            "The CTC loss expects `y_true` of shape (batch, max_length) and `y_pred` "
            "of shape (batch, timesteps, classes). Received: y_true.shape="
            f"{tuple(labels.shape)}, y_pred.shape={tuple(outputs.shape)}"
        )
    labels = ops.cast(labels, "int32")
    lengths = ops.sum(ops.cast(labels != 0, "int32"), axis=-1)
    timesteps = ops.full_like(lengths, outputs.shape[1])
    return ops.ctc_loss(labels, outputs, lengths, timesteps, mask_index=0)


class CTC(Loss):
    """The CTC loss of label sequences, with index 0 as the blank.

    Graves et al., ICML 2006; see `keras.losses.ctc`.

    Args:
        reduction: how the values are combined, see `Loss`.
        name: default "ctc".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> round(float(keras.losses.CTC()([[1]], [[[0.0, 0.0]]])), 4)
    0.6931
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def _convert_target(self, x):
        return keep_integers(x, self._dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return ctc(y_true, y_pred)
