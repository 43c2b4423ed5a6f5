"""Random changes of saturation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import random
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.planes import in_planes, saturated
from hornbeam.layers.preprocessing.image.value_range import value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomSaturation(RandomImageLayer):
    """Multiplies the saturation of colours by a random number while training.

    The number is `f / (1 - f)` for a factor f drawn for each image: 0 makes it gray,
    0.5 leaves it as it is, 1 saturates it fully. Saturation is that of the HSV model,
    of A. R. Smith, "Color gamut transform pairs" (1978); it stays from 0 to 1.

    Args:
        factor: the lowest and the highest factor, or a number `f` for `(-f, f)`: as in
            Keras half of the images become gray then.
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        seed: an integer. Default: generated.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomSaturation((0.0, 0.0))
    >>> x = keras.ops.reshape(keras.ops.array([50.0, 150.0, 0.0]), (1, 1, 1, 3))
    >>> [float(v) for v in layer(x)[0, 0, 0]]
    [150.0, 150.0, 150.0]
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
        self.factor: tuple[float, float] = factor_pair(self, "factor", factor, -1, 1)
        self.value_range: tuple[float, float] = value_pair(self, value_range)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return what the saturation of each image is multiplied by."""
        shape = (self._sizes(data)[0],)
        factor = random.uniform(shape, *self.factor, dtype="float32", seed=seed)
        return {"factor": factor / (1 - factor)}

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images with more or less saturation."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        factor = transformation["factor"]
        return in_planes(self, images, [lambda planes: saturated(planes, factor)])
