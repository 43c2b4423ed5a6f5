"""Softmax as a layer, with a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.layer import Layer
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Tensor


class Softmax(Layer):
    """Normalises the exponentials along an axis: `exp(x) / sum(exp(x))`.

    Args:
        axis: the axis, or axes, along which the outputs add up to 1. Defaults to -1.

    Called with a `mask`, entries that it marks False are left out and give 0; where all
    are marked, all give 0.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Softmax()
    >>> [float(v) for v in layer(keras.ops.zeros((4,)))]
    [0.25, 0.25, 0.25, 0.25]
    """

    _is_stateless = True

    def __init__(
        self, axis: int | Sequence[int] = -1, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    @overridable
    def call(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        """Return the softmax of the inputs that the mask leaves in."""
        if mask is None:
            return self._softmax(inputs)
        mask = self._fitted(inputs, ops.cast(mask, "bool"))
        lowest = -3e4 if inputs.dtype == "float16" else -1e9
        outputs = self._softmax(ops.where(mask, inputs, ops.cast(lowest, inputs.dtype)))
        return ops.where(mask, outputs, ops.zeros_like(outputs))

    def _softmax(self, x):
        if isinstance(self.axis, tuple | list):
            axes = tuple(self.axis)
            return ops.exp(x - ops.logsumexp(x, axis=axes, keepdims=True))
        return ops.softmax(x, axis=self.axis)

    def _fitted(self, inputs, mask):
        """Return the mask as it broadcasts to the inputs.

        One that goes with a tensor may be of its first axes: of whole rows.
        """
        shape, sizes = tuple(inputs.shape), tuple(mask.shape)
        if len(sizes) <= len(shape):
            if _broadcasts(sizes[::-1], shape[::-1]):
                return mask
            if _broadcasts(sizes, shape):
                return ops.expand_dims(mask, tuple(range(len(sizes), len(shape))))
        raise ValueError(
            f"The mask of Softmax {self.path!r} must be broadcastable to the "
            f"inputs, and must not have more dimensions. Received: mask of shape "
            f"{sizes} for inputs of shape {shape}."
        )

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape


def _broadcasts(sizes, others):
    pairs = zip(sizes, others, strict=False)
    return all(size in (1, other) or None in (size, other) for size, other in pairs)
