"""Random changes of brightness."""

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
    from hornbeam.typing import Seed, Tensor


class RandomBrightness(RandomImageLayer):
    """Adds a random number to all values of an image while training.

    The number is a fraction of the width of `value_range`, drawn for each image. The
    result is clipped to `value_range`; images of integers stay integers.

    Args:
        factor: a number `f`, for fractions from `-f` to `f`, or a pair of the lowest
            and highest, from -1 (black) to 1 (white).
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        seed: an integer. Default: generated.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomBrightness((0.1, 0.1))
    >>> float(layer(keras.ops.ones((1, 2, 2, 3)))[0, 0, 0, 0])
    26.5
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, **kwargs)
        self.factor: tuple[float, float] = factor_pair(self, "factor", factor)
        self.value_range: tuple[float, float] = value_pair(self, value_range)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return what is added to each image."""
        low, high = self.value_range
        factor = random.uniform(
            (self._sizes(data)[0], 1, 1, 1), *self.factor, dtype="float32", seed=seed
        )
        return {"rgb_delta": factor * (high - low)}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return the images, brighter or darker."""
        if not training or transformation is None:
            return images
        dtype = ops.dtype(images)
        x = self._cast(images)
        x = x + ops.cast(transformation["rgb_delta"], x.dtype)
        return ops.cast(clipped(x, self.value_range), dtype)

    def _output_dtype(self, dtype):
        return self.compute_dtype if "float" in dtype else dtype
