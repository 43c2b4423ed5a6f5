"""Configs: what is written, what comes back, what is refused."""

import copy
import json
import pickle
import sys

import ml_dtypes
import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core import allowlist, configurable, registry, serialization
from hornbeam.core.errors import UnknownObjectError, UnsafeFileError

serialize = keras.saving.serialize_keras_object
deserialize = keras.saving.deserialize_keras_object

# Each row: an object, and what Keras writes for it.
PLAIN = [
    (None, None),
    (True, True),
    (1.5, 1.5),
    ("text", "text"),
    (b"bytes", {"class_name": "__bytes__", "config": {"value": "bytes"}}),
    ([1, (2, "a")], [1, (2, "a")]),
    ({"a": {"b": 1}}, {"a": {"b": 1}}),
    (np.float32(1.5), 1.5),
    (np.bool_(True), True),
    (..., {"class_name": "__ellipsis__", "config": {}}),
    (
        slice(1, None, 2),
        {"class_name": "__slice__", "config": {"start": 1, "stop": None, "step": 2}},
    ),
    (
        np.array([[1, 2]], "int64"),
        {"class_name": "__numpy__", "config": {"value": [[1, 2]], "dtype": "int64"}},
    ),
    (
        np.float32,
        {
            "module": "builtins",
            "class_name": "type",
            "config": "float32",
            "registered_name": "type",
        },
    ),
]


@pytest.mark.parametrize(("obj", "config"), PLAIN, ids=lambda x: repr(x)[:30])
def test_plain_objects(obj, config):
    assert serialize(obj) == config
    found = deserialize(json.loads(json.dumps(serialize(obj))))
    if isinstance(obj, list):
        assert found == [1, [2, "a"]]
    else:
        np.testing.assert_array_equal(found, obj)
        assert type(found) is type(obj) or isinstance(obj, np.generic)


def test_tuples_of_other_versions():
    config = {"class_name": "__tuple__", "config": {"value": [1, [2]]}}
    assert deserialize(config) == (1, [2])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int32", "bool"])
def test_tensors(engine, dtype):
    tensor = engine.convert(np.array([0, 1]), dtype=dtype)
    config = serialize({"x": tensor})
    kind = "__numpy__" if isinstance(tensor, np.ndarray) else "__tensor__"
    assert config["x"]["class_name"] == kind
    found = deserialize(json.loads(json.dumps(config)))["x"]
    assert engine.is_tensor(found)
    assert engine.dtype_of(found) == dtype
    np.testing.assert_array_equal(engine.to_numpy(found), engine.to_numpy(tensor))


def test_arrays_of_extended_dtypes():
    config = {"class_name": "__numpy__", "config": {"value": [1], "dtype": "bfloat16"}}
    assert deserialize(config).dtype == ml_dtypes.bfloat16


@pytest.mark.parametrize("obj", [{1}, 1j, object()], ids=["set", "complex", "object"])
def test_what_has_no_config_is_refused(obj):
    with pytest.raises(TypeError, match="get_config"):
        serialize(obj)


class Shape(configurable.Configurable):
    def __init__(self, size, inner=None, shape=(1, 2)):
        self.size = size
        self.inner = inner
        self.shape = shape


@pytest.fixture
def registered():
    """Registrations that end with the test."""
    objects, names = dict(registry._objects), dict(registry._names)
    yield
    registry._objects.clear()
    registry._objects.update(objects)
    registry._names.clear()
    registry._names.update(names)


def test_a_registered_class_comes_back(registered):
    keras.saving.register_keras_serializable("pack")(Shape)
    config = serialize(Shape(2, inner=Shape(3)))
    assert config["registered_name"] == "pack>Shape"
    assert config["class_name"] == "Shape"
    found = deserialize(json.loads(json.dumps(config)))
    assert type(found) is type(found.inner) is Shape
    assert (found.size, found.inner.size) == (2, 3)


def from_file(obj):
    """The config of an object as a file gives it."""
    return json.loads(json.dumps(serialize(obj)))


def test_a_class_that_is_not_known_is_refused():
    config = from_file(Shape(2))
    with pytest.raises(TypeError, match="register_keras_serializable"):
        deserialize(config)
    assert deserialize(config, custom_objects={"Shape": Shape}).size == 2
    with pytest.raises(UnknownObjectError):
        deserialize(config)


def test_what_a_config_names_is_known_where_it_was_made():
    """In one process; what has been outside is plain, whatever it looks like."""

    def local(x):
        return x

    for obj in (Shape(2), local, lambda x: x, type("Plain", (), {})):
        config = serialize({"value": [obj]})
        for known in (config, copy.deepcopy(config), serialize(config)):
            made = deserialize(known)["value"][0]
            assert made is obj or (type(made) is Shape and made.size == 2)
        plain = (
            json.loads(json.dumps(config)),
            pickle.loads(pickle.dumps(config)),
            {"value": [dict(config["value"][0])]},
            {"value": [{**config["value"][0]}]},
        )
        for unknown in plain:
            assert json.dumps(unknown) == json.dumps(config)
            with pytest.raises((UnknownObjectError, UnsafeFileError)):
                deserialize(unknown)
    # One that is changed to name another thing stands for nothing that it knew.
    config = serialize(local)
    config["config"] = "system"
    with pytest.raises(UnknownObjectError):
        deserialize(config)
    config = serialize(Shape(2))
    config["class_name"] = "Popen"
    with pytest.raises(UnknownObjectError):
        deserialize(config)


def test_scopes_nest_and_end(registered):
    config = from_file(Shape(2))
    with keras.saving.CustomObjectScope({"Shape": Shape}):
        with keras.saving.custom_object_scope({"other": len}):
            assert deserialize(config).size == 2
            assert keras.saving.get_registered_object("other") is len
        assert keras.saving.get_registered_object("other") is None
    with pytest.raises(UnknownObjectError):
        deserialize(config)


def test_functions(registered):
    @keras.saving.register_keras_serializable("pack", "doubled")
    def double(x):
        return 2 * x

    config = serialize(double)
    assert config == {
        "module": "builtins",
        "class_name": "function",
        "config": "pack>doubled",
        "registered_name": "function",
    }
    assert deserialize(config) is double
    assert deserialize({**config, "config": "doubled"}) is double
    assert keras.saving.get_registered_name(double) == "pack>doubled"
    assert keras.saving.get_registered_object("pack>doubled") is double


def test_a_class_without_config_cannot_be_registered():
    with pytest.raises(ValueError, match="get_config"):
        keras.saving.register_keras_serializable()(object)


def test_shared_objects_stay_shared(registered):
    keras.saving.register_keras_serializable("pack")(Shape)
    inner = Shape(1)
    config = serialization.serialize_sharing(
        [Shape(2, inner), Shape(3, inner), Shape(4)]
    )
    ids = [
        c["config"]["inner"] and c["config"]["inner"]["shared_object_id"]
        for c in config
    ]
    assert ids[0] == ids[1] and ids[2] is None
    assert "shared_object_id" not in config[0]
    with serialization.object_sharing():
        a, b, _ = deserialize(config)
    assert a.inner is b.inner
    a, b, _ = deserialize(config)
    assert a.inner is not b.inner


def layer(name, module="keras.layers", /, **config):
    return {"module": module, "class_name": name, "config": config}


def function(name, **more):
    return {"module": "builtins", "class_name": "function", "config": name, **more}


CODE = {"code": "4wAA", "defaults": None, "closure": None}
LAMBDA = {"class_name": "__lambda__", "config": CODE}

UNSAFE = {
    "os.system": layer("system", "os"),
    "exec": layer("exec", "builtins", source="1"),
    "popen": layer("Popen", "subprocess", args="true"),
    "import_module": layer("import_module", "importlib", name="os"),
    "function_of_os": function("system", registered_name="os.system"),
    "builtin_function": {
        **function("eval"),
        "class_name": "builtin_function_or_method",
    },
    "type": {**function("object"), "class_name": "type"},
    "object_array": {
        "class_name": "__numpy__",
        "config": {"value": [1], "dtype": "object"},
    },
    "record_array": {
        "class_name": "__numpy__",
        "config": {"value": [1], "dtype": "f8,O"},
    },
    "get_file": function("get_file"),
    "load_model": function("load_model"),
    "load_weights": function("load_weights"),
    "save_model": function("save_model"),
    "set_config": function("set_floatx"),
    "register": function("register_keras_serializable"),
    "clear_session": function("clear_session"),
    "unsafe": function("enable_unsafe_deserialization"),
    "get": function("get"),
    "deserialize": function("deserialize"),
    "vectorized_map": function("vectorized_map"),
    "class_load_model": layer("load_model", "keras.saving"),
    "class_get_file": layer("get_file", "keras.utils", fname="x", origin="file:///x"),
    "class_of_utils": layer("Progbar", "keras.utils", target=1),
    "function_as_class": layer("relu", "keras.activations"),
    "private": layer("os", "keras.src.layers.layer"),
    "dotted": layer("Dense.__init__"),
    "dunder": layer("__loader__"),
    "submodule": layer("core"),
    "op_of_nothing": layer("Exec", "keras.src.ops.numpy"),
    "lambda": {"module": "builtins", "class_name": "__lambda__", "config": CODE},
    "lambda_layer": layer("Lambda", function=LAMBDA, name="l"),
    "lambda_shape": layer("Lambda", function=function("relu"), output_shape=LAMBDA),
    "lambda_mask": layer("Lambda", function=function("relu"), mask=LAMBDA),
    "lambda_of_load_model": layer("Lambda", function=function("load_model")),
    "tfsm": layer("TFSMLayer", filepath="/tmp"),
    "torch_module": layer("TorchModuleWrapper", module="AA=="),
    "jax_layer": layer("JaxLayer", call_fn=LAMBDA),
    "flax_layer": layer("FlaxLayer", module=LAMBDA),
    "registered_as_builtin": {**layer("Dense", units=1), "registered_name": "eval"},
    "registered_function": function("relu", registered_name="other"),
    "wrapped": layer("TimeDistributed", layer=layer("system", "os")),
    "activation": layer("Dense", units=1, activation=function("system")),
    "initializer": layer("Dense", units=1, kernel_initializer=layer("system", "os")),
    "regularizer": layer("Dense", units=1, kernel_regularizer=layer("system", "os")),
    "constraint": layer("Dense", units=1, bias_constraint=layer("system", "os")),
    "policy": layer("Dense", units=1, dtype=layer("system", "os")),
    "typespec": {"class_name": "__typespec__", "config": ["a"]},
}


@pytest.mark.parametrize("name", UNSAFE)
@pytest.mark.parametrize("safe_mode", [True, False, None])
def test_what_is_not_listed_is_refused(name, safe_mode):
    modules = {m for m in sys.modules if not m.startswith("hornbeam")}
    config = json.loads(json.dumps(UNSAFE[name]))
    with pytest.raises(UnsafeFileError):
        deserialize(config, safe_mode=safe_mode)
    grown = {m for m in sys.modules if not m.startswith("hornbeam")} - modules
    assert not {m for m in grown if m.startswith(("tensorflow", "flax", "keras"))}


MALFORMED = {
    "config_is_a_list": {"class_name": "Dense", "config": [1]},
    "name_is_a_list": {"class_name": ["Dense"], "config": {}},
    "function_is_a_list": function(["a"]),
    "typespec_is_text": {"class_name": "__typespec__", "config": "a"},
    "unknown_argument": layer("Dense", units=1, __class__="x"),
    "no_argument": layer("Dense"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_configs_are_type_errors(name):
    with pytest.raises((TypeError, ValueError)):
        deserialize(MALFORMED[name])


def test_a_registration_cannot_shadow(registered):
    @keras.saving.register_keras_serializable("keras.layers", "Dense")
    class Dense(keras.layers.Layer):
        pass

    registry._objects["Dense"] = Dense
    registry._objects["relu"] = len
    assert type(deserialize(layer("Dense", units=1))) is keras.layers.Dense
    assert deserialize(function("relu")) is keras.activations.relu
    named = {**layer("Dense", units=1), "registered_name": "keras.layers>Dense"}
    with pytest.raises(UnsafeFileError, match="built-in"):
        deserialize(named)


def test_the_callers_own_class_may_stand_in():
    class Mine(keras.layers.Dense):
        pass

    found = deserialize(layer("Dense", units=1), custom_objects={"Dense": Mine})
    assert type(found) is Mine
    assert type(deserialize(layer("Dense", units=1))) is keras.layers.Dense


def test_a_lambda_can_be_given():
    given = keras.ops.square
    config = layer("Lambda", function=LAMBDA, name="mine")
    found = deserialize(config, custom_objects={"mine": given})
    assert found.function is given


def test_public_classes_have_their_public_module():
    expected = {
        keras.layers.Dense: "keras.layers",
        keras.Sequential: "keras",
        keras.Model: "keras",
        keras.DTypePolicy: "keras",
        keras.InputSpec: "keras",
        keras.optimizers.Adam: "keras.optimizers",
        keras.optimizers.schedules.CosineDecay: "keras.optimizers.schedules",
        keras.losses.Huber: "keras.losses",
        keras.metrics.Mean: "keras.metrics",
        keras.initializers.Zeros: "keras.initializers",
        keras.regularizers.L2: "keras.regularizers",
        keras.constraints.MaxNorm: "keras.constraints",
        keras.random.SeedGenerator: "keras.random",
    }
    for cls, module in expected.items():
        assert allowlist.module_of(cls) == module
        assert allowlist.builtin_class(module, cls.__name__) is cls


def test_a_frozen_network_stays_frozen():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs), trainable=False)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.trainable is False
    assert copy.get_config() == model.get_config()


def test_the_name_of_a_class_makes_an_object():
    class Sampler:
        pass

    objects = {"greedy": Sampler, "any": len}
    deserialize = keras.saving.deserialize_keras_object
    assert isinstance(deserialize("greedy", module_objects=objects), Sampler)
    assert deserialize("any", module_objects=objects) is len
    assert deserialize("other", module_objects=objects) == "other"


def test_names_in_tables_of_classes():
    table = {"ridge": keras.regularizers.L2}
    assert deserialize("ridge", custom_objects=table) is keras.regularizers.L2
    config = {"class_name": "ridge", "config": {"l2": 0.25}}
    assert float(deserialize(config, module_objects=table).l2) == 0.25
