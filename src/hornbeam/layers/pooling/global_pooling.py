"""Layers that reduce all places of a sample to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.layers.arguments import spatial_axes
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.rank_family import RankFamily

if TYPE_CHECKING:
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, InputShape, Shape, Tensor


class GlobalPooling(RankFamily):
    """A reduction over all spatial axes."""

    _is_stateless = True

    def __init__(
        self,
        data_format: DataFormat | None = None,
        keepdims: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        """All spatial axes are reduced.

        Args:
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.
        keepdims: whether the spatial axes stay, with size 1. Default: False.
        """
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _axes(self):
        return tuple(spatial_axes(self.data_format, self.rank))

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the shape without the spatial axes, or with them of size 1."""
        axes = self._axes()
        if self.keepdims:
            return tuple(1 if i in axes else n for i, n in enumerate(input_shape))
        return tuple(n for i, n in enumerate(input_shape) if i not in axes)


class GlobalMaxPooling(GlobalPooling):
    """The largest value of each channel."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return the largest values."""
        return ops.max(inputs, axis=self._axes(), keepdims=self.keepdims)


class GlobalAveragePooling(GlobalPooling):
    """The mean of each channel."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return the means."""
        return ops.mean(inputs, axis=self._axes(), keepdims=self.keepdims)
