"""The normal distribution from random words, on NumPy and on tensors alike.

A word gives a sign and a tail probability p = P(|Z| > z) of 31 bits; z is sqrt(2) times
the inverse error function at 1 - p, by the single-precision polynomials of M. Giles,
"Approximating the erfinv function" (2010). They need w = -log((1 - x)(1 + x)) with
x = 1 - p, which is -log(p (2 - p)): exact far into the tails, which reach 6.3 sigma.

`maths` is the module whose `log`, `sqrt` and `where` serve: `numpy` or `hornbeam.ops`.
"""

from __future__ import annotations

import math
from typing import Any

_CENTRAL = (
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941,
)
_TAIL = (
    -0.000200214257,
    0.000100950558,
    0.00134934322,
    -0.00367342844,
    0.00573950773,
    -0.0076224613,
    0.00943887047,
    1.00167406,
    2.83297682,
)
# P(|Z| > 2): what a normal distribution truncated at two sigma leaves out.
TAIL_BEYOND_2 = math.erfc(math.sqrt(2.0))


def tail_of(words: Any) -> Any:
    """Return the tail probability in (0, 1] of 31 random bits, given as float."""
    return words * 2.0**-31 + 2.0**-32


def quantile(tail: Any, maths: Any) -> Any:
    """Return the z that a normal number exceeds in size with probability `tail`."""
    w = -maths.log(tail * (2.0 - tail))
    central = _polynomial(_CENTRAL, w - 2.5)
    far = _polynomial(_TAIL, maths.sqrt(w) - 3.0)
    return (1.0 - tail) * math.sqrt(2.0) * maths.where(w < 5.0, central, far)


def truncated_quantile(tail: Any, maths: Any) -> Any:
    """Like `quantile`, of the normal distribution without what lies beyond 2 sigma."""
    z = quantile(TAIL_BEYOND_2 + (1.0 - TAIL_BEYOND_2) * tail, maths)
    return maths.minimum(z, 2.0)


def _polynomial(coefficients, x):
    result = coefficients[0]
    for coefficient in coefficients[1:]:
        result = result * x + coefficient
    return result
