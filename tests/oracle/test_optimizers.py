"""The same gradients, given to Keras and to hornbeam."""

import numpy as np
import pytest

import hornbeam as keras
from tests.optimizers.table import ROWS

SHARED = [
    {"weight_decay": 0.0625, "clipnorm": 0.75},
    {"clipvalue": 0.5, "gradient_accumulation_steps": 3},
    {
        "global_clipnorm": 1.0,
        "use_ema": True,
        "ema_momentum": 0.75,
        "ema_overwrite_frequency": 4,
        "gradient_accumulation_steps": 2,
    },
]
CASES = [
    *[(row.name, {"learning_rate": 0.03125, **row.arguments}) for row in ROWS],
    *[("Adam", {"learning_rate": 0.03125, **arguments}) for arguments in SHARED],
]
GENERATOR = np.random.default_rng(0)
SHAPES = [(4, 3), (3,), (2, 3, 4)]
START = [GENERATOR.normal(size=s).astype("float32") for s in SHAPES]
GRADIENTS = [
    [0.95**t * GENERATOR.normal(size=s).astype("float32") for s in SHAPES]
    for t in range(20)
]


# What Keras does on torch with them is something else: averaged weights go elsewhere.
ON_JAX = ("ScheduleFreeAdamW",)


@pytest.fixture(scope="module")
def of_keras(keras_on):
    found = {}
    for engine in ("torch", "jax"):
        numbers = [
            i
            for i, (name, _) in enumerate(CASES)
            if (name in ON_JAX) == (engine == "jax")
        ]
        results = keras_on(engine).call(
            "optimizers_of_keras.py",
            "of_keras",
            [CASES[i] for i in numbers],
            START,
            GRADIENTS,
        )
        found.update(zip(numbers, results, strict=True))
    return found


@pytest.mark.parametrize(
    "case", range(len(CASES)), ids=lambda i: "-".join([CASES[i][0], *CASES[i][1]][:4])
)
def test_twenty_steps_agree(case, of_keras, engine):
    name, arguments = CASES[case]
    wanted = of_keras[case]
    optimizer = getattr(keras.optimizers, name)(**arguments)
    variables = [keras.Variable(w, name=f"w{i}") for i, w in enumerate(START)]
    optimizer.build(variables)
    for step in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in step], variables)
    for found, other in zip(variables, wanted["variables"], strict=True):
        scale = np.abs(other).max()
        np.testing.assert_allclose(found.numpy(), other, rtol=0, atol=3e-6 * scale)


@pytest.mark.parametrize(
    "case", range(len(CASES)), ids=lambda i: "-".join([CASES[i][0], *CASES[i][1]][:4])
)
def test_state_and_config_are_exchanged(case, of_keras, python_only):
    name, arguments = CASES[case]
    wanted = of_keras[case]
    cls = getattr(keras.optimizers, name)
    optimizer = cls.from_config(wanted["config"])
    assert optimizer.get_config() == wanted["config"]
    optimizer.build([keras.Variable(w, name=f"w{i}") for i, w in enumerate(START)])
    for own, other in zip(optimizer.variables, wanted["names"], strict=True):
        # Keras gives the product of Nadam's momentums no name of its own.
        assert own.name == other or other.startswith("variable")
    optimizer.load_own_variables(wanted["store"])
    for own, other in zip(optimizer.variables, wanted["store"].values(), strict=True):
        assert own.shape == other.shape
        np.testing.assert_array_equal(own.numpy(), other)
