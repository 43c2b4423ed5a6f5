"""Numbers as flags: 0 and 1 are False and True on every engine."""

import numpy as np
import pytest

from hornbeam import layers, ops
from hornbeam.core import tree
from tests.compilation import program

X = np.random.default_rng(0).random((2, 3, 4, 4), dtype="float32")
SQUARE = X[0] + 4 * np.eye(4, dtype="float32")


def reduced(name):
    return lambda flag: getattr(ops, name)(X, axis=1, keepdims=flag)


CALLS = {
    **{
        name: reduced(name)
        for name in (
            *("sum", "mean", "max", "min", "prod", "any", "all", "std", "var"),
            *("logsumexp", "argmax", "argmin", "median", "norm"),
        )
    },
    "quantile": lambda flag: ops.quantile(X, 0.5, axis=1, keepdims=flag),
    "svd": lambda flag: ops.svd(SQUARE, full_matrices=flag, compute_uv=0),
    "cholesky": lambda flag: ops.cholesky(SQUARE @ SQUARE.mT, upper=flag),
    "solve_triangular": lambda flag: ops.solve_triangular(SQUARE, SQUARE, lower=flag),
    "segment_sum": lambda flag: ops.segment_sum(
        X[0, 0, 0], np.array([0, 0, 1, 1]), 2, sorted=flag
    ),
    "linspace": lambda flag: ops.linspace(0.0, 1.0, 5, endpoint=flag),
    "attention": lambda flag: ops.dot_product_attention(X, X, X, is_causal=flag),
    "scan": lambda flag: ops.scan(
        lambda total, x: (total + x, total), ops.zeros(4), X[0, 0], reverse=flag
    ),
    "top_k": lambda flag: ops.top_k(X, 2, sorted=flag)[0][..., :1],
}


@pytest.mark.parametrize("flag", [0, 1, np.bool_(True)], ids=repr)
def test_ops(engine, flag):
    def results(flag):
        return [tree.flatten(call(flag)) for call in CALLS.values()]

    found = program(engine, lambda: results(flag))()
    expected = program(engine, lambda: results(bool(flag)))()
    for name, values, others in zip(CALLS, found, expected, strict=True):
        for value, other in zip(values, others, strict=True):
            np.testing.assert_allclose(
                engine.to_numpy(value), engine.to_numpy(other), err_msg=name, rtol=1e-5
            )


@pytest.mark.parametrize("flag", [0, 1])
def test_causal_masks(engine, flag):
    x = X[0]
    for layer in (layers.Attention(), layers.MultiHeadAttention(2, 3)):
        argument = [x, x] if isinstance(layer, layers.Attention) else x
        more = () if isinstance(layer, layers.Attention) else (x,)
        np.testing.assert_allclose(
            *(
                engine.to_numpy(layer(argument, *more, use_causal_mask=f))
                for f in (flag, bool(flag))
            ),
            rtol=1e-5,
        )
