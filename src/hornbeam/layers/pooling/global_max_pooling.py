"""Pooling by the largest value over all places."""

from __future__ import annotations

from hornbeam.layers.pooling.global_pooling import GlobalMaxPooling


class GlobalMaxPooling1D(GlobalMaxPooling):
    """Takes the largest value of each channel of sequences.

    Input shape: `(batch, steps, channels)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GlobalMaxPooling1D(data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 3))).shape
    (2, 3)
    """

    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """Takes the largest value of each channel of images.

    Input shape: `(batch, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GlobalMaxPooling2D(data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 3)
    """

    rank = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    """Takes the largest value of each channel of volumes.

    Input shape: `(batch, depth, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GlobalMaxPooling3D(data_format="channels_last")
    >>> layer(keras.ops.ones((1, 4, 4, 4, 3))).shape
    (1, 3)
    """

    rank = 3
