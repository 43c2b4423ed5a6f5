"""Random changes of sharpness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.neighbours import weighted_neighbours
from hornbeam.layers.preprocessing.image.value_range import clipped, value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomSharpness(RandomImageLayer):
    """Mixes an image with a blurred one while training.

    An image x becomes `b + (x - b) * 2f`, clipped to `value_range`, with f drawn for
    each image: 0 blurs, 0.5 leaves it as it is, 1 sharpens. b is x blurred with the
    weights `[[1, 1, 1], [1, 5, 1], [1, 1, 1]] / 13` and zeros around it.

    Args:
        factor: the lowest and the highest f, from 0 to 1, or a number `f` for `(0, f)`.
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        seed: an integer. Default: generated.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomSharpness((0.5, 0.5))
    >>> layer(keras.ops.ones((1, 4, 4, 3))).shape
    (1, 4, 4, 3)
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: DataFormat | None = None,
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor: tuple[float, float] = factor_pair(self, "factor", factor, 0, 1)
        self.value_range: tuple[float, float] = value_pair(self, value_range)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return the sharpness of each image."""
        shape = (self._sizes(data)[0],)
        factor = random.uniform(shape, *self.factor, dtype="float32", seed=seed)
        return {"factor": factor}

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images, sharper or more blurred."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        factor = self._cast(ops.reshape(transformation["factor"], (-1, 1, 1, 1)))
        around = images
        for axis in self._axes(images):
            around = weighted_neighbours(around, axis, [1, 1, 1])
        blurred = (around + 4 * images) * (1 / 13)
        sharp = blurred + (images - blurred) * (2 * factor)
        return clipped(sharp, self.value_range)
