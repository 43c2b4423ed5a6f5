"""Linear algebra and Fourier transforms, of tensors of shape (..., m, n)."""

from __future__ import annotations

from typing import Any


def cholesky(x: Any, upper: Any = False) -> Any:
    """The triangular L with L L^T = x, of symmetric positive matrices."""


def complex_fft(x: Any) -> Any:
    """The engine's Fourier transform of complex numbers."""


def complex_ifft(x: Any) -> Any:
    """The inverse of `complex_fft`."""


def det(x: Any) -> Any:
    """The determinant of square matrices."""


def eig(x: Any) -> Any:
    """The eigenvalues and eigenvectors (columns) of square matrices."""


def eigh(x: Any) -> Any:
    """The rising eigenvalues and the eigenvectors of symmetric matrices."""


def inv(x: Any) -> Any:
    """The inverse of square matrices."""


def jvp(fun: Any, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The value of a function and its derivative in a direction."""


def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """The x for which |a x - b| is smallest."""


def lu_factor(x: Any) -> Any:
    """The factors L and U in one matrix, and the rows that were exchanged."""


def qr(x: Any, mode: Any = "reduced") -> Any:
    """The orthogonal Q and the upper triangular R with Q R = x."""


def real_fft(x: Any, length: Any = None) -> Any:
    """The engine's Fourier transform of real numbers: `length // 2 + 1` numbers."""


def real_ifft(x: Any, length: Any = None) -> Any:
    """The inverse of `real_fft`."""


def slogdet(x: Any) -> Any:
    """The sign of the determinant and the logarithm of its absolute value."""


def solve(a: Any, b: Any) -> Any:
    """The x with a x = b."""


def solve_triangular(a: Any, b: Any, lower: Any = False) -> Any:
    """The x with a x = b, for a triangular `a`."""


def svd(x: Any, full_matrices: Any = True, compute_uv: Any = True) -> Any:
    """The singular values s, and U and V^T with U diag(s) V^T = x."""


def to_complex(x: Any, y: Any) -> Any:
    """The complex numbers of real part `x` and imaginary part `y`."""
