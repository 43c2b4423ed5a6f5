"""What a config may take in memory and time, for every way in."""

import copy
import inspect
import json
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core import allowlist
from hornbeam.core.errors import UnsafeFileError

# What is made, and takes no memory.
MADE = set(
    "from_config deserialize build_config function one_layer_called_often".split()
)


def test_every_class_that_a_file_may_name_has_limits():
    """Their `from_config` are ways in, too."""
    classes = {
        allowlist.resolve(space, name)
        for space in allowlist._CLASS_SPACES
        for name in allowlist.public_names(space)
    }
    without = [
        cls
        for cls in classes
        if inspect.isclass(cls) and hasattr(cls, "from_config")
        if not hasattr(cls.from_config, "__wrapped__")
    ]
    assert not without


@pytest.fixture(scope="module")
def measured():
    done = subprocess.run(
        [sys.executable, "-m", "tests.saving.measure"],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_every_refusal_takes_little_memory_and_time(measured):
    wrong = {
        name: (result, mebibytes, seconds)
        for name, (result, mebibytes, seconds) in measured.items()
        if mebibytes > 64 or seconds > 2 or (result == "made") != (name in MADE)
    }
    assert not wrong


def unfitted(megabytes):
    """Return a compiled model that was never trained, of about that size."""
    model = keras.Sequential(
        [keras.Input((1000,)), keras.layers.Dense(250 * megabytes)]
    )
    model.compile(
        keras.optimizers.Adam(amsgrad=True, use_ema=True),
        "mse",
        metrics=[keras.metrics.MeanIoU(3000)],
    )
    return model


def test_good_files_are_loaded(tmp_path):
    model = unfitted(24)
    model.save(tmp_path / "m.keras")
    tracemalloc.start()
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    # The file's bytes, its arrays, their copy on the device. The first values, and
    # those of the optimizer and of the metric, would be seven times as much besides.
    assert peak < 6 * 24 * 10**6


def test_the_caller_can_allow_more_and_less(tmp_path):
    text = unfitted(1).to_json().replace('"units": 250', '"units": 5000000')
    with pytest.raises(UnsafeFileError, match="memory_limit"):
        keras.models.model_from_json(text)
    with keras.saving.memory_limit(200 << 30):
        model = keras.models.model_from_json(text)
    assert model.count_params() == 1001 * 5_000_000
    unfitted(1).save(tmp_path / "m.keras")
    with keras.saving.memory_limit(1000), pytest.raises(UnsafeFileError):
        keras.saving.load_model(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="max_bytes='8 GB'"):
        keras.saving.memory_limit("8 GB").__enter__()


def test_what_is_made_from_a_config_starts_with_the_values_of_its_seeds():
    config = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, kernel_initializer=keras.initializers.HeNormal(5)),
            keras.layers.LayerNormalization(),
        ]
    ).get_config()
    made = keras.Sequential.from_config(config)
    first, copied = copy.deepcopy(made), pickle.loads(pickle.dumps(made))
    expected = keras.initializers.HeNormal(5)((3, 4))
    for model in (first, copied, made):
        np.testing.assert_array_equal(model.get_weights()[0], np.asarray(expected))
        np.testing.assert_array_equal(model.get_weights()[2], np.ones(4))


def test_draws_keep_their_order():
    """A generator in a config draws when a variable is made, not when it is read."""
    initializer = {
        "module": "keras.initializers",
        "class_name": "RandomNormal",
        "config": {
            "seed": {
                "module": "keras.random",
                "class_name": "SeedGenerator",
                "config": {"seed": 3},
            }
        },
    }
    config = {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {
            "units": 2,
            "kernel_initializer": initializer,
            "bias_initializer": initializer,
        },
        "build_config": {"input_shape": [None, 2]},
    }
    made = keras.layers.deserialize(config)
    bias, kernel = np.asarray(made.bias), np.asarray(made.kernel)
    plain = keras.layers.Dense.from_config(config["config"])
    plain.build((None, 2))
    np.testing.assert_array_equal(plain.kernel, kernel)
    np.testing.assert_array_equal(plain.bias, bias)


@pytest.mark.parametrize(
    "pattern", [".*bias$", "dense_\\d+/kernel", "^(a|b)/", "[a-z]+?_1", "x{2}y?"]
)
def test_ordinary_patterns_in_configs_are_taken(pattern):
    sgd = {"module": "keras.optimizers", "class_name": "SGD", "config": {}}
    config = {"default_optimizer": sgd, "optimizer_map": {pattern: sgd}}
    assert pattern in keras.optimizers.OptimizerMap.from_config(config)


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|a)*b", "a*a*a*b", "(a)\\1", "(?=a)a", "a?" * 30, "x" * 201],
)
def test_patterns_that_may_take_very_long_are_refused(pattern):
    config = {"exclude_layers": [pattern]}
    with pytest.raises(UnsafeFileError, match="regular expression"):
        keras.optimizers.Muon.from_config(config)
    keras.optimizers.Muon(exclude_layers=[pattern])  # in code it is the user's
