"""Pooling by the mean over all places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.pooling.global_pooling import GlobalAveragePooling
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Tensor


class GlobalAveragePooling1D(GlobalAveragePooling):
    """Takes the mean of each channel of sequences. Steps whose `mask` is False
    do not count.

    Input shape: `(batch, steps, channels)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GlobalAveragePooling1D(data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 3))).shape
    (2, 3)
    """

    rank = 1

    def __init__(
        self,
        data_format: DataFormat | None = None,
        keepdims: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    @overridable
    def call(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        """Return the mean over the steps that the mask leaves in."""
        if mask is None:
            return super().call(inputs)
        steps = 2 if self.data_format == "channels_first" else 1
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), 3 - steps)
        total = ops.sum(inputs * weights, axis=steps, keepdims=self.keepdims)
        return total / ops.sum(weights, axis=steps, keepdims=self.keepdims)

    def compute_mask(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        """Return None: no steps are left."""


class GlobalAveragePooling2D(GlobalAveragePooling):
    """Takes the mean of each channel of images.

    Input shape: `(batch, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GlobalAveragePooling2D(data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 3)
    """

    rank = 2


class GlobalAveragePooling3D(GlobalAveragePooling):
    """Takes the mean of each channel of volumes.

    Input shape: `(batch, depth, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GlobalAveragePooling3D(data_format="channels_last")
    >>> layer(keras.ops.ones((1, 4, 4, 4, 3))).shape
    (1, 3)
    """

    rank = 3
