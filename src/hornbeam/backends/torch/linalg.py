"""PyTorch: linear algebra and Fourier transforms."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import linalg

from .arrays import convert, dtype_of
from .functions import _to_float

_HALF = (torch.float16, torch.bfloat16)


def _wide(fn: Callable) -> Callable:
    """`fn` of a matrix of floats; half precision is computed in float32."""

    def run(x):
        x = _to_float(x)
        if x.dtype not in _HALF:
            return fn(x)
        result = fn(x.float())
        if isinstance(result, tuple):
            return tuple(y.to(x.dtype) for y in result)
        return result.to(x.dtype)

    run.__name__ = run.__qualname__ = fn.__name__
    return run


det = _wide(linalg.det)
inv = _wide(linalg.inv)
slogdet = _wide(lambda x: tuple(linalg.slogdet(x)))


def cholesky(x, upper=False):
    try:
        return linalg.cholesky(_to_float(x), upper=upper)
    except linalg.LinAlgError as error:
        raise ValueError(f"Argument `x` of cholesky: {error}") from error


def eig(x):
    return tuple(linalg.eig(_to_float(x)))


def eigh(x):
    return tuple(linalg.eigh(_to_float(x)))


def lu_factor(x):
    factors, pivots = linalg.lu_factor(_to_float(x))
    # torch counts rows from 1, as LAPACK does.
    return factors, pivots - 1


def qr(x, mode="reduced"):
    return tuple(linalg.qr(_to_float(x), mode))


def svd(x, full_matrices=True, compute_uv=True):
    x = _to_float(x)
    return tuple(linalg.svd(x, full_matrices)) if compute_uv else linalg.svdvals(x)


def solve(a, b):
    a, b = _to_float(a), _to_float(b)
    if b.ndim == a.ndim - 1:
        return linalg.solve(a, b[..., None])[..., 0]
    return linalg.solve(a, b)


def solve_triangular(a, b, lower=False):
    a, b = _to_float(a), _to_float(b)
    if b.ndim == a.ndim - 1:
        return linalg.solve_triangular(a, b[..., None], upper=not lower)[..., 0]
    return linalg.solve_triangular(a, b, upper=not lower)


def lstsq(a, b, rcond=None):
    a, b = _to_float(a), _to_float(b)
    if rcond is None:
        rcond = torch.finfo(a.dtype).eps * max(a.shape[-2:])
    right = b[:, None] if b.ndim == 1 else b
    # Through the pseudo-inverse, which serves matrices without full rank as well.
    result = linalg.pinv(a, rtol=rcond) @ right
    return result[:, 0] if b.ndim == 1 else result


def complex_fft(x):
    return torch.fft.fft(convert(x))


def complex_ifft(x):
    return torch.fft.ifft(convert(x))


def real_fft(x, length=None):
    return torch.fft.rfft(convert(x), length)


def real_ifft(x, length=None):
    return torch.fft.irfft(convert(x), length)


def jvp(fun, primals, tangents, has_aux=False):
    primals = tuple(convert(x) for x in primals)
    pairs = zip(primals, tangents, strict=True)
    tangents = tuple(convert(t, dtype_of(p)) for p, t in pairs)
    # torch's own first call warns of its `torch.jit.script`.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.func.jvp(fun, primals, tangents, has_aux=has_aux)


def to_complex(x, y):
    return torch.complex(_to_float(x), _to_float(y))
