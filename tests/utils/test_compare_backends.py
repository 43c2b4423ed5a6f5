"""compare_backends: what it finds, and that the model does not notice."""

import time

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.training.execution import programs as kept

X = np.random.default_rng(0).standard_normal((8, 4)).astype("float32")
Y = X[:, :2].copy()


def network():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, activation="tanh"),
            keras.layers.Dropout(0.5),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(2),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def quick(model, x=X, y=None, **kwargs):
    return keras.utils.compare_backends(model, x, y, repeats=1, **kwargs)


class Odd(keras.layers.Layer):
    """Differs between engines: adds, waits or fails on the one that is named."""

    def __init__(self, engine, add=0.0, wait=0.0, fail=False):
        super().__init__()
        self.engine, self.add, self.wait, self.fail = engine, add, wait, fail

    def call(self, x):
        if keras.config.backend() == self.engine:
            time.sleep(self.wait)
            if self.fail:
                raise RuntimeError("not on this engine")
            return x + self.add
        return x


def test_figures_of_every_engine(capsys):
    with backends.scope("torch"):
        model = network()
    figures = quick(model, y=Y)
    assert [f.backend for f in figures] == ["torch", "jax", "numpy", "tensorflow"]
    assert [f.error for f in figures] == [None] * 4
    assert figures[0].difference == 0.0
    assert all(f.difference < 1e-5 and f.forward > 0 for f in figures)
    for found in figures:
        trains = found.backend != "numpy"
        assert (found.training_step is not None) == trains
        assert found.compilation >= 0
    printed = capsys.readouterr().out
    best = min(figures, key=lambda f: f.forward).backend
    assert f"Fastest forward pass here: {best}," in printed
    best = min(figures, key=lambda f: f.training_step or np.inf).backend
    assert f"Fastest training step here: {best}," in printed
    assert "failed" not in printed


def test_the_model_does_not_notice():
    model = network()
    model.fit(X, Y, epochs=2, verbose=0)

    def state():
        variables = model.variables + model.optimizer.variables
        return [v.numpy() for v in variables + model.metrics_variables]

    before = state()
    history, programs = model.history, list(kept.cache._programs)
    quick(model, y=Y, backends=["jax", "torch"], verbose=0)
    assert model.backend == "jax" and model.history is history
    for old, new in zip(before, state(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert list(kept.cache._programs) == programs


def test_seeds_and_names_go_on_as_if_nothing_had_been_compared():
    def drawn(compare):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.layers.Dense(2), keras.layers.Dropout(0.5)])
        if compare:
            quick(model, backends=["jax", "numpy"], verbose=0)
            assert not model.built and not model.compiled
        model.build((None, 4))
        name = keras.layers.Dropout(0.1).name.rsplit("_", 1)[-1]
        return model.get_weights()[0], np.asarray(keras.random.normal((3,))), int(name)

    plain, compared = drawn(False), drawn(True)
    np.testing.assert_array_equal(plain[0], compared[0])
    np.testing.assert_array_equal(plain[1], compared[1])
    assert compared[2] - plain[2] == 2  # as many as one call of `drawn` makes


def test_several_outputs_without_targets():
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(3)(inputs)
    outputs = {"a": hidden, "b": [keras.ops.sin(hidden), keras.layers.Dense(1)(hidden)]}
    model = keras.Model(inputs, outputs)
    figures = quick(model, backends=["jax", "torch"], verbose=0)
    assert [f.error for f in figures] == [None, None]
    assert all(f.training_step > 0 for f in figures)


def test_a_model_with_a_train_step_of_its_own_trains_as_it_says():
    class Own(keras.Sequential):
        steps = 0

        def train_step(self, x):
            Own.steps += 1
            return {"loss": keras.ops.mean(self(x))}

    model = Own([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("adam")
    (found,) = quick(model, backends=["jax"], verbose=0)
    assert found.error is None and Own.steps > 0


def test_a_deep_model():
    layers = [keras.layers.Activation("tanh") for _ in range(150)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    (found,) = quick(model, backends=["numpy"], verbose=0)
    assert found.error is None and found.difference < 1e-5


def test_differences_and_times_are_those_of_the_engine():
    model = keras.Sequential([keras.Input((4,)), Odd("numpy", add=0.25, wait=0.02)])
    first, other = quick(model, backends=["jax", "numpy"], verbose=0)
    assert first.difference == 0.0
    np.testing.assert_allclose(other.difference, 0.25, rtol=1e-5)
    assert other.forward >= 0.02


def test_an_engine_that_fails_does_not_stop_the_others(capsys):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(2), Odd("torch", fail=True)]
    )
    first, other = quick(model, backends=["torch", "jax"])
    assert (first.backend, first.error) == ("jax", None)
    assert "not on this engine" in other.error and other.forward is None
    assert "torch failed: RuntimeError" in capsys.readouterr().out


def test_a_dataset_gives_its_first_batch():
    model = network()
    batches = ((X[i : i + 4], Y[i : i + 4]) for i in (0, 4))
    (found,) = quick(model, batches, backends=["numpy"], verbose=0)
    assert found.error is None


def test_bad_arguments():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="`y`.*is not compiled.*compile"):
        quick(model, y=Y)
    with pytest.raises(ValueError, match="Unknown backend 'theano'"):
        quick(model, backends=["theano"])
    with pytest.raises(ValueError, match="repeats"):
        keras.utils.compare_backends(model, X, repeats=0)
