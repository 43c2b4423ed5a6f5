"""Each engine has the names of the contract, with its signatures."""

import inspect
import re
import subprocess
import sys

import numpy as np
import pytest

from hornbeam import backends
from hornbeam.backends import contract
from hornbeam.ops.required import declared_names, declared_ops

DECLARED = declared_names()
PRIMITIVES = {op.name: op.body for op in declared_ops().values() if op.is_primitive}


def _parameters(function):
    return [
        (p.name, p.kind, p.default)
        for p in inspect.signature(function).parameters.values()
    ]


def test_the_contract_states_meanings():
    assert len(DECLARED) > 60
    assert len(PRIMITIVES) > 150
    assert contract.OPTIONAL < set(DECLARED)
    assert all(value.__doc__ for value in DECLARED.values())
    assert not set(DECLARED) & set(PRIMITIVES)


@pytest.mark.parametrize("name", sorted({**DECLARED, **PRIMITIVES}))
def test_engine_has_the_function_with_this_signature(engine, name):
    declared, provided = {**DECLARED, **PRIMITIVES}[name], getattr(engine, name)
    if provided is None:
        assert name in contract.OPTIONAL
    elif inspect.isclass(declared):
        assert inspect.isclass(provided)
    else:
        assert _parameters(provided) == _parameters(declared)


def test_each_optional_name_has_an_engine():
    everywhere = [vars(backends.get(name)) for name in backends.NAMES]
    for name in contract.OPTIONAL:
        assert any(names[name] is not None for names in everywhere), name


def test_the_list_for_authors_is_complete():
    printed = subprocess.run(
        [sys.executable, "-m", "hornbeam.ops.required"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in (*contract.CAPABILITIES, *DECLARED, *PRIMITIVES):
        assert re.search(rf"^    {name}\b", printed, re.MULTILINE), name


@pytest.mark.parametrize("name", contract.CAPABILITIES)
def test_engine_states_its_capabilities(engine, name):
    assert isinstance(getattr(engine, name), str if name == "name" else bool)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "int32"),
        (1.5, "float32"),
        (True, "bool"),
        ([1, 2], "int32"),
        ([[1.0], [2]], "float32"),
        (np.ones(3, "float32"), "float32"),
        (np.ones(3, "int8"), "int8"),
        (np.zeros((0, 2), "float32"), "float32"),
    ],
)
def test_convert(engine, value, dtype):
    x = engine.convert(value)
    assert engine.is_tensor(x)
    assert engine.dtype_of(x) == engine.dtype_of(value) == dtype
    assert engine.shape_of(x) == np.shape(value)
    np.testing.assert_array_equal(engine.to_numpy(x), value)


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "int32", "float16", "bfloat16", "float32"]
)
def test_cast_and_back(engine, dtype):
    x = engine.cast([0, 1, 2], dtype)
    assert engine.dtype_of(x) == dtype
    assert engine.to_numpy(x).dtype.name == dtype
    expected = [0, 1, 1] if dtype == "bool" else [0, 1, 2]
    np.testing.assert_array_equal(engine.to_numpy(x).astype("float32"), expected)


def test_a_list_of_tensors_becomes_one(engine):
    x = engine.convert([engine.convert(1.0), engine.convert(2.0)])
    np.testing.assert_array_equal(engine.to_numpy(x), [1.0, 2.0])


def test_tensors_do_not_share_memory_with_the_caller(training_engine):
    given = np.ones(3, "float32")
    x = training_engine.convert(given)
    given[:] = 7
    np.testing.assert_array_equal(training_engine.to_numpy(x), 1)


def test_a_variable_keeps_no_reference_to_its_first_value(engine):
    first = engine.convert(np.ones(2, "float32"))
    held = engine.new_variable(first, True)
    held = engine.assign(held, engine.convert(np.full(2, 5, "float32")))
    np.testing.assert_array_equal(engine.to_numpy(first), 1)
    np.testing.assert_array_equal(engine.to_numpy(held), 5)


def test_torch_assigns_in_place():
    engine = backends.get("torch")
    held = engine.new_variable(engine.convert([1.0]), True)
    assert held.requires_grad
    assert engine.assign(held, engine.convert([2.0])) is held


def test_devices(engine):
    assert "cpu:0" in engine.devices("cpu")
    with engine.device_scope("cpu:0"):
        assert engine.is_tensor(engine.convert([1.0]))
