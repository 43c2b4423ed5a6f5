"""Dropout of whole feature maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core.config import standardize_data_format
from hornbeam.core.configurable import serialize_argument
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.rank_family import RankFamily
from hornbeam.layers.regularization.dropout import Dropout

if TYPE_CHECKING:
    from hornbeam.typing import Config, DataFormat, DTypePolicyLike, Seed


class SpatialDropout(Dropout, RankFamily):
    """A base: dropout that is the same at all positions of a map."""

    def __init__(
        self,
        rate: float,
        data_format: DataFormat | None = None,
        seed: Seed = None,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ) -> None:
        """Source: Tompson et al., "Efficient object localization using convolutional
        networks" (2015).

        Args:
            rate: the fraction of channels to set to 0, from 0 to 1.
            data_format: "channels_last" or "channels_first", for images and volumes.
                Default: `keras.config.image_data_format()`.
            seed: an integer. Default: generated.
            name: the layer's name. Default: generated.
            dtype: a dtype or dtype policy. Default: `keras.config.dtype_policy()`.
        """
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _noise_shape(self, inputs):
        ones = (1,) * self.rank
        if self.data_format == "channels_first":
            return (None, None, *ones)
        return (None, *ones, None)

    def get_config(self) -> Config:
        """Return the arguments; `trainable` is none of them."""
        config = super().get_config()
        config.pop("trainable")
        return {**config, "dtype": serialize_argument(self.dtype_policy)}


class SpatialDropout1D(SpatialDropout):
    """Sets whole channels of sequences to 0 while training, and scales the others up.

    Input and output shape: `(batch, steps, channels)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.SpatialDropout1D(0.5, seed=5)
    >>> y = layer(keras.ops.ones((1, 2, 4)), training=True)
    >>> y[0].tolist()
    [[2.0, 2.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0]]
    """

    rank = 1

    def __init__(
        self,
        rate: float,
        seed: Seed = None,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ) -> None:
        super().__init__(rate, "channels_last", seed, name, dtype)


class SpatialDropout2D(SpatialDropout):
    """Sets whole channels of images to 0 while training, and scales the others up.

    Input and output shape: `(batch, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.SpatialDropout2D(0.5, "channels_last", seed=5)
    >>> y = layer(keras.ops.ones((1, 2, 2, 4)), training=True)
    >>> y[0, :, 0].tolist()
    [[2.0, 2.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0]]
    """

    rank = 2


class SpatialDropout3D(SpatialDropout):
    """Sets whole channels of volumes to 0 while training, and scales the others up.

    Input and output shape: `(batch, depth, height, width, channels)`, or the channels
    second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.SpatialDropout3D(0.5, "channels_last", seed=5)
    >>> y = layer(keras.ops.ones((1, 2, 2, 2, 4)), training=True)
    >>> y[0, :, 0, 0].tolist()
    [[2.0, 2.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0]]
    """

    rank = 3
