"""Cutting out random parts of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import random
from hornbeam.layers.preprocessing.image.image_layer import RandomImageLayer
from hornbeam.layers.preprocessing.image.sized_layer import SizedLayer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import RegularizedArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomCrop(SizedLayer, RandomImageLayer):
    """Cuts a part out of images, at a random place while training.

    All images of a batch are cut at the same place. Where it does not train, and of
    images that are smaller, the largest part of this aspect ratio in their middle is
    resized.

    Args:
        height: the height of the part.
        width: the width of the part.
        seed: an integer. Default: generated.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> keras.layers.RandomCrop(5, 4, seed=1)(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 5, 4, 3)
    """

    # XLA would compile for each place at which it cuts.
    _fuses = False

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: DataFormat | None = None,
        name: str | None = None,
        **kwargs: Unpack[RegularizedArguments],
    ) -> None:
        more: Any = {"seed": seed, "data_format": data_format, "name": name, **kwargs}
        super().__init__(height, width, **more)

    def get_random_transformation(
        self, data: Any, training: bool | None = True, seed: Seed = None
    ) -> Any:
        """Return where the part begins, and the size of the images.

        Args:
            data: what the layer is called with.
            training: whether the layer trains. Default: True.
            seed: a seed. Default: the layer's own generator.

        Returns:
            `(top, left, height, width)`; without a part the first two are None.
        """
        _, height, width = self._sizes(data)
        if not training or not self._fits(height, width):
            return None, None, height, width
        seed = self._seed(seed)
        top, left = (
            random.randint((), 0, old - new + 1, "int32", seed)
            for old, new in ((height, self.height), (width, self.width))
        )
        return top, left, height, width

    def _cut(self, x, transformation, interpolation):
        top, left = (None, None) if transformation is None else transformation[:2]
        if top is None:
            return self._resized(x, interpolation, crop_to_aspect_ratio=True)
        return self._cropped(x, top, left)

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return the part of the images."""
        return self._cut(self._cast(images), transformation, "bilinear")

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the part of the masks."""
        return self._cut(segmentation_masks, transformation, "nearest")

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the boxes as they are in the part of the images."""
        top, left, *size = transformation
        size = tuple(size) or (None, None)
        if top is None:
            return self._resized_boxes(bounding_boxes, size, crop=True)
        return self._cropped_boxes(bounding_boxes, top, left, size)
