"""Pooling by the mean into a given number of bins."""

from __future__ import annotations

from hornbeam.layers.pooling.adaptive_pooling import AdaptiveAveragePooling


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """Takes the mean of each of a given number of bins of sequences.

    Args:
        output_size: the number of bins.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AdaptiveAveragePooling1D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 3))).shape == (2, 2, 3)
    True
    """

    rank = 1


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """Takes the mean of each of a given number of bins of images.

    Args:
        output_size: the numbers of rows and columns; an int for both.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AdaptiveAveragePooling2D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape == (2, 2, 2, 3)
    True
    """

    rank = 2


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """Takes the mean of each of a given number of bins of volumes.

    Args:
        output_size: the three numbers of bins; an int for all.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AdaptiveAveragePooling3D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((1, 4, 4, 4, 2))).shape == (1, 2, 2, 2, 2)
    True
    """

    rank = 3
