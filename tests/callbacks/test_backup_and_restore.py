"""Training that is interrupted and resumed."""

import os
import random
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from hornbeam import callbacks as c
from hornbeam.callbacks import backup_file
from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from hornbeam.data import make_data
from tests.callbacks.fakes import FakeModel, FakeVariable, run

LOSSES = [5.0, 4.0, 4.5, 4.6, 4.7, 4.8, 1.0]


class Interrupt(c.Callback):
    def __init__(self, epoch=None, batch=None):
        self.at = (epoch, batch)

    def on_train_batch_end(self, batch, logs=None):
        if self.at[1] == batch:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs=None):
        if self.at == (epoch, None):
            raise KeyboardInterrupt


def others(folder):
    return [
        c.EarlyStopping("loss", patience=4, restore_best_weights=True),
        c.ReduceLROnPlateau("loss", patience=2, factor=0.5),
        c.ModelCheckpoint(folder / "best.keras", "loss", save_best_only=True),
        c.CSVLogger(folder / "log.csv"),
    ]


def data():
    return make_data(np.arange(20), shuffle=True)


@pytest.mark.parametrize("stop", range(5))
@pytest.mark.parametrize("first_in_list", [True, False])
def test_a_resumed_training_ends_as_the_uninterrupted_one(
    tmp_path, stop, first_in_list
):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir(), parts.mkdir()
    np.random.seed(7)
    reference = FakeModel()
    expected = run(reference, others(whole), LOSSES)

    def attempt(interrupt):
        model, rows = FakeModel(), data()
        backup = c.BackupAndRestore(parts / "backup")
        rest = others(parts)
        mine = [backup, *rest] if first_in_list else [*rest, backup]
        try:
            run(model, [*mine, *interrupt], LOSSES, data=rows)
        except KeyboardInterrupt:
            return None
        finally:
            order.append(rows.order(6).tolist())
        return model, rest

    order = []
    assert attempt([Interrupt(stop)]) is None
    assert os.path.exists(parts / "backup")
    model, rest = attempt([])
    assert order[0] == order[1]
    assert not os.path.exists(parts / "backup")
    np.testing.assert_array_equal(model.weight.value, reference.weight.value)
    assert float(model.optimizer.rate) == float(reference.optimizer.rate)
    assert rest[0].stopped_epoch == 5
    assert rest[2].best == 4.0
    assert model.history.history == expected.history
    assert model.history.epoch == expected.epoch
    assert (parts / "log.csv").read_text() == (whole / "log.csv").read_text()


def test_a_backup_within_an_epoch(tmp_path):
    backup = c.BackupAndRestore(tmp_path / "b", save_freq=1)
    model = FakeModel()
    with pytest.raises(KeyboardInterrupt):
        run(model, [backup, Interrupt(batch=1)], LOSSES, batches=3)
    model = FakeModel()
    history = run(
        model, [c.BackupAndRestore(tmp_path / "b", save_freq=1)], [1, 1], batches=3
    )
    assert history.epoch == [0, 1]
    assert model.weight.value.tolist() == [6, 6]


def test_the_folder_goes_when_all_is_well(tmp_path):
    folder = tmp_path / "b"
    run(FakeModel(), [c.BackupAndRestore(folder)], [1.0])
    assert not folder.exists()
    run(FakeModel(), [c.BackupAndRestore(folder, delete_checkpoint=False)], [1.0])
    assert folder.exists()


def test_the_folder_stays_when_the_loss_is_lost(tmp_path):
    folder = tmp_path / "b"
    run(FakeModel(), [c.BackupAndRestore(folder), c.TerminateOnNaN()], [1.0, np.nan])
    assert folder.exists()


def interrupted(folder, **arguments):
    with pytest.raises(KeyboardInterrupt):
        run(
            FakeModel(), [c.BackupAndRestore(folder, **arguments), Interrupt(1)], LOSSES
        )


def test_a_damaged_backup_is_not_skipped_silently(tmp_path):
    interrupted(tmp_path)
    (tmp_path / "latest.npz").write_text("0")
    with pytest.raises(DamagedFileError, match="damaged"):
        run(FakeModel(), [c.BackupAndRestore(tmp_path)], LOSSES)


def test_damaged_bytes_are_never_resumed_from(tmp_path):
    """Nothing but our errors, and nothing of the model changes."""
    interrupted(tmp_path / "b")
    path = tmp_path / "b" / "latest.npz"
    whole = path.read_bytes()
    numbers = random.Random(0)
    refused = 0
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(numbers.randrange(1, 4)):
            content[numbers.randrange(len(content))] = numbers.randrange(256)
        path.write_bytes(content[: numbers.choice([None, None, len(content) // 2])])
        model = FakeModel()
        try:
            run(
                model, [c.BackupAndRestore(tmp_path / "b", delete_checkpoint=False)], []
            )
        except (DamagedFileError, UnsafeFileError):
            refused += 1
            assert model.weight.value.tolist() == [0, 0]
        else:
            assert model.weight.value.tolist() == [4, 4]
    assert refused > 100


def test_a_compressed_backup_is_refused(tmp_path):
    """A small file could take any memory."""
    interrupted(tmp_path / "b")
    path = tmp_path / "b" / "latest.npz"
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    members["state.json"] += b" " * 10**5
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)
    with pytest.raises(UnsafeFileError, match="more than its size allows"):
        run(FakeModel(), [c.BackupAndRestore(tmp_path / "b")], LOSSES)


def test_the_backup_before_the_last(tmp_path):
    interrupted(tmp_path, double_checkpoint=True)
    (tmp_path / "latest.npz").write_text("0")
    model = FakeModel()
    with pytest.warns(UserWarning, match="the one before it is used"):
        run(model, [c.BackupAndRestore(tmp_path)], [1, 1, 1])
    assert model.weight.value.tolist() == [6, 6]


def test_a_backup_of_another_model(tmp_path):
    interrupted(tmp_path)
    model = FakeModel()
    model.weight = FakeVariable([0.0, 0.0, 0.0], "weight")
    with pytest.raises(ValueError, match="another model: it holds 2 var.*Remove the"):
        run(model, [c.BackupAndRestore(tmp_path)], LOSSES)


def test_a_backup_that_lost_its_state(tmp_path):
    """Training does not begin anew without a word."""
    interrupted(tmp_path)
    (tmp_path / "latest.npz").unlink()
    model = FakeModel()
    with pytest.raises(DamagedFileError, match="lacks .*latest.npz.*start anew"):
        run(model, [c.BackupAndRestore(tmp_path)], LOSSES)
    assert model.weight.value.tolist() == [0, 0]


def test_the_backup_before_one_that_is_missing(tmp_path):
    interrupted(tmp_path, double_checkpoint=True)
    (tmp_path / "latest.npz").unlink()
    with pytest.warns(UserWarning, match="missing; the backup before it is used"):
        run(FakeModel(), [c.BackupAndRestore(tmp_path)], [1, 1, 1])


@pytest.mark.parametrize("folder", [True, 3, b"backup", __file__])
def test_what_is_no_folder(folder):
    with pytest.raises((TypeError, OSError), match="`backup_dir` of BackupAndRestore"):
        c.BackupAndRestore(folder)


@pytest.mark.parametrize("folder", ["", None])
def test_a_folder_is_needed(folder):
    with pytest.raises(ValueError, match="Empty `backup_dir` argument passed"):
        c.BackupAndRestore(folder)


@pytest.mark.parametrize("freq", ["batch", 0.15, True])
def test_save_freq(freq):
    with pytest.raises(ValueError, match="Invalid value.*save_freq"):
        c.BackupAndRestore("b", save_freq=freq)


@pytest.mark.parametrize("kept", ["x" * 70_000, 1 << 70, [[]] * 600_000])
def test_a_backup_that_could_not_be_read_is_not_written(tmp_path, kept):
    path = tmp_path / "latest.npz"
    backup_file.write(path, {"kept": 1})
    with pytest.raises(ValueError, match=r"could not be read again.*state_attributes"):
        backup_file.write(path, {"kept": kept})
    assert backup_file.read(path) == {"kept": 1}


@pytest.mark.parametrize(
    ("name", "value"), [("filepath", "/tmp/elsewhere"), ("best", "text"), ("x", 1)]
)
def test_a_backup_sets_only_what_a_callback_declares(tmp_path, name, value):
    """And nothing of the model changes when it does not."""
    folder = tmp_path / "backup"
    checkpoint = c.ModelCheckpoint(tmp_path / "best.keras", "loss", save_best_only=True)
    with pytest.raises(KeyboardInterrupt):
        run(
            FakeModel(),
            [c.BackupAndRestore(folder), checkpoint, Interrupt(1)],
            LOSSES,
        )
    path = str(folder / "latest.npz")
    state = backup_file.read(path)
    state["callbacks"]["ModelCheckpoint 0"][name] = value
    backup_file.write(path, state)
    model = FakeModel()
    before = model.weight.value.copy()
    with pytest.raises(UnsafeFileError, match=f"sets {name!r} of"):
        run(model, [c.BackupAndRestore(folder), checkpoint], LOSSES)
    np.testing.assert_array_equal(model.weight.value, before)
    assert checkpoint.filepath == str(tmp_path / "best.keras")


FULL = """
import resource, signal, sys
import numpy as np
import hornbeam as keras
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder, size, double = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "True"
class Fill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((50,)), keras.layers.Dense(100)])
model.compile("adam", "mse")
backup = keras.callbacks.BackupAndRestore(folder, double_checkpoint=double)
try:
    model.fit(np.ones((8, 50)), np.ones((8, 100)), 8, 4, 0, [backup, Fill()])
except OSError as error:
    print(error)
"""


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("size", [0, 4096, 50_000])
def test_a_full_disk_leaves_the_backup_before(tmp_path, size, double):
    """The limit on the size of files stands for the disk; in the third epoch."""
    folder = tmp_path / "b"
    done = subprocess.run(
        [sys.executable, "-c", FULL, folder, str(size), str(double)],
        capture_output=True,
        text=True,
    )
    assert f"There is no room for '{folder}/latest.npz'" in done.stdout, done.stderr
    assert not [name for name in os.listdir(folder) if name.endswith(".tmp")]
    name = "previous.npz" if double else "latest.npz"
    state = backup_file.read(str(folder / name))
    assert state["position"]["epoch"] == 2
