"""Histogram equalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.arguments import positive_integer
from hornbeam.layers.preprocessing.image.histograms import (
    bins_of,
    histograms,
    looked_up,
)
from hornbeam.layers.preprocessing.image.image_layer import ImageLayer
from hornbeam.layers.preprocessing.image.value_range import BYTES, mapped, value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Tensor


class Equalization(ImageLayer):
    """Spreads the values of each channel of an image evenly, while training.

    In the range from 0 to 255, a value becomes `255 (c - c_0) / (n - c_0)`, rounded,
    where c of the n values of the channel lie in its bin or below, and c_0 in the
    lowest bin that is not empty. A channel within one bin stays as it is. With
    `training=False` all do, as in Keras.

    Args:
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        bins: the number of bins. Defaults to 256.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> x = keras.ops.reshape(keras.ops.array([10.0, 11.0, 90.0, 91.0]), (1, 2, 2, 1))
    >>> [float(v) for v in keras.ops.ravel(keras.layers.Equalization()(x))]
    [0.0, 85.0, 170.0, 255.0]
    """

    _fuses = True

    def __init__(
        self,
        value_range: Any = (0, 255),
        bins: int = 256,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.value_range: tuple[float, float] = value_pair(self, value_range)
        self.bins: int = positive_integer(self, "bins", bins)

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return the images with their values spread."""
        images = self._cast(images)
        if not training:
            return images
        last = self.data_format == "channels_last"
        x = ops.clip(mapped(images, self.value_range, BYTES), *BYTES)
        place = bins_of(mapped(x, BYTES, (0, self.bins - 1)), self.bins)
        count, *sizes = ops.shape(images)
        channels = sizes.pop(-1 if last else 0)
        # Each channel of each image has a histogram of its own.
        at = (count, 1, 1, channels) if last else (count, channels, 1, 1)
        row = ops.reshape(ops.arange(count * channels, dtype="int32"), at)
        counts = histograms(place, row, count * channels, self.bins)
        below = ops.cumsum(counts, axis=-1)
        total = below[:, -1:]
        least = ops.min(ops.where(below > 0, below, total), axis=-1, keepdims=True)
        scale = BYTES[1] / ops.maximum(total - least, 1)
        table = ops.round(ops.maximum(below - least, 0) * scale)
        table = mapped(table, BYTES, self.value_range)
        y = self._cast(looked_up(table, row, place))
        varied = ops.reshape(total > least, at)
        return ops.where(varied, y, images)
