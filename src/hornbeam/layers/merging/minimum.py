"""The layer `Minimum` and its functional form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.merging.merge import MaskedMerge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Tensor


class Minimum(MaskedMerge):
    """Takes the smallest of the inputs element by element.

    A step that an input's mask marks False is left out.

    Input: a list of tensors whose shapes broadcast.

    >>> import hornbeam as keras
    >>> x1, x2 = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[4.0, 5.0]])
    >>> [float(v) for v in keras.layers.Minimum()([x1, x2])[0]]
    [1.0, 2.0]
    """

    def merge(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the combination of two inputs."""
        return ops.minimum(x1, x2)


def minimum(inputs: Sequence[Any], **kwargs: Unpack[LayerArguments]) -> Tensor:
    """Return `Minimum(**kwargs)(inputs)`."""
    return Minimum(**kwargs)(inputs)
