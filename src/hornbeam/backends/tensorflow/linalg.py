"""TensorFlow: linear algebra and Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optree
import tensorflow as tf
from tensorflow import linalg

from hornbeam.backends.functions import Function

from .arrays import cast, convert, dtype_of
from .functions import _HALF, _to_float


def _wide(fn: Callable) -> Callable:
    """`fn` of a matrix of floats; half precision is computed in float32."""

    def run(x):
        x = _to_float(x)
        if x.dtype not in _HALF:
            return fn(x)
        return optree.tree_map(
            lambda y: tf.cast(y, x.dtype), fn(tf.cast(x, tf.float32))
        )

    run.__name__ = run.__qualname__ = fn.__name__
    return run


det: Function = _wide(linalg.det)
inv: Function = _wide(linalg.inv)
slogdet: Function = _wide(lambda x: tuple(linalg.slogdet(x)))


def cholesky(x: Any, upper: Any = False) -> Any:
    lower = linalg.cholesky(_to_float(x))
    return linalg.adjoint(lower) if upper else lower


def eig(x: Any) -> Any:
    return tuple(linalg.eig(_to_float(x)))


def eigh(x: Any) -> Any:
    return tuple(linalg.eigh(_to_float(x)))


def lu_factor(x: Any) -> Any:
    factors, order = linalg.lu(_to_float(x))
    return factors, _exchanges(order)


def _exchanges(order: tf.Tensor) -> tf.Tensor:
    """The exchanges of rows, one after the other, that give `order`."""
    size = order.shape[-1]
    places = tf.range(size)
    rows = tf.broadcast_to(places, tf.shape(order))
    pivots = []
    for i in range(size):
        wanted = order[..., i : i + 1]
        pivot = tf.argmax(rows == wanted, -1, tf.int32)[..., None]
        rows = tf.where(places == pivot, rows[..., i : i + 1], rows)
        rows = tf.where(places == i, wanted, rows)
        pivots.append(pivot)
    return tf.concat(pivots, -1)


def qr(x: Any, mode: Any = "reduced") -> Any:
    return tuple(linalg.qr(_to_float(x), full_matrices=mode == "complete"))


def svd(x: Any, full_matrices: Any = True, compute_uv: Any = True) -> Any:
    result = linalg.svd(_to_float(x), full_matrices, compute_uv)
    if not compute_uv:
        return result
    s, u, v = result
    return u, s, linalg.adjoint(v)


def _solved(fn: Callable, a, b):
    a, b = _to_float(a), _to_float(b)
    if b.ndim == a.ndim - 1:
        return fn(a, b[..., None])[..., 0]
    return fn(a, b)


def solve(a: Any, b: Any) -> Any:
    return _solved(linalg.solve, a, b)


def solve_triangular(a: Any, b: Any, lower: Any = False) -> Any:
    return _solved(lambda a, b: linalg.triangular_solve(a, b, lower), a, b)


def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    # Through the pseudo-inverse, which serves matrices without full rank as well.
    a, b = _to_float(a), _to_float(b)
    if rcond is None:
        rcond = max(a.shape[-2:]) * float(
            tf.experimental.numpy.finfo(a.dtype.as_numpy_dtype).eps
        )
    inverse = linalg.pinv(a, rcond)
    return linalg.matvec(inverse, b) if b.ndim == 1 else inverse @ b


def complex_fft(x: Any) -> Any:
    return tf.signal.fft(convert(x))


def complex_ifft(x: Any) -> Any:
    return tf.signal.ifft(convert(x))


def real_fft(x: Any, length: Any = None) -> Any:
    return tf.signal.rfft(convert(x), None if length is None else [length])


def real_ifft(x: Any, length: Any = None) -> Any:
    return tf.signal.irfft(convert(x), None if length is None else [length])


def jvp(fun: Any, primals: Any, tangents: Any, has_aux: Any = False) -> Any:
    primals = [convert(x) for x in primals]
    pairs = zip(primals, tangents, strict=True)
    tangents = [convert(t, dtype_of(p)) for p, t in pairs]
    with tf.autodiff.ForwardAccumulator(primals, tangents) as accumulator:
        result = fun(*primals)
    value, *aux = result if has_aux else (result,)
    slope = optree.tree_map(
        lambda y: accumulator.jvp(y, tf.UnconnectedGradients.ZERO), value
    )
    return (value, slope, *aux)


def to_complex(x: Any, y: Any) -> Any:
    x, y = _to_float(x), _to_float(y)
    return tf.complex(x, cast(y, x.dtype))
