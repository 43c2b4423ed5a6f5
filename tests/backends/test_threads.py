"""PyTorch: the number of threads on which steps run."""

import threading

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, layers

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def chosen():
    """The number of threads that the user has chosen."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    with backends.scope("torch"):
        yield 3
    torch.set_num_threads(before)


class Counts(layers.Layer):
    """Knows on how many threads it was called."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def call(self, x):
        self.seen.append(torch.get_num_threads())
        return x


def used(units, rows=8, eager=False):
    counts = Counts()
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(units), counts, layers.Dense(1)]
    )
    model.compile("sgd", "mse", run_eagerly=eager)
    x = np.ones((4 * rows, 4), "float32")
    model.fit(x, x[:, :1], batch_size=rows, verbose=0)
    return counts.seen[-4:]


@pytest.mark.parametrize("eager", [False, True])
def test_small_steps_run_on_one_thread(chosen, eager):
    assert set(used(8, eager=eager)) == {1}
    assert torch.get_num_threads() == chosen


def test_big_steps_run_on_all_that_the_user_has_chosen(chosen):
    # The first one is looked at.
    assert used(400_000) == [1, chosen, chosen, chosen]
    assert used(8, rows=400_000)[1:] == [chosen] * 3
    torch.set_num_threads(2)
    assert used(400_000)[1:] == [2] * 3
    torch.set_num_threads(1)
    assert set(used(400_000)) == {1}


def test_one_big_operation_among_many_small_ones_stays_on_one_thread(chosen):
    narrow = [layers.Dense(4, activation="relu") for _ in range(30)]
    counts = Counts()
    model = keras.Sequential([*narrow, counts, layers.Dense(40_000), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((32, 4), "float32")
    model.fit(x, x[:, :1], batch_size=8, verbose=0)
    assert set(counts.seen[-4:]) == {1}


def test_an_error_leaves_the_number_as_it_was(chosen):
    class Fails(layers.Layer):
        def call(self, x):
            if torch.get_num_threads() == 1:
                raise ZeroDivisionError
            return x

    model = keras.Sequential([layers.Dense(1), Fails()])
    model.compile("sgd", "mse")
    with pytest.raises(ZeroDivisionError):
        model.fit(np.ones((4, 1)), np.ones((4, 1)), verbose=0)
    assert torch.get_num_threads() == chosen


def test_callbacks_have_the_number_of_the_user(chosen):
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_: seen.append(torch.get_num_threads())
    )
    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 1)), np.ones((4, 1)), 2, callbacks=[callback], verbose=0)
    assert seen == [chosen] * 2


def test_fits_in_threads_of_python_leave_the_number_as_it_was(chosen):
    def run():
        with backends.scope("torch"):
            assert set(used(8)) == {1}
            found.append(torch.get_num_threads())

    found = []
    workers = [threading.Thread(target=run) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [chosen] * 4
    assert torch.get_num_threads() == chosen
