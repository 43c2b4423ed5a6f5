"""The layer `Average` and its functional form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.merging.merge import Merge
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Tensor


class Average(Merge):
    """Takes the mean of the inputs element by element.

    Input: a list of tensors whose shapes broadcast.

    >>> import hornbeam as keras
    >>> x1, x2 = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[4.0, 5.0]])
    >>> [float(v) for v in keras.layers.Average()([x1, x2])[0]]
    [2.5, 3.5]
    """

    @overridable
    def call(self, inputs: Sequence[Any], mask: Any = None) -> Tensor:
        """Return the mean of all inputs."""
        return super().call(inputs) / len(inputs)

    def merge(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the combination of two inputs."""
        return ops.add(x1, x2)


def average(inputs: Sequence[Any], **kwargs: Unpack[LayerArguments]) -> Tensor:
    """Return `Average(**kwargs)(inputs)`."""
    return Average(**kwargs)(inputs)
