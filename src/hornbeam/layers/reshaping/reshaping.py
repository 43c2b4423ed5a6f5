"""The base of layers that move values and change none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import any_sparse
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from typing import Any

    from hornbeam.typing import Tensor


class Reshaping(Layer):
    """A layer whose outputs have the dtype of its inputs."""

    _is_stateless = True

    def compute_output_spec(self, inputs: Tensor) -> Any:
        """Return the symbolic output, of the input's dtype."""
        if any_sparse(inputs):
            return super().compute_output_spec(inputs)
        return KerasTensor(self.compute_output_shape(inputs.shape), inputs.dtype)
