"""NumPy: linear algebra and Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .arrays import convert
from .functions import _is_half, _to_float


def _wide(fn: Callable) -> Callable:
    """`fn` of a matrix of floats; half precision is computed in float32."""

    def run(x):
        x = _to_float(x)
        if not _is_half(x):
            return fn(x)
        result = fn(x.astype("float32"))
        if isinstance(result, tuple):
            return tuple(y.astype(x.dtype) for y in result)
        return result.astype(x.dtype)

    run.__name__ = run.__qualname__ = fn.__name__
    return run


det = _wide(np.linalg.det)
inv = _wide(np.linalg.inv)
slogdet = _wide(lambda x: tuple(np.linalg.slogdet(x)))


def cholesky(x, upper=False):
    return np.linalg.cholesky(_to_float(x), upper=upper)


def eig(x):
    x = _to_float(x)
    complex_dtype = np.result_type(x.dtype, np.complex64)
    return tuple(y.astype(complex_dtype) for y in np.linalg.eig(x))


def eigh(x):
    return tuple(np.linalg.eigh(_to_float(x)))


def lu_factor(x):
    from scipy.linalg import lu_factor as factor

    x = _to_float(x)
    rows = [factor(m) for m in x.reshape(-1, *x.shape[-2:])]
    factors = np.stack([lu for lu, _ in rows]).reshape(x.shape)
    pivots = np.stack([p for _, p in rows]).astype("int32")
    return factors, pivots.reshape(*x.shape[:-2], -1)


def qr(x, mode="reduced"):
    return tuple(np.linalg.qr(_to_float(x), mode))


def svd(x, full_matrices=True, compute_uv=True):
    result = np.linalg.svd(_to_float(x), full_matrices, compute_uv)
    return tuple(result) if compute_uv else result


def solve(a, b):
    a, b = _to_float(a), _to_float(b)
    if b.ndim == a.ndim - 1:
        return np.linalg.solve(a, b[..., None])[..., 0]
    return np.linalg.solve(a, b)


def solve_triangular(a, b, lower=False):
    a = _to_float(a)
    return solve(np.tril(a) if lower else np.triu(a), b)


def lstsq(a, b, rcond=None):
    return np.linalg.lstsq(_to_float(a), _to_float(b), rcond)[0]


def complex_fft(x):
    return np.fft.fft(convert(x))


def complex_ifft(x):
    return np.fft.ifft(convert(x))


def real_fft(x, length=None):
    return np.fft.rfft(convert(x), length)


def real_ifft(x, length=None):
    return np.fft.irfft(convert(x), length)


def jvp(fun, primals, tangents, has_aux=False):
    raise NotImplementedError("The NumPy engine has no derivatives.")


def to_complex(x, y):
    return _to_float(x) + np.complex64(1j) * _to_float(y)
