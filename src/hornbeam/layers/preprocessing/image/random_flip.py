"""Random flips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hornbeam import ops, random
from hornbeam.core.errors import check_choice
from hornbeam.layers.preprocessing.image.image_layer import RandomImageLayer
from hornbeam.layers.preprocessing.image.moved_boxes import move_boxes

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class RandomFlip(RandomImageLayer):
    """Flips half of the images while training.

    Args:
        mode: `"horizontal"` (left and right), `"vertical"` (top and bottom), or
            `"horizontal_and_vertical"` (default), which does both at once.
        seed: an integer. Default: generated.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomFlip("horizontal", seed=1)
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        mode: Literal[
            "horizontal", "vertical", "horizontal_and_vertical"
        ] = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.mode: Any = check_choice(type(self).__name__, "mode", mode, _MODES)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return which images are flipped."""
        count = self._sizes(data)[0]
        flips = random.uniform((count, 1, 1, 1), dtype="float32", seed=seed) < 0.5
        return {"flips": flips, "input_shape": self._input_shape(data)}

    def _flipped(self, x, transformation):
        axes = self._axes(x)
        across = {"horizontal": axes[1:], "vertical": axes[:1]}.get(self.mode, axes)
        flips = ops.reshape(transformation["flips"], (-1, 1, 1, 1))
        return ops.where(flips, ops.flip(x, axis=across), x)

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return the images, some of them flipped."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        return self._flipped(images, transformation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the masks, flipped where the images are."""
        if not training or transformation is None:
            return segmentation_masks
        return self._flipped(segmentation_masks, transformation)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the boxes, flipped where the images are."""
        if not training or transformation is None:
            return bounding_boxes
        size = self._size_of(transformation)

        def flipped(boxes):
            ones = (1,) * (len(boxes.shape) - 1)
            flips = ops.reshape(transformation["flips"], (-1, *ones))
            height, width = (ops.cast(n, boxes.dtype) for n in size)
            x1, y1, x2, y2 = (boxes[..., i] for i in range(4))
            if self.mode != "vertical":
                x1, x2 = width - x2, width - x1
            if self.mode != "horizontal":
                y1, y2 = height - y2, height - y1
            return ops.where(flips, ops.stack([x1, y1, x2, y2], axis=-1), boxes)

        return move_boxes(self, bounding_boxes, flipped, size)
