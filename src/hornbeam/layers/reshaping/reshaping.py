"""The base of layers that move values and change none of them."""

from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import any_sparse
from hornbeam.layers.layer import Layer


class Reshaping(Layer):
    """A layer whose outputs have the dtype of its inputs."""

    _is_stateless = True

    def compute_output_spec(self, inputs):
        """Return the symbolic output, of the input's dtype."""
        if any_sparse(inputs):
            return super().compute_output_spec(inputs)
        return KerasTensor(self.compute_output_shape(inputs.shape), inputs.dtype)
