"""Random fading of colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.value_range import clipped, value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomColorDegeneration(RandomImageLayer):
    """Mixes an image with its grayscale while training.

    An image x with the grayscale g becomes `x + (g - x) * f`, clipped to `value_range`,
    with f drawn for each image: 0 leaves it as it is, 1 makes it gray.

    Args:
        factor: the lowest and the highest f, from -1 to 1, or a number `f` for
            `(-f, f)`.
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        seed: an integer. Default: generated.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomColorDegeneration((1.0, 1.0))
    >>> red = keras.ops.reshape(keras.ops.array([100.0, 0.0, 0.0]), (1, 1, 1, 3))
    >>> [round(float(v), 2) for v in layer(red)[0, 0, 0]]
    [29.89, 29.89, 29.89]
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
        """Return how much each image fades."""
        shape = (self._sizes(data)[0], 1, 1, 1)
        factor = random.uniform(shape, *self.factor, dtype="float32", seed=seed)
        return {"factor": factor}

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images with fainter colours."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        factor = self._cast(transformation["factor"])
        gray = self._cast(ops.image.rgb_to_grayscale(images, self.data_format))
        return clipped(images + (gray - images) * factor, self.value_range)
