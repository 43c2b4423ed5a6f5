"""Random reductions of bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.value_range import BYTES, mapped, value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomPosterization(RandomImageLayer):
    """Keeps the highest bits of values alone while training.

    Values are taken as whole numbers from 0 to 255. How many bits stay is drawn for
    each image.

    Args:
        factor: a pair of the lowest number of bits and of one above which there are
            never more, from 1 to 8; a number `n` stands for `(1, n)`.
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        seed: an integer. Default: generated.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomPosterization((1, 1))
    >>> x = keras.ops.reshape(keras.ops.array([100.0, 200.0]), (1, 1, 2, 1))
    >>> [float(v) for v in layer(x)[0, 0, :, 0]]
    [0.0, 128.0]
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
        pair = factor if isinstance(factor, list | tuple) else (1, factor)
        self.factor: tuple[float, float] = factor_pair(self, "factor", pair, 1, 8)
        self.value_range: tuple[float, float] = value_pair(self, value_range)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return how many bits each image loses."""
        shape = (self._sizes(data)[0],)
        kept = random.uniform(shape, *self.factor, dtype="float32", seed=seed)
        return {"shift_factor": ops.cast(8 - ops.floor(kept), "uint8")}

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images with fewer bits."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        shift = ops.reshape(transformation["shift_factor"], (-1, 1, 1, 1))
        shift = ops.cast(shift, "int32")
        x = ops.clip(mapped(images, self.value_range, BYTES), *BYTES)
        bits = ops.left_shift(ops.right_shift(ops.cast(x, "int32"), shift), shift)
        return mapped(self._cast(bits), BYTES, self.value_range)
