"""Linear algebra."""

from __future__ import annotations

import builtins
import math
from typing import Literal, overload

from hornbeam import backends
from hornbeam.core import dtypes
from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.arithmetic import divide_no_nan, multiply, power, to_float
from hornbeam.ops.axes import several
from hornbeam.ops.comparison import greater, not_equal
from hornbeam.ops.control import jvp as jvp
from hornbeam.ops.core import cast
from hornbeam.ops.creation import diagonal, eye
from hornbeam.ops.declare import composite, primitive, reduced_shape
from hornbeam.ops.elementwise import absolute, sqrt
from hornbeam.ops.indexing import where
from hornbeam.ops.products import matmul
from hornbeam.ops.reductions import max, min, sum
from hornbeam.ops.shaping import broadcast_to, expand_dims, moveaxis, squeeze, swapaxes
from hornbeam.ops.transcendental import log
from hornbeam.typing import Axes, Tensor, TensorLike

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "jvp",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "solve",
    "solve_triangular",
    "svd",
]


def _checked(owner, x, square=True):
    shape = tuple(x.shape)
    if len(shape) < 2:
        raise ValueError(
            f"{owner}() needs a tensor of rank 2 or more. Received: shape={shape}"
        )
    if square and shape[-1] != shape[-2]:
        raise ValueError(f"{owner}() needs square matrices. Received: shape={shape}")
    return shape, dtypes.result_type(x.dtype, float)


def _same_matrix(owner):
    return lambda a: KerasTensor(*_checked(owner, a["x"]))


def _number_per_matrix(owner):
    def spec(a):
        shape, dtype = _checked(owner, a["x"])
        return KerasTensor(shape[:-2], dtype)

    return spec


@primitive(_same_matrix("cholesky"))
def cholesky(x: TensorLike, upper: bool = False) -> Tensor:
    """The triangular L with L L^T = x, of symmetric positive matrices.

    Args:
        x: a tensor of shape (..., n, n).
        upper: whether to return L^T instead. Default: False.

    >>> import hornbeam as keras
    >>> float(keras.ops.cholesky([[4.0, 0.0], [0.0, 9.0]])[1, 1])
    3.0
    """


@composite(rule=_same_matrix("cholesky_inverse"))
def cholesky_inverse(x: TensorLike, upper: bool = False) -> Tensor:
    """The inverse of L L^T from the Cholesky factor L (or L^T with `upper`).

    >>> import hornbeam as keras
    >>> float(keras.ops.cholesky_inverse([[2.0, 0.0], [0.0, 2.0]])[0, 0])
    0.25
    """
    x = to_float(x)
    _checked("cholesky_inverse", x)
    factor = swapaxes(x, -1, -2) if upper else x
    inverse = solve_triangular(factor, _identity_like(x), lower=True)
    return matmul(swapaxes(inverse, -1, -2), inverse)


def _identity_like(x):
    return broadcast_to(eye(x.shape[-1], dtype=rules.weak_dtype(x)), x.shape)


@primitive(_number_per_matrix("det"))
def det(x: TensorLike) -> Tensor:
    """The determinant of square matrices.

    >>> import hornbeam as keras
    >>> round(float(keras.ops.det([[1.0, 2.0], [3.0, 4.0]])), 4)
    -2.0
    """


def _slogdet_spec(a):
    shape, dtype = _checked("slogdet", a["x"])
    return KerasTensor(shape[:-2], dtype), KerasTensor(shape[:-2], dtype)


@primitive(_slogdet_spec)
def slogdet(x: TensorLike) -> tuple[Tensor, Tensor]:
    """The sign of the determinant and the logarithm of its absolute value.

    >>> import hornbeam as keras
    >>> sign, logarithm = keras.ops.slogdet([[1.0, 0.0], [0.0, 1.0]])
    >>> float(sign), float(logarithm)
    (1.0, 0.0)
    """


@composite(rule=_number_per_matrix("logdet"))
def logdet(x: TensorLike) -> Tensor:
    """The logarithm of the determinant of symmetric positive matrices.

    >>> import hornbeam as keras
    >>> float(keras.ops.logdet([[1.0, 0.0], [0.0, 1.0]]))
    0.0
    """
    factor = cholesky(x)
    return multiply(2, sum(log(diagonal(factor, 0, -2, -1)), -1))


def _eig_spec(a):
    shape, dtype = _checked("eig", a["x"])
    dtype = "complex128" if dtype == "float64" else "complex64"
    return KerasTensor(shape[:-1], dtype), KerasTensor(shape, dtype)


@primitive(_eig_spec)
def eig(x: TensorLike) -> tuple[Tensor, Tensor]:
    """The eigenvalues and eigenvectors (columns) of square matrices.

    >>> import hornbeam as keras
    >>> values, vectors = keras.ops.linalg.eig([[2.0, 0.0], [0.0, 3.0]])
    >>> tuple(values.shape), tuple(vectors.shape)
    ((2,), (2, 2))
    """


def _eigh_spec(a):
    shape, dtype = _checked("eigh", a["x"])
    return KerasTensor(shape[:-1], dtype), KerasTensor(shape, dtype)


@primitive(_eigh_spec)
def eigh(x: TensorLike) -> tuple[Tensor, Tensor]:
    """The rising eigenvalues and the eigenvectors of symmetric matrices.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.linalg.eigh([[2.0, 0.0], [0.0, 3.0]])[0]]
    [2.0, 3.0]
    """


@primitive(_same_matrix("inv"))
def inv(x: TensorLike) -> Tensor:
    """The inverse of square matrices.

    >>> import hornbeam as keras
    >>> float(keras.ops.inv([[2.0, 0.0], [0.0, 4.0]])[1, 1])
    0.25
    """


def _lu_spec(a):
    shape, dtype = _checked("lu_factor", a["x"], square=False)
    pivots = None if None in shape[-2:] else builtins.min(*shape[-2:])
    return KerasTensor(shape, dtype), KerasTensor((*shape[:-2], pivots), "int32")


@primitive(_lu_spec)
def lu_factor(x: TensorLike) -> tuple[Tensor, Tensor]:
    """The factors L and U in one matrix, and the rows that were exchanged.

    >>> import hornbeam as keras
    >>> factors, pivots = keras.ops.lu_factor([[2.0, 0.0], [0.0, 3.0]])
    >>> [int(p) for p in pivots]
    [0, 1]
    """


def _qr_spec(a):
    check_choice("qr()", "mode", a["mode"], ("reduced", "complete"))
    (*lead, m, n), dtype = _checked("qr", a["x"], square=False)
    if m is None or n is None:
        raise ValueError(
            "qr() needs the sizes of the last two axes. "
            f"Received: shape={tuple(a['x'].shape)}"
        )
    k = builtins.min(m, n) if a["mode"] == "reduced" else m
    return KerasTensor((*lead, m, k), dtype), KerasTensor((*lead, k, n), dtype)


@primitive(_qr_spec, through_body=True)
def qr(
    x: TensorLike, mode: Literal["reduced", "complete"] = "reduced"
) -> tuple[Tensor, Tensor]:
    """The orthogonal Q and the upper triangular R with Q R = x.

    Args:
        x: a tensor of shape (..., m, n).
        mode: "reduced" (default) or "complete", where Q is square.

    >>> import hornbeam as keras
    >>> [tuple(m.shape) for m in keras.ops.qr(keras.ops.ones((3, 2)))]
    [(3, 2), (2, 2)]
    """
    # Engines have more modes, with other results.
    check_choice("qr()", "mode", mode, ("reduced", "complete"))
    return backends.current().qr(x, mode)


def _svd_spec(a):
    (*lead, m, n), dtype = _checked("svd", a["x"], square=False)
    k = None if m is None or n is None else builtins.min(m, n)
    s = KerasTensor((*lead, k), dtype)
    if not a["compute_uv"]:
        return s
    left, right = (m, n) if a["full_matrices"] else (k, k)
    return (
        KerasTensor((*lead, m, left), dtype),
        s,
        KerasTensor((*lead, right, n), dtype),
    )


@overload
def svd(
    x: TensorLike, full_matrices: bool = True, compute_uv: Literal[True] = True
) -> tuple[Tensor, Tensor, Tensor]: ...
@overload
def svd(
    x: TensorLike, full_matrices: bool = True, compute_uv: bool = True
) -> Tensor: ...
@primitive(_svd_spec)
def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Tensor:
    """The singular values s, and U and V^T with U diag(s) V^T = x.

    Args:
        x: a tensor of shape (..., m, n).
        full_matrices: whether U and V^T are square. Default: True.
        compute_uv: whether to return them; default True.

    >>> import hornbeam as keras
    >>> [float(s) for s in keras.ops.svd([[3.0, 0.0], [0.0, 2.0]])[1]]
    [3.0, 2.0]
    """


def _solve_spec(owner):
    def spec(a):
        shape, dtype = _checked(owner, a["a"])
        right = rules.shape_of(a["b"])
        if len(right) not in (len(shape) - 1, len(shape)):
            raise ValueError(
                f"{owner}(): `b` must have the rank of `a` or one less. "
                f"Received: shapes {shape} and {right}"
            )
        rows = right[-1] if len(right) == len(shape) - 1 else right[-2]
        if rows != shape[-1]:
            raise ValueError(
                f"{owner}(): `b` must have as many rows as `a`. "
                f"Received: shapes {shape} and {right}"
            )
        return KerasTensor(right, dtypes.result_type(dtype, rules.weak_dtype(a["b"])))

    return spec


@primitive(_solve_spec("solve"))
def solve(a: TensorLike, b: TensorLike) -> Tensor:
    """The x with a x = b.

    Args:
        a: square matrices, of shape (..., n, n).
        b: of shape (..., n) or (..., n, m).

    >>> import hornbeam as keras
    >>> [float(x) for x in keras.ops.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 8.0])]
    [1.0, 2.0]
    """


@primitive(_solve_spec("solve_triangular"))
def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Tensor:
    """The x with a x = b, for a triangular `a`.

    Args:
        a: triangular matrices, of shape (..., n, n).
        b: of shape (..., n) or (..., n, m).
        lower: whether the triangle below the diagonal counts. Default: False.

    >>> import hornbeam as keras
    >>> float(keras.ops.solve_triangular([[2.0]], [8.0])[0])
    4.0
    """


def _lstsq_spec(a):
    rows, columns = a["a"].shape
    right = rules.shape_of(a["b"])
    if not rules.may_be_equal(right[0], rows):
        raise ValueError(
            "lstsq(): `b` must have as many rows as `a`. "
            f"Received: shapes {tuple(a['a'].shape)} and {right}"
        )
    dtype = dtypes.result_type(a["a"].dtype, rules.weak_dtype(a["b"]), float)
    return KerasTensor((columns, *right[1:]), dtype)


@primitive(_lstsq_spec)
def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> Tensor:
    """The x for which |a x - b| is smallest.

    Args:
        a: a matrix of shape (m, n).
        b: of shape (m,) or (m, k).
        rcond: singular values below this part of the largest count as 0.

    >>> import hornbeam as keras
    >>> round(float(keras.ops.lstsq([[1.0], [1.0]], [1.0, 3.0])[0]), 4)
    2.0
    """


def _singular_limit(x, s, factor):
    """The size below which singular values count as 0."""
    import ml_dtypes

    if factor is None:
        largest_side = builtins.max(x.shape[-2:])
        factor = largest_side * float(ml_dtypes.finfo(rules.weak_dtype(x)).eps)
    return multiply(max(s, -1, keepdims=True), factor)


def _pinv_spec(a):
    (*lead, m, n), dtype = _checked("pinv", a["x"], square=False)
    return KerasTensor((*lead, n, m), dtype)


@composite(rule=_pinv_spec)
def pinv(x: TensorLike, rcond: TensorLike | None = None) -> Tensor:
    """The pseudo-inverse (Moore and Penrose) of matrices.

    Args:
        x: a tensor of shape (..., m, n).
        rcond: singular values below this part of the largest count as 0.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.pinv(keras.ops.ones((3, 2))).shape)
    (2, 3)
    """
    x = to_float(x)
    _checked("pinv", x, square=False)
    u, s, vt = svd(x, full_matrices=False)
    kept = greater(s, _singular_limit(x, s, rcond))
    inverse = where(kept, divide_no_nan(1.0, s), cast(0, s.dtype))
    left = multiply(swapaxes(vt, -1, -2), expand_dims(inverse, -2))
    return matmul(left, swapaxes(u, -1, -2))


def _rank_spec(a):
    shape, _ = _checked("matrix_rank", a["x"], square=False)
    return KerasTensor(shape[:-2], "int32")


@composite(rule=_rank_spec)
def matrix_rank(x: TensorLike, tol: TensorLike | None = None) -> Tensor:
    """The number of singular values above `tol`.

    Args:
        x: a tensor of shape (..., m, n).
        tol: smaller singular values count as 0. Default: the largest one times the
            dtype's precision times max(m, n).

    >>> import hornbeam as keras
    >>> int(keras.ops.matrix_rank([[1.0, 1.0], [1.0, 1.0]]))
    1
    """
    x = to_float(x)
    s = svd(x, compute_uv=False)
    limit = _singular_limit(x, s, None) if tol is None else tol
    return sum(cast(greater(s, limit), "int32"), -1)


def _norm_spec(a):
    x = a["x"]
    shape = reduced_shape(tuple(x.shape), a["axis"], a["keepdims"])
    return KerasTensor(shape, dtypes.result_type(x.dtype, float))


@composite(rule=_norm_spec)
def norm(
    x: TensorLike,
    ord: float | Literal["fro", "nuc"] | None = None,
    axis: Axes = None,
    keepdims: bool = False,
) -> Tensor:
    """The norm of vectors (one axis) or matrices (two axes).

    Args:
        x: a tensor.
        ord: of vectors: a number p, inf, -inf; default None, 2. Of matrices: "fro"
            (default), "nuc", 1, -1, 2, -2, inf, -inf.
        axis: an axis or a pair. Default: None, the flat tensor, or with `ord` all axes.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.norm([3.0, 4.0]))
    5.0
    """
    x = to_float(x)
    if axis is None:
        if ord is None:
            return sqrt(sum(multiply(absolute(x), absolute(x)), None, keepdims))
        axis = tuple(range(len(x.shape)))
    axes = several(axis)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    raise ValueError(
        "norm(): `axis` must name one axis or two. "
        f"Received: axis={axis}, shape={tuple(x.shape)}, ord={ord!r}"
    )


def _vector_norm(x, ord, axis, keepdims):
    size = absolute(x)
    if ord is None or ord == 2:
        return sqrt(sum(multiply(size, size), axis, keepdims))
    if isinstance(ord, str):
        raise ValueError(f"norm(): vectors have no norm of `ord={ord!r}`.")
    if math.isinf(ord):
        return (max if ord > 0 else min)(size, axis, keepdims)
    if ord == 0:
        return sum(cast(not_equal(x, 0), x.dtype), axis, keepdims)
    if ord == 1:
        return sum(size, axis, keepdims)
    return power(sum(power(size, ord), axis, keepdims), 1 / ord)


def _matrix_norm(x, ord, axes, keepdims):
    row, column = (range(len(x.shape))[i] for i in axes)
    if ord in (None, "fro"):
        return sqrt(sum(multiply(absolute(x), absolute(x)), (row, column), keepdims))
    orders = ("nuc", 1, -1, 2, -2, math.inf, -math.inf)
    if ord not in orders:
        raise ValueError(
            "norm(): argument `ord` of matrices must be None, 'fro' or one of "
            f"{orders}. Received: ord={ord!r}"
        )
    if ord in ("nuc", 2, -2):
        s = svd(moveaxis(x, (row, column), (-2, -1)), compute_uv=False)
        result = {"nuc": sum, 2: max, -2: min}[ord](s, -1)
    else:
        added, compared = (row, column) if abs(ord) == 1 else (column, row)
        sums = sum(absolute(x), added, keepdims=True)
        result = (max if ord > 0 else min)(sums, compared, keepdims=True)
        return result if keepdims else squeeze(result, (row, column))
    if keepdims:
        for axis in sorted((row, column)):
            result = expand_dims(result, axis)
    return result
