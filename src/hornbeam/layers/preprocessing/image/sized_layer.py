"""The base of layers that give images another size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.arguments import positive_integer
from hornbeam.layers.preprocessing.image.image_layer import ImageLayer
from hornbeam.layers.preprocessing.image.moved_boxes import move_boxes, scaled
from hornbeam.ops.image.resizing import fitting, greatest, least

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Tensor


class SizedLayer(ImageLayer):
    """A base for layers whose images all have one size.

    Args:
        height: the height of the new images.
        width: their width.
        **kwargs: arguments of `ImageLayer`.
    """

    def __init__(
        self, height: int, width: int, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.height: int = positive_integer(self, "height", height)
        self.width: int = positive_integer(self, "width", width)

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape` with the layer's height and width."""
        shape = list(input_shape)
        for axis, size in zip(self._axes(shape), self._new_size, strict=True):
            shape[axis] = size
        return tuple(shape)

    @property
    def _new_size(self):
        return self.height, self.width

    def _fits(self, height, width):
        """Whether images of this size can be cropped; sizes that are unknown can."""
        pairs = zip((height, width), self._new_size, strict=True)
        return all(not isinstance(old, int) or old >= new for old, new in pairs)

    def _cropped(self, x, top, left):
        """Return the part of images that begins at a row and a column."""
        start, sizes = [0] * 4, list(ops.shape(x))
        pairs = zip(self._axes(x), (top, left), self._new_size, strict=True)
        for axis, first, size in pairs:
            start[axis], sizes[axis] = first, size
        if all(isinstance(size, int) for size in sizes):
            return ops.slice(x, start, sizes)
        for axis in self._axes(x):  # of a size that only a running program knows
            x = ops.take(x, ops.arange(sizes[axis]) + start[axis], axis=axis)
        return x

    def _cropped_boxes(self, bounding_boxes, top, left, size):
        return move_boxes(
            self,
            bounding_boxes,
            lambda boxes: scaled(boxes, (-top, -left), (1, 1)),
            size,
            self._new_size,
        )

    def _resized(
        self, x: Tensor, interpolation: Any = "bilinear", **how: Any
    ) -> Tensor:
        """Return images resized to the layer's size; see `keras.ops.image.resize`."""
        how.setdefault("data_format", self.data_format)
        return ops.image.resize(x, self._new_size, interpolation, **how)

    def _resized_boxes(self, bounding_boxes, size, crop=False, pad=False):
        """Return boxes as they are in resized images; see `keras.ops.image.resize`."""
        height, width = size
        kept = height, width
        if crop or pad:
            wanted = (
                fitting(width, self.height, self.width),
                fitting(height, self.width, self.height),
            )
            limit = least if crop else greatest
            kept = tuple(limit(a, b) for a, b in zip(size, wanted, strict=True))
        borders = [
            (new - old) // 2 if pad else -((old - new) // 2)
            for old, new in zip(size, kept, strict=True)
        ]
        if pad:
            kept = tuple(
                old + 2 * border for old, border in zip(size, borders, strict=True)
            )
        scales = [new / old for new, old in zip(self._new_size, kept, strict=True)]
        return move_boxes(
            self,
            bounding_boxes,
            lambda boxes: scaled(boxes, tuple(borders), tuple(scales)),
            size,
            self._new_size,
        )
