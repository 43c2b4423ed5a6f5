"""Layers that reduce the windows along spatial axes to one number each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.layers.arguments import (
    integer_tuple,
    padding_mode,
    spatial_axes,
)
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.rank_family import RankFamily
from hornbeam.ops import windows

if TYPE_CHECKING:
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments, RegularizedArguments
    from hornbeam.typing import (
        DataFormat,
        InputShape,
        IntOrInts,
        Padding,
        Shape,
        Tensor,
    )


class Pooling(RankFamily):
    """A window that slides over the spatial axes."""

    _is_stateless = True

    def __init__(
        self,
        pool_size: IntOrInts,
        strides: IntOrInts | None,
        padding: Padding,
        data_format: DataFormat | None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        """The window slides over the spatial axes.

        Args:
        pool_size: size of the window along each spatial axis; an int for all.
        strides: step of the window along each axis. Default: `pool_size`.
        padding: "valid" (default) or "same".
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.
        """
        super().__init__(**kwargs)
        self.pool_size: tuple[int, ...] = integer_tuple(
            self, "pool_size", pool_size, self.rank
        )
        strides = self.pool_size if strides is None else strides
        self.strides: tuple[int, ...] = integer_tuple(
            self, "strides", strides, self.rank
        )
        self.padding: str = padding_mode(self, padding)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _pool(self, op, inputs):
        return op(
            inputs,
            self.pool_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the shape with the number of windows along each spatial axis."""
        shape = list(input_shape)
        for i, axis in enumerate(spatial_axes(self.data_format, self.rank)):
            size = shape[axis] = windows.output_size(
                shape[axis], self.pool_size[i], self.strides[i], self.padding
            )
            if size is not None and size < 1:
                raise ValueError(
                    f"Layer {self.path!r} ({type(self).__name__}): the window does not "
                    f"fit. Expected inputs of at least its size, pool_size="
                    f"{self.pool_size}. Received: input_shape={tuple(input_shape)}. "
                    "Use `padding='same'`, a smaller window, or larger inputs."
                )
        return tuple(shape)


class MaxPooling(Pooling):
    """The largest value of each window."""

    arguments_per_axis: tuple[str, ...] = ("pool_size",)

    def __init__(
        self,
        pool_size: IntOrInts = 2,
        strides: IntOrInts | None = None,
        padding: Padding = "valid",
        data_format: DataFormat | None = None,
        name: str | None = None,
        **kwargs: Unpack[RegularizedArguments],
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name=name, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the largest value of each window."""
        return self._pool(ops.max_pool, inputs)


class AveragePooling(Pooling):
    """The mean of each window; padded places do not count."""

    def __init__(
        self,
        pool_size: IntOrInts,
        strides: IntOrInts | None = None,
        padding: Padding = "valid",
        data_format: DataFormat | None = None,
        name: str | None = None,
        **kwargs: Unpack[RegularizedArguments],
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name=name, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the mean of each window."""
        return self._pool(ops.average_pool, inputs)
