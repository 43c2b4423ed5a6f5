"""Pooling by the largest value over all places."""

from __future__ import annotations

from hornbeam.layers.pooling.global_pooling import GlobalMaxPooling


class GlobalMaxPooling1D(GlobalMaxPooling):
    """Takes the largest value of each channel of sequences.

    Args:
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        keepdims: whether the spatial axes stay, with size 1. Defaults to False.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GlobalMaxPooling1D(data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 3))).shape == (2, 3)
    True
    """

    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """Takes the largest value of each channel of images.

    Args:
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        keepdims: whether the spatial axes stay, with size 1. Defaults to False.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GlobalMaxPooling2D(data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape == (2, 3)
    True
    """

    rank = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    """Takes the largest value of each channel of volumes.

    Args:
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        keepdims: whether the spatial axes stay, with size 1. Defaults to False.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GlobalMaxPooling3D(data_format="channels_last")
    >>> layer(keras.ops.ones((1, 4, 4, 4, 2))).shape == (1, 2)
    True
    """

    rank = 3
