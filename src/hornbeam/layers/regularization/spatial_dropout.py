"""Dropout of whole feature maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core.config import standardize_data_format
from hornbeam.core.configurable import serialize_argument
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.regularization.dropout import Dropout

if TYPE_CHECKING:
    from hornbeam.typing import Config, DataFormat, DTypePolicyLike, Seed


class SpatialDropout(Dropout):
    """A base: dropout that is the same at all positions of a map.

    Source: Tompson et al., "Efficient object localization using convolutional networks"
    (2015).
    """

    rank: int
    data_format = "channels_last"

    def __init__(
        self,
        rate: float,
        seed: Seed = None,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
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

    Source: Tompson et al., "Efficient object localization using convolutional networks"
    (2015).

    Args:
        rate: the share of channels to drop, from 0 to 1.
        seed: an integer; default: made up.
        name: the layer's name.
        dtype: a dtype or dtype policy.

    Input and output shape: (batch, steps, channels).

    >>> import hornbeam as keras
    >>> layer = keras.layers.SpatialDropout1D(0.5, seed=1)
    >>> y = layer(keras.ops.ones((1, 3, 50)), training=True)
    >>> bool(keras.ops.all(y[:, 0] == y[:, 1]))
    True
    """

    rank = 1

    def __init__(
        self,
        rate: float,
        seed: Seed = None,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)


class SpatialDropout2D(SpatialDropout):
    """Sets whole channels of images to 0 while training, and scales the others up.

    Source: Tompson et al., "Efficient object localization using convolutional networks"
    (2015).

    Args:
        rate: the share of channels to drop, from 0 to 1.
        data_format: "channels_last" or "channels_first". Default: the setting.
        seed: an integer; default: made up.
        name: the layer's name.
        dtype: a dtype or dtype policy.

    Input and output shape: (batch, height, width, channels), or with the channels
    second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.SpatialDropout2D(0.5, "channels_last", seed=1)
    >>> y = layer(keras.ops.ones((1, 2, 2, 50)), training=True)
    >>> bool(keras.ops.all(y[:, 0, 0] == y[:, 1, 1]))
    True
    """

    rank = 2

    def __init__(
        self,
        rate: float,
        data_format: DataFormat | None = None,
        seed: Seed = None,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = standardize_data_format(data_format)


class SpatialDropout3D(SpatialDropout):
    """Sets whole channels of volumes to 0 while training, and scales the others up.

    Source: Tompson et al., "Efficient object localization using convolutional networks"
    (2015).

    Args:
        rate: the share of channels to drop, from 0 to 1.
        data_format: "channels_last" or "channels_first". Default: the setting.
        seed: an integer; default: made up.
        name: the layer's name.
        dtype: a dtype or dtype policy.

    Input and output shape: (batch, depth, height, width, channels), or with the
    channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.SpatialDropout3D(0.5, "channels_last", seed=1)
    >>> y = layer(keras.ops.ones((1, 2, 2, 2, 50)), training=True)
    >>> bool(keras.ops.all(y[:, 0, 0, 0] == y[:, 1, 1, 1]))
    True
    """

    rank = 3

    def __init__(
        self,
        rate: float,
        data_format: DataFormat | None = None,
        seed: Seed = None,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = standardize_data_format(data_format)
