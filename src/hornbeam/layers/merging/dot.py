"""The layer `Dot` and its functional form."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.merging.merge import Merge, check_masks, check_shapes
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Shape, Tensor


class Dot(Merge):
    """Takes the inner product of two inputs along one axis of each, row by row.

    Args:
        axes: the axis of both, or a pair of axes.
        normalize: whether to divide each vector by its length first, which gives the
            cosine of the angle. Defaults to False.

    Output shape: the first shape without its axis, then the second without its axis and
    batch; `(batch, 1)` for two inputs of rank 2.

    >>> import hornbeam as keras
    >>> x = keras.ops.array([[1.0, 2.0]])
    >>> float(keras.layers.Dot(axes=1)([x, x])[0, 0])
    5.0
    """

    def __init__(
        self,
        axes: int | Sequence[int],
        normalize: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int | list | tuple):
            raise TypeError(
                "Argument `axes` of Dot must be an integer or a pair of integers. "
                f"Received: axes={axes!r}"
            )
        pair = isinstance(axes, int) or (
            len(axes) == 2 and all(isinstance(axis, int) for axis in axes)
        )
        if not pair:
            raise ValueError(
                "Argument `axes` of Dot must be an integer or a pair of integers. "
                f"Received: axes={axes!r}"
            )
        self.axes = axes
        self.normalize = normalize

    @overridable
    def call(self, inputs: Sequence[Any], mask: Any = None) -> Tensor:
        """Return the inner products."""
        x1, x2 = inputs
        axis1, axis2 = self._axes(x1.shape, x2.shape)
        if self.normalize:
            x1 = ops.normalize(x1, axis=axis1)
            x2 = ops.normalize(x2, axis=axis2)
        letters = iter(string.ascii_letters[1:])
        letters1 = ["a", *(next(letters) for _ in x1.shape[1:])]
        letters2 = ["a", *(next(letters) for _ in x2.shape[1:])]
        letters2[axis2] = shared = letters1[axis1]
        kept = [c for c in letters1 if c != shared]
        kept += [c for c in letters2[1:] if c != shared]
        equation = f"{''.join(letters1)},{''.join(letters2)}->{''.join(kept)}"
        outputs = ops.einsum(equation, x1, x2)
        return ops.expand_dims(outputs, 1) if len(kept) == 1 else outputs

    def compute_output_shape(self, input_shape: Sequence[InputShape]) -> Shape:
        """Return the shape of the inner products."""
        shape1, shape2 = check_shapes(self, input_shape, exact=2)
        axis1, axis2 = self._axes(shape1, shape2)
        if None not in (shape1[axis1], shape2[axis2]) and (
            shape1[axis1] != shape2[axis2]
        ):
            raise ValueError(
                f"Layer {self.path!r} (Dot) needs equal sizes along its axes. "
                f"Received: size {shape1[axis1]} at axis {axis1} of {shape1}, size "
                f"{shape2[axis2]} at axis {axis2} of {shape2}."
            )
        kept = [size for i, size in enumerate(shape1) if i != axis1]
        kept += [size for i, size in enumerate(shape2) if i not in (0, axis2)]
        return (*kept, 1) if len(kept) == 1 else tuple(kept)

    def compute_mask(self, inputs: Sequence[Any], mask: Any = None) -> Tensor:
        """Return None: no step of the inputs is left."""
        check_masks(inputs, mask)

    def _axes(self, shape1, shape2):
        axes = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        ranks = len(shape1), len(shape2)
        if any(
            not -rank <= axis < rank or axis % rank == 0
            for axis, rank in zip(axes, ranks, strict=True)
        ):
            raise ValueError(
                f"Layer {self.path!r} (Dot): `axes` must name an axis of each input, "
                f"not the batch. Received: axes={self.axes} for shapes "
                f"{tuple(shape1)} and {tuple(shape2)}."
            )
        return axes[0] % ranks[0], axes[1] % ranks[1]


def dot(
    inputs: Sequence[Any],
    axes: int | Sequence[int] = -1,
    **kwargs: Unpack[LayerArguments],
) -> Tensor:
    """Return `Dot(axes, **kwargs)(inputs)`."""
    return Dot(axes=axes, **kwargs)(inputs)
