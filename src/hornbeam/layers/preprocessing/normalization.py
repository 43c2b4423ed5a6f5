"""The layer that shifts and scales features to mean 0 and variance 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hornbeam import ops
from hornbeam.core.errors import shown
from hornbeam.layers.arguments import known_size, normalized_axes
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.preprocessing import adapt_data
from hornbeam.layers.preprocessing.data_layer import DataLayer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.core.variable import Variable
    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Config, InputShape, Tensor


class Normalization(DataLayer):
    """Returns `(inputs - mean) / sqrt(variance)`, with statistics of given data.

    The statistics come from the arguments, or from `adapt(data)`.

    Args:
        axis: the axis or axes that have statistics of their own; None: one mean and
            variance for all values. Defaults to -1.
        mean: the mean, if it is known.
        variance: the variance, if it is known.
        invert: whether to undo the normalisation instead. Defaults to False.

    Raises a ValueError for a mean or variance that is no number, infinite or NaN, and
    for a variance below 0.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Normalization()
    >>> layer.adapt(np.array([[1.0], [3.0]]))
    >>> [float(v) for v in layer(np.array([[1.0], [5.0]]))[:, 0]]
    [-1.0, 3.0]
    """

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        if axis is None:
            axis = ()
        self.axis: Any = (axis,) if isinstance(axis, int) else tuple(axis)
        if 0 in self.axis:
            raise ValueError(
                "Argument `axis` of Normalization may not hold 0, the batch. Received: "
                f"axis={axis}"
            )
        if (mean is None) != (variance is None):
            raise ValueError(
                "Arguments `mean` and `variance` of Normalization go together. "
                f"Received: mean={mean} and variance={variance}"
            )
        self._mean = _checked("mean", mean)
        self._variance = _checked("variance", variance, least=0)
        self.invert = invert
        self.supports_masking = True
        # Of values that were added: their number, mean and squared deviations from it.
        self._sums: Any = (0, 0.0, 0.0)

    def build(self, input_shape: InputShape) -> None:
        """Prepare the statistics for inputs of this shape."""
        rank = len(input_shape)
        kept = sorted(normalized_axes(self, self.axis, rank))
        sizes = {axis: known_size(self, input_shape, axis) for axis in kept}
        self._kept_axes = kept
        self._statistics_shape = tuple(sizes[axis] for axis in kept)
        self._broadcast_shape = tuple(sizes.get(axis, 1) for axis in range(rank))
        if self._mean is None:
            self.adapt_mean: Variable = self._statistic("mean", "zeros")
            self.adapt_variance: Variable = self._statistic("variance", "ones")
            self.count: Variable = self.add_weight(
                name="count",
                shape=(),
                dtype="int32",
                initializer="zeros",
                trainable=False,
            )
        if any(axis >= 0 for axis in self.axis):
            self.input_spec = InputSpec(ndim=rank, axes=sizes)
        else:  # Axes that count from the end are the same with more axes before them.
            sizes = {axis - rank: size for axis, size in sizes.items()}
            self.input_spec = InputSpec(min_ndim=rank, axes=sizes)

    def _statistic(self, name, initializer):
        return self.add_weight(
            name=name,
            shape=self._statistics_shape,
            initializer=initializer,
            trainable=False,
        )

    def adapt(self, data: Any) -> None:
        """Compute the statistics of `data`.

        Args:
            data: an array, tensor or frame, or an iterable of batches: a PyDataset, a
                generator, a dataset of another library. Of a batch that is a tuple the
                first part is taken.
        """
        self._check_adapts()
        self.reset_state()
        for part in adapt_data.batches(self, data):
            self.update_state(part)
        if not self._sums[0]:
            raise adapt_data.no_values(self)
        self.finalize_state()

    def _check_adapts(self):
        if self._mean is not None:
            raise ValueError(
                f"Normalization layer {self.path!r} cannot `adapt`: it was made with "
                "`mean` and `variance`. Leave them out to compute them from data."
            )

    def update_state(self, data: Any) -> None:
        """Add values, for `finalize_state` to compute the statistics of them all.

        Args:
            data: an array or tensor.
        """
        self._check_adapts()
        batch = self._prepared(data)
        count, mean, square = self._sums
        axes = tuple(a for a in range(batch.ndim) if a not in self._kept_axes)
        n = math.prod(batch.shape[a] for a in axes)
        with np.errstate(invalid="ignore"):
            batch_mean = batch.mean(axis=axes)
        self._check_finite(batch_mean)
        # Chan's formula joins the sums of squared deviations of two parts.
        delta = batch_mean - mean
        square = square + batch.var(axis=axes) * n
        square = square + delta**2 * (count * n / max(count + n, 1))
        mean = mean + delta * (n / max(count + n, 1))
        self._sums = count + n, mean, square

    def _check_finite(self, mean):
        wrong = np.argwhere(~np.isfinite(mean)).tolist()
        if wrong:
            where = f" in the features {wrong}" if wrong[0] else ""
            raise ValueError(
                f"Normalization layer {self.path!r}: the data of `adapt` holds NaN, "
                f"infinities or missing values{where}. Leave those rows out or fill "
                "them first, for example with `sklearn.impute.SimpleImputer`."
            )

    def reset_state(self) -> None:
        """Forget the values that were added."""
        self._sums = (0, 0.0, 0.0)

    def finalize_state(self) -> None:
        """Set the statistics by what was added; without values they stay."""
        count, mean, square = self._sums
        if count:
            self.adapt_mean.assign(mean)
            self.adapt_variance.assign(square / count)

    def _prepared(self, part):
        """Return a batch as float64, once it fits the layer."""
        batch = adapt_data.numbers(self, part).astype("float64")
        if not batch.ndim:
            raise TypeError(
                f"Normalization layer {self.path!r}: `adapt` expects batches of rows. "
                f"Received one number: {shown(part)}"
            )
        if not self.built:
            self.build((None, *batch.shape[1:]))
        sizes = tuple(batch.shape[axis] for axis in self._kept_axes)
        if len(self._broadcast_shape) != batch.ndim or sizes != self._statistics_shape:
            raise ValueError(
                f"Normalization layer {self.path!r}: `adapt` received a batch of "
                f"incompatible shape {batch.shape}. Expected rank "
                f"{len(self._broadcast_shape)} with sizes {self._statistics_shape} at "
                f"the axes {tuple(self._kept_axes)}."
            )
        return batch

    @property
    def mean(self) -> Tensor:
        """The mean, in a shape that broadcasts against inputs; None before building."""
        return self._broadcast("adapt_mean", self._mean)

    @property
    def variance(self) -> Tensor:
        """The variance, in a shape that broadcasts against inputs."""
        return self._broadcast("adapt_variance", self._variance)

    def _broadcast(self, name, argument):
        if not self.built:
            return None
        if argument is None:
            value = self.convert_weight(getattr(self, name))
        else:
            value = ops.convert_to_tensor(self._fitting(name, argument))
        return ops.reshape(value, self._broadcast_shape)

    def _fitting(self, name, argument):
        shape = self._statistics_shape
        try:
            return np.broadcast_to(argument, shape).astype("float32")
        except ValueError as error:
            raise ValueError(
                f"Normalization layer {self.path!r}: `{name.removeprefix('adapt_')}` "
                f"has the shape {argument.shape}, but axis={self.axis} of the inputs "
                f"has the sizes {shape}. Give one number, or one for each of them."
            ) from error

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs normalised, or with `invert` the reverse."""
        dtype = self.compute_dtype
        x = ops.cast(inputs, dtype)
        mean = ops.cast(self.mean, dtype)
        deviation = ops.cast(ops.maximum(ops.sqrt(self.variance), 1e-7), dtype)
        return x * deviation + mean if self.invert else (x - mean) / deviation

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape

    def get_config(self) -> Config:
        """Return the config.

        Written by hand because `mean` and `variance` are tensors that broadcast, and
        the config holds what was given.
        """
        arguments = {"mean": self._mean, "variance": self._variance}
        given = {k: None if v is None else v.tolist() for k, v in arguments.items()}
        return {**super().get_config(), **given}


def _checked(name, value, least=-math.inf):
    """Return a statistic that was given as an array, or raise."""
    if value is None:
        return None
    array = np.asarray(adapt_data.host(value))
    is_numeric = array.dtype.kind not in adapt_data.NO_NUMBERS
    if not is_numeric or not np.isfinite(array).all() or (array < least).any():
        low = "" if least == -math.inf else f" of at least {least}"
        raise ValueError(
            f"`{name}` of Normalization must be finite numbers{low}. Received: "
            f"{name}={shown(value)}"
        )
    return array
