"""Random changes of contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.layers.preprocessing.image.folding import folded
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.value_range import clipped, value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Seed, Tensor


class RandomContrast(RandomImageLayer):
    """Scales the distance of values from their channel's mean while training.

    A value x of a channel with the mean m becomes `(x - m) * c + m`, clipped to
    `value_range`, with a contrast c drawn for each image.

    Args:
        factor: a pair `(l, u)`, for contrasts from `1 - l` to `1 + u`, each from 0 to
            1; a number `u` stands for `(0, u)`.
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        seed: an integer. Default: generated.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomContrast((0.0, 0.5), seed=1)
    >>> x = keras.ops.reshape(keras.ops.array([50.0, 150.0]), (1, 1, 2, 1))
    >>> bool(keras.ops.all(keras.ops.abs(layer(x) - 100) >= 50))
    True
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, **kwargs)
        if not isinstance(factor, list | tuple):
            factor = (0, factor)
        self.factor: tuple[float, float] = factor_pair(self, "factor", factor, 0, 1)
        self.value_range: tuple[float, float] = value_pair(self, value_range)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return the contrast of each image."""
        lower, upper = self.factor
        shape = (self._sizes(data)[0], 1, 1, 1)
        contrast = random.uniform(
            shape, 1 - lower, 1 + upper, dtype="float32", seed=seed
        )
        return {"contrast_factor": contrast}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return the images with more or less contrast."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        wide = ops.cast(images, "float32")
        axes = self._axes(images)
        height, width = (ops.shape(images)[axis] for axis in axes)
        total = ops.sum(folded(ops.add, wide, axes[0]), axis=axes, keepdims=True)
        mean = total / ops.cast(height * width, "float32")
        contrast = ops.cast(transformation["contrast_factor"], "float32")
        return self._cast(clipped((wide - mean) * contrast + mean, self.value_range))
