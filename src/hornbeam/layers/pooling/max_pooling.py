"""Pooling by the largest value of each window."""

from __future__ import annotations

from hornbeam.layers.pooling.pooling import MaxPooling


class MaxPooling1D(MaxPooling):
    """Takes the largest value of each window of sequences.

    Args:
        pool_size: length of the window. Defaults to 2.
        strides: step of the window; None: `pool_size`.
        padding: `"valid"` (default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.MaxPooling1D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 3))).shape == (2, 4, 3)
    True
    """

    rank = 1


class MaxPooling2D(MaxPooling):
    """Takes the largest value of each window of images.

    Args:
        pool_size: height and width of the window; an int for both. Defaults to (2, 2).
        strides: step of the window; None: `pool_size`.
        padding: `"valid"` (default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.MaxPooling2D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape == (2, 4, 4, 3)
    True
    """

    rank = 2


class MaxPooling3D(MaxPooling):
    """Takes the largest value of each window of volumes.

    Args:
        pool_size: the window's three sizes; an int for all. Defaults to (2, 2, 2).
        strides: step of the window; None: `pool_size`.
        padding: `"valid"` (default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.MaxPooling3D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((1, 4, 4, 4, 2))).shape == (1, 2, 2, 2, 2)
    True
    """

    rank = 3
