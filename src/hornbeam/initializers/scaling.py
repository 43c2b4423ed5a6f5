"""Initializers that keep the variance of signals from layer to layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from hornbeam.core import random_host
from hornbeam.initializers.initializer import RandomInitializer
from hornbeam.typing import Seed

_MODES = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
}
# The standard deviation of the normal distribution cut at -2 and 2.
_TRUNCATED_STDDEV = 0.87962566103423978
# Draws of variance 1 from each distribution.
_DISTRIBUTIONS = {
    "truncated_normal": lambda key, shape: (
        random_host.truncated_normal(key, shape) / _TRUNCATED_STDDEV
    ),
    "untruncated_normal": random_host.normal,
    "uniform": lambda key, shape: random_host.uniform(
        key, shape, -math.sqrt(3.0), math.sqrt(3.0)
    ),
}
_DISTRIBUTION_NAMES = {"normal": "truncated_normal"}


class VarianceScaling(RandomInitializer):
    """Numbers of mean 0 and variance `scale / n`, where n depends on the shape.

    n is the number of inputs of a unit (`"fan_in"`), the number of units that an input
    goes to (`"fan_out"`), or their mean (`"fan_avg"`). The last two axes of a shape are
    inputs and outputs, those before them a receptive field, unless `input_axes` and
    `output_axes` say otherwise.

    Args:
        scale: a positive number. Default: 1.
        mode: "fan_in" (default), "fan_out" or "fan_avg".
        distribution: "truncated_normal" (default; cut at two standard
            deviations, with the variance corrected), "untruncated_normal" or "uniform".
        seed: an integer, a `SeedGenerator` or None.
        input_axes: the axes of the inputs, for kernels with several. Default: None.
        output_axes: the axes of the outputs. Default: None.

    >>> import hornbeam as keras
    >>> initializer = keras.initializers.VarianceScaling(2.0, mode="fan_out", seed=3)
    >>> initializer(shape=(4, 8)).shape
    (4, 8)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in",
        distribution: Literal[
            "truncated_normal", "normal", "untruncated_normal", "uniform"
        ] = "truncated_normal",
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        if not scale > 0:
            raise ValueError(
                f"Argument `scale` must be positive float. {type(self).__name__} "
                f"received: scale={scale}"
            )
        distribution = str(distribution).lower()
        distribution = _DISTRIBUTION_NAMES.get(distribution, distribution)
        self._check("mode", mode, _MODES)
        self._check("distribution", distribution, _DISTRIBUTIONS)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes
        super().__init__(seed)

    def _check(self, argument, value, choices):
        if value not in choices:
            raise ValueError(
                f"Invalid `{argument}` argument: {value!r}. {type(self).__name__} "
                f"expected one of {', '.join(map(repr, choices))}."
            )

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the draws."""
        fans = compute_fans(shape, self.input_axes, self.output_axes)
        n = max(1.0, _MODES[self.mode](*fans))
        stddev = math.sqrt(self.scale / n)
        return stddev * _DISTRIBUTIONS[self.distribution](self.key(), shape)


def compute_fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Return `(fan_in, fan_out)` of a kernel of that shape."""
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        fan_in = math.prod(shape[axis] for axis in input_axes)
        return fan_in, math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


class GlorotUniform(VarianceScaling):
    """Uniform over [-r, r] with r = sqrt(6 / (fan_in + fan_out)); Xavier's.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks" (2010).

    Args:
        seed: an integer, a `SeedGenerator` or None.
        input_axes: the axes of the inputs, for kernels with several. Default: None.
        output_axes: the axes of the outputs. Default: None.

    >>> import hornbeam as keras
    >>> keras.initializers.GlorotUniform(seed=1)(shape=(3, 2)).shape
    (3, 2)
    """

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)


class GlorotNormal(VarianceScaling):
    """Truncated normal of variance 2 / (fan_in + fan_out); Xavier's.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks" (2010).

    Args:
        seed: an integer, a `SeedGenerator` or None.
        input_axes: the axes of the inputs, for kernels with several. Default: None.
        output_axes: the axes of the outputs. Default: None.

    >>> import hornbeam as keras
    >>> keras.initializers.GlorotNormal(seed=1)(shape=(3, 2)).shape
    (3, 2)
    """

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes
        )


class LecunNormal(VarianceScaling):
    """Truncated normal of variance 1 / fan_in; the one for `selu`.

    Source: LeCun et al., "Efficient BackProp" (1998); Klambauer et al.,
    "Self-Normalizing Neural Networks" (2017).

    Args:
        seed: an integer, a `SeedGenerator` or None.
        input_axes: the axes of the inputs, for kernels with several. Default: None.
        output_axes: the axes of the outputs. Default: None.

    >>> import hornbeam as keras
    >>> keras.initializers.LecunNormal(seed=1)(shape=(3, 2)).shape
    (3, 2)
    """

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes
        )


class LecunUniform(VarianceScaling):
    """Uniform over [-r, r] with r = sqrt(3 / fan_in).

    Source: LeCun et al., "Efficient BackProp" (1998).

    Args:
        seed: an integer, a `SeedGenerator` or None.
        input_axes: the axes of the inputs, for kernels with several. Default: None.
        output_axes: the axes of the outputs. Default: None.

    >>> import hornbeam as keras
    >>> keras.initializers.LecunUniform(seed=1)(shape=(3, 2)).shape
    (3, 2)
    """

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)


class HeNormal(VarianceScaling):
    """Truncated normal of variance 2 / fan_in; the one for `relu`.

    Source: He et al., "Delving Deep into Rectifiers" (2015).

    Args:
        seed: an integer, a `SeedGenerator` or None.
        input_axes: the axes of the inputs, for kernels with several. Default: None.
        output_axes: the axes of the outputs. Default: None.

    >>> import hornbeam as keras
    >>> keras.initializers.HeNormal(seed=1)(shape=(3, 2)).shape
    (3, 2)
    """

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            2.0, "fan_in", "truncated_normal", seed, input_axes, output_axes
        )


class HeUniform(VarianceScaling):
    """Uniform over [-r, r] with r = sqrt(6 / fan_in).

    Source: He et al., "Delving Deep into Rectifiers" (2015).

    Args:
        seed: an integer, a `SeedGenerator` or None.
        input_axes: the axes of the inputs, for kernels with several. Default: None.
        output_axes: the axes of the outputs. Default: None.

    >>> import hornbeam as keras
    >>> keras.initializers.HeUniform(seed=1)(shape=(3, 2)).shape
    (3, 2)
    """

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes)
