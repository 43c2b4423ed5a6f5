"""Contrast-limited adaptive histogram equalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hornbeam import ops
from hornbeam.core.errors import check_number
from hornbeam.layers.arguments import integer_tuple
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

_BINS = 256


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Spreads the values in each region of an image evenly, up to a limit of contrast.

    An image is cut into tiles, and each has a histogram of its own for each channel.
    What is above the limit in a bin is shared out among all bins; so values that occur
    often are not pulled apart too far. Between the centres of tiles the equalised
    values are interpolated. Source: K. Zuiderveld, "Contrast limited adaptive histogram
    equalization", Graphics Gems IV (1994). It does so in training and in inference, and
    images keep their dtype.

    Args:
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        clip_limit: how many times its even share a bin may hold. Defaults to 4.
        tile_grid_size: how many tiles there are down and across. Defaults to (8, 8).
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.ContrastLimitedAdaptiveHistogramEqualization(
    ...     tile_grid_size=(2, 2)
    ... )
    >>> layer(keras.ops.ones((1, 8, 8, 3))).shape
    (1, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: tuple[int, int] = (8, 8),
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(data_format, **kwargs)
        owner = type(self).__name__
        self.value_range: tuple[float, float] = value_pair(self, value_range)
        self.clip_limit: float = check_number(owner, "clip_limit", clip_limit, above=0)
        self.tile_grid_size: tuple[int, ...] = integer_tuple(
            self, "tile_grid_size", tile_grid_size, 2
        )

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images with their values spread, region by region."""
        dtype = ops.dtype(images)
        x = ops.cast(images, "float32")
        if self.data_format == "channels_first":
            x = ops.transpose(x, (0, 2, 3, 1))
        x = ops.clip(mapped(x, self.value_range, BYTES), *BYTES)
        x = self._interpolated(bins_of(x, _BINS))
        if self.data_format == "channels_first":
            x = ops.transpose(x, (0, 3, 1, 2))
        return ops.cast(mapped(x, BYTES, self.value_range), dtype)

    def _interpolated(self, x):
        """Return the equalised values of integers (batch, height, width, channels)."""
        count, height, width, channels = ops.shape(x)
        down, across = (
            _Tiles(size, number)
            for size, number in zip((height, width), self.tile_grid_size, strict=True)
        )
        image = ops.reshape(ops.arange(count, dtype="int32"), (-1, 1, 1, 1))
        image = image * (down.number * across.number * channels)
        channel = ops.arange(channels, dtype="int32")

        def row(i, j):
            tile = i[:, None, None] * across.number + j[None, :, None]
            return image + (ops.convert_to_tensor(tile, "int32") * channels + channel)

        padded = ops.take(ops.take(x, down.padding, axis=1), across.padding, axis=2)
        tables = self._tables(
            histograms(
                padded,
                row(down.tiles, across.tiles),
                count * down.number * across.number * channels,
                _BINS,
            ),
            down.length * across.length,
        )
        total: Any = None
        for i, weight_down in down.neighbours:
            for j, weight_across in across.neighbours:
                weight = weight_down[:, None, None] * weight_across[None, :, None]
                values = looked_up(tables, row(i, j), x)
                values = values * ops.convert_to_tensor(weight, "float32")
                total = values if total is None else total + values
        return total

    def _tables(self, counts, pixels):
        """Return the equalised value of each bin of each tile."""
        limit = self.clip_limit / _BINS * ops.cast(pixels, "float32")
        clipped = ops.minimum(counts, limit)
        surplus = ops.sum(counts - clipped, axis=-1, keepdims=True)
        below = ops.cumsum(clipped + surplus / _BINS, axis=-1)
        below = below - below[:, :1]
        return below * (BYTES[1] / ops.maximum(below[:, -1:], 1e-7))

    def _output_dtype(self, dtype):
        return self.compute_dtype if "float" in dtype else dtype


class _Tiles:
    """The tiles along one axis.

    Attributes:
        number: how many there are.
        length: the pixels of one.
        padding: the pixels of the image that fill all tiles; at the end it is mirrored.
        tiles: the tile of each of those.
        neighbours: twice, for each pixel of the image a tile and its weight.
    """

    def __init__(self, size: Any, number: int) -> None:
        # In `tf.data` the size may be a tensor; a known one makes constants.
        xp: Any = np if isinstance(size, int) else ops
        self.number, self.length = number, -(-size // number)
        at = xp.arange(number * self.length, dtype="int32")
        mirrored = at % (2 * size)
        self.padding = xp.minimum(mirrored, 2 * size - 1 - mirrored)
        self.tiles = at // self.length
        place = xp.arange(size, dtype="int32") / self.length - 0.5
        before = xp.floor(place)
        after = place - before
        self.neighbours = [
            (xp.clip(before + step, 0, number - 1), weight)
            for step, weight in ((0, 1 - after), (1, after))
        ]
