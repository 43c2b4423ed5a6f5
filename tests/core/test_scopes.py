"""Scopes: state out of the way, names, and that all are left as they were."""

import threading

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.core import scopes
from hornbeam.core.gradients import value_and_grad


def test_stateless_scope_keeps_variables(engine):
    v, w = keras.Variable(1.0), keras.Variable(2.0)
    with keras.StatelessScope([(v, keras.ops.array(5.0))]) as scope:
        assert float(v) == 5.0 and float(w) == 2.0
        w.assign(v + w)
        assert float(w) == 7.0
    assert (float(v), float(w)) == (1.0, 2.0)
    ((assigned, value),) = scope.updates
    assert assigned is w and float(engine.to_numpy(value)) == 7.0


def test_nested_scopes_read_through(engine):
    v, w = keras.Variable(1.0), keras.Variable(2.0)
    with keras.StatelessScope([(v, keras.ops.array(5.0))]) as outer:
        with keras.StatelessScope([(w, keras.ops.array(6.0))]):
            assert (float(v), float(w)) == (5.0, 6.0)
            v.assign(8.0)
        assert (float(v), float(w)) == (5.0, 2.0)
    assert outer.updates == []


def test_state_mapping_is_checked(engine):
    v = keras.Variable(np.ones(2))
    with pytest.raises(ValueError, match="state_mapping"):
        keras.StatelessScope([("v", 1.0)])
    with pytest.raises(ValueError, match="shape"):
        keras.StatelessScope([(v, np.ones(3))])


def test_exceptions_restore_scopes(engine):
    v = keras.Variable(1.0)
    for scope in (
        keras.StatelessScope([(v, keras.ops.array(5.0))]),
        keras.name_scope("here"),
        scopes.autocast_scope("bfloat16"),
        scopes.batch_mask_scope(keras.ops.ones(2)),
    ):
        with pytest.raises(ZeroDivisionError), scope:
            1 / 0  # noqa: B018
    assert float(v) == 1.0 and v.dtype == "float32"
    assert not scopes.in_stateless_scope()
    assert scopes.batch_mask() is None and scopes.current_path() == ""


def test_threads_have_scopes_of_their_own():
    v = keras.Variable(1.0)
    seen = []

    def look():
        seen.append((float(v), scopes.current_path(), scopes.autocast_dtype()))

    with (
        keras.StatelessScope([(v, keras.ops.array(5.0))]),
        keras.name_scope("outer"),
        scopes.autocast_scope("bfloat16"),
    ):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [(1.0, "", None)]


def test_pure(engine):
    v = keras.Variable(2.0)

    def double(x):
        v.assign(v * 2)
        return x + v

    outputs, (new,) = scopes.pure(double, [v])([keras.ops.array(3.0)], 1.0)
    assert (float(outputs), float(new), float(v)) == (7.0, 6.0, 2.0)


def test_value_and_grad_carries_assignments_out(training_engine):
    w, count = keras.Variable(3.0), keras.Variable(0.0, trainable=False)

    def loss():
        count.assign_add(1.0)
        return w * w, {"w": w + 0}

    (value, aux), (gradient,) = value_and_grad(loss, [w], has_aux=True)
    assert (float(value), float(aux["w"]), float(gradient)) == (9.0, 3.0, 6.0)
    assert float(count) == 1.0


def test_value_and_grad_inside_a_stateless_scope(training_engine):
    w, count = keras.Variable(3.0), keras.Variable(0.0, trainable=False)

    def loss():
        count.assign_add(1.0)
        return w * w

    with keras.StatelessScope([(w, keras.ops.array(5.0))]) as scope:
        value, (gradient,) = value_and_grad(loss, [w])
    assert (float(value), float(gradient)) == (25.0, 10.0)
    assert float(scope.get_current_value(count)) == 1.0 and float(count) == 0.0


def test_name_scopes():
    caller = object()
    with keras.name_scope("outer"):
        assert keras.Variable(0.0, name="v").path == "outer/v"
        with keras.name_scope("inner", caller=caller):
            with keras.name_scope("inner", caller=caller):
                assert scopes.current_path() == "outer/inner"
        with keras.name_scope("leaf", override_parent="/else/where"):
            assert scopes.current_path() == "else/where/leaf"
    for name in ("a/b", 4):
        with pytest.raises(ValueError, match="must be a string"):
            keras.name_scope(name)


def test_engine_scopes_do_not_reach_other_threads():
    seen = []
    with backends.scope("numpy"):
        thread = threading.Thread(target=lambda: seen.append(keras.backend.backend()))
        thread.start()
        thread.join()
        assert keras.backend.backend() == "numpy"
    assert seen == [keras.backend.backend()]
