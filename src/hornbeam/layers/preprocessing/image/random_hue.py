"""Random changes of hue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.planes import in_planes, turned
from hornbeam.layers.preprocessing.image.value_range import value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomHue(RandomImageLayer):
    """Turns the hue of an image by a random part of the colour circle while training.

    Hue is that of the HSV model (A. R. Smith, "Color gamut transform pairs", 1978).

    Args:
        factor: a pair of numbers from 0 to 1: half of what is drawn between them is the
            part of the circle, in a random direction. A number `f` stands for `(0, f)`.
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        seed: an integer. Default: generated.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomHue((1.0, 1.0))
    >>> red = keras.ops.reshape(keras.ops.array([255.0, 0.0, 0.0]), (1, 1, 1, 3))
    >>> [float(v) for v in layer(red)[0, 0, 0]]
    [0.0, 255.0, 255.0]
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
        """Return the part of the circle by which the hue of each image is turned."""
        shape = (self._sizes(data)[0],)
        size = random.uniform(shape, *self.factor, dtype="float32", seed=seed)
        sign = random.uniform(shape, dtype="float32", seed=seed) < 0.5
        return {"factor": ops.where(sign, -size, size) * 0.5}

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images with their hues turned."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        factor = transformation["factor"]
        return in_planes(self, images, [lambda planes: turned(planes, factor)])
