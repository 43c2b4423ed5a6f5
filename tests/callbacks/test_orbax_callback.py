"""OrbaxCheckpoint: what is saved when, and how it comes back."""

import subprocess
import sys

import numpy as np
import pytest

import hornbeam as keras

pytest.importorskip("orbax.checkpoint")
pytestmark = pytest.mark.xdist_group("callbacks")

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X.sum(1, keepdims=True)
OrbaxCheckpoint = keras.callbacks.OrbaxCheckpoint


def small_model(units=4):
    keras.utils.set_random_seed(3)
    layers = [keras.layers.Dense(units), keras.layers.Dropout(0.2)]
    model = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def steps(folder):
    return sorted(int(path.name) for path in folder.iterdir())


@pytest.mark.parametrize("in_background", [True, False])
def test_the_step_that_was_saved_comes_back(training_engine, tmp_path, in_background):
    model = small_model()
    save = OrbaxCheckpoint(tmp_path, max_to_keep=None, save_on_background=in_background)
    weights = []

    class Note(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            weights.append(self.model.get_weights())

    model.fit(X, Y, 8, 3, 0, [save, Note()])
    assert steps(tmp_path) == [0, 1, 2]
    for step, expected in enumerate(weights):
        loaded = keras.saving.load_model(tmp_path / str(step))
        for one, other in zip(loaded.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(one, other)
        assert int(loaded.optimizer.iterations) == 3 * (step + 1)
    # The last one, with which training goes on as if nothing had been.
    loaded = keras.saving.load_model(tmp_path)
    on = [m.fit(X, Y, 8, 2, 0, shuffle=False).history for m in (model, loaded)]
    assert on[0] == on[1]


def test_batches_are_counted_through_epochs_and_trainings(training_engine, tmp_path):
    save = OrbaxCheckpoint(tmp_path, save_freq=4, max_to_keep=None)
    model = small_model()
    model.fit(X, Y, 8, 3, 0, [save])
    assert steps(tmp_path) == [4, 8]
    model.fit(X, Y, 8, 3, 0, [save])
    assert steps(tmp_path) == [4, 8, 12, 16]


def test_the_best_is_kept(tmp_path, capsys):
    save = OrbaxCheckpoint(
        tmp_path, "loss", save_best_only=True, mode="max", max_to_keep=None, verbose=1
    )
    with keras.config.backend_scope("torch"):
        small_model().fit(X, Y, 8, 3, 0, [save])
    assert steps(tmp_path) == [0]
    assert "loss did not improve from" in capsys.readouterr().out


def test_steps_of_another_training_are_refused(tmp_path):
    model = small_model()
    model.fit(X, Y, 8, 2, 0, [OrbaxCheckpoint(tmp_path)])
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"steps up to 1 .* `fit\(initial_epoch=2\)`"):
        model.fit(X, Y, 8, 2, 0, [OrbaxCheckpoint(tmp_path)])
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    model.fit(X, Y, 8, 3, 0, [OrbaxCheckpoint(tmp_path)], initial_epoch=2)
    assert steps(tmp_path) == [2]


def test_a_resumed_training_writes_its_steps_again(tmp_path):
    def callbacks():
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        return [backup, OrbaxCheckpoint(tmp_path / "steps", max_to_keep=None)]

    class Kill(keras.callbacks.Callback):
        """Ends the process, as it were, between a checkpoint and its backup."""

        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    whole = small_model()
    whole.fit(X, Y, 8, 4, 0)
    first, *rest = callbacks()
    with pytest.raises(KeyboardInterrupt):
        small_model().fit(X, Y, 8, 4, 0, [*rest, Kill(), first])
    small_model().fit(X, Y, 8, 4, 0, callbacks())
    assert steps(tmp_path / "steps") == [0, 1, 2, 3]
    loaded = keras.saving.load_model(tmp_path / "steps")
    for one, other in zip(loaded.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_to_keep": 0}, "`max_to_keep` of OrbaxCheckpoint"),
        ({"save_freq": "batch"}, "Unrecognized save_freq"),
        ({"save_freq": -1}, "Unrecognized save_freq"),
    ],
)
def test_wrong_arguments(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        OrbaxCheckpoint(tmp_path, **arguments)


def test_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "orbax.checkpoint", None)
    with pytest.raises(ImportError, match=r"pip install 'hornbeam\[orbax\]'"):
        small_model().fit(X, Y, 8, 1, 0, [OrbaxCheckpoint(tmp_path)])


def test_it_is_imported_when_it_trains():
    code = """if True:
        import sys, hornbeam as keras
        keras.callbacks.OrbaxCheckpoint("a")
        assert not any(name.startswith("orbax") for name in sys.modules)
        """
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
