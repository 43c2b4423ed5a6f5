"""Activations by name."""

import itertools

import numpy as np
import pytest

from hornbeam import activations, ops
from hornbeam.core.lazy import names_of
from hornbeam.core.registry import register_keras_serializable
from tests.compilation import program

NAMES = sorted(
    set(names_of("hornbeam.activations")) - {"get", "serialize", "deserialize"}
)
X = np.array([[-9.0, -2.0, -0.5, 0.3, 2.0, 8.0]])


def value(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("name", NAMES)
def test_names_go_there_and_back(name):
    function = activations.get(name)
    assert function is getattr(activations, name)
    config = activations.serialize(function)
    assert config == {"swish": "silu", "hard_swish": "hard_silu"}.get(name, name)
    assert activations.deserialize(config) is function


def test_all_are_finite(engine):
    """Values and gradients are in `ops/test_nn.py`."""

    def everything(x):
        arguments = {"threshold": (0.5, 0.0)}
        return [activations.get(n)(x, *arguments.get(n, ())) for n in NAMES]

    found = program(engine, everything)(engine.convert(X, "float32"))
    for name, y in zip(NAMES, found, strict=True):
        assert np.isfinite(value(y)).all(), name


FORMULAS = {
    "exponential": (np.exp, {}),
    "tanh": (np.tanh, {}),
    "linear": (lambda x: x, {}),
    "mish": (lambda x: x * np.tanh(np.logaddexp(0, x)), {}),
    "relu": (lambda x: np.maximum(x, 0), {}),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_values(engine, name):
    formula, arguments = FORMULAS[name]
    function = getattr(activations, name)
    run = program(engine, lambda x: function(x, **arguments))
    found = value(run(engine.convert(X, "float32")))
    np.testing.assert_allclose(found, formula(X), rtol=1e-5, atol=1e-6)


def test_relu_of_four_arguments(engine):
    """Every pair of slope, limit and threshold."""
    rows = list(itertools.product((0.0, 0.3), (None, 6, 2.5), (0.0, 2.0)))
    run = program(engine, lambda x: [activations.relu(x, *row) for row in rows])
    for row, found in zip(rows, run(engine.convert(X, "float32")), strict=True):
        slope, limit, threshold = row
        expected = np.where(X > threshold, X, slope * (X - threshold))
        if limit is not None:
            expected = np.where(X >= limit, limit, expected)
        np.testing.assert_allclose(value(found), expected, rtol=1e-6, err_msg=str(row))


def test_gelu_is_exact_by_default(engine):
    assert float(activations.gelu(1.0)) == pytest.approx(0.8413447, rel=1e-5)
    assert float(activations.gelu(1.0, True)) == pytest.approx(0.8411920, rel=1e-5)


def test_get_takes_functions_and_none():
    def mine(x):
        return x

    assert activations.get(None) is activations.linear
    assert activations.get(mine) is mine


def test_registered_functions_go_there_and_back():
    @register_keras_serializable("TestActivations")
    def curve(x):
        return x * x

    assert activations.deserialize(activations.serialize(curve)) is curve
    assert activations.deserialize("other", {"other": curve}) is curve


def test_unknown_names_give_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'relu'"):
        activations.get("rellu")
    with pytest.raises(ValueError, match="Could not interpret"):
        activations.get(3)
