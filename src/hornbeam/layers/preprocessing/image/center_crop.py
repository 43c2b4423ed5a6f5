"""Cutting out the middle of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.layers.preprocessing.image.sized_layer import SizedLayer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class CenterCrop(SizedLayer):
    """Cuts out the middle of images, also where it is not training.

    Of images that are smaller the largest part of this aspect ratio is resized.

    Args:
        height: the height of the part.
        width: the width of the part.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> image = keras.ops.reshape(keras.ops.arange(16.0), (4, 4, 1))
    >>> keras.layers.CenterCrop(2, 2)(image)[..., 0].tolist()
    [[5.0, 6.0], [9.0, 10.0]]
    """

    def __init__(
        self,
        height: int,
        width: int,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        more: Any = {"data_format": data_format, **kwargs}
        super().__init__(height, width, **more)

    def get_random_transformation(
        self, data: Any, training: bool | None = True, seed: Seed = None
    ) -> Any:
        """Return the shape of the images."""
        return {"input_shape": self._input_shape(data)}

    def _cut(self, x, interpolation):
        _, height, width = self._sizes(x)
        if self._fits(height, width):
            return self._cropped(x, *self._corner(height, width))
        return self._resized(x, interpolation, crop_to_aspect_ratio=True)

    def _corner(self, height, width):
        return (height - self.height) // 2, (width - self.width) // 2

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the middle of the images."""
        return self._cut(self._cast(images), "bilinear")

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the middle of the masks."""
        return self._cut(segmentation_masks, "nearest")

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the boxes as they are in the middle of the images."""
        size = self._size_of(transformation)
        if self._fits(*size):
            top, left = self._corner(*size)
            return self._cropped_boxes(bounding_boxes, top, left, size)
        return self._resized_boxes(bounding_boxes, size, crop=True)
