"""Every op: rows of NumPy's names, of mathematics and of linear algebra, and the rest.

The rest is in `neural_rows.py` and `core_rows.py`.
"""

import numpy as np
import scipy.linalg
import scipy.special

from tests.ops.core_rows import CORE
from tests.ops.neural_rows import ACTIVATIONS, IMAGES, NEURAL
from tests.ops.rows import (
    CUBE,
    HOLES,
    ODD,
    POSITIVE,
    ROW,
    SQUARE,
    SYMMETRIC,
    TRUTH,
    UNIT,
    I,
    J,
    X,
    Y,
    floats,
    row,
)

UNARY = [
    *(
        row(op, X, grad=True)
        for op in "absolute abs arctan arcsinh cos cosh exp".split()
    ),
    *(row(op, X, grad=True) for op in "exp2 expm1 fabs sin sinh square tanh".split()),
    *(row(op, X, grad=True) for op in "negative deg2rad rad2deg sinc cbrt".split()),
    *(row(op, X) for op in "ceil floor trunc sign signbit copy conj real imag".split()),
    *(row(op, X) for op in "conjugate angle i0 isreal".split()),
    *(row(op, POSITIVE, grad=True) for op in "log log10 log1p log2 sqrt".split()),
    *(row(op, POSITIVE, grad=True) for op in ("reciprocal",)),
    *(row(op, UNIT, grad=True) for op in "arccos arcsin arctanh tan".split()),
    row("arccosh", POSITIVE + 1, grad=True),
    *(row(op, ODD) for op in "isfinite isinf isnan isneginf isposinf".split()),
    row("logical_not", TRUTH, exact=True),
    *(row(op, I, exact=True) for op in "bitwise_not bitwise_invert".split()),
    row("rsqrt", POSITIVE, oracle=lambda x: 1 / np.sqrt(x), grad=True),
    row("erf", X, oracle=scipy.special.erf, grad=True),
    row("erfc", X, oracle=scipy.special.erfc, grad=True),
    row("erfinv", UNIT, oracle=scipy.special.erfinv, grad=True),
    row("round", X * 10, decimals=1),
    row("nan_to_num", ODD, nan=7.0, posinf=8.0, neginf=9.0),
    row("clip", X, -1.0, 0.5, grad=True),
    row(
        "view", X, "int32", oracle=lambda x, d: x.astype("float32").view(d), exact=True
    ),
]
BINARY = [
    *(
        row(op, X, Y, grad=True)
        for op in "add subtract multiply maximum minimum".split()
    ),
    *(
        row(op, X, Y)
        for op in "fmax fmin greater greater_equal less less_equal".split()
    ),
    *(row(op, I, J) for op in "equal not_equal gcd lcm".split()),
    *(row(op, X, POSITIVE, grad=True) for op in "divide true_divide hypot".split()),
    *(row(op, X, POSITIVE, grad=True) for op in "arctan2 logaddexp logaddexp2".split()),
    *(row(op, X, POSITIVE) for op in "floor_divide mod fmod".split()),
    *(row(op, I, J) for op in "floor_divide mod fmod".split()),
    row("power", POSITIVE, Y, grad=True),
    row("heaviside", np.array([-1.0, 0.0, 2.0], "float32"), np.float32(0.5)),
    row("ldexp", X, I),
    row(
        "nextafter",
        X,
        Y,
        oracle=lambda a, b: np.nextafter(a.astype("float32"), b.astype("float32")),
        tolerance=0,
    ),
    row(
        "divide_no_nan",
        X,
        np.array([0.0, 1.0, 0.0, 2.0], "float32"),
        oracle=lambda a, b: np.where(b == 0, 0, a / np.where(b == 0, 1, b)),
    ),
    *(row(op, TRUTH, ~TRUTH.T, exact=True) for op in ("logical_and", "logical_or")),
    row("logical_xor", TRUTH, TRUTH.T, exact=True),
    *(row(f"bitwise_{op}", I, J, exact=True) for op in ("and", "or", "xor")),
    row("left_shift", I, J, exact=True),
    row("right_shift", I, J, exact=True),
    row("bitwise_left_shift", I, J, exact=True),
    row("bitwise_right_shift", I, J, exact=True),
    row("isclose", X, X + np.float32(1e-7)),
    row("allclose", X, Y),
    row("isin", I, np.array([1, 2], "int32")),
]
REDUCTIONS = [
    *(row(op, X, grad=True) for op in "sum mean var std prod max min".split()),
    *(row(op, X, axis=1, grad=True) for op in "sum mean var std prod".split()),
    *(row(op, X, axis=1, keepdims=True) for op in "max min amax amin ptp".split()),
    *(row(op, CUBE, axis=(0, 2), keepdims=True) for op in "sum mean max prod".split()),
    *(row(op, X, axis=0) for op in "argmax argmin median".split()),
    *(row(op, TRUTH, axis=0, exact=True) for op in "all any".split()),
    row("count_nonzero", I, axis=1),
    row("amax", X),
    row("amin", X),
    row("ptp", X),
    row("max", X, initial=9.0),
    row("min", X, initial=-9.0),
    *(row(op, X, axis=1, grad=True) for op in "cumsum cumprod".split()),
    *(row(op, X) for op in "cumsum cumprod median".split()),
    *(row(op, HOLES, axis=1) for op in "nansum nanmean nanmax nanmin".split()),
    *(row(op, HOLES, axis=1) for op in "nanprod nanstd nanvar nanmedian".split()),
    *(row(op, HOLES, axis=0) for op in "nancumsum nancumprod nanargmax".split()),
    row("nanargmin", HOLES, axis=1),
    row("logsumexp", X * 50, axis=1, oracle=scipy.special.logsumexp, grad=True),
    row("average", X, axis=1, weights=POSITIVE, grad=True),
    row("average", X, axis=1, weights=np.array([1, 2, 3, 4], "float32")),
    row("quantile", X, np.array([0.1, 0.5, 0.9], "float32"), axis=1),
    *(
        row("quantile", X, 0.3, axis=0, method=m)
        for m in ("lower", "higher", "nearest")
    ),
    row("quantile", CUBE, 0.3, axis=(0, 2), method="midpoint", keepdims=True),
    row("percentile", X, 30.0),
    row("nanquantile", HOLES, 0.3, axis=1),
    row("nanpercentile", HOLES, 30.0, axis=0),
    row("trapezoid", X, dx=0.5, grad=True),
    row("trace", CUBE, offset=1, axis1=1, axis2=2, grad=True),
    row("corrcoef", X),
    row("diff", X, n=2, grad=True),
    row("size", X),
    row("ndim", X),
    row("bincount", np.array([1, 1, 3], "int32"), minlength=6, exact=True),
    row("histogram", ROW, bins=4, range=(-1.0, 1.0)),
    row("histogram", ROW),
]
SHAPING = [
    row("reshape", X, (2, -1), grad=True),
    row("ravel", X, grad=True),
    row("transpose", CUBE, (2, 0, 1), grad=True),
    row("transpose", CUBE),
    row("moveaxis", CUBE, 0, -1, grad=True),
    row("swapaxes", CUBE, 0, 2, grad=True),
    row("expand_dims", X, (0, 2)),
    row("squeeze", X[None], 0),
    row("squeeze", X[None]),
    row("broadcast_to", ROW, (2, 5), grad=True),
    row("flip", X, 1),
    row("flip", X),
    row("fliplr", X),
    row("flipud", X),
    row("rot90", X, 3),
    row("roll", X, 1, 1, grad=True),
    row("roll", X, 2),
    row("repeat", X, 2, 1, grad=True),
    row("repeat", X, 2),
    row("tile", X, (2, 1), grad=True),
    row("concatenate", [X, Y], 1, grad=True),
    row("stack", [X, Y], 1, grad=True),
    row("vstack", [ROW, ROW]),
    row("hstack", [ROW, ROW]),
    row("dstack", [X, Y]),
    row("append", X, ROW),
    row("split", X, 2, 1),
    row("split", X, [1, 3], 1),
    row("array_split", ROW, 2),
    row("vsplit", X, 3),
    row("hsplit", X, 2),
    row("dsplit", CUBE, 2),
    row("pad", X, ((1, 2), (0, 1)), constant_values=3.0, grad=True),
    row("pad", TRUTH, 1, constant_values=True, exact=True),
    *(row("pad", X, 2, mode=mode) for mode in ("reflect", "symmetric", "edge", "wrap")),
    row("meshgrid", ROW, X[0]),
    row("diagflat", ROW, 1),
    row("diag", ROW),
    row("diag", X, 1),
    row("diagonal", CUBE, 0, 1, 2, grad=True),
    row("tril", X, 1, grad=True),
    row("triu", X),
    row("vander", ROW, 3),
]
INDEXING = [
    row("take", X, np.array([[0, -1], [2, 0]], "int32"), axis=0, grad=True),
    row("take", X, np.array([1, 5], "int32")),
    row("take_along_axis", X, np.array([[0], [3], [-1]], "int32"), axis=1, grad=True),
    row("get_item", X, (slice(None), 1), oracle=lambda x, k: x[k]),
    row("get_item", CUBE, (..., None, slice(1, 3)), oracle=lambda x, k: x[k]),
    row("where", X > 0, X, Y, grad=True),
    row("where", X > 0),
    row("nonzero", I),
    row("select", [X > 1, X > 0], [X, Y], 7.0),
    row("sort", X, 0),
    row("argsort", X, 1),
    # Of three elements the one in the middle leaves one on each side.
    row("argpartition", X[:, :3], 1),
    row("unique", I),
    row("unique", I, return_index=True, return_counts=True),
    row("searchsorted", np.sort(ROW), X, side="right"),
    row("digitize", X, np.array([-1.0, 0.0, 1.0], "float32")),
    row("unravel_index", np.array([5, 7], "int32"), (3, 4)),
    row(
        "top_k",
        X,
        2,
        oracle=lambda x, k: (
            -np.sort(-x, -1)[:, :k],
            np.argsort(-x, -1)[:, :k],
        ),
    ),
    row(
        "in_top_k",
        np.array([0, 1, 2], "int32"),
        X,
        2,
        oracle=lambda t, p, k: np.array(
            [t[i] in np.argsort(-p[i])[:k] for i in range(len(t))]
        ),
    ),
]
CREATION = [
    *(row(op, (2, 3)) for op in ("zeros", "ones")),
    row("empty", (2, 3), oracle=np.zeros),
    row("full", (2, 3), 7.0),
    *(row(op, X) for op in ("zeros_like", "ones_like")),
    row("empty_like", X, oracle=np.zeros_like),
    row("full_like", X, 7.0),
    row("array", X),
    row("arange", 1, 9, 3),
    row("arange", 3.0),
    row("linspace", 0.0, 1.0, 5),
    row("linspace", ROW, ROW + 1, 4, endpoint=False, axis=1),
    row("logspace", 0.0, 2.0, 4),
    row("geomspace", 1.0, 1000.0, 4),
    row("eye", 3, 4, 1),
    row("identity", 3),
    row("tri", 3, 4, 1),
    *(row(op, 7) for op in "bartlett blackman hamming hanning".split()),
    row("kaiser", 7, 3.0),
]
PRODUCTS = [
    row("matmul", CUBE, floats(4, 2), grad=True),
    row("dot", X, floats(4, 2), grad=True),
    row("dot", CUBE, floats(5, 4, 2)),
    row("tensordot", CUBE, floats(4, 3), [[1, 2], [1, 0]], grad=True),
    row("tensordot", X, floats(4, 2), 1),
    row("einsum", "bij,jk->bik", CUBE, floats(4, 2), grad=True),
    row("einsum", "...i,i", CUBE, floats(4)),
    row("vdot", X, Y, grad=True),
    row("inner", X, Y, grad=True),
    row("outer", ROW, X[0], grad=True),
    row("kron", X, floats(2, 2)),
    row("cross", floats(2, 3), floats(2, 3), grad=True),
    *(row("correlate", ROW, X[0, :3], mode=m) for m in ("valid", "same", "full")),
    row(
        "cdist",
        X,
        floats(2, 4),
        oracle=lambda a, b: np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1)),
        grad=True,
    ),
]


def _hann(length):
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


def _stft(x, length, stride, size, dtype="float64"):
    x = np.pad(x, [(0, 0), (size // 2, size // 2)], "reflect")
    starts = range(0, x.shape[1] - size + 1, stride)
    frames = np.stack([x[:, i : i + size] * _hann(length) for i in starts], 1)
    spectrum = np.fft.rfft(frames)
    return spectrum.real.astype(dtype), spectrum.imag.astype(dtype)


def _istft(parts, length, stride, size):
    frames = np.fft.irfft(parts[0] + 1j * parts[1]) * _hann(length)
    total = np.zeros((len(frames), stride * (frames.shape[1] - 1) + size))
    weight = np.zeros(total.shape[1])
    for i in range(frames.shape[1]):
        total[:, i * stride : i * stride + size] += frames[:, i]
        weight[i * stride : i * stride + size] += _hann(length) ** 2
    inside = slice(size // 2, -size // 2)
    return total[:, inside] / weight[inside]


def _segments(reduce):
    return lambda x, ids, n: np.stack([reduce(x[ids == i], axis=0) for i in range(n)])


IDS = np.array([0, 1, 1], "int32")
MATH = [
    *(
        row(f"segment_{op}", X, IDS, 2, oracle=_segments(getattr(np, op)), grad=True)
        for op in ("sum", "max", "min")
    ),
    # JAX has no gradient of a product over repeated indices.
    row("segment_prod", X, IDS, 2, oracle=_segments(np.prod)),
    row(
        "extract_sequences",
        X,
        2,
        1,
        oracle=lambda x, n, s: np.lib.stride_tricks.sliding_window_view(x, n, -1),
    ),
    row(
        "view_as_complex",
        floats(3, 2),
        oracle=lambda x: x[..., 0] + 1j * x[..., 1],
        exact=True,
    ),
    row(
        "rfft",
        X,
        oracle=lambda x: (np.fft.rfft(x).real, np.fft.rfft(x).imag),
    ),
    row(
        "fft",
        (X, Y),
        oracle=lambda z: (
            np.fft.fft(z[0] + 1j * z[1]).real,
            np.fft.fft(z[0] + 1j * z[1]).imag,
        ),
    ),
    row(
        "fft2",
        (X, Y),
        oracle=lambda z: (
            np.fft.fft2(z[0] + 1j * z[1]).real,
            np.fft.fft2(z[0] + 1j * z[1]).imag,
        ),
    ),
    row(
        "ifft2",
        (X, Y),
        oracle=lambda z: (
            np.fft.ifft2(z[0] + 1j * z[1]).real,
            np.fft.ifft2(z[0] + 1j * z[1]).imag,
        ),
    ),
    row(
        "view_as_real",
        X + 1j * Y,
        oracle=lambda z: np.stack([z.real, z.imag], -1),
        exact=True,
    ),
    row("stft", floats(2, 32), 8, 4, 8, oracle=_stft),
    row(
        "istft",
        _stft(floats(2, 32), 8, 4, 8, dtype="float32"),
        8,
        4,
        8,
        oracle=_istft,
    ),
    row("irfft", (X, Y * 0), oracle=lambda z: np.fft.irfft(z[0] + 1j * z[1])),
]


def _reconstructed(values, vectors):
    """The sorted eigenvalues and the matrices that they belong to."""
    order = np.argsort(values, -1)
    vectors = np.take_along_axis(vectors, order[..., None, :], -1)
    values = np.take_along_axis(values, order, -1)
    return values, vectors * values[..., None, :] @ np.linalg.inv(vectors)


def _with_positive_diagonal(q, r):
    """The one QR decomposition of which the diagonal of R is positive."""
    sign = np.sign(np.diagonal(r, axis1=-2, axis2=-1))
    return q * sign[..., None, :], r * sign[..., :, None]


LINALG = [
    row(
        "eig",
        SQUARE,
        oracle=lambda x: (np.sort(np.linalg.eigvals(x)), x),
        seen=_reconstructed,
        tolerance=1e-4,
    ),
    row(
        "eigh",
        SYMMETRIC,
        oracle=lambda x: (np.linalg.eigvalsh(x), x),
        seen=_reconstructed,
        tolerance=1e-3,
    ),
    row("lu_factor", SQUARE[0], oracle=scipy.linalg.lu_factor),
    row(
        "qr",
        SQUARE,
        oracle=lambda x: _with_positive_diagonal(*np.linalg.qr(x)),
        seen=_with_positive_diagonal,
    ),
    row("cholesky", SYMMETRIC, oracle=np.linalg.cholesky, tolerance=1e-4),
    row(
        "cholesky_inverse",
        np.linalg.cholesky(SYMMETRIC),
        oracle=lambda l: np.linalg.inv(l @ l.swapaxes(1, 2)),
        tolerance=1e-3,
    ),
    row("det", SQUARE, oracle=np.linalg.det, grad=True, tolerance=1e-4),
    row("slogdet", SQUARE, oracle=np.linalg.slogdet),
    row("logdet", SYMMETRIC, oracle=lambda x: np.linalg.slogdet(x)[1], tolerance=1e-4),
    row("inv", SQUARE, oracle=np.linalg.inv, grad=True, tolerance=1e-4),
    row("pinv", X, oracle=np.linalg.pinv, tolerance=1e-4),
    row("matrix_rank", X[:, [0, 0, 1]], oracle=np.linalg.matrix_rank),
    row("solve", SQUARE, floats(2, 3, 2), oracle=np.linalg.solve, grad=True),
    row("lstsq", floats(5, 2), ROW, oracle=lambda a, b: np.linalg.lstsq(a, b)[0]),
    row(
        "solve_triangular",
        SQUARE[0],
        floats(3),
        oracle=lambda a, b, lower: scipy.linalg.solve_triangular(a, b, lower=lower),
        lower=True,
    ),
    row("svd", X, compute_uv=False, oracle=np.linalg.svd, tolerance=1e-4),
    *(
        row("norm", X, ord=o, axis=1, oracle=np.linalg.norm)
        for o in (None, 1, 3, np.inf)
    ),
    *(
        row("norm", X, ord=o, axis=(0, 1), oracle=np.linalg.norm, tolerance=1e-4)
        for o in ("fro", "nuc", 1, -1, 2, np.inf)
    ),
    row("norm", X, oracle=np.linalg.norm, grad=True),
]
TABLE = [
    *UNARY,
    *BINARY,
    *REDUCTIONS,
    *SHAPING,
    *INDEXING,
    *CREATION,
    *PRODUCTS,
    *MATH,
    *LINALG,
    *ACTIVATIONS,
    *NEURAL,
    *IMAGES,
    *CORE,
]
