"""The layer `Concatenate` and its functional form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.errors import check_number
from hornbeam.layers.merging.merge import Merge, check_masks, check_shapes, like
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Shape, Tensor


class Concatenate(Merge):
    """Joins the inputs along an axis.

    Args:
        axis: the axis. Defaults to -1.

    Input: a list of tensors whose shapes are equal except along the axis.

    >>> import hornbeam as keras
    >>> x = keras.ops.ones((2, 3))
    >>> keras.layers.Concatenate()([x, x]).shape
    (2, 6)
    """

    def __init__(self, axis: int = -1, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        check_number(type(self).__name__, "axis", axis, integer=True)
        self.axis = axis

    @overridable
    def call(self, inputs: Sequence[Any], mask: Any = None) -> Tensor:
        """Return the inputs joined."""
        return ops.concatenate(inputs, axis=self.axis)

    def compute_output_shape(self, input_shape: Sequence[InputShape]) -> Shape:
        """Return the shape with the sizes along the axis added up."""
        shapes = check_shapes(self, input_shape)
        rank = len(shapes[0])
        same_rank = all(len(shape) == rank for shape in shapes)
        if not same_rank or not -rank <= self.axis < rank:
            self._raise_mismatch(shapes)
        sizes = []
        for axis, column in enumerate(zip(*shapes, strict=True)):
            column_sizes = {size for size in column if size is not None}
            if axis == self.axis % rank:
                sizes.append(None if None in column else sum(column))
            elif len(column_sizes) > 1:
                self._raise_mismatch(shapes)
            else:
                sizes.append(column_sizes.pop() if column_sizes else None)
        return tuple(sizes)

    def _raise_mismatch(self, shapes):
        raise ValueError(
            f"Layer {self.path!r} (Concatenate) requires inputs with matching shapes "
            f"except for the concatenation axis, {self.axis}. Received: {shapes}."
        )

    def compute_mask(self, inputs: Sequence[Any], mask: Any = None) -> Tensor:
        """Return the masks joined; a step is valid if any of its features is."""
        masks = check_masks(inputs, mask)
        if masks is None:
            return None
        places = [_of_places(m, x) for x, m in zip(inputs, masks, strict=True)]
        return ops.any(ops.concatenate(places, axis=self.axis), axis=-1)


def _of_places(mask, x):
    """Return the mask with a last axis of size 1: valid where any feature is."""
    if mask is not None and len(mask.shape) == len(x.shape):
        return ops.any(ops.cast(mask, "bool"), axis=-1, keepdims=True)
    everywhere = ops.ones_like(x[..., :1], dtype="bool")
    return everywhere if mask is None else ops.logical_and(like(mask, x), everywhere)


def concatenate(
    inputs: Sequence[Any], axis: int = -1, **kwargs: Unpack[LayerArguments]
) -> Tensor:
    """Return `Concatenate(axis, **kwargs)(inputs)`."""
    return Concatenate(axis=axis, **kwargs)(inputs)
