"""Architectures beside real Keras: layers, weights, and outputs with equal weights."""

import pathlib
import sys

import architectures
import numpy as np
import pytest

import hornbeam as keras

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "applications"))
from architecture_table import ARCHITECTURES, NAMES, NAMESPACES, VARIANTS

# Keras runs these on JAX alone.
ON_JAX = ("NASNetLarge", "NASNetMobile")


@pytest.fixture
def keras_for(keras_on):
    return lambda name: keras_on("jax" if name in ON_JAX else "torch")


def same_structure(found, wanted):
    for ours, theirs in zip(found["layers"], wanted["layers"], strict=True):
        # Keras leaves out or adds keys that do not change the layer.
        shared = ours[4].keys() & theirs[4].keys()
        differ = {k: (ours[4][k], theirs[4][k]) for k in shared}
        differ = {k: v for k, v in differ.items() if v[0] != v[1] and k != "axis"}
        assert ours[:4] == theirs[:4]
        assert differ == {}, ours[0]
    assert {**found, "layers": 0} == {**wanted, "layers": 0}


@pytest.mark.parametrize("name", NAMES)
def test_structure(name, keras_for):
    case = [(name, {})]
    (wanted,) = keras_for(name).call("architectures.py", "descriptions", case)
    same_structure(architectures.describe(architectures.build(keras, name, {})), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_structure_of_features(name, keras_for):
    case = name, {"include_top": False, "pooling": "avg"}
    (wanted,) = keras_for(name).call("architectures.py", "descriptions", [case])
    found = architectures.describe(architectures.build(keras, *case))
    for description in (found, wanted):
        description["layers"] = list(map(with_plain_pooling, description["layers"]))
    same_structure(found, wanted)


def with_plain_pooling(layer):
    """Return a layer's description without the name that pooling has in some."""

    def plain(name):
        return "global_average_pooling2d" if name == "avg_pool" else name

    return plain(layer[0]), layer[1], tuple(map(plain, layer[2])), *layer[3:]


@pytest.mark.slow
@pytest.mark.parametrize("case", VARIANTS, ids=lambda case: f"{case[0]}-{[*case[1]]}")
def test_structure_with_arguments(case, keras_for):
    (wanted,) = keras_for(case[0]).call("architectures.py", "descriptions", [case])
    same_structure(architectures.describe(architectures.build(keras, *case)), wanted)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_and_files(name, keras_for, tmp_path):
    """The weights come from a file of Keras: in its order, which is that of layers."""
    side, _ = ARCHITECTURES[name]
    arguments = {"include_top": False, "pooling": "avg", "input_shape": (side, side, 3)}
    path = tmp_path / f"{name}.h5"
    given = name, arguments, side, str(path)
    wanted = keras_for(name).call("architectures.py", "outputs", *given)
    model = getattr(keras.applications, name)(weights=path, **arguments)
    found = model.predict(architectures.images(side), verbose=0)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * np.ptp(wanted))


def test_preprocessing(keras_on):
    x = np.random.default_rng(0).uniform(0, 255, (2, 3, 5, 3))
    spaces = [n for n in NAMESPACES if hasattr(keras.applications, n)]
    cases = [
        (space, given, data_format)
        for space in spaces
        for given, data_format in (
            (x.astype("uint8"), None),
            (x, "channels_last"),
            (x.transpose(0, 3, 1, 2).astype("float32"), "channels_first"),
        )
    ]
    wanted = keras_on("torch").call("architectures.py", "preprocessed", cases)
    for (space, given, data_format), expected in zip(cases, wanted, strict=True):
        preprocess = getattr(keras.applications, space).preprocess_input
        before = given.copy()
        found = preprocess(given, data_format=data_format)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4, err_msg=space)
        assert found.dtype == expected.dtype, space
        tensors = preprocess(keras.ops.convert_to_tensor(given), data_format)
        np.testing.assert_allclose(tensors, expected, rtol=1e-5, atol=1e-4)
        np.testing.assert_array_equal(given, before)
