"""Patterns of axes against reshape and transpose written out."""

import numpy as np
import pytest

from hornbeam import ops
from hornbeam.graph.keras_tensor import KerasTensor

X = np.arange(2 * 4 * 6 * 3.0, dtype="float32").reshape(2, 4, 6, 3)
ROWS = [
    ("b h w c -> b c h w", {}, lambda x: x.transpose(0, 3, 1, 2)),
    ("b h w c -> (b h) w c", {}, lambda x: x.reshape(8, 6, 3)),
    ("b h w c -> h (b w) c", {}, lambda x: x.transpose(1, 0, 2, 3).reshape(4, 12, 3)),
    (
        "b (h1 h) (w1 w) c -> (b h1 w1) h w c",
        {"h1": 2, "w1": 3},
        lambda x: (
            x.reshape(2, 2, 2, 3, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(12, 2, 2, 3)
        ),
    ),
    ("b ... c -> b c (...)", {}, lambda x: x.reshape(2, 24, 3).transpose(0, 2, 1)),
    ("... c -> c ...", {}, lambda x: np.moveaxis(x, -1, 0)),
    ("b h w c -> b 1 (h w c)", {}, lambda x: x.reshape(2, 1, 72)),
]


@pytest.mark.parametrize("pattern,lengths,expected", ROWS, ids=[r[0] for r in ROWS])
def test_rearrange(engine, pattern, lengths, expected):
    found = ops.rearrange(X, pattern, **lengths)
    np.testing.assert_array_equal(ops.convert_to_numpy(found), expected(X))
    symbol = ops.rearrange(KerasTensor((None, 4, 6, 3)), pattern, **lengths)
    assert len(symbol.shape) == expected(X).ndim
    for known, size in zip(symbol.shape, expected(X).shape, strict=True):
        assert known in (None, size)


@pytest.mark.parametrize(
    "pattern,lengths,message",
    [
        ("a b c -> a b c", {}, "4 axes"),
        ("a b c d", {}, "arrow"),
        ("a b c d -> a b c", {}, "once on each side"),
        ("a (b e) c d -> a b e c d", {}, "told apart"),
        ("a (b e) c d -> a b e c d", {"b": 3}, "does not divide"),
        ("a b c d -> d c b a", {"x": 3}, "no axis 'x'"),
        ("a (b c d -> d c b a", {}, "rearrange"),
        ("a b c ? -> a b c ?", {}, "invalid pattern"),
    ],
)
def test_errors_name_the_pattern(pattern, lengths, message):
    with pytest.raises(ValueError, match=message):
        ops.rearrange(KerasTensor(X.shape), pattern, **lengths)
