"""PyTorch: linear algebra and Fourier transforms."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import linalg

from hornbeam.backends.functions import Function

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


det: Function = _wide(linalg.det)
inv: Function = _wide(linalg.inv)
slogdet: Function = _wide(lambda x: tuple(linalg.slogdet(x)))


def cholesky(x: Any, upper: Any = False) -> Any:
    try:
        return linalg.cholesky(_to_float(x), upper=upper)
    except linalg.LinAlgError as error:
        raise ValueError(f"Argument `x` of cholesky: {error}") from error


def eig(x: Any) -> Any:
    return tuple(linalg.eig(_to_float(x)))


def eigh(x: Any) -> Any:
    return tuple(linalg.eigh(_to_float(x)))


def lu_factor(x: Any) -> Any:
    factors, pivots = linalg.lu_factor(_to_float(x))
    # torch counts rows from 1, as LAPACK does.
    return factors, pivots - 1


def qr(x: Any, mode: Any = "reduced") -> Any:
    return tuple(linalg.qr(_to_float(x), mode))


def svd(x: Any, full_matrices: Any = True, compute_uv: Any = True) -> Any:
    x = _to_float(x)
    return tuple(linalg.svd(x, full_matrices)) if compute_uv else linalg.svdvals(x)


def solve(a: Any, b: Any) -> Any:
    a, b = _to_float(a), _to_float(b)
    if b.ndim == a.ndim - 1:
        return linalg.solve(a, b[..., None])[..., 0]
    return linalg.solve(a, b)


def solve_triangular(a: Any, b: Any, lower: Any = False) -> Any:
    a, b = _to_float(a), _to_float(b)
    if b.ndim == a.ndim - 1:
        return linalg.solve_triangular(a, b[..., None], upper=not lower)[..., 0]
    return linalg.solve_triangular(a, b, upper=not lower)


def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    a, b = _to_float(a), _to_float(b)
    if rcond is None:
        rcond = torch.finfo(a.dtype).eps * max(a.shape[-2:])
    right = b[:, None] if b.ndim == 1 else b
    # Through the pseudo-inverse, which serves matrices without full rank as well.
    result = linalg.pinv(a, rtol=rcond) @ right
    return result[:, 0] if b.ndim == 1 else result


def complex_fft(x: Any) -> Any:
    return torch.fft.fft(convert(x))


def complex_ifft(x: Any) -> Any:
    return torch.fft.ifft(convert(x))


def real_fft(x: Any, length: Any = None) -> Any:
    return torch.fft.rfft(convert(x), length)


def real_ifft(x: Any, length: Any = None) -> Any:
    return torch.fft.irfft(convert(x), length)


def jvp(fun: Any, primals: Any, tangents: Any, has_aux: Any = False) -> Any:
    primals = tuple(convert(x) for x in primals)
    pairs = zip(primals, tangents, strict=True)
    tangents = tuple(convert(t, dtype_of(p)) for p, t in pairs)
    # torch's own first call warns of its `torch.jit.script`.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.func.jvp(fun, primals, tangents, has_aux=has_aux)


def to_complex(x: Any, y: Any) -> Any:
    return torch.complex(_to_float(x), _to_float(y))
