"""NumPy: linear algebra and Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.backends.functions import Function

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


det: Function = _wide(np.linalg.det)
inv: Function = _wide(np.linalg.inv)
slogdet: Function = _wide(lambda x: tuple(np.linalg.slogdet(x)))


def cholesky(x: Any, upper: Any = False) -> Any:
    return np.linalg.cholesky(_to_float(x), upper=upper)


def eig(x: Any) -> Any:
    x = _to_float(x)
    complex_dtype = np.result_type(x.dtype, np.complex64)
    return tuple(y.astype(complex_dtype) for y in np.linalg.eig(x))


def eigh(x: Any) -> Any:
    return tuple(np.linalg.eigh(_to_float(x)))


def lu_factor(x: Any) -> Any:
    from scipy.linalg import lu_factor as factor

    x = _to_float(x)
    rows = [factor(m) for m in x.reshape(-1, *x.shape[-2:])]
    factors = np.stack([lu for lu, _ in rows]).reshape(x.shape)
    pivots = np.stack([p for _, p in rows]).astype("int32")
    return factors, pivots.reshape(*x.shape[:-2], -1)


def qr(x: Any, mode: Any = "reduced") -> Any:
    return tuple(np.linalg.qr(_to_float(x), mode))


def svd(x: Any, full_matrices: Any = True, compute_uv: Any = True) -> Any:
    result = np.linalg.svd(_to_float(x), full_matrices, compute_uv)
    return tuple(result) if compute_uv else result


def solve(a: Any, b: Any) -> Any:
    a, b = _to_float(a), _to_float(b)
    if b.ndim == a.ndim - 1:
        return np.linalg.solve(a, b[..., None])[..., 0]
    return np.linalg.solve(a, b)


def solve_triangular(a: Any, b: Any, lower: Any = False) -> Any:
    a = _to_float(a)
    return solve(np.tril(a) if lower else np.triu(a), b)


def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    return np.linalg.lstsq(_to_float(a), _to_float(b), rcond)[0]


def complex_fft(x: Any) -> Any:
    return np.fft.fft(convert(x))


def complex_ifft(x: Any) -> Any:
    return np.fft.ifft(convert(x))


def real_fft(x: Any, length: Any = None) -> Any:
    return np.fft.rfft(convert(x), length)


def real_ifft(x: Any, length: Any = None) -> Any:
    return np.fft.irfft(convert(x), length)


def jvp(fun: Any, primals: Any, tangents: Any, has_aux: Any = False) -> Any:
    raise NotImplementedError("The NumPy engine has no derivatives.")


def to_complex(x: Any, y: Any) -> Any:
    return _to_float(x) + np.complex64(1j) * _to_float(y)
