"""The layer that makes vectors of samples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.reshaping.reshaping import Reshaping

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, InputShape, Shape, Tensor


class Flatten(Reshaping):
    """Makes a vector of each sample; inputs of rank 1 get a second axis.

    Args:
        data_format: with `"channels_first"` the channels are moved last before, so
            that weights after this layer mean the same in both layouts. Default: the
            setting.

    >>> import hornbeam as keras
    >>> keras.layers.Flatten()(keras.ops.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(
        self, data_format: DataFormat | None = None, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the vectors."""
        rank = len(inputs.shape)
        if rank > 2 and self.data_format == "channels_first":
            inputs = ops.transpose(inputs, (0, *range(2, rank), 1))
        return ops.reshape(inputs, (ops.shape(inputs)[0], math.prod(inputs.shape[1:])))

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the batch and the product of the other sizes."""
        sizes: Any = input_shape[1:]
        return (input_shape[0], None if None in sizes else math.prod(sizes))
