"""Dtype policies: dtypes, names, configs, maps."""

import copy
import pickle

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import dtype_policies


@pytest.fixture(autouse=True)
def _default_policy():
    yield
    keras.config.set_dtype_policy("float32")


# Policy, name, compute dtype, variable dtype, quantization mode, config.
ROWS = [
    *[
        (keras.DTypePolicy(name), name, name, name, None, {"name": name})
        for name in ("float32", "float16", "bfloat16", "float64", "int8", "uint8")
    ],
    (
        keras.DTypePolicy("mixed_float16"),
        *("mixed_float16", "float16", "float32", None),
        {"name": "mixed_float16"},
    ),
    (
        keras.DTypePolicy("mixed_bfloat16"),
        *("mixed_bfloat16", "bfloat16", "float32", None),
        {"name": "mixed_bfloat16"},
    ),
    (
        dtype_policies.QuantizedDTypePolicy("int8", "mixed_bfloat16"),
        *("int8_from_mixed_bfloat16", "bfloat16", "float32", "int8"),
        {"mode": "int8", "source_name": "mixed_bfloat16"},
    ),
    (
        dtype_policies.QuantizedFloat8DTypePolicy("float8", "float32", 7),
        *("float8_from_float32", "float32", "float32", "float8"),
        {"mode": "float8", "source_name": "float32", "amax_history_length": 7},
    ),
    (
        dtype_policies.Int4DTypePolicy("int4/64", "float32"),
        *("int4/64_from_float32", "float32", "float32", "int4"),
        {"mode": "int4/64", "source_name": "float32"},
    ),
    (
        dtype_policies.GPTQDTypePolicy("gptq/4/128", "float32"),
        *("gptq/4/128_from_float32", "float32", "float32", "gptq"),
        {"mode": "gptq/4/128", "source_name": "float32"},
    ),
    (
        dtype_policies.AWQDTypePolicy("awq/4/-1", "float32"),
        *("awq/4/-1_from_float32", "float32", "float32", "awq"),
        {"mode": "awq/4/-1", "source_name": "float32"},
    ),
]
POLICIES = [row[0] for row in ROWS]


@pytest.mark.parametrize(
    ("policy", "name", "compute", "variable", "mode", "config"),
    ROWS,
    ids=[row[1] for row in ROWS],
)
def test_policy(policy, name, compute, variable, mode, config):
    assert (policy.name, policy.compute_dtype) == (name, compute)
    assert (policy.variable_dtype, policy.quantization_mode) == (variable, mode)
    assert policy.get_config() == config
    assert repr(policy) == f'<{type(policy).__name__} "{name}">'
    serialized = dtype_policies.serialize(policy)
    for again in (
        type(policy).from_config(config),
        dtype_policies.deserialize(serialized),
        dtype_policies.get(serialized),
        dtype_policies.get(policy),
        copy.copy(policy),
        copy.deepcopy(policy),
        pickle.loads(pickle.dumps(policy)),
    ):
        assert again == policy and hash(again) == hash(policy)
        assert again.get_config() == config
    if "amax_history_length" not in config:
        assert dtype_policies.get(name) == policy


def test_serialized_format():
    assert dtype_policies.serialize(keras.DTypePolicy("mixed_float16")) == {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": {"name": "mixed_float16"},
        "registered_name": None,
    }
    quantized = dtype_policies.QuantizedDTypePolicy("int8", "float32")
    assert dtype_policies.serialize(quantized)["module"] == "keras.dtype_policies"


def test_equality():
    for i, policy in enumerate(POLICIES):
        assert [j for j, other in enumerate(POLICIES) if other == policy] == [i]
    assert keras.DTypePolicy("float32") != "float32"


@pytest.mark.parametrize("name", ["float32", "mixed_bfloat16", "int8_from_float32"])
def test_policy_in_force(name):
    keras.config.set_dtype_policy(name)
    assert keras.config.dtype_policy().name == name
    assert dtype_policies.get(None).name == name
    assert keras.layers.Dense(1).dtype_policy.name == name
    policy = dtype_policies.get(name)
    keras.config.set_dtype_policy(policy)
    assert keras.config.dtype_policy() is policy


def test_policy_without_a_name_is_the_one_in_force():
    keras.config.set_dtype_policy("mixed_float16")
    assert keras.DTypePolicy().name == "mixed_float16"
    int4 = dtype_policies.QuantizedDTypePolicy("int4")
    assert int4.name == "int4_from_mixed_float16"


@pytest.mark.parametrize("bad", [None, 5])
def test_set_refuses(bad):
    with pytest.raises(ValueError, match="Invalid `policy` argument"):
        keras.config.set_dtype_policy(bad)


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (
            lambda: keras.DTypePolicy("mixed_float15"),
            ValueError,
            "Cannot.*mixed_float16",
        ),
        (lambda: keras.DTypePolicy(""), ValueError, "Cannot convert"),
        (lambda: keras.DTypePolicy(5), TypeError, "'name' must be a string"),
        (lambda: dtype_policies.get(5), ValueError, "Cannot interpret `dtype`"),
        (lambda: dtype_policies.get("int8_from_"), ValueError, "Cannot convert"),
        (lambda: dtype_policies.get("int8_x"), ValueError, "Cannot convert `policy`"),
        (
            lambda: dtype_policies.QuantizedDTypePolicy("int7"),
            *(ValueError, "Invalid quantization mode"),
        ),
        (
            lambda: dtype_policies.QuantizedDTypePolicy("int8", "float16"),
            *(ValueError, "doesn't work well"),
        ),
        (
            lambda: dtype_policies.QuantizedFloat8DTypePolicy("float8", None, 1.5),
            *(TypeError, "must be an integer"),
        ),
        (
            lambda: dtype_policies.AWQDTypePolicy("awq/8/1"),
            ValueError,
            "only supports 4-bit",
        ),
        (lambda: dtype_policies.AWQDTypePolicy("awq/4"), ValueError, "Invalid mode"),
        (lambda: dtype_policies.GPTQDTypePolicy("gptq/5/1"), ValueError, "weight_bits"),
        (lambda: dtype_policies.GPTQDTypePolicy("gptq/x/1"), ValueError, "an integer"),
        (lambda: dtype_policies.Int4DTypePolicy("int4/0"), ValueError, "block_size"),
    ],
)
def test_errors(make, error, match):
    with pytest.raises(error, match=match):
        make()


@pytest.mark.parametrize("dtype", ["float16", np.float16, np.dtype("float16")], ids=str)
def test_get_dtypes(dtype):
    assert dtype_policies.get(dtype).name == "float16"


def test_convert_input(engine):
    policy = keras.DTypePolicy("mixed_bfloat16")
    x = np.ones((2, 3), np.float32)
    cast = policy.convert_input(x, True, "bfloat16")
    assert engine.is_tensor(cast) and engine.dtype_of(cast) == "bfloat16"
    assert engine.dtype_of(policy.convert_input(x, False, "bfloat16")) == "float32"
    whole = engine.convert(np.ones(3, np.int32))
    assert policy.convert_input(whole, True, "bfloat16") is whole
    symbol = keras.KerasTensor((2, 3), "float32")
    assert policy.convert_input(symbol, True, "bfloat16").dtype == "bfloat16"
    assert policy.convert_input("text", True, "bfloat16") == "text"


class TestMap:
    def make(self, default="float32"):
        policies = dtype_policies.DTypePolicyMap(default)
        policies["encoder/dense"] = "bfloat16"
        policies["decoder/.*"] = dtype_policies.QuantizedDTypePolicy("int8", "float32")
        return policies

    def test_lookup(self):
        policies = self.make()
        assert policies["encoder/dense"].name == "bfloat16"
        assert policies["encoder/dense_1"].name == "float32"
        assert policies["decoder/a/b"].name == "int8_from_float32"
        assert list(policies) == ["encoder/dense", "decoder/.*"] and len(policies) == 2
        assert "decoder/a" not in policies and "encoder/dense" in policies
        policies["decoder/a.*"] = "float16"
        with pytest.raises(ValueError, match="Path 'decoder/a' matches multiple"):
            policies["decoder/a"]

    def test_own_dtypes_are_the_default_policy_s(self):
        policies = self.make("mixed_bfloat16")
        assert policies.name == "map_mixed_bfloat16"
        assert (policies.compute_dtype, policies.variable_dtype) == (
            "bfloat16",
            "float32",
        )
        assert policies.quantization_mode is None

    def test_changes(self):
        policies = self.make()
        with pytest.raises(ValueError, match="encoder/dense already exist"):
            policies["encoder/dense"] = "float16"
        with pytest.raises(ValueError, match="Cannot interpret the assigned value"):
            policies["x"] = 5
        assert policies.pop("encoder/dense").name == "bfloat16"
        with pytest.raises(KeyError):
            policies.pop("encoder/dense")
        del policies["decoder/.*"]
        assert len(policies) == 0

    def test_config(self):
        policies = self.make()
        config = policies.get_config()
        before = copy.deepcopy(config)
        again = dtype_policies.deserialize(dtype_policies.serialize(policies))
        assert again == policies and dict(again.items()) == dict(policies.items())
        assert policies.get_config() == config == before

    def test_without_a_default_it_follows_the_policy_in_force(self):
        policies = self.make(None)
        assert policies["other"].name == "float32"
        keras.config.set_dtype_policy("bfloat16")
        assert policies["other"].name == "bfloat16"
        again = dtype_policies.DTypePolicyMap.from_config(policies.get_config())
        assert again["decoder/a"].name == "int8_from_bfloat16"

    def test_repr(self):
        expected = (
            "<DTypePolicyMap default_policy=float32, mapping=[('encoder/dense', "
            "'bfloat16'), ('decoder/.*', 'int8_from_float32')]>"
        )
        assert repr(self.make()) == expected

    @pytest.mark.parametrize("bad", [5, keras.DTypePolicy("float32")], ids=str)
    def test_first_entries_must_be_a_dict(self, bad):
        with pytest.raises(TypeError, match="`policy_map` must be a dict"):
            dtype_policies.DTypePolicyMap(policy_map=bad)
