"""The layer that does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core import tree
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments


class Identity(Layer):
    """Returns its input unchanged: a placeholder where a layer is asked for.

    >>> import hornbeam as keras
    >>> keras.layers.Identity()(keras.ops.ones((2, 3))).shape
    (2, 3)
    """

    _is_stateless = True

    def __init__(self, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Return `inputs`."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return `input_shape`."""
        return input_shape

    def compute_output_spec(self, inputs: Any) -> Any:
        """Return symbolic tensors like `inputs`."""
        return tree.map_structure(
            lambda x: KerasTensor(x.shape, x.dtype, sparse=x.sparse), inputs
        )
