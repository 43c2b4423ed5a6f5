"""Layers that reduce samples of any size to a given number of bins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.layers.arguments import integer_tuple, spatial_axes
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.rank_family import RankFamily

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import (
        DataFormat,
        InputShape,
        IntOrInts,
        Shape,
        Tensor,
    )


class AdaptivePooling(RankFamily):
    """Bins that divide each spatial axis as evenly as can be."""

    _is_stateless = True

    def __init__(
        self,
        output_size: IntOrInts,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        """The bins divide each spatial axis as evenly as possible.

        Args:
        output_size: number of bins along each spatial axis; an int for all.
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.
        """
        super().__init__(**kwargs)
        if not isinstance(output_size, int | tuple | list) or (
            not isinstance(output_size, int) and len(output_size) != self.rank
        ):
            raise TypeError(
                f"Argument `output_size` of {type(self).__name__} must be an integer "
                f"or a tuple of {self.rank}. Received: output_size={output_size!r}"
            )
        self.output_size: Any = integer_tuple(
            self, "output_size", output_size, self.rank
        )
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the shape with `output_size` for the spatial sizes."""
        shape = list(input_shape)
        axes = spatial_axes(self.data_format, self.rank)
        for axis, size in zip(axes, self.output_size, strict=True):
            shape[axis] = size
        return tuple(shape)


class AdaptiveMaxPooling(AdaptivePooling):
    """The largest value of each bin."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return the largest values."""
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling(AdaptivePooling):
    """The mean of each bin."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return the means."""
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)
