"""The same gradients, given to Keras and to hornbeam."""

import importlib.util
import os
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

import hornbeam as keras
from tests.optimizers.table import ROWS

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.xdist_group("optimizers of Keras"),
    pytest.mark.skipif(
        importlib.util.find_spec("keras") is None, reason="Keras is not installed"
    ),
]

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


@pytest.fixture(scope="module")
def of_keras(tmp_path_factory):
    folder = tmp_path_factory.mktemp("optimizers")
    given, found = folder / "given.pkl", folder / "found.pkl"
    given.write_bytes(pickle.dumps((CASES, START, GRADIENTS)))
    script = pathlib.Path(__file__).with_name("optimizers_of_keras.py")
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    subprocess.run(
        [sys.executable, str(script), str(given), str(found)],
        check=True,
        env=environment,
    )
    return pickle.loads(found.read_bytes())


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
def test_state_and_config_are_exchanged(case, of_keras):
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
