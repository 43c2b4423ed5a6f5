"""The cases S1 to S28 by every way in, under one audit hook."""

import importlib.util
import io
import json
import operator
import re
import struct
import threading
import time
import zipfile

import h5py
import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from hornbeam.saving import archive, hdf5
from tests.saving import attack_table, fuzz
from tests.saving.attack_table import (
    BROKEN,
    BYTECODE,
    WAYS,
    by_zip,
    function,
    layer,
    sequential,
)


@pytest.mark.parametrize("way", [*WAYS, *attack_table.WAYS_OF_PARTS])
def test_every_way_in_refuses_what_is_unsafe(way, everything_is_imported):
    """S1 to S8, S14: nothing is run, opened, or imported, and no file is left."""
    passed = []
    for name, config in attack_table.attempts(way):
        outcome, mebibytes, seconds = attack_table.attempt(way, config)
        if outcome != "unsafe" or mebibytes > 64 or seconds > 2:
            passed.append((name, outcome, mebibytes, seconds))
    assert not passed


SEQUENTIALS = [
    config
    for config in BROKEN.values()
    if isinstance(config, dict) and config.get("class_name") == "Sequential"
]


@pytest.mark.parametrize("way", sorted(set(WAYS) - {"by_functional"}))
def test_every_way_in_tells_what_is_damaged(way, everything_is_imported):
    """S10, S21: also where a name of Python's stands for an argument."""
    outcomes = {
        name: attack_table.attempt(way, config)[0]
        for name, config in BROKEN.items()
        if way != "by_from_config" or config in SEQUENTIALS
        if isinstance(config, dict) or way not in attack_table.OF_PROGRAMS
    }
    # A dict of the program is in no file: its errors are those of the arguments.
    kinds = {re.match(r"\w+( \w+)?", outcome)[0] for outcome in outcomes.values()}
    allowed = {"damaged", "unsafe"}
    if way in attack_table.OF_PROGRAMS:
        allowed |= {"ValueError", "TypeError"}
    assert kinds <= allowed, outcomes


@pytest.mark.parametrize("order", [1, -1])
def test_a_switch_in_one_file_does_not_open_the_next(order, tmp_path, audit):
    """S4 and S5, in two threads."""
    switch = sequential(layer("Lambda", function=function("enable_unsafe")))
    unsafe = sequential(layer("Lambda", function=BYTECODE))
    results = []

    def read(number, config):
        (tmp_path / str(number)).mkdir()
        try:
            by_zip(tmp_path / str(number), config)()
        except UnsafeFileError as error:
            results.append(error)

    pair = [switch, unsafe][::order]
    threads = [threading.Thread(target=read, args=item) for item in enumerate(pair)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, config in enumerate(pair):
        read(number + 2, config)
    assert len(results) == 4


class Failing(keras.layers.Layer):
    """A class of the user's with a fault of its own."""

    def __init__(self, place, **kwargs):
        super().__init__(**kwargs)
        self.place = place
        self.fail("init")

    def fail(self, place):
        if self.place == place:
            raise ERRORS[0]

    def build(self, input_shape):
        self.fail("build")

    def call(self, x):
        self.fail("call")
        return x


ERRORS: list[Exception] = []
OF_USERS = [
    KeyError("mine"),
    AttributeError("mine"),
    RuntimeError("mine"),
    ValueError("mine"),
    TypeError("mine"),
    MemoryError("mine"),
]


@pytest.mark.parametrize("error", OF_USERS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("place", ["init", "build", "call"])
@pytest.mark.parametrize("way", ["by_zip", "by_hdf5", "by_json", "by_layers"])
def test_errors_of_users_stay_as_they_are(way, place, error, tmp_path):
    ERRORS[:] = [error]
    config = sequential(layer("Failing", None, place=place))
    read = WAYS[way](tmp_path, config)
    with (
        keras.saving.CustomObjectScope({"Failing": Failing}),
        pytest.raises(type(error)) as info,
    ):
        read()
    assert info.value is error


def test_an_engine_without_memory_is_not_called_damage(tmp_path, monkeypatch):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.save_weights(tmp_path / "m.weights.h5")
    error = RuntimeError("RESOURCE_EXHAUSTED: out of memory")

    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(type(model.weights[0]), "assign", fail)
    with pytest.raises(RuntimeError) as info:
        model.load_weights(tmp_path / "m.weights.h5")
    assert info.value is error


def saved(folder):
    """Save a model; return the path and what the archive holds."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.save(folder / "m.keras")
    with zipfile.ZipFile(folder / "m.keras") as file:
        return {name: file.read(name) for name in file.namelist()}


def many_members(folder):
    with zipfile.ZipFile(folder / "m.keras", "w") as file:
        for i in range(11_000):
            file.writestr(str(i), "")


def false_end(folder):
    """Write an archive whose list of members claims to be of 4 GB."""
    saved(folder)
    data = bytearray((folder / "m.keras").read_bytes())
    place = data.rfind(b"PK\5\6") + 12
    data[place : place + 4] = struct.pack("<L", 2**32 - 2)
    (folder / "m.keras").write_bytes(data)


def member_bomb(name):
    def write(folder):
        members = saved(folder)
        with zipfile.ZipFile(folder / "m.keras", "w", zipfile.ZIP_DEFLATED) as file:
            for member, data in members.items():
                file.writestr(member, b" " * (40 << 20) if member == name else data)
            if name not in members:
                file.writestr(name, bytes(40 << 20))

    return write


def many_objects(folder):
    write_hdf5(folder, lambda f: [f.create_group(str(i)) for i in range(1100)])


def deep_groups(folder):
    write_hdf5(folder, lambda f: f.create_group("/".join("a" * 500)))


def shape_bomb(folder):
    def write(file):
        file.create_dataset("0", (1 << 50,), "f8", chunks=(1 << 10,))

    write_hdf5(folder, write)


def many_datasets(folder):
    def write(file):
        for i in range(900):
            file.create_dataset(str(i), (1 << 22,), "f8", chunks=(1 << 10,))

    write_hdf5(folder, write)


def many_chunks(folder):
    write_hdf5(folder, lambda f: f.create_dataset("0", (4_000_000,), "f4", chunks=(1,)))


def write_hdf5(folder, write):
    members = saved(folder)
    target = io.BytesIO()
    with h5py.File(target, "w", libver="latest") as file:
        write(file)
    with zipfile.ZipFile(folder / "m.keras", "w") as file:
        for name, data in members.items():
            weight = name == archive.WEIGHTS
            file.writestr(name, target.getvalue() if weight else data)


BOMBS = {
    "S18 members": many_members,
    "S18 list": false_end,
    "S18 config": member_bomb(archive.CONFIG),
    "S18 metadata": member_bomb(archive.METADATA),
    "S18 weights": member_bomb(archive.WEIGHTS),
    "S18 assets": member_bomb("assets/x"),
    "S18 nested": member_bomb("nested.zip"),
    "S19 objects": many_objects,
    "S19 depth": deep_groups,
    "S19 8 PiB": shape_bomb,
    "S19 datasets": many_datasets,
    "S19 chunks": many_chunks,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_at_once(name, tmp_path, audit, monkeypatch):
    """S18 and S19."""
    monkeypatch.setattr(hdf5, "_MAX_OBJECTS", 1000)
    BOMBS[name](tmp_path)
    path = tmp_path / "m.keras"
    for read in (keras.saving.load_model, keras.saving.inspect):
        started = time.process_time()
        with audit(path), pytest.raises((UnsafeFileError, DamagedFileError)):
            read(path)
        assert time.process_time() - started < 2


@pytest.mark.parametrize("kind", ["zip", "legacy h5", "weights.h5", "shards"])
def test_files_cut_off_anywhere_are_damaged(kind, tmp_path):
    """S23: a clear error, and the model stays as it is."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(200)])
    before = [np.array(w) for w in model.get_weights()]
    name = {
        "zip": "m.keras",
        "legacy h5": "m.h5",
        "weights.h5": "m.weights.h5",
        "shards": "m.weights.json",
    }[kind]
    path = tmp_path / name
    if kind == "shards":
        model.save_weights(path, max_shard_size=1e-5)
        data_path = next(tmp_path.glob("*.weights.h5"))
    else:
        (model.save if kind in ("zip", "legacy h5") else model.save_weights)(path)
        data_path = path
    data = data_path.read_bytes()
    for end in range(0, len(data), 1024):
        data_path.write_bytes(data[:end])
        with pytest.raises(DamagedFileError, match=path.name):
            model.load_weights(path)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert {p.suffix for p in tmp_path.iterdir()} <= {".keras", ".h5", ".json"}


@pytest.mark.parametrize("array", [np.array([{}], object), np.array([RuntimeError])])
def test_pickles_in_arrays_are_not_loaded(array, tmp_path, audit):
    """S9."""
    folder = tmp_path / "b"
    folder.mkdir()
    metadata = np.array(json.dumps({"epoch": 1, "variables": ["x"], "callbacks": {}}))
    np.savez(folder / "latest.npz", **{"0": array}, metadata=metadata)
    callback = keras.callbacks.BackupAndRestore(str(folder))
    callback.set_model(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
    with audit(folder / "latest.npz"), pytest.raises(DamagedFileError, match="damaged"):
        callback.on_train_begin()


@pytest.mark.parametrize(
    "name", ["../other.weights.h5", "/etc/passwd", "x.weights.h5", 3, None, ["a"]]
)
def test_shards_are_files_beside_the_list(name, tmp_path, audit):
    """S16."""
    path = tmp_path / "m.weights.json"
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    path.write_text(json.dumps({"weight_map": {"/layers/dense/vars": [name]}}))
    with audit(path), pytest.raises((UnsafeFileError, DamagedFileError)):
        model.load_weights(path)


def functional_config():
    inputs = keras.Input((3,))
    return keras.Model(inputs, keras.layers.Dense(2)(inputs)).get_config()


@pytest.mark.parametrize("value", [5, None, {}, [], [[[]]], float("nan"), 10**18, "x"])
def test_damage_in_a_dict_is_told_as_in_a_file(value):
    """Each part of a graph in turn; what still makes a model is none."""

    def places(part):
        items = part.items() if isinstance(part, dict) else enumerate(part)
        for key, inner in list(items):
            yield part, key
            if isinstance(inner, dict | list):
                yield from places(inner)

    refused = 0
    for number in range(len(list(places(functional_config())))):
        config = functional_config()
        part, key = list(places(config))[number]
        part[key] = value
        try:
            assert isinstance(keras.Model.from_config(config), keras.Model)
        except ValueError as error:
            assert "unpack" not in str(error), key  # words of Python's
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("kind", ["Model", "Sequential", "layers.Dense"])
def test_from_config_names_what_is_no_config(kind):
    cls = operator.attrgetter(kind)(keras)
    with pytest.raises(TypeError, match=rf"{cls.__name__}.from_config.*config=None"):
        cls.from_config(None)


def test_names_are_no_paths(tmp_path):
    """S13: a name with a path in it is refused, or is a name of a group alone."""
    with pytest.raises(ValueError, match="name"):
        keras.layers.Dense(1, name="../../x")
    named = keras.layers.Dense(1, name="..")
    model = keras.Sequential([keras.Input((1,)), named])
    (tmp_path / "inner").mkdir()
    model.save(tmp_path / "inner" / "m.keras")
    keras.saving.load_model(tmp_path / "inner" / "m.keras")
    assert [p.name for p in tmp_path.iterdir()] == ["inner"]


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999"])
def test_numbers_that_are_none_do_no_harm(text):
    """S21."""
    config = json.dumps(sequential(layer("Dense", units=7))).replace("7", text)
    with pytest.raises(DamagedFileError, match="JSON of the model"):
        keras.models.model_from_json(config)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_damaged_files_raise_errors_of_ours(seed):
    """S27: a minute in all; `fuzz.py` takes any time."""
    counts, failures = fuzz.run(20, seed)
    assert not failures
    has_orbax = importlib.util.find_spec("orbax") is not None
    assert len({kind for kind, _ in counts}) == 13 + has_orbax
