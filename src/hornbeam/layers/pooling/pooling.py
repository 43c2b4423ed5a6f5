"""Layers that reduce the windows along spatial axes to one number each."""

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.layers.arguments import (
    init_of_rank,
    integer_tuple,
    padding_mode,
    spatial_axes,
)
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer
from hornbeam.ops import windows


class Pooling(Layer):
    """A window that slides over the spatial axes."""

    _is_stateless = True

    rank = 0

    def __init__(self, pool_size, strides, padding, data_format, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = integer_tuple(self, "pool_size", pool_size, self.rank)
        strides = self.pool_size if strides is None else strides
        self.strides = integer_tuple(self, "strides", strides, self.rank)
        self.padding = padding_mode(self, padding)
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

    def compute_output_shape(self, input_shape):
        """Return the shape with the number of windows along each spatial axis."""
        shape = list(input_shape)
        for i, axis in enumerate(spatial_axes(self.data_format, self.rank)):
            shape[axis] = windows.output_size(
                shape[axis], self.pool_size[i], self.strides[i], self.padding
            )
            if shape[axis] is not None and shape[axis] < 1:
                raise ValueError(
                    f"Layer {self.path!r} ({type(self).__name__}): the window does not "
                    f"fit. Expected inputs of at least its size, pool_size="
                    f"{self.pool_size}. Received: input_shape={tuple(input_shape)}. "
                    "Use `padding='same'`, a smaller window, or larger inputs."
                )
        return tuple(shape)


class MaxPooling(Pooling):
    """The largest value of each window."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if vars(cls).get("rank", 1) > 1:
            cls.__init__ = init_of_rank(cls.__init__, cls.rank, "pool_size")

    def __init__(
        self,
        pool_size=2,
        strides=None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(pool_size, strides, padding, data_format, name=name, **kwargs)

    def call(self, inputs):
        """Return the largest value of each window."""
        return self._pool(ops.max_pool, inputs)


class AveragePooling(Pooling):
    """The mean of each window; padded places do not count."""

    def __init__(
        self,
        pool_size,
        strides=None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(pool_size, strides, padding, data_format, name=name, **kwargs)

    def call(self, inputs):
        """Return the mean of each window."""
        return self._pool(ops.average_pool, inputs)
