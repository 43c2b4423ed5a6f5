"""RandAugment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.core.errors import check_number
from hornbeam.layers.preprocessing.image.augmentations import Augmentation

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandAugment(Augmentation):
    """Applies `num_ops` transformations, chosen at random, while training.

    They are shears, translations, rotations, brightness, colour, contrast, sharpness,
    posterisation, solarisation, full contrast and equalisation. The choice holds for a
    batch, the strength is drawn for each image. Boxes and masks move with the images.
    Source: Cubuk et al., "RandAugment: Practical automated data augmentation with a
    reduced search space" (2019).

    Args:
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        num_ops: how many transformations follow each other. Defaults to 2.
        factor: how strong they are, from 0 to 1: a pair of the weakest and the
            strongest, or a number `f` for `(0, f)`. Defaults to 0.5.
        interpolation: `"nearest"` or `"bilinear"` (default), where pixels move.
        seed: an integer. Default: generated.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> keras.layers.RandAugment()(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(
            value_range, factor, interpolation, seed, data_format, **kwargs
        )
        self.num_ops: int = check_number(
            "RandAugment", "num_ops", num_ops, low=0, integer=True
        )

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return which layers are chosen, and what each of them draws."""
        chosen = random.randint((self.num_ops,), 0, len(self._names), seed=seed)
        return {"transforms": self._drawn(data, seed), "layer_idxes": chosen}

    def _transformed(self, method, x, transformation):
        drawn = transformation["transforms"]
        for k in range(self.num_ops):
            x = self._chosen(transformation["layer_idxes"][k], method, x, drawn)
        return x

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return the images, transformed."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        return self._transformed("transform_images", images, transformation)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the boxes, moved with their images."""
        if not training or transformation is None:
            return bounding_boxes
        # Whatever is chosen gives floats.
        boxes = ops.cast(bounding_boxes["boxes"], self.compute_dtype)
        return self._transformed(
            "transform_bounding_boxes",
            {**bounding_boxes, "boxes": boxes},
            transformation,
        )

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the masks, moved with their images."""
        if not training or transformation is None:
            return segmentation_masks
        return self._transformed(
            "transform_segmentation_masks", segmentation_masks, transformation
        )
