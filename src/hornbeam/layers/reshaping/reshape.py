"""The layer that gives samples another shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.arguments import sequence
from hornbeam.layers.reshaping.reshaping import Reshaping

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Shape, ShapeLike, Tensor


class Reshape(Reshaping):
    """Gives each sample the shape `target_shape`.

    Args:
        target_shape: sizes without the batch; one may be -1: what is left over.

    >>> import hornbeam as keras
    >>> keras.layers.Reshape((2, -1))(keras.ops.ones((5, 6))).shape
    (5, 2, 3)
    """

    def __init__(
        self, target_shape: ShapeLike, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        sequence(self, "target_shape", target_shape)
        sizes: Any = tuple(-1 if size is None else size for size in target_shape)
        if sizes.count(-1) > 1:
            raise ValueError(
                "Argument `target_shape` of Reshape may have at most one unknown "
                f"dimension (-1). Received: target_shape={sizes}"
            )
        if any(not isinstance(size, int) or size < -1 for size in sizes):
            raise ValueError(
                "Each size in `target_shape` of Reshape must be a non-negative integer "
                f"or -1. Received: target_shape={sizes}"
            )
        self.target_shape: tuple[int, ...] = sizes

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs in the new shape."""
        shape = self.compute_output_shape(inputs.shape)
        sizes = [-1 if size is None else size for size in shape[1:]]
        return ops.reshape(inputs, (ops.shape(inputs)[0], *sizes))

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the batch and `target_shape`, -1 replaced."""
        sizes: Any = tuple(input_shape[1:])
        target = self.target_shape
        product = math.prod(size for size in target if size != -1)
        if None in sizes:
            rest = None
        elif -1 not in target:
            rest = 1
            if math.prod(sizes) != product:
                self._raise_mismatch(input_shape)
        elif not product or math.prod(sizes) % product:
            self._raise_mismatch(input_shape)
        else:
            rest = math.prod(sizes) // product
        return (input_shape[0], *(rest if size == -1 else size for size in target))

    def _raise_mismatch(self, input_shape: Any):
        raise ValueError(
            f"Layer {self.path!r} (Reshape) cannot give samples of shape "
            f"{tuple(input_shape[1:])}, which have {math.prod(input_shape[1:])} "
            f"values, the shape target_shape={self.target_shape}: the number of values "
            f"must stay the same. Received: input_shape={tuple(input_shape)}"
        )
