"""A training that is interrupted at any moment ends as the uninterrupted one."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from tests.callbacks import resumable
from tests.callbacks.resumable import SIZE, InterruptAt, Interrupted, X, Y, fit

# In one process: the tests share programs.
pytestmark = pytest.mark.xdist_group("resume")
STEPS = 5  # of an epoch


def interrupted(folder, *interrupts, **arguments):
    """Train, interrupted at each of these, and to the end; return the result."""
    for interrupt in interrupts:
        with pytest.raises(Interrupted):
            fit(folder, interrupt, **arguments)
    return fit(folder, **arguments)


QUICK = [("jax", "epoch"), ("jax", 1), ("torch", 3), ("tensorflow", 3)]
ALL = [(engine, freq) for engine, _ in QUICK[1:] for freq in ("epoch", 1, 3)]


@pytest.mark.parametrize(
    ("training_engine", "save_freq"),
    [pytest.param(*x, marks=[] if x in QUICK else pytest.mark.slow) for x in ALL],
    indirect=["training_engine"],
)
def test_interrupted_anywhere(training_engine, tmp_path, save_freq):
    whole = fit(tmp_path / "whole", save_freq=save_freq)
    for step in (1, 4, 5, 6, 13):
        folder = tmp_path / str(step)
        assert interrupted(folder, InterruptAt(step), save_freq=save_freq) == whole
        assert sorted(os.listdir(folder)) == ["best.weights.h5", "log.csv"]
    for of, at in (("test", 3), ("epoch", 2)):
        folder = tmp_path / of
        assert interrupted(folder, InterruptAt(at, of), save_freq=save_freq) == whole
    several = [InterruptAt(n) for n in (3, 4, 1, 4, 2)]
    assert interrupted(tmp_path / "many", *several, save_freq=save_freq) == whole


def arrays():
    return X, Y


class Shuffled(keras.utils.PyDataset):
    """Puts its rows into another order after each epoch, as many datasets do."""

    def __init__(self):
        super().__init__()
        self.on_epoch_end()

    def __len__(self):
        return STEPS

    def on_epoch_end(self):
        self.order = np.random.permutation(len(X))

    def __getitem__(self, index):
        rows = self.order[index * SIZE : (index + 1) * SIZE]
        return X[rows] + np.random.normal(size=(SIZE, 3)).astype("float32"), Y[rows]


class Reread:
    """What can be read again, in an order of NumPy's global state."""

    def __iter__(self):
        order = np.random.permutation(len(X))
        for start in range(0, len(X), SIZE):
            rows = order[start : start + SIZE]
            yield X[rows], Y[rows]


def generator():
    draws = np.random.default_rng(1)
    while True:
        rows = draws.integers(len(X), size=SIZE)
        yield X[rows], Y[rows]


def tf_data():
    tensorflow = pytest.importorskip("tensorflow")
    data = tensorflow.data.Dataset.from_tensor_slices((X, Y))
    return data.shuffle(20, seed=1).batch(SIZE)


def torch_dataset():
    data = pytest.importorskip("torch.utils.data")
    return data.TensorDataset(*map(sys.modules["torch"].tensor, (X, Y)))


def loader():
    """In an order of torch's global state, with draws of its own for each row."""
    rows = torch_dataset()
    torch = sys.modules["torch"]

    class Noisy(torch.utils.data.Dataset):
        def __len__(self):
            return len(rows)

        def __getitem__(self, index):
            x, y = rows[index]
            return x + torch.randn(3), y

    return torch.utils.data.DataLoader(Noisy(), SIZE, shuffle=True)


def loader_with_generator():
    rows = torch_dataset()
    torch = sys.modules["torch"]
    draws = torch.Generator().manual_seed(1)
    return torch.utils.data.DataLoader(rows, SIZE, shuffle=True, generator=draws)


DATA = {
    "py_dataset": (Shuffled, {}),
    "py_dataset_in_parts": (Shuffled, {"steps_per_epoch": 3}),
    "iterable": (Reread, {}),
    "iterable_in_parts": (Reread, {"steps_per_epoch": 3}),
    "generator": (generator, {"steps_per_epoch": 4}),
    "tf_data": (tf_data, {}),
    "tf_data_in_parts": (tf_data, {"steps_per_epoch": 3}),
    "torch_dataset": (torch_dataset, {}),
    "loader": (loader, {}),
    "loader_with_generator": (loader_with_generator, {}),
}


@pytest.mark.filterwarnings("ignore:.* ran out of data")
@pytest.mark.parametrize("kind", DATA)
def test_every_kind_of_data(tmp_path, kind):
    data, arguments = DATA[kind]
    arguments = {"data": data, **arguments}
    data()  # imports its library, which knows of the seed from then on
    with backends.scope("torch"):
        whole = fit(tmp_path / "whole", **arguments)
        for save_freq in ("epoch", 2):
            for step in (3, 5, 8):
                folder = tmp_path / f"{save_freq} {step}"
                options = {**arguments, "save_freq": save_freq}
                assert interrupted(folder, InterruptAt(step), **options) == whole


def test_arrays_in_parts(training_engine, tmp_path):
    options = {"steps_per_epoch": 3, "shuffle": "batch"}
    whole = fit(tmp_path / "whole", **options)
    assert interrupted(tmp_path / "a", InterruptAt(4), **options) == whole


def test_an_iterator_cannot_go_back(tmp_path):
    with backends.scope("torch"):
        whole = fit(tmp_path / "whole", data=generator, steps_per_epoch=4)
        again = generator()
        options = {"data": lambda: again, "steps_per_epoch": 4}
        # After a backup at every step the same iterator goes on where it is.
        found = interrupted(tmp_path / "a", InterruptAt(6), **options, save_freq=1)
        assert found[0] == whole[0]
        again = generator()
        with pytest.raises(Interrupted):
            fit(tmp_path / "b", InterruptAt(6), **options, save_freq=4)
        with pytest.warns(UserWarning, match="generator .* cannot go back"):
            fit(tmp_path / "b", **options, save_freq=4)
        ended = iter(list(zip(range(9), generator(), strict=False)))
        batches = (batch for _, batch in ended)
        with pytest.raises(Interrupted):
            fit(tmp_path / "c", InterruptAt(7), data=generator, steps_per_epoch=4)
        next(batches), next(batches), next(batches), next(batches)
        with pytest.raises(ValueError, match="ended after 5 of the 6 batches"):
            fit(tmp_path / "c", data=lambda: batches, steps_per_epoch=4)


def test_the_argument_of_fit(tmp_path):
    """`fit(resume=folder)` is a backup after each epoch."""

    def train(*more, resume=tmp_path / "backup"):
        model = resumable.small_model()
        history = model.fit(X, Y, SIZE, 4, 0, more, resume=resume)
        return history.history, model.get_weights()[0].tolist()

    with backends.scope("torch"):
        whole = train(resume=None)
        with pytest.raises(Interrupted):
            train(InterruptAt(13))
        assert {"latest.json", "latest.npz"} == set(os.listdir(tmp_path / "backup"))
        mine = tmp_path / "backup" / "mine.txt"
        mine.write_text("")
        assert train() == whole
        assert os.listdir(tmp_path / "backup") == ["mine.txt"]


OTHER_BATCHES = {
    "batch_size": lambda: {"batch_size": 20},
    "rows": lambda: {"x": X[:16], "y": Y[:16]},
    "steps": lambda: {"steps_per_epoch": 3},
    "order": lambda: {"shuffle": False},
}


@pytest.mark.parametrize("change", OTHER_BATCHES)
def test_other_batches(tmp_path, change):
    """Within an epoch an error, and nothing is set; between two a warning."""

    def train(save_freq, *more, **changes):
        model = resumable.small_model()
        backup = keras.callbacks.BackupAndRestore(tmp_path / "b", save_freq)
        options = {"x": X, "y": Y, "batch_size": SIZE, "epochs": 2, "verbose": 0}
        before = [x.tolist() for x in model.get_weights()]
        try:
            model.fit(**(options | changes), callbacks=[backup, *more])
        finally:
            after = [x.tolist() for x in model.get_weights()]
            train.changed = before != after

    other = OTHER_BATCHES[change]()
    with backends.scope("torch"):
        with pytest.raises(Interrupted):
            train(3, InterruptAt(4))
        with pytest.raises(ValueError, match="other batches: rows=40, batch.*Remove"):
            train(3, **other)
        assert not train.changed
        train(3)
        with pytest.raises(Interrupted):
            train("epoch", InterruptAt(7))
        with pytest.warns(UserWarning, match="other batches: rows=40.*goes on"):
            train("epoch", **other)
        assert train.changed


def test_other_batches_of_a_dataset(tmp_path):
    with backends.scope("torch"):
        with pytest.raises(Interrupted):
            fit(tmp_path, InterruptAt(4), data=Shuffled, save_freq=3)
        with pytest.raises(ValueError, match="other batches: steps=5. Rec.*steps=4"):
            fit(tmp_path, data=Shuffled, save_freq=3, steps_per_epoch=4)


@pytest.mark.parametrize(
    ("resume", "error", "expected"),
    [
        (True, TypeError, "path"),
        (3, TypeError, "path"),
        (__file__, NotADirectoryError, "folder"),
    ],
)
def test_what_is_no_folder(resume, error, expected):
    with pytest.raises(error, match=f"`resume` of fit.. of model.*{expected}"):
        resumable.small_model().fit(X, Y, resume=resume)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("engine", "kills"),
    [
        ("torch", 1),
        pytest.param("jax", 20, marks=pytest.mark.slow),
        pytest.param("torch", 20, marks=pytest.mark.slow),
        pytest.param("tensorflow", 20, marks=pytest.mark.slow),
    ],
)
def test_kills(tmp_path, engine, kills):
    numbers = random.Random(engine)
    environment = {**os.environ, "HORNBEAM_BACKEND": engine}
    epochs = 2 * (1 + kills)

    def process(folder):
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.callbacks.resumable"),
                *(os.fspath(folder), str(epochs)),
            ],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    whole = process(tmp_path / "whole")
    events = len(whole.communicate()[0])
    assert events == epochs * (STEPS + 1)
    for _ in range(kills):
        killed = process(tmp_path / "parts")
        killed.stdout.read(numbers.randrange(1, 10))
        time.sleep(numbers.uniform(0, 0.02))
        killed.send_signal(signal.SIGKILL)
        assert killed.wait() == -signal.SIGKILL
        killed.stdout.close()
    process(tmp_path / "parts").communicate()
    found, expected = (
        (tmp_path / name / "result.json").read_text() for name in ("parts", "whole")
    )
    assert found == expected
    assert not os.path.exists(tmp_path / "parts" / "backup")
