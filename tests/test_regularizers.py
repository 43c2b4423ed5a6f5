"""Regularizers: formulas, gradients, numbers as inputs, configs."""

import numpy as np
import pytest

from hornbeam import ops, regularizers
from hornbeam.core.hyperparameter import hyperparameter_inputs, hyperparameter_names
from hornbeam.core.variable import Variable
from tests.compilation import program

X = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])


def _mean_cosine(x):
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    upper = np.triu_indices(len(x), 1)
    return np.mean(np.abs(x @ x.T)[upper])


# Class, arguments, value for X in float64, gradient where there is a simple one.
ROWS = [
    ("L1", {"l1": 0.1}, 0.1 * np.abs(X).sum(), 0.1 * np.sign(X)),
    ("L2", {"l2": 0.1}, 0.1 * (X**2).sum(), 0.2 * X),
    (
        "L1L2",
        {"l1": 0.1, "l2": 0.2},
        0.1 * np.abs(X).sum() + 0.2 * (X**2).sum(),
        0.1 * np.sign(X) + 0.4 * X,
    ),
    ("OrthogonalRegularizer", {"factor": 0.3}, 0.3 * _mean_cosine(X), None),
    (
        "OrthogonalRegularizer",
        {"factor": 0.3, "mode": "columns"},
        0.3 * _mean_cosine(X.T),
        None,
    ),
]
IDS = [f"{row[0]}-{row[1]}" for row in ROWS]
DEFAULTS = {
    "L1": {"l1": 0.01},
    "L2": {"l2": 0.01},
    "L1L2": {"l1": 0.0, "l2": 0.0},
    "OrthogonalRegularizer": {"factor": 0.01, "mode": "rows"},
}


def _tensor(x):
    return ops.convert_to_tensor(np.asarray(x, np.float32))


@pytest.mark.parametrize(("name", "arguments", "value", "gradient"), ROWS, ids=IDS)
class TestRow:
    def test_value(self, engine, name, arguments, value, gradient):
        regularizer = getattr(regularizers, name)(**arguments)
        variable = Variable(np.asarray(X, np.float32))

        def both(x):
            return regularizer(x), regularizer(variable)

        for found in program(engine, both)(_tensor(X)):
            assert engine.shape_of(found) == ()
            np.testing.assert_allclose(engine.to_numpy(found), value, rtol=1e-5)

    def test_gradient(self, training_engine, name, arguments, value, gradient):
        engine = training_engine
        regularizer = getattr(regularizers, name)(**arguments)
        fn = program(engine, engine.value_and_grad(lambda xs: regularizer(xs[0])))
        found = engine.to_numpy(fn([_tensor(X)])[1][0])
        if gradient is None:
            step = 1e-3 * np.random.default_rng(0).normal(size=X.shape)
            at = program(engine, regularizer)
            up, down = (float(at(_tensor(X + s * step))) for s in (1, -1))
            assert np.sum(found * step) == pytest.approx((up - down) / 2, rel=0.02)
        else:
            np.testing.assert_allclose(found, gradient, rtol=1e-5)

    def test_numbers_are_inputs(self, engine, name, arguments, value, gradient):
        """The number may be a tensor: nothing branches on it."""
        regularizer = getattr(regularizers, name)(**arguments)
        names = hyperparameter_names(type(regularizer))
        assert set(names) == set(arguments) - {"mode"}
        owners = [(regularizer, n) for n in names]
        doubled = [ops.convert_to_tensor(2.0 * arguments[n]) for n in names]

        def with_inputs(x, doubled):
            with hyperparameter_inputs(owners, doubled):
                return regularizer(x)

        found = program(engine, with_inputs)(_tensor(X), doubled)
        found = engine.to_numpy(found)
        np.testing.assert_allclose(found, 2 * value, rtol=1e-5)

    def test_config(self, name, arguments, value, gradient):
        regularizer = getattr(regularizers, name)(**arguments)
        assert regularizer.get_config() == {**DEFAULTS[name], **arguments}
        config = regularizers.serialize(regularizer)
        assert config["module"] == "keras.regularizers"
        for again in (regularizers.deserialize(config), regularizers.get(config)):
            assert type(again) is type(regularizer)
            assert again.get_config() == regularizer.get_config()


def test_every_regularizer_has_a_row():
    public = {cls.__name__ for cls in regularizers.Regularizer.__subclasses__()}
    public = {name for name in public if hasattr(regularizers, name)}
    assert public == {row[0] for row in ROWS} == set(DEFAULTS)


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name):
    assert getattr(regularizers, name)().get_config() == DEFAULTS[name]


@pytest.mark.parametrize("name", DEFAULTS)
@pytest.mark.parametrize(
    "bad", [-1, float("nan"), float("inf"), "a", [0.1], True], ids=str
)
def test_factors_are_checked(name, bad):
    argument = next(iter(DEFAULTS[name]))
    with pytest.raises(ValueError, match=f"argument {argument}.*non-negative float"):
        getattr(regularizers, name)(**{argument: bad})


def test_orthogonal_checks():
    with pytest.raises(ValueError, match="`mode`.*sideways"):
        regularizers.OrthogonalRegularizer(mode="sideways")
    with pytest.raises(ValueError, match="must have rank 2"):
        regularizers.OrthogonalRegularizer()(np.ones((2, 2, 2)))
    one_row = regularizers.OrthogonalRegularizer()(np.ones((1, 3), np.float32))
    assert float(one_row) == 0.0


def test_zero_factor_is_no_penalty(engine):
    assert float(regularizers.L1L2()(_tensor(X))) == 0.0


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("l1", "L1"),
        ("L2", "L2"),
        ("l1l2", "L1L2"),
        ("l1_l2", "L1L2"),
        ("orthogonal_regularizer", "OrthogonalRegularizer"),
    ],
)
def test_get(name, cls):
    assert type(regularizers.get(name)).__name__ == cls


def test_get_others():
    assert regularizers.get(None) is None
    own = lambda x: ops.sum(x)  # noqa: E731
    assert regularizers.get(own) is own
    with pytest.raises(
        ValueError,
        match="'orthogonal_regulariser'.*Did you mean 'orthogonal_regularizer'",
    ):
        regularizers.get("orthogonal_regulariser")
