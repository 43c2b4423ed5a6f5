"""Layers that reduce all places of a sample to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.layers.arguments import spatial_axes
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, InputShape, Shape, Tensor


class GlobalPooling(Layer):
    """A reduction over all spatial axes."""

    _is_stateless = True

    rank = 0

    def __init__(
        self,
        data_format: DataFormat | None = None,
        keepdims: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
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
