"""Windows: the weights of the samples of a signal."""

from __future__ import annotations

import numpy as np

from hornbeam.core.config import floatx
from hornbeam.ops.arithmetic import (
    add,
    divide,
    multiply,
    subtract,
    to_float,
)
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.creation import full, ones
from hornbeam.ops.declare import composite
from hornbeam.ops.elementwise import sqrt
from hornbeam.ops.indexing import where
from hornbeam.ops.transcendental import cos, i0
from hornbeam.typing import Tensor, TensorLike


def _window_phase(x):
    """The number of points and their places in [0, 1]."""
    count = int(x)
    points = np.arange(count, dtype="float64") / max(count - 1, 1)
    return count, convert_to_tensor(points, floatx())


def _cosine_window(x, *coefficients):
    count, place = _window_phase(x)
    if count <= 1:
        return ones((max(count, 0),))
    result = full((count,), coefficients[0])
    for i, coefficient in enumerate(coefficients[1:], 1):
        wave = cos(multiply(place, 2 * i * np.pi))
        result = add(result, multiply(wave, (-1) ** i * coefficient))
    return result


@composite
def hanning(x: TensorLike) -> Tensor:
    """The Hann window of `x` points: 0.5 - 0.5 cos(2 pi n / (x - 1)).

    >>> import hornbeam as keras
    >>> float(keras.ops.hanning(3)[1])
    1.0
    """
    return _cosine_window(x, 0.5, 0.5)


@composite
def hamming(x: TensorLike) -> Tensor:
    """The Hamming window of `x` points: 0.54 - 0.46 cos(2 pi n / (x - 1)).

    >>> import hornbeam as keras
    >>> float(keras.ops.hamming(3)[1])
    1.0
    """
    return _cosine_window(x, 0.54, 0.46)


@composite
def blackman(x: TensorLike) -> Tensor:
    """The Blackman window of `x` points, a sum of three cosines.

    >>> import hornbeam as keras
    >>> round(float(keras.ops.blackman(3)[1]), 4)
    1.0
    """
    return _cosine_window(x, 0.42, 0.5, 0.08)


@composite
def bartlett(x: TensorLike) -> Tensor:
    """The triangular window of `x` points.

    >>> import hornbeam as keras
    >>> [float(w) for w in keras.ops.bartlett(3)]
    [0.0, 1.0, 0.0]
    """
    count, place = _window_phase(x)
    if count <= 1:
        return ones((max(count, 0),))
    rising = multiply(place, 2)
    return where(place <= 0.5, rising, subtract(2, rising))


@composite
def kaiser(x: TensorLike, beta: float) -> Tensor:
    """The Kaiser window of `x` points: I0(beta sqrt(1 - r^2)) / I0(beta).

    >>> import hornbeam as keras
    >>> round(float(keras.ops.kaiser(3, 5.0)[1]), 4)
    1.0
    """
    count, place = _window_phase(x)
    if count <= 1:
        return ones((max(count, 0),))
    radius = subtract(multiply(place, 2), 1)
    beta = cast(to_float(beta), floatx())
    inside = sqrt(subtract(1, multiply(radius, radius)))
    return divide(i0(multiply(beta, inside)), i0(beta))
