"""Random negatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.value_range import value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomInvert(RandomImageLayer):
    """Inverts the values of some images while training.

    A value x becomes `low + high - x`, for the ends of `value_range`.

    Args:
        factor: the probability that an image is inverted, from 0 to 1: a pair of the
            lowest and the highest, or a number `f` for `(0, f)`. Defaults to 1.
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        seed: an integer. Default: generated.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomInvert((1.0, 1.0))
    >>> float(layer(keras.ops.ones((1, 2, 2, 3)))[0, 0, 0, 0])
    254.0
    """

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor: tuple[float, float] = factor_pair(self, "factor", factor, 0, 1)
        self.value_range: tuple[float, float] = value_pair(self, value_range)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return which images are inverted."""
        shape = (self._sizes(data)[0],)
        likely = random.uniform(shape, *self.factor, dtype="float32", seed=seed)
        inverts = random.uniform(shape, dtype="float32", seed=seed) < likely
        return {"apply_inversion": inverts}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return the images, some of them inverted."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        inverts = ops.reshape(transformation["apply_inversion"], (-1, 1, 1, 1))
        low, high = self.value_range
        return ops.where(inverts, low + high - images, images)
