"""Names of Keras that are missing here say so."""

import importlib
import re

import pytest

import hornbeam as keras
from hornbeam.core import keras_names


def here(path):
    """Whether `keras.<path>` exists in hornbeam."""
    found = keras
    for name in path.split("."):
        found = getattr(found, name, None)
    return found is not None


MISSING = [
    f"{space}.{name}".lstrip(".")
    for space, names in keras_names.names().items()
    for name in names
    if not here(f"{space}.{name}".lstrip("."))
]


@pytest.mark.parametrize("path", MISSING)
def test_a_missing_name_says_so_however_it_is_asked_for(path):
    space, _, name = path.rpartition(".")
    sentence = re.escape(f"`keras.{path}` exists in Keras and not yet in hornbeam")
    if space and not here(space):
        sentence = "exists in Keras and not yet in hornbeam"
    else:
        with pytest.raises(AttributeError, match=sentence):
            getattr(importlib.import_module(f"hornbeam.{space}".rstrip(".")), name)
    source = f"from hornbeam.{space} import {name}".replace(". ", " ")
    for statement in (source, f"import hornbeam.{path}"):
        with pytest.raises(ImportError, match=sentence):
            exec(statement)


def test_a_misspelt_import_gets_a_suggestion():
    with pytest.raises(ImportError, match="Did you mean 'Dense'"):
        exec("from hornbeam.layers import Denze")
    with pytest.raises(ImportError, match="Did you mean 'layers'"):
        exec("import hornbeam.layer")
    with pytest.raises(ModuleNotFoundError, match="hornbeam.backends.jaxx"):
        exec("import hornbeam.backends.jaxx")


def test_a_config_that_names_a_missing_class_says_so():
    name = "AbsMaxQuantizer"
    config = {"module": "keras.quantizers", "class_name": name, "config": {}}
    with pytest.raises(TypeError, match=rf"`keras.quantizers.{name}` exists in Keras"):
        keras.saving.deserialize_keras_object(config)


def test_models_and_layers_say_that_they_cannot_be_quantised():
    dense = keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((2,)), dense])
    with pytest.raises(NotImplementedError, match="exists in Keras and not yet"):
        dense.quantize("int8", type_check=False)
    with pytest.raises(NotImplementedError, match="exists in Keras and not yet"):
        model.quantize("int8", filters=["dense"])


def test_advice_is_about_missing_names_and_names_what_is_there():
    """Advice for a name that has come goes, and none sends people to a missing name."""
    for path, advice in keras_names._ADVICE.items():
        below = [p for p in MISSING if p == path or p.startswith(f"{path}.")]
        assert below, path
        for name in re.findall(r"`keras\.([\w.]+)", advice):
            assert here(name), advice
    assert all(keras_names.advice(path) for path in MISSING)


@pytest.mark.oracle
def test_the_list_is_that_of_real_keras():
    import keras as real

    assert real.__version__ == "3.15.1"
    for space, names in keras_names.names().items():
        module = real
        for part in filter(None, space.split(".")):
            module = getattr(module, part)
        assert [name for name in names if not hasattr(module, name)] == []
