"""Constraints: formulas, axes, dtypes, configs."""

import numpy as np
import pytest

from hornbeam import constraints
from tests.compilation import program

W = np.random.default_rng(0).normal(size=(3, 3, 4, 5)) * 3
W[:, :, 1, 2] = 0.0


def _scaled(w, axis, wanted):
    norm = np.sqrt(np.sum(w**2, axis=axis, keepdims=True))
    return w * wanted(norm) / np.where(norm == 0, 1, norm)


def _clip(rate, low, high):
    return lambda norm: rate * np.clip(norm, low, high) + (1 - rate) * norm


# Class, arguments, what it makes of W.
ROWS = [
    ("MaxNorm", {}, _scaled(W, 0, _clip(1, 0, 2))),
    (
        "MaxNorm",
        {"max_value": 5.0, "axis": [0, 1, 2]},
        _scaled(W, (0, 1, 2), _clip(1, 0, 5)),
    ),
    ("NonNeg", {}, np.maximum(W, 0)),
    ("UnitNorm", {}, _scaled(W, 0, lambda norm: 1.0)),
    ("UnitNorm", {"axis": -1}, _scaled(W, -1, lambda norm: 1.0)),
    ("MinMaxNorm", {"min_value": 2.0, "max_value": 4.0}, _scaled(W, 0, _clip(1, 2, 4))),
    (
        "MinMaxNorm",
        {"min_value": 2.0, "max_value": 4.0, "rate": 0.3, "axis": 1},
        _scaled(W, 1, _clip(0.3, 2, 4)),
    ),
]
IDS = [f"{row[0]}-{row[1]}" for row in ROWS]
DEFAULTS = {
    "MaxNorm": {"max_value": 2, "axis": 0},
    "NonNeg": {},
    "UnitNorm": {"axis": 0},
    "MinMaxNorm": {"min_value": 0.0, "max_value": 1.0, "rate": 1.0, "axis": 0},
}


@pytest.mark.parametrize(("name", "arguments", "expected"), ROWS, ids=IDS)
class TestRow:
    @pytest.mark.parametrize(("dtype", "error"), [("float32", 1e-5), ("float16", 5e-3)])
    def test_value(self, engine, name, arguments, expected, dtype, error):
        constraint = getattr(constraints, name)(**arguments)
        w = engine.convert(W.astype(np.float32), dtype)
        found = program(engine, constraint)(w)
        assert engine.dtype_of(found) == dtype
        np.testing.assert_allclose(
            engine.to_numpy(found), expected, rtol=error, atol=error
        )
        np.testing.assert_array_equal(engine.to_numpy(w), W.astype(dtype))

    def test_config(self, name, arguments, expected):
        constraint = getattr(constraints, name)(**arguments)
        assert constraint.get_config() == {**DEFAULTS[name], **arguments}
        config = constraints.serialize(constraint)
        assert config["module"] == "keras.constraints"
        for again in (constraints.deserialize(config), constraints.get(config)):
            assert type(again) is type(constraint)
            assert again.get_config() == constraint.get_config()


def test_every_constraint_has_a_row():
    public = {cls.__name__ for cls in constraints.Constraint.__subclasses__()}
    public = {name for name in public if hasattr(constraints, name)}
    assert public == {row[0] for row in ROWS} == set(DEFAULTS)


def test_base_changes_nothing(engine):
    w = engine.convert(W.astype(np.float32))
    np.testing.assert_array_equal(
        engine.to_numpy(constraints.Constraint()(w)), engine.to_numpy(w)
    )


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("max_norm", "MaxNorm"),
        ("non_neg", "NonNeg"),
        ("UnitNorm", "UnitNorm"),
        ("min_max_norm", "MinMaxNorm"),
    ],
)
def test_get(name, cls):
    assert type(constraints.get(name)).__name__ == cls
    assert constraints.get(name).get_config() == DEFAULTS[cls]


def test_get_others():
    assert constraints.get(None) is None
    own = lambda w: w  # noqa: E731
    assert constraints.get(own) is own
    with pytest.raises(ValueError, match="Did you mean 'max_norm'"):
        constraints.get("maxnorm")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_limits_are_inputs_of_a_program(dtype):
    """Another limit compiles nothing, and is used."""
    import hornbeam as keras
    from hornbeam.training.execution.programs import cache

    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")

    def fitted(constraint):
        layer = keras.layers.Dense(3, kernel_constraint=constraint, dtype=dtype)
        model = keras.Sequential([keras.Input((4,)), layer])
        layer.kernel.assign(np.full((4, 3), 5.0))
        model.compile(keras.optimizers.SGD(1e-3), "mse")
        model.fit(x, x[:, :3], verbose=0)
        kernel = np.asarray(layer.kernel.numpy(), "float32")
        return np.linalg.norm(kernel, axis=0)

    with keras.config.backend_scope("jax"):
        fitted(constraints.MaxNorm(2.0))
        compiled = cache.compilations
        np.testing.assert_allclose(fitted(constraints.MaxNorm(3)), 3.0, rtol=1e-2)
        assert cache.compilations == compiled
        between = constraints.MinMaxNorm(0.5, 1.5, rate=1.0)
        np.testing.assert_allclose(fitted(between), 1.5, rtol=1e-2)
        compiled = cache.compilations
        between = constraints.MinMaxNorm(0.0, 4.0, rate=0.5)
        # 10 becomes (10 + 4) / 2, at the one step that there is.
        np.testing.assert_allclose(fitted(between), 7.0, rtol=2e-2)
        assert cache.compilations == compiled
