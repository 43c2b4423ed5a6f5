"""Complex numbers and Fourier transforms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hornbeam.core import dtypes
from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.arithmetic import (
    as_result_type,
    divide,
    maximum,
    multiply,
    to_float,
)
from hornbeam.ops.comparison import greater
from hornbeam.ops.core import convert_to_tensor, scatter_update
from hornbeam.ops.creation import zeros
from hornbeam.ops.declare import broadcast_shapes, composite, primitive
from hornbeam.ops.elementwise import imag, real
from hornbeam.ops.indexing import where
from hornbeam.ops.joining import stack
from hornbeam.ops.math import extract_sequences
from hornbeam.ops.shaping import pad, reshape, swapaxes
from hornbeam.typing import Tensor, TensorLike


def _complex_spec(a):
    shape, dtype = a["x"].shape, a["x"].dtype
    if shape[-1] not in (2, None):
        raise ValueError(
            "view_as_complex() needs a last axis of size 2: real and imaginary part. "
            f"Received: shape={tuple(shape)}"
        )
    return KerasTensor(shape[:-1], "complex128" if dtype == "float64" else "complex64")


@composite(rule=_complex_spec)
def view_as_complex(x: TensorLike) -> Tensor:
    """Pairs in the last axis as complex numbers.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.view_as_complex(keras.ops.ones((3, 2))).shape)
    (3,)
    """
    x = to_float(x)
    if x.shape[-1] != 2:
        raise ValueError(
            "view_as_complex() needs a last axis of size 2: real and imaginary part. "
            f"Received: shape={tuple(x.shape)}"
        )
    return to_complex(x[..., 0], x[..., 1])


def _real_spec(a):
    dtype = "float64" if a["x"].dtype == "complex128" else "float32"
    return KerasTensor((*a["x"].shape, 2), dtype)


@composite(rule=_real_spec)
def view_as_real(x: TensorLike) -> Tensor:
    """Complex numbers as pairs in a new last axis.

    >>> import hornbeam as keras
    >>> z = keras.ops.view_as_complex(keras.ops.ones((3, 2)))
    >>> tuple(keras.ops.view_as_real(z).shape)
    (3, 2)
    """
    x = convert_to_tensor(x)
    return stack([real(x), imag(x)], -1)


@primitive()
def to_complex(x: TensorLike, y: TensorLike) -> Tensor:
    """The complex numbers of real part `x` and imaginary part `y`."""


def _parts(z):
    return real(z), imag(z)


def _pair(x, owner):
    if not isinstance(x, tuple | list) or len(x) != 2:
        raise ValueError(
            f"{owner}() takes a pair of tensors: the real and the imaginary part. "
            f"Received: {type(x).__name__}"
        )
    x, y = as_result_type(*x, least=(float,))
    if not rules.may_be_equal(tuple(x.shape), tuple(y.shape)):
        raise ValueError(
            f"{owner}(): the real and the imaginary part must have the same shape. "
            f"Received: shapes {tuple(x.shape)} and {tuple(y.shape)}"
        )
    return to_complex(x, y)


def _pair_spec(owner, least_rank):
    def spec(a):
        x, y = a["x"]
        same = rules.may_be_equal(tuple(x.shape), tuple(y.shape))
        if not same or len(x.shape) < least_rank:
            raise ValueError(
                f"{owner}() needs a real and an imaginary part of one shape, of rank "
                f"{least_rank} or more. Received: shapes {x.shape} and {y.shape}"
            )
        shape = broadcast_shapes(tuple(x.shape), tuple(y.shape))
        if None in shape[len(shape) - least_rank :]:
            raise ValueError(
                f"{owner}() needs to know the size of the axes that it transforms. "
                f"Received: shape={shape}"
            )
        return KerasTensor(shape, x.dtype), KerasTensor(shape, x.dtype)

    return spec


@composite(rule=_pair_spec("fft", 1))
def fft(x: Sequence[TensorLike]) -> tuple[Tensor, Tensor]:
    """The Fourier transform along the last axis.

    Args:
        x: a pair of tensors, the real and the imaginary part.

    Returns:
        Such a pair.

    >>> import hornbeam as keras
    >>> real, imag = keras.ops.fft(([1.0, 1.0], [0.0, 0.0]))
    >>> [float(r) for r in real]
    [2.0, 0.0]
    """
    return _parts(complex_fft(_pair(x, "fft")))


@composite(rule=_pair_spec("fft2", 2))
def fft2(x: Sequence[TensorLike]) -> tuple[Tensor, Tensor]:
    """The Fourier transform over the last two axes, of a pair as in `fft`.

    >>> import hornbeam as keras
    >>> x = keras.ops.ones((2, 2))
    >>> float(keras.ops.fft2((x, keras.ops.zeros((2, 2))))[0][0, 0])
    4.0
    """
    return _parts(_over_two(complex_fft, _pair(x, "fft2")))


@composite(rule=_pair_spec("ifft2", 2))
def ifft2(x: Sequence[TensorLike]) -> tuple[Tensor, Tensor]:
    """The inverse of `fft2`.

    >>> import hornbeam as keras
    >>> x = keras.ops.ones((2, 2))
    >>> float(keras.ops.ifft2((x, keras.ops.zeros((2, 2))))[0][0, 0])
    1.0
    """
    return _parts(_over_two(complex_ifft, _pair(x, "ifft2")))


def _over_two(transform, z):
    return swapaxes(transform(swapaxes(transform(z), -1, -2)), -1, -2)


@primitive()
def complex_fft(x: TensorLike) -> Tensor:
    """The engine's Fourier transform of complex numbers."""


@primitive()
def complex_ifft(x: TensorLike) -> Tensor:
    """The inverse of `complex_fft`."""


@primitive()
def real_fft(x: TensorLike, length: int | None = None) -> Tensor:
    """The engine's Fourier transform of real numbers: `length // 2 + 1` numbers."""


@primitive()
def real_ifft(x: TensorLike, length: int | None = None) -> Tensor:
    """The inverse of `real_fft`."""


def _rfft_spec(a):
    *lead, size = a["x"].shape
    size = a["fft_length"] or size
    shape = (*lead, None if size is None else size // 2 + 1)
    return KerasTensor(shape, a["x"].dtype), KerasTensor(shape, a["x"].dtype)


@composite(rule=_rfft_spec)
def rfft(x: TensorLike, fft_length: int | None = None) -> tuple[Tensor, Tensor]:
    """The nonredundant half of the Fourier transform of real numbers.

    Args:
        x: a tensor.
        fft_length: the last axis is cut or zero-padded to this size. Default: its size.

    Returns:
        The real and the imaginary part, of size `fft_length // 2 + 1`.

    >>> import hornbeam as keras
    >>> [tuple(part.shape) for part in keras.ops.rfft(keras.ops.ones(8))]
    [(5,), (5,)]
    """
    return _parts(real_fft(to_float(x), fft_length))


def _irfft_spec(a):
    x, _ = a["x"]
    *lead, size = x.shape
    length = a["fft_length"] or (None if size is None else 2 * (size - 1))
    return KerasTensor((*lead, length), x.dtype)


@composite(rule=_irfft_spec)
def irfft(x: Sequence[TensorLike], fft_length: int | None = None) -> Tensor:
    """The inverse of `rfft`.

    >>> import hornbeam as keras
    >>> float(keras.ops.irfft(keras.ops.rfft([1.0, 2.0, 3.0, 4.0]))[3])
    4.0
    """
    return real_ifft(_pair(x, "irfft"), fft_length)


def _window_of(window, length, fft_length, dtype):
    """The window in the middle of `fft_length` zeros."""
    if window is None:
        values = np.ones(length)
    elif isinstance(window, str):
        check_choice("stft()", "window", window, ("hann", "hamming"))
        # Periodic: one point more, without the last.
        turn = 2 * np.pi * np.arange(length) / length
        base = 0.5 if window == "hann" else 0.54
        values = base - (1 - base) * np.cos(turn)
    else:
        values = convert_to_tensor(window, dtype)
        if tuple(values.shape) != (length,):
            raise ValueError(
                "The window must have the length of the sequences. "
                f"Received: shape={tuple(values.shape)}, sequence_length={length}"
            )
    before = (fft_length - length) // 2
    window = convert_to_tensor(values, dtype)
    return pad(window, [(before, fft_length - length - before)])


def _stft_spec(a):
    *lead, size = a["x"].shape
    n, stride = a["fft_length"], a["sequence_stride"]
    count = None
    if size is not None:
        size += 2 * (n // 2) if a["center"] else 0
        count = 1 + (size - n) // stride
    shape = (*lead, count, n // 2 + 1)
    return KerasTensor(shape, a["x"].dtype), KerasTensor(shape, a["x"].dtype)


def _check_lengths(owner, sequence_length, sequence_stride, fft_length):
    if not isinstance(sequence_stride, int) or sequence_stride <= 0:
        raise ValueError(
            f"{owner}(): `sequence_stride` must be a positive integer. "
            f"Received: sequence_stride={sequence_stride}"
        )
    if fft_length < sequence_length:
        raise ValueError(
            f"{owner}(): `fft_length` must be at least `sequence_length`. Received: "
            f"sequence_length={sequence_length}, fft_length={fft_length}"
        )


@composite(rule=_stft_spec)
def stft(
    x: TensorLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: str | TensorLike | None = "hann",
    center: bool = True,
) -> tuple[Tensor, Tensor]:
    """The Fourier transforms of overlapping windows of the last axis.

    Args:
        x: a tensor of floats.
        sequence_length: the length of a window.
        sequence_stride: the distance of their starts.
        fft_length: the size of a transform, at least `sequence_length`.
        window: "hann" (default), "hamming", None or a tensor: what weighs a window.
        center: whether windows are centred, with the ends mirrored. Default: True.

    Returns:
        The real and the imaginary part, of shape (..., windows, fft_length // 2 + 1).

    >>> import hornbeam as keras
    >>> tuple(keras.ops.stft(keras.ops.ones(16), 4, 2, 4)[0].shape)
    (9, 3)
    """
    if not dtypes.is_float_dtype(rules.weak_dtype(x)):
        raise TypeError(f"stft() takes floats. Received: {rules.weak_dtype(x)}")
    _check_lengths("stft", sequence_length, sequence_stride, fft_length)
    x = convert_to_tensor(x)
    weights = _window_of(window, sequence_length, fft_length, x.dtype)
    if center:
        around = fft_length // 2
        x = pad(x, [(0, 0)] * (len(x.shape) - 1) + [(around, around)], "reflect")
    frames = extract_sequences(x, fft_length, sequence_stride)
    return rfft(multiply(frames, weights), fft_length)


@composite
def istft(
    x: Sequence[TensorLike],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: str | TensorLike | None = "hann",
    center: bool = True,
) -> Tensor:
    """The inverse of `stft`: windows are added and divided by their weights.

    Args:
        x: a pair, as `stft` returns it.
        sequence_length: as in `stft`.
        sequence_stride: as in `stft`.
        fft_length: as in `stft`.
        length: the length of the result. Default: all of it.
        window: as in `stft`.
        center: as in `stft`.

    >>> import hornbeam as keras
    >>> x = keras.ops.arange(16, dtype="float32")
    >>> y = keras.ops.istft(keras.ops.stft(x, 4, 2, 4), 4, 2, 4)
    >>> round(float(y[5]), 3)
    5.0
    """
    _check_lengths("istft", sequence_length, sequence_stride, fft_length)
    frames = irfft(x, fft_length)
    weights = _window_of(window, sequence_length, fft_length, frames.dtype)
    signal = _overlapped(multiply(frames, weights), sequence_stride)
    # Without a window there is no division, as in Keras.
    squares = multiply(weights, weights)
    if window is not None:
        total = _overlapped(
            multiply(squares, frames[..., :, :1] * 0 + 1), sequence_stride
        )
        weighed = greater(total, 1e-8)
        signal = where(weighed, divide(signal, maximum(total, 1e-8)), signal)
    start = fft_length // 2 if center else 0
    if length is not None:
        end = start + length
    else:
        end = signal.shape[-1] - (fft_length // 2 if center else 0)
    return signal[..., start:end]


def _overlapped(frames, stride):
    """The sum of windows, each shifted by `stride` from the one before."""
    *lead, count, length = frames.shape
    places = np.arange(count)[:, None] * stride + np.arange(length)
    flat = reshape(frames, (-1, count * length))
    total = (count - 1) * stride + length
    start = zeros((total, flat.shape[0]), rules.weak_dtype(frames))
    indices = convert_to_tensor(places.reshape(-1, 1).astype("int32"))
    summed = scatter_update(start, indices, swapaxes(flat, 0, 1), reduction="add")
    return reshape(swapaxes(summed, 0, 1), (*lead, total))
