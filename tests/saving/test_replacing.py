"""Nothing is lost: after a kill or a full disk the old file or the new one is there."""

import os
import random
import re
import signal
import stat
import subprocess
import sys
import time

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.replacing import replacing


def test_a_file_is_replaced_only_when_all_went_well(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(KeyError), replacing(path) as temporary:
        temporary.write_text("new")
        raise KeyError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["x"]


def test_links_and_permissions_stay(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    with replacing(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_folder_is_replaced_in_one_step(tmp_path, monkeypatch):
    path = tmp_path / "x"
    for content in ("old", "new"):
        with replacing(path) as temporary:
            temporary.mkdir()
            (temporary / content).write_text("")
        assert os.listdir(path) == [content]
        path.chmod(0o750)
    # Where the system cannot exchange two names.
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    with replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "newest").write_text("")
    assert os.listdir(path) == ["newest"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert os.listdir(tmp_path) == ["x"]


def test_what_a_killed_process_left_is_removed(tmp_path):
    path = tmp_path / "x"
    code = (
        "import os, signal, pathlib, sys\n"
        "from hornbeam.core.replacing import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)])
    (left,) = os.listdir(tmp_path)
    assert left.endswith(".tmp")
    with replacing(path) as temporary:
        # A file that a living process makes stays.
        with replacing(path) as other:
            other.write_text("other")
            temporary.write_text("new")
            assert len(os.listdir(tmp_path)) == 2
    assert os.listdir(tmp_path) == ["x"]
    assert path.read_text() == "new"


def network():
    return keras.Sequential(
        [keras.Input((64,)), *(keras.layers.Dense(64) for _ in range(12))]
    )


def save(model, path):
    if path.name.endswith(".weights.json"):
        # Several files of 64 kB.
        model.save_weights(path, max_shard_size=6.4e-5)
    elif path.name.endswith((".weights.h5", ".safetensors")):
        model.save_weights(path)
    elif path.suffix:
        model.save(path)
    else:
        model.save(path, zipped=False)


def loaded(model, path):
    if ".weights." in path.name or path.suffix == ".safetensors":
        model.load_weights(path)
        return model
    return keras.saving.load_model(path)


def values_in(path):
    """The numbers that the weights in the file have."""
    return {float(x) for w in loaded(network(), path).weights for x in w.numpy().flat}


NAMES = (
    "a.keras",
    "a.h5",
    "a.weights.h5",
    "a.weights.json",
    "a.safetensors",
    "folder",
)


def save_until_killed(model, path, number, pipe):
    """In a process of its own: weights that are all `number`, then one more ..."""
    while True:
        model.set_weights([np.full(w.shape, number) for w in model.weights])
        save(model, path)
        os.write(pipe, b"%d\n" % number)
        number += 1


def count_kills(path, kills):
    """Kill a process that saves, again and again; the file is whole each time."""
    model, numbers = network(), random.Random(path.name)
    model.set_weights([np.zeros(w.shape) for w in model.weights])
    save(model, path)
    saved = 0
    for _ in range(kills):
        source, pipe = os.pipe()
        process = os.fork()
        if process == 0:
            save_until_killed(model, path, saved + 1, pipe)
        os.close(pipe)
        with open(source, "rb") as file:
            saved = int(file.readline())
            time.sleep(numbers.uniform(0, 0.05))
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            saved = int((file.read().split() or [saved])[-1])
        values = values_in(path)
        assert values in ({saved}, {saved + 1}), (values, saved)
        saved = int(values.pop())
    save(model, path)
    assert [n for n in os.listdir(path.parent) if n.endswith(".tmp")] == []
    return saved


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_kill_leaves_the_old_file_or_the_new_one(tmp_path, name):
    """In a process that forks, so with NumPy, which has no threads."""
    code = (
        "import pathlib, sys, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "from tests.saving.test_replacing import count_kills\n"
        "print(count_kills(pathlib.Path(sys.argv[1]), 20))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / name)],
        env={**os.environ, "HORNBEAM_BACKEND": "numpy"},
        capture_output=True,
        text=True,
    )
    assert int(done.stdout or 0) >= 20, done.stdout + done.stderr


@pytest.mark.filterwarnings("ignore:.*does not say how the model was compiled")
@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_leaves_the_old_file(tmp_path, name):
    """The limit on the size of files stands for the disk."""
    path = tmp_path / name
    model = network()
    model.set_weights([np.full(w.shape, 7) for w in model.weights])
    save(model, path)
    before = sorted(os.listdir(tmp_path))
    code = (
        "import pathlib, resource, signal, sys\n"
        "from tests.saving.test_replacing import network, save\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "model = network()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))\n"
        "try: save(model, pathlib.Path(sys.argv[1]))\n"
        "except OSError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True
    )
    message = rf"no room for '{tmp_path}/a?[^(]*\(.*\): (more than \d+ bytes are "
    message += r"needed and )?\d+ bytes are free"
    assert re.search(message, done.stdout), done.stdout + done.stderr
    assert sorted(os.listdir(tmp_path)) == before
    values = values_in(path)
    assert values == {7.0}


def test_other_files_in_the_folder_stay(tmp_path):
    folder = tmp_path / "folder"
    (folder / "mine").mkdir(parents=True)
    (folder / "mine" / "notes.txt").write_text("notes")
    (folder / "more.txt").write_text("more")
    save(network(), folder)
    save(network(), folder)
    assert (folder / "mine" / "notes.txt").read_text() == "notes"
    assert (folder / "more.txt").read_text() == "more"
    assert keras.saving.load_model(folder).count_params() == network().count_params()


def test_shards_of_the_last_save_go(tmp_path):
    model, path = network(), tmp_path / "a.weights.json"
    save(model, path)
    first = set(os.listdir(tmp_path))
    save(model, path)
    second = set(os.listdir(tmp_path))
    assert len(first) == len(second) > 3
    assert first & second == {"a.weights.json"}
    network().load_weights(path)


def test_permissions_and_links_of_shards_stay(tmp_path):
    """As those of one file: the files stand beside what a link leads to."""
    model, target = network(), tmp_path / "target" / "a.weights.json"
    target.parent.mkdir()
    save(model, target)
    for path in target.parent.iterdir():
        path.chmod(0o640)
    link = tmp_path / "b.weights.json"
    link.symlink_to(target)
    model.set_weights([np.full(w.shape, 3) for w in model.weights])
    save(model, link)
    assert link.is_symlink()
    assert os.listdir(tmp_path) in (["target", link.name], [link.name, "target"])
    for path in target.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert values_in(link) == values_in(target) == {3.0}
