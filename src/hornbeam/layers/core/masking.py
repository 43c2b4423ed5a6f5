"""The layer that marks time steps to be skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Tensor


class Masking(Layer):
    """Marks the time steps at which every feature equals `mask_value`.

    Later layers that support masks skip the marked steps; their features become zero.

    Args:
        mask_value: the value that marks a step. Defaults to 0.0.

    Input and output shape: `(batch, steps, features)`.

    >>> import hornbeam as keras
    >>> x = keras.ops.array([[[1.0, 2.0], [0.0, 0.0]]])
    >>> mask = keras.layers.Masking().compute_mask(x)
    >>> [bool(m) for m in mask[0]]
    [True, False]
    """

    _is_stateless = True

    def __init__(
        self, mask_value: float = 0.0, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def compute_mask(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        """Return True for each step that has a feature other than `mask_value`."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs with masked steps set to zero."""
        kept = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return inputs * ops.cast(kept, inputs.dtype)

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape
