"""The layer `Subtract` and its functional form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.merging.merge import Merge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Tensor


class Subtract(Merge):
    """Subtracts the second of two inputs from the first.

    Input: a list of two tensors whose shapes broadcast.

    >>> import hornbeam as keras
    >>> x1, x2 = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[4.0, 5.0]])
    >>> [float(v) for v in keras.layers.Subtract()([x1, x2])[0]]
    [-3.0, -3.0]
    """

    exact_inputs: int | None = 2

    def merge(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the combination of two inputs."""
        return ops.subtract(x1, x2)


def subtract(inputs: Sequence[Any], **kwargs: Unpack[LayerArguments]) -> Tensor:
    """Return `Subtract(**kwargs)(inputs)`."""
    return Subtract(**kwargs)(inputs)
