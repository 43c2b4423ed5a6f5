"""What a row of the table is, and the arrays that many rows share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np

from hornbeam import ops


@dataclass(frozen=True)
class Row:
    """An op, its arguments, and what it gives.

    Attributes:
        op: its name below `keras.ops`.
        args: its arguments; arrays among them become tensors of each engine.
        oracle: a function of the same arguments in float64.
        kwargs: its keyword arguments.
        grad: whether its gradient is tested too.
        exact: whether arguments stay as they are: the op depends on their dtype.
        tolerance: relative and absolute.
        call: a function of the arguments that calls the op, where the op takes
            functions. Default: the op itself.
        seen: a function of the results, as arrays, that gives what the oracle gives;
            for results that are not unique. Default: the results.
    """

    op: str
    args: tuple
    oracle: Any
    kwargs: dict = field(default_factory=dict)
    grad: bool = False
    exact: bool = False
    tolerance: float = 2e-5
    call: Callable | None = None
    seen: Callable | None = None

    def __str__(self):
        return self.op

    def __call__(self, args, kwargs=None):
        """Return the op's results on `args`, and on the row's other arguments."""
        call = self.call or attrgetter(self.op)(ops)
        return call(*args, **(self.kwargs if kwargs is None else kwargs))


_random = np.random.default_rng(7)


def floats(*shape, low=-2.0, high=2.0):
    """Random numbers that float32 holds exactly."""
    return _random.uniform(low, high, shape).astype("float32")


def whole(*shape, low=-4, high=5):
    """Random integers."""
    return _random.integers(low, high, shape).astype("int32")


X = floats(3, 4)
Y = floats(3, 4)
POSITIVE = floats(3, 4, low=0.3, high=3.0)
UNIT = floats(3, 4, low=-0.9, high=0.9)
ROW = floats(5)
CUBE = floats(2, 3, 4)
I = whole(3, 4)
J = whole(3, 4, low=1, high=6)
TRUTH = np.array([[True, False], [False, False]])
HOLES = np.array([[1.0, np.nan, 3.0], [4.0, 2.0, 6.0]], "float32")
ODD = np.array([0.0, -1.5, np.inf, -np.inf, np.nan], "float32")
SQUARE = floats(2, 3, 3) + 3 * np.eye(3, dtype="float32")
SYMMETRIC = SQUARE @ SQUARE.swapaxes(1, 2)


def row(
    op,
    *args,
    oracle=None,
    grad=False,
    exact=False,
    tolerance=2e-5,
    call=None,
    seen=None,
    **kwargs,
):
    """A row; the oracle is NumPy's function of that name by default."""
    oracle = oracle or getattr(np, op)
    return Row(op, args, oracle, kwargs, grad, exact, tolerance, call, seen)
