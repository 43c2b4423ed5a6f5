"""The layer that repeats vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.reshaping.reshaping import Reshaping

if TYPE_CHECKING:
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Shape, Tensor


class RepeatVector(Reshaping):
    """Makes a sequence of `n` equal steps of each vector.

    Args:
        n: number of steps.

    Input shape: `(batch, features)`. Output shape: `(batch, n, features)`.

    >>> import hornbeam as keras
    >>> keras.layers.RepeatVector(3)(keras.ops.ones((2, 4))).shape
    (2, 3, 4)
    """

    def __init__(self, n: int, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(
                f"Expected an integer value for `n` of RepeatVector. Received: n={n!r} "
                f"(of type {type(n).__name__})."
            )
        if n < 1:
            raise ValueError(
                f"Argument `n` of RepeatVector must be a positive integer. Received: "
                f"n={n}"
            )
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the sequences."""
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return `(batch, n, features)`."""
        return (input_shape[0], self.n, input_shape[1])
