"""Random erased patches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.core.random import draw_seed
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.patches import patch_masks
from hornbeam.layers.preprocessing.image.value_range import clipped, value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomErasing(RandomImageLayer):
    """Replaces a patch of some images by a value or noise while training.

    Source: Zhong et al., "Random erasing data augmentation" (2017).

    Args:
        factor: the probability that an image loses a patch, from 0 to 1: a pair of the
            lowest and the highest, or a number `f` for `(0, f)`. Defaults to 1.
        scale: the height and the width of a patch are those of the image times the
            square roots of two numbers drawn between these. Defaults to (0.02, 0.33).
        fill_value: the value in the patch; None: normally distributed noise with the
            mean 0 and the high end of `value_range` as its deviation, clipped to that
            range. Default: None.
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        seed: an integer. Default: generated.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomErasing((1.0, 1.0), scale=(0.25, 0.25), fill_value=0)
    >>> float(keras.ops.mean(layer(keras.ops.ones((1, 8, 8, 3)))))
    0.75
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor: tuple[float, float] = factor_pair(self, "factor", factor, 0, 1)
        self.scale: tuple[float, float] = factor_pair(self, "scale", scale, 0, 1)
        self.fill_value = fill_value
        self.value_range: tuple[float, float] = value_pair(self, value_range)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return which images lose which patch, and what is there instead."""
        count, height, width = self._sizes(data)
        likely = random.uniform((count,), *self.factor, dtype="float32", seed=seed)
        erases = random.uniform((count,), dtype="float32", seed=seed) < likely
        sizes = random.uniform((2, count), *self.scale, dtype="float32", seed=seed)
        down, across = ops.unstack(ops.sqrt(sizes), 2)
        masks = patch_masks(
            (height, width), (down, across), seed, self.data_format == "channels_last"
        )
        drawn = {"apply_erasing": erases, "batch_masks": masks}
        if self.fill_value is None:
            # A key: the noise is made where it is needed.
            return {**drawn, "fill_value": None, "seed": draw_seed(seed)}
        fill = ops.convert_to_tensor(self.fill_value, self.compute_dtype)
        return {**drawn, "fill_value": fill}

    def _noise(self, images, seed):
        noise = random.normal(tuple(ops.shape(images)), dtype="float32", seed=seed)
        return clipped(noise * self.value_range[1], self.value_range)

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images, some of them without a patch."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        erases = ops.reshape(transformation["apply_erasing"], (-1, 1, 1, 1))
        erased = ops.logical_and(erases, transformation["batch_masks"])
        fill = transformation["fill_value"]
        if fill is None:
            fill = self._noise(images, transformation["seed"])
        return ops.where(erased, self._cast(fill), images)
