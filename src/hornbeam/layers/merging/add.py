"""The layer `Add` and its functional form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.merging.merge import Merge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Tensor


class Add(Merge):
    """Adds the inputs element by element.

    Input: a list of tensors whose shapes broadcast.

    >>> import hornbeam as keras
    >>> x1, x2 = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[4.0, 5.0]])
    >>> [float(v) for v in keras.layers.Add()([x1, x2])[0]]
    [5.0, 7.0]
    """

    def merge(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the combination of two inputs."""
        return ops.add(x1, x2)


def add(inputs: Sequence[Any], **kwargs: Unpack[LayerArguments]) -> Tensor:
    """Return `Add(**kwargs)(inputs)`."""
    return Add(**kwargs)(inputs)
