"""Rows of the ops that convert, cut out, put in, and run functions."""

import numpy as np

from hornbeam import ops
from tests.ops.rows import CUBE, ROW, SQUARE, X, floats, row

PLACES = np.array([[0], [2]], "int32")
INDICES = (-3, 0, 1, 9)  # of two branches: those outside are clamped


def _updated(x, places, updates):
    result = x.copy()
    result[places[:, 0]] = updates
    return result


def _sliced_in(x, start, updates):
    result = x.copy()
    result[
        tuple(slice(i, i + n) for i, n in zip(start, updates.shape, strict=True))
    ] = updates
    return result


def _prefix_products(x):
    result = [x[0]]
    for matrix in x[1:]:
        result.append(result[-1] @ matrix)
    return np.stack(result)


@ops.custom_gradient
def _cube(x):
    """The gradient is right only if it is the one given: the value has none."""
    return ops.stop_gradient(x) ** 3, lambda upstream: 3 * x * x * upstream


TENSORS = [
    row("cast", X, "int32", oracle=lambda x, dtype: x.astype(dtype)),
    row(
        "saturate_cast",
        np.array([-1.0, 0.5, 256.0], "float32"),
        "uint8",
        oracle=lambda x, dtype: np.clip(x, 0, 255).astype(dtype),
    ),
    row("convert_to_tensor", X, oracle=np.asarray),
    row("convert_to_numpy", X, oracle=np.asarray),
    row("shape", CUBE, oracle=np.shape),
    row(
        "dtype",
        X,
        call=lambda x: [ops.dtype(x) == name for name in ("float32", "int32")],
        oracle=lambda x: [True, False],
        exact=True,
    ),
    row(
        "is_tensor",
        X,
        call=lambda x: [ops.is_tensor(x), ops.is_tensor(3.0)],
        oracle=lambda x: [True, False],
    ),
    row(
        "scatter",
        PLACES,
        floats(2, 3),
        (4, 3),
        oracle=lambda i, v, shape: _updated(np.zeros(shape), i, v),
        grad=True,
    ),
    row("scatter_update", X, PLACES, floats(2, 4), oracle=_updated, grad=True),
    row("slice", X, (0, 1), (2, 2), oracle=lambda x, i, n: x[:2, 1:3], grad=True),
    row("slice_update", X, (0, 1), floats(2, 2), oracle=_sliced_in, grad=True),
    row("unstack", X, oracle=list),
    row("unstack", X, axis=1, oracle=lambda x, axis: list(x.T)),
    row(
        "rearrange",
        CUBE,
        "a b (c d) -> (a c) b d",
        c=2,
        oracle=lambda x, _, c: (
            x.reshape(2, 3, c, 2).transpose(0, 2, 1, 3).reshape(4, 3, 2)
        ),
        grad=True,
    ),
]
FUNCTIONS = [
    *(
        row(
            "cond",
            sign * np.abs(X),
            call=lambda x: ops.cond(ops.sum(x) > 0, lambda: x * 2, lambda: x - 1),
            oracle=lambda x: x * 2 if x.sum() > 0 else x - 1,
            grad=True,
        )
        for sign in (1, -1)
    ),
    row(
        "switch",
        X,
        call=lambda x: [ops.switch(i, [ops.negative, ops.square], x) for i in INDICES],
        oracle=lambda x: [-x, -x, x**2, x**2],
    ),
    row(
        "scan",
        X,
        ROW[:4],
        call=lambda x, start: ops.scan(lambda c, v: (c + v, c * v), start, x),
        oracle=lambda x, start: (
            start + x.sum(0),
            (start + np.cumsum(x, 0) - x) * x,
        ),
    ),
    row("associative_scan", lambda a, b: a + b, X, oracle=lambda _, x: np.cumsum(x, 0)),
    row(
        "associative_scan", ops.matmul, SQUARE, oracle=lambda _, x: _prefix_products(x)
    ),
    row("map", lambda x: x * x, X, oracle=lambda f, x: f(x), grad=True),
    row("vectorized_map", lambda x: x * x, X, oracle=lambda f, x: f(x), grad=True),
    row(
        "vectorize",
        X,
        ROW[:4],
        call=ops.vectorize(lambda a, b: ops.sum(a * b), signature="(n),(n)->()"),
        oracle=lambda a, b: a @ b,
        grad=True,
    ),
    row(
        "while_loop",
        X,
        call=lambda x: ops.while_loop(
            lambda i, y: i < 3, lambda i, y: (i + 1, y * 2), (0, x)
        )[1],
        oracle=lambda x: x * 8,
    ),
    row(
        "fori_loop",
        X,
        call=lambda x: ops.fori_loop(2, 5, lambda i, y: ops.add(y * 2, i), x),
        oracle=lambda x: ((x * 2 + 2) * 2 + 3) * 2 + 4,
    ),
    row("custom_gradient", X, call=_cube, oracle=lambda x: x**3, grad=True),
    row("stop_gradient", X, oracle=np.asarray),
]
CORE = [*TENSORS, *FUNCTIONS]
