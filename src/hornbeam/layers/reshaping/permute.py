"""The layer that exchanges axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.arguments import sequence
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.reshaping.reshaping import Reshaping

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Shape, Tensor


class Permute(Reshaping):
    """Puts the axes of each sample in another order.

    Args:
        dims: the old axes in their new order, counted from 1; the batch is not named.

    >>> import hornbeam as keras
    >>> keras.layers.Permute((2, 1))(keras.ops.ones((5, 3, 4))).shape
    (5, 4, 3)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.dims: tuple[int, ...] = tuple(sequence(self, "dims", dims))
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                "Invalid permutation: argument `dims` of Permute must hold each of "
                f"1 ... {len(self.dims)} once. Received: dims={dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs with their axes in the new order."""
        return ops.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the sizes in the new order."""
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))
