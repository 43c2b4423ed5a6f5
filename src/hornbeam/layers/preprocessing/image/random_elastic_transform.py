"""Random elastic deformations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.core.errors import check_choice, check_number
from hornbeam.core.random import draw_seed
from hornbeam.layers.preprocessing.image.affine_layer import FILL_MODES, INTERPOLATIONS
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.moved_boxes import move_boxes
from hornbeam.layers.preprocessing.image.random_perspective import chosen
from hornbeam.ops.image.transforms import elastic_places

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.layers.preprocessing.image.affine_layer import FillMode, Interpolation
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomElasticTransform(RandomImageLayer):
    """Deforms images as if they were on rubber, at random while training.

    Each pixel comes from a place near it: see `keras.ops.image.elastic_transform`.

    Args:
        factor: how likely an image is changed: one number `f` from 0 to 1 for a
            probability drawn for each image between 0 and `f`, or two, the ends of that
            range. Default: 1.
        scale: the range of the strength of a batch: one number from 0 to 1, `s`, for
            `(0, s)`, or two. Default: 1.
        interpolation: `"bilinear"` (default) or `"nearest"`.
        fill_mode: what lies beyond the edges of `a b c d`: `"reflect"` (default)
            `b a | a b c d | d c`, `"constant"`, `"wrap"` `c d | a b c d | a b` or
            `"nearest"` `a a | a b c d | d d`.
        fill_value: what `"constant"` holds beyond the edges. Default: 0.
        value_range: the least and the greatest value of pixels, to which results are
            cut. Default: `(0, 255)`.
        seed: an integer. Default: generated.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomElasticTransform(scale=0.5, seed=1)
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: float | tuple[float, float] = 1.0,
        scale: float | tuple[float, float] = 1.0,
        interpolation: Interpolation = "bilinear",
        fill_mode: FillMode = "reflect",
        fill_value: float = 0.0,
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        owner = type(self).__name__
        self.factor: tuple[float, float] = factor_pair(self, "factor", factor, 0.0)
        self.scale: tuple[float, float] = factor_pair(self, "scale", scale, 0.0)
        self.interpolation: Any = check_choice(
            owner, "interpolation", interpolation, INTERPOLATIONS
        )
        self.fill_mode: Any = check_choice(owner, "fill_mode", fill_mode, FILL_MODES)
        self.fill_value: float = check_number(owner, "fill_value", fill_value)
        self.value_range = value_range

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return which images are changed, how strongly, and the key of their field."""
        count = self._sizes(data)[0]
        low, high = self.scale
        return {
            "apply_transform": chosen(self, count, seed),
            "distortion_factor": random.uniform(
                (), low, high, dtype="float32", seed=seed
            ),
            # A key: the field of the images is that of their masks and boxes.
            "seed": draw_seed(seed),
            "input_shape": self._input_shape(data),
        }

    def get_elastic_transform_params(
        self, height: Any, width: Any, factor: Any
    ) -> tuple[Any, Any]:
        """Return how far pixels go (alpha), and how smooth the field is (sigma).

        Args:
            height: the height of the images.
            width: the width of the images.
            factor: the strength, from 0 to 1.
        """
        longer, shorter = ops.maximum(height, width), ops.minimum(height, width)
        alpha, sigma = ops.cast(longer, "float32"), ops.cast(shorter, "float32")
        return alpha * 0.1 * factor, sigma * 0.05 * factor

    def _moved(self, images, transformation, interpolation):
        _, height, width = self._sizes(images)
        factor = transformation["distortion_factor"]
        alpha, sigma = self.get_elastic_transform_params(height, width, factor)
        moved = ops.image.elastic_transform(
            images,
            alpha,
            sigma,
            interpolation,
            self.fill_mode,
            self.fill_value,
            transformation["seed"],
            self.data_format,
        )
        applies = ops.reshape(transformation["apply_transform"], (-1, 1, 1, 1))
        return ops.where(applies, moved, images)

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return the images, deformed."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        moved = self._moved(images, transformation, self.interpolation)
        return ops.clip(moved, *self.value_range)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the masks, deformed as the images are."""
        if not training or transformation is None:
            return segmentation_masks
        return self._moved(segmentation_masks, transformation, "nearest")

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the boxes around the pixels that come from the boxes before."""
        if not training or transformation is None:
            return bounding_boxes
        height, width = size = self._size_of(transformation)
        factor = transformation["distortion_factor"]
        strength = self.get_elastic_transform_params(height, width, factor)
        applies = ops.reshape(transformation["apply_transform"], (-1, 1, 1))

        def moved(boxes):
            sizes = (ops.shape(boxes)[0], *size)
            y, x = elastic_places(sizes, *strength, transformation["seed"])
            x1, y1, x2, y2 = (boxes[..., i, None, None] for i in range(4))
            # A pixel is where its middle is.
            y, x = y[:, None] + 0.5, x[:, None] + 0.5
            inside = (x >= x1) & (x < x2) & (y >= y1) & (y < y2)
            ends = [_ends(ops.any(inside, axis=axis), boxes.dtype) for axis in (2, 3)]
            (left, right), (top, bottom) = ends
            around = ops.stack([left, top, right, bottom], axis=-1)
            return ops.where(applies, around, boxes)

        return move_boxes(self, bounding_boxes, moved, size)


def _ends(inside, dtype):
    """Return where along the last axis the first True begins and the last one ends."""
    count = ops.shape(inside)[-1]
    places = ops.cast(ops.arange(count), dtype)
    first = ops.min(ops.where(inside, places, ops.cast(count, dtype)), axis=-1)
    last = ops.max(ops.where(inside, places + 1, 0), axis=-1)
    return ops.minimum(first, last), last
