"""JAX: linear algebra and Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.backends.functions import Function

from .arrays import convert, dtype_of
from .functions import _to_float


def _wide(fn: Callable) -> Callable:
    """`fn` of a matrix of floats; half precision is computed in float32."""

    def run(x):
        x = _to_float(x)
        if x.dtype not in (jnp.float16, jnp.bfloat16):
            return fn(x)
        return jax.tree.map(lambda y: y.astype(x.dtype), fn(x.astype(jnp.float32)))

    run.__name__ = run.__qualname__ = fn.__name__
    return run


det: Function = _wide(jnp.linalg.det)
inv: Function = _wide(jnp.linalg.inv)
slogdet: Function = _wide(jnp.linalg.slogdet)


def cholesky(x: Any, upper: Any = False) -> Any:
    return jnp.linalg.cholesky(_to_float(x), upper=upper)


def eig(x: Any) -> Any:
    return tuple(jnp.linalg.eig(_to_float(x)))


def eigh(x: Any) -> Any:
    return tuple(jnp.linalg.eigh(_to_float(x)))


def lu_factor(x: Any) -> Any:
    return tuple(jax.scipy.linalg.lu_factor(_to_float(x)))


def qr(x: Any, mode: Any = "reduced") -> Any:
    return tuple(jnp.linalg.qr(_to_float(x), mode=mode))


def svd(x: Any, full_matrices: Any = True, compute_uv: Any = True) -> Any:
    result = jnp.linalg.svd(_to_float(x), full_matrices, compute_uv)
    return tuple(result) if compute_uv else result


def solve(a: Any, b: Any) -> Any:
    a, b = _to_float(a), _to_float(b)
    if b.ndim == a.ndim - 1:
        return jnp.linalg.solve(a, b[..., None])[..., 0]
    return jnp.linalg.solve(a, b)


def solve_triangular(a: Any, b: Any, lower: Any = False) -> Any:
    a, b = _to_float(a), _to_float(b)
    if b.ndim == a.ndim - 1:
        return jax.scipy.linalg.solve_triangular(a, b[..., None], lower=lower)[..., 0]
    return jax.scipy.linalg.solve_triangular(a, b, lower=lower)


def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    return jnp.linalg.lstsq(_to_float(a), _to_float(b), rcond=rcond)[0]


def complex_fft(x: Any) -> Any:
    return jnp.fft.fft(convert(x))


def complex_ifft(x: Any) -> Any:
    return jnp.fft.ifft(convert(x))


def real_fft(x: Any, length: Any = None) -> Any:
    return jnp.fft.rfft(convert(x), length)


def real_ifft(x: Any, length: Any = None) -> Any:
    return jnp.fft.irfft(convert(x), length)


def jvp(fun: Any, primals: Any, tangents: Any, has_aux: Any = False) -> Any:
    primals = tuple(convert(x) for x in primals)
    pairs = zip(primals, tangents, strict=True)
    tangents = tuple(convert(t, dtype_of(p)) for p, t in pairs)
    return jax.jvp(fun, primals, tangents, has_aux=has_aux)


def to_complex(x: Any, y: Any) -> Any:
    return jax.lax.complex(_to_float(x), _to_float(y))
