"""What callbacks with a state do after a resume, beside a whole training."""

import pathlib

import numpy as np
import pytest

import hornbeam as keras
from tests.callbacks import boards
from tests.callbacks.resumable import InterruptAt, Interrupted, X, Y

pytestmark = pytest.mark.xdist_group("resume")
PLACES = [InterruptAt(1), InterruptAt(7), InterruptAt(10), InterruptAt(3, "test")]


def model():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(3)
    made = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    made.add(keras.layers.Dropout(0.2))
    made.add(keras.layers.Dense(1))
    optimizer = keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.9)
    made.compile(optimizer, "mse", metrics=["mae"])
    return made


def fit(folder, callback, interrupt=None, save_freq=3):
    """Train for three epochs of five steps; interrupted if an interrupt is given."""
    callbacks = [callback, *([interrupt] if interrupt else [])]
    made = model()
    history = made.fit(
        *(X, Y, 8, 3, 0),
        [*callbacks, keras.callbacks.BackupAndRestore(folder / "backup", save_freq)],
        validation_data=(X[:9], Y[:9]),
    )
    values = [*made.get_weights(), *(v.numpy() for v in made.optimizer.variables)]
    return history.history, [value.tolist() for value in values]


def interrupted(folder, make, interrupt, **arguments):
    """Train, interrupted once, and to the end with a new callback."""
    interrupt.left = interrupt.asked = getattr(interrupt, "asked", interrupt.left)
    with pytest.raises(Interrupted):
        fit(folder, make(), interrupt, **arguments)
    return fit(folder, make(), **arguments)


@pytest.mark.parametrize("swap_on_epoch", [True, False])
@pytest.mark.parametrize("save_freq", ["epoch", 3])
def test_averages_and_weights_are_where_they_were(tmp_path, swap_on_epoch, save_freq):
    def swap():
        return keras.callbacks.SwapEMAWeights(swap_on_epoch)

    whole = fit(tmp_path / "whole", swap(), save_freq=save_freq)
    for number, place in enumerate([*PLACES, InterruptAt(2, "epoch")]):
        folder = tmp_path / str(number)
        assert interrupted(folder, swap, place, save_freq=save_freq) == whole


@pytest.mark.parametrize("update_freq", ["epoch", 2, 3])
def test_loggers_get_the_same_values_at_the_same_steps(tmp_path, update_freq):
    def run(folder, *interrupt):
        calls = []

        def logger():
            return keras.callbacks.MetricsLogger(
                lambda step, values: calls.append((step, sorted(values.items()))),
                update_freq=update_freq,
            )

        if interrupt:
            interrupted(folder, logger, *interrupt)
        else:
            fit(folder, logger())
        return calls

    whole = run(tmp_path / "whole")
    for number, place in enumerate(PLACES):
        # What came after the last backup comes again, with the values that it had.
        calls = run(tmp_path / str(number), place)
        assert [call for call in calls if calls.count(call) > 2] == []
        assert sorted(map(repr, set(map(repr, calls)))) == sorted(
            map(repr, set(map(repr, whole)))
        )
        assert calls[-len(whole) :][-1] == whole[-1]


@pytest.mark.parametrize("update_freq", ["epoch", 2])
def test_boards_show_one_training(tmp_path, update_freq):
    def run(folder, *interrupt):
        def board():
            return keras.callbacks.TensorBoard(
                folder / "logs", update_freq=update_freq, write_graph=False
            )

        (interrupted if interrupt else fit)(
            folder, *((board, *interrupt) if interrupt else (board(),))
        )
        return {
            kind: {
                tag: dict(values)
                for tag, values in boards.scalars(folder / "logs" / kind).items()
            }
            for kind in ("train", "validation")
        }

    whole = run(tmp_path / "whole")
    assert len(whole["train"]["epoch_loss"]) == 3
    for number, place in enumerate(PLACES):
        assert run(tmp_path / str(number), place) == whole


def test_the_speed_of_a_resumed_epoch_is_of_the_steps_it_did(tmp_path):
    def board():
        return keras.callbacks.TensorBoard(
            tmp_path / "logs", write_steps_per_second=True, write_graph=False
        )

    interrupted(tmp_path, board, InterruptAt(9))
    speeds = boards.scalars(pathlib.Path(tmp_path) / "logs" / "train")
    values = [value for _, value in speeds["epoch_steps_per_second"]]
    assert np.isfinite(values).all() and min(values) > 0
