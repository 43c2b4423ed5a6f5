"""Pooling by the mean of each window."""

from __future__ import annotations

from hornbeam.layers.pooling.pooling import AveragePooling


class AveragePooling1D(AveragePooling):
    """Takes the mean of each window of sequences, without padded places.

    Args:
        pool_size: length of the window.
        strides: step of the window; None: `pool_size`.
        padding: `"valid"` (default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AveragePooling1D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 3))).shape == (2, 4, 3)
    True
    """

    rank = 1


class AveragePooling2D(AveragePooling):
    """Takes the mean of each window of images, without padded places.

    Args:
        pool_size: height and width of the window; an int for both.
        strides: step of the window; None: `pool_size`.
        padding: `"valid"` (default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AveragePooling2D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape == (2, 4, 4, 3)
    True
    """

    rank = 2


class AveragePooling3D(AveragePooling):
    """Takes the mean of each window of volumes, without padded places.

    Args:
        pool_size: the window's three sizes; an int for all.
        strides: step of the window; None: `pool_size`.
        padding: `"valid"` (default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AveragePooling3D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((1, 4, 4, 4, 2))).shape == (1, 2, 2, 2, 2)
    True
    """

    rank = 3
