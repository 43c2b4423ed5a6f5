"""The exponential linear unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Tensor


class ELU(Layer):
    """Exponential linear unit: `x` where it is positive, else `alpha * (exp(x) - 1)`.

    Source: Clevert et al., "Fast and accurate deep network learning by exponential
    linear units", arXiv:1511.07289.

    Args:
        alpha: minus the limit for very negative inputs. Defaults to 1.0.

    >>> import hornbeam as keras
    >>> round(float(keras.layers.ELU()(keras.ops.array(-1.0))), 4)
    -0.6321
    """

    _is_stateless = True

    alpha: float = Hyperparameter()

    def __init__(self, alpha: float = 1.0, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return the unit of each input."""
        # Inside a program `alpha` is a float32 tensor, which would widen halves.
        return ops.cast(ops.elu(inputs, alpha=self.alpha), self.compute_dtype)

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape
