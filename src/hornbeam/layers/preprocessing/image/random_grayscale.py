"""Random grayscale images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.core.errors import check_number
from hornbeam.layers.preprocessing.image.image_layer import RandomImageLayer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomGrayscale(RandomImageLayer):
    """Makes some images gray while training; they keep their channels and dtype.

    Args:
        factor: the fraction of images, from 0 to 1. Defaults to 0.5.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        seed: an integer. Default: generated.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomGrayscale(1.0)
    >>> red = keras.ops.reshape(keras.ops.array([100.0, 0.0, 0.0]), (1, 1, 1, 3))
    >>> [round(float(v), 2) for v in layer(red)[0, 0, 0]]
    [29.89, 29.89, 29.89]
    """

    def __init__(
        self,
        factor: float = 0.5,
        data_format: DataFormat | None = None,
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor: float = check_number("RandomGrayscale", "factor", factor, 0, 1)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return which images become gray."""
        shape = (self._sizes(data)[0], 1, 1, 1)
        return random.uniform(shape, dtype="float32", seed=seed) < self.factor

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images, some of them gray."""
        if not training or transformation is None:
            return images
        gray = ops.image.rgb_to_grayscale(self._cast(images), self.data_format)
        return ops.where(transformation, ops.cast(gray, images.dtype), images)

    def _output_dtype(self, dtype):
        return self.compute_dtype if "float" in dtype else dtype
