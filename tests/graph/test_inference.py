"""Shapes that are inferred from a `call`, which may have state and look at values."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, ops, random
from tests.conftest import ENGINES
from tests.engine_exceptions import cannot

X = np.ones((5, 4), "float32")

# What a layer with a seed, a count and a table computes; each adds to the input.
DRAWS = {
    "normal": lambda s, x: random.normal(ops.shape(x), seed=s.seed),
    "two draws": lambda s, x: (
        random.normal(ops.shape(x), seed=s.seed)
        * random.uniform(ops.shape(x), seed=s.seed)
    ),
    "truncated_normal": lambda s, x: random.truncated_normal(x.shape, seed=s.seed),
    "randint": lambda s, x: random.randint(ops.shape(x), 0, 5, seed=s.seed),
    "categorical": lambda s, x: random.categorical(x, 4, seed=s.seed),
    "gamma": lambda s, x: random.gamma(ops.shape(x), 2.0, seed=s.seed),
    "beta": lambda s, x: random.beta(ops.shape(x), 1.0, 2.0, seed=s.seed),
    "binomial": lambda s, x: random.binomial(ops.shape(x), 3.0, 0.5, seed=s.seed),
    "dropout": lambda s, x: random.dropout(x, 0.5, seed=s.seed),
    "shuffle": lambda s, x: random.shuffle(x, seed=s.seed),
    "no seed": lambda s, x: random.normal(ops.shape(x)),
}
VALUES = {
    "a count": lambda s, x: ops.cast(s.count.assign_add(1), x.dtype),
    "a number": lambda s, x: float(s.count) * ops.ones_like(x),
    "an array": lambda s, x: ops.ones_like(x) * ops.convert_to_numpy(s.count).item(),
    "sizes": lambda s, x: ops.ones((int(ops.shape(x)[0]), int(ops.shape(x)[1]))),
    "positions": lambda s, x: ops.cast(ops.arange(ops.shape(x)[1]), x.dtype),
    "a branch": lambda s, x: ops.cond(ops.sum(x) > 0, lambda: x, lambda: -x),
    "a branch on state": lambda s, x: ops.cond(s.count > 0, lambda: x, lambda: -x),
    "a loop": lambda s, x: ops.while_loop(
        lambda i, y: i < s.count, lambda i, y: (i + 1, y * 2), (0, x)
    )[1],
}
# What only an engine that runs step by step can do: a number that is computed.
LOOKS = {
    "an entry": lambda s, x: ops.ones_like(x) * int(s.table[0]),
    "a size": lambda s, x: ops.concatenate(
        [x[:, : int(s.table[1])], x[:, int(s.table[1]) :]], 1
    ),
    "a branch of Python": lambda s, x: x if bool(ops.max(x) > 0) else -x,
}


class Uses(keras.layers.Layer):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.seed = random.SeedGenerator(1)
        self.count = self.add_weight(
            initializer="zeros", dtype="int32", trainable=False
        )
        self.table = self.add_weight(
            shape=(2,), initializer="ones", dtype="int32", trainable=False
        )

    def call(self, x):
        added = self.function(self, x)
        return x + (added if added is x else ops.cast(added, x.dtype))


def check(engine, function):
    layer = Uses(function)
    before = [v.numpy() for v in layer.variables]
    inputs = keras.Input((4,))
    outputs = layer(inputs)
    # An unknown size is unknown whatever the sizes that were tried.
    assert outputs.shape in ((None, 4), (4, 4))
    for variable, value in zip(layer.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    return engine.to_numpy(keras.Model(inputs, outputs)(X[:4]))


@pytest.fixture(params=[name for name in ENGINES if name != "jax"])
def step_by_step(request):
    """Each engine that compiles nothing here."""
    with backends.scope(request.param) as current:
        yield current


@pytest.mark.parametrize("name", DRAWS)
def test_draws(step_by_step, name):
    found = []
    for engine in (step_by_step, backends.get("numpy")):
        keras.utils.set_random_seed(1)
        with backends.scope(engine):
            found.append(check(engine, DRAWS[name]))
    np.testing.assert_allclose(*found, rtol=2e-5, atol=1e-6)


def test_draws_in_a_program(engine):
    keras.utils.set_random_seed(1)
    assert check(engine, DRAWS["two draws"]).shape == (4, 4)


@pytest.mark.parametrize("name", VALUES)
def test_values_of_variables(step_by_step, name):
    layer = Uses(VALUES[name])
    np.testing.assert_allclose(
        check(step_by_step, VALUES[name]), step_by_step.to_numpy(layer(X[:4]))
    )


@pytest.mark.parametrize("name", LOOKS)
def test_values_that_are_computed(engine, name):
    if cannot(engine, "values in a program"):
        pytest.skip("JAX traces")
    layer = Uses(LOOKS[name])
    np.testing.assert_allclose(
        check(engine, LOOKS[name]), engine.to_numpy(layer(X[:4]))
    )
