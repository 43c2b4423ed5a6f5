"""The layer that maps values linearly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hornbeam import ops
from hornbeam.core.config import image_data_format
from hornbeam.core.serialization import deserialize_keras_object
from hornbeam.layers.preprocessing.data_layer import DataLayer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Config, InputShape, Tensor


class Rescaling(DataLayer):
    """Returns `inputs * scale + offset`.

    Args:
        scale: a number, or an array with one for each channel.
        offset: a number, or an array with one for each channel. Defaults to 0.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Rescaling(1 / 127.5, offset=-1)
    >>> float(layer(keras.ops.array(255.0)))
    1.0
    """

    _is_stateless = True

    def __init__(
        self, scale: Any, offset: Any = 0.0, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return the mapped inputs."""
        x = ops.cast(inputs, self.compute_dtype)
        rank = len(inputs.shape)
        return x * self._factor(self.scale, rank) + self._factor(self.offset, rank)

    def _factor(self, value, rank):
        array = np.asarray(value)
        if array.ndim == 1 and image_data_format() == "channels_first" and rank > 2:
            array = array.reshape(-1, *[1] * (rank - 2))
        return ops.convert_to_tensor(array, dtype=self.compute_dtype)

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make the layer from a config; arrays in it come as plain data."""
        return cls(**deserialize_keras_object(dict(config), custom_objects))

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape
