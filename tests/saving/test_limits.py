"""The cases S10 and S15 to S24 by each reader: little memory, little time, no trace."""

import json
import time
import zipfile

import h5py
import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from hornbeam.saving import archive
from tests.saving.attack_table import (
    by_folder,
    by_json,
    by_tfjs,
    by_zip,
    forget,
    function,
    largest,
    layer,
    sequential,
    weights,
)

REFUSED = (UnsafeFileError, DamagedFileError)


def network():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")])


def files_in(folder):
    return {path for path in folder.rglob("*") if path.is_file()}


def check_refused(read, folder, audit, seconds=2):
    """Reading raises one of our errors, at little cost, and leaves nothing."""
    files = files_in(folder)
    forget()
    before, started = largest(), time.process_time()
    with audit(*files), pytest.raises(REFUSED):
        read()
    assert time.process_time() - started < seconds
    assert largest() - before < 64
    assert files_in(folder) == files


# S15 and S19: what an HDF5 file may not hold, at each place of each kind of file.
def link(kind):
    return {
        "soft": lambda: h5py.SoftLink("/elsewhere"),
        "external": lambda: h5py.ExternalLink("/etc/other.h5", "/d"),
    }[kind]()


def references(kind):
    def write(group):
        if kind == "region":
            data = group.create_dataset("y", data=np.ones(4))
            group["x"] = np.array([data.regionref[1:2]], h5py.regionref_dtype)
        else:
            group.create_dataset("x", data=[group.ref], dtype=h5py.ref_dtype)

    return write


def external(group):
    group.create_dataset("x", (1,), "f8", external=[(b"/etc/hostname", 0, 8)])


def virtual(group):
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "d", shape=(4,))
    group.create_virtual_dataset("x", layout)


def unknown_filter(group):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((2,))
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
    space = h5py.h5s.create_simple((2,))
    h5py.h5d.create(group.id, b"x", h5py.h5t.IEEE_F32LE, space, plist)


def deep(group):
    """Groups in groups: HDF5 itself makes no more of them from one path."""
    for _ in range(10_000):
        group = group.create_group("g")


def many(group):
    for i in range(2000):
        group.create_dataset(f"d{i}", ((39 << 27) // 10,), "f8", chunks=(1024,))


HDF5 = {
    "soft link": lambda g: g.__setitem__("x", link("soft")),
    "external link": lambda g: g.__setitem__("x", link("external")),
    "object reference": references("object"),
    "region reference": references("region"),
    "external storage": external,
    "virtual": virtual,
    "cycle": lambda g: g.__setitem__("x", g.file["/"]),
    "two links": lambda g: g.__setitem__("x", g.create_group("y")),
    "filter": unknown_filter,
    "deep": deep,
    "many": many,
    "8 PiB": lambda g: g.create_dataset("x", (1 << 50,), "f8", chunks=(1 << 10,)),
    "compound": lambda g: g.create_dataset("x", (3,), [("a", "f4")]),
    "vlen": lambda g: g.create_dataset("x", (3,), h5py.vlen_dtype("f4")),
}
COSTLY = {"deep", "many"}
PLACES = ["/", "/vars", "/layers/dense/vars", "/model_weights/dense", "/optimizer"]


def hdf5_file(path, place, write):
    with h5py.File(path, "a", libver="latest") as file:
        write(file.require_group(place))


def save_zip(folder, place, write):
    network().save(folder / "m.keras")
    with zipfile.ZipFile(folder / "m.keras") as file:
        members = {name: file.read(name) for name in file.namelist()}
    (folder / "x.h5").write_bytes(members[archive.WEIGHTS])
    hdf5_file(folder / "x.h5", place, write)
    members[archive.WEIGHTS] = (folder / "x.h5").read_bytes()
    (folder / "x.h5").unlink()
    with zipfile.ZipFile(folder / "m.keras", "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return folder / "m.keras"


def save_weights(folder, place, write):
    network().save_weights(folder / "m.weights.h5")
    hdf5_file(folder / "m.weights.h5", place, write)
    return folder / "m.weights.h5"


def save_legacy(folder, place, write):
    network().save(folder / "m.h5")
    hdf5_file(folder / "m.h5", place, write)
    return folder / "m.h5"


def save_shards(folder, place, write):
    network().save_weights(folder / "m.weights.json", max_shard_size=1)
    hdf5_file(folder / "m_00000.weights.h5", place, write)
    return folder / "m.weights.json"


SAVED = {
    "zip": (save_zip, ("model", "weights", "inspect", "editor")),
    "weights": (save_weights, ("weights", "inspect", "editor")),
    "legacy": (save_legacy, ("model", "weights", "inspect")),
    "shards": (save_shards, ("weights", "inspect")),
}
READERS = {
    "model": keras.saving.load_model,
    "weights": lambda path: network().load_weights(path),
    "inspect": keras.saving.inspect,
    "editor": keras.saving.KerasFileEditor,
}


@pytest.mark.filterwarnings("ignore:.*does not say how the model was compiled")
@pytest.mark.parametrize("kind", SAVED)
@pytest.mark.parametrize("name", HDF5)
def test_hdf5_holds_plain_arrays_alone(name, kind, tmp_path, audit):
    """S15, S19."""
    save, readers = SAVED[kind]
    for number, place in enumerate(PLACES[:1] if name in COSTLY else PLACES):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = save(folder, place, HDF5[name])
        for reader in readers:
            check_refused(lambda r=reader, p=path: READERS[r](p), folder, audit)


# S10 and S21: JSON, by whatever reads it.
def by_shards(folder, text):
    (folder / "m.weights.json").write_text(text, "utf-8")
    return lambda: network().load_weights(folder / "m.weights.json")


def by_member(member, read):
    """In the place of one member of an archive."""

    def way(folder, text):
        texts = {archive.CONFIG: json.dumps(sequential()), archive.METADATA: "{}"}
        with zipfile.ZipFile(folder / "m.keras", "w") as file:
            file.writestr(archive.WEIGHTS, weights())
            for name, content in {**texts, member: text}.items():
                file.writestr(name, content)
        return lambda: read(folder / "m.keras")

    return way


def by_hdf5_attribute(folder, text):
    if len(text) > 60_000:
        return None  # HDF5 holds no longer ones
    with h5py.File(folder / "m.h5", "w") as file:
        file.attrs["model_config"] = text
        file.create_group("model_weights").attrs["layer_names"] = np.array([], "S1")
    return lambda: keras.saving.load_model(folder / "m.h5")


def by_safetensors(folder, text):
    header = text.encode("utf-8")
    data = len(header).to_bytes(8, "little") + header
    (folder / "m.safetensors").write_bytes(data)
    return lambda: network().load_weights(folder / "m.safetensors")


def by_path(name, read):
    def way(folder, text):
        (folder / name).write_text(text, "utf-8")
        return lambda: read(folder / name)

    return way


def by_state(folder, text):
    """As the state in a backup."""
    with zipfile.ZipFile(folder / "latest.npz", "w") as file:
        file.writestr("state.json", text)
    model = network()
    model.compile("sgd", "mse")
    backup = keras.callbacks.BackupAndRestore(str(folder))
    keras.callbacks.CallbackList([backup], model=model)
    return backup.on_train_begin


JSON_READERS = {
    "config": by_member(archive.CONFIG, keras.saving.load_model),
    "inspected config": by_member(archive.CONFIG, keras.saving.inspect),
    "inspected metadata": by_member(archive.METADATA, keras.saving.inspect),
    "edited config": by_member(archive.CONFIG, keras.saving.KerasFileEditor),
    "estimator": by_member("estimator.json", keras.wrappers.KerasRegressor.load),
    "hdf5": by_hdf5_attribute,
    "text": lambda _, text: lambda: keras.models.model_from_json(text),
    "shards": by_shards,
    "safetensors": by_safetensors,
    "tfjs": by_path("model.json", keras.saving.load_model),
    "inspected": by_path("x.json", keras.saving.inspect),
    "backup": by_state,
}
TEXTS = {
    "deep": "[" * 100_000 + "]" * 100_000,
    "deep objects": '{"a":' * 5000 + "1" + "}" * 5000,
    "long number": '{"a": ' + "9" * (15 << 20) + "}",
    "digits": '{"a": ' + "9" * 5000 + "}",
    "too long": '{"a": "' + "a" * (70 << 20) + '"}',
    "twice": '{"a": 1, "a": 2}',
    "surrogate": '{"a": "\\ud800"}',
    "many layers": '{"a": [' + "{}," * 1_000_000 + "{}]}",
    "no JSON": "{'a': 1}",
    "cut off": '{"a": [1, 2',
    "empty": "",
}


@pytest.mark.parametrize("reader", JSON_READERS)
@pytest.mark.parametrize("name", TEXTS)
def test_json_has_limits_everywhere(name, reader, tmp_path, audit):
    """S21."""
    read = JSON_READERS[reader](tmp_path, TEXTS[name])
    if read is not None:
        check_refused(read, tmp_path, audit)


# S18 and S20: archives and arrays.
def npy(header, data=bytes(800)):
    text = header.encode("latin-1")
    return b"\x93NUMPY\1\0" + min(len(text), 65535).to_bytes(2, "little") + text + data


def header(shape, dtype="'<f8'", order="False"):
    return f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}}}"


NPY = {
    "huge": npy(header("(1000000000000,)")),
    "product": npy(header("(4294967296, 4294967296, 4)")),
    "negative": npy(header("(-1, -100)")),
    "fortran": npy(header("(100000, 100000)", order="True")),
    "expression": npy(header("(10**10,)")),
    "nested expression": npy(header("(" * 500 + "1" + ")" * 500)),
    "call": npy(header("(__import__('os').getpid(),)")),
    "objects": npy(header("(100,)", "'|O'")),
    "fields": npy(header("(100,)", "[('a', '<f8')]")),
    "long header": npy(header("(100,)") + " " * 65000),
    "version": b"\x93NUMPY\2\0" + (1 << 30).to_bytes(4, "little") + bytes(100),
    "no magic": bytes(1000),
}


@pytest.mark.parametrize("name", NPY)
def test_arrays_of_backups_have_limits(name, tmp_path, audit):
    """S20."""
    model = network()
    model.compile("sgd", "mse")
    backup = keras.callbacks.BackupAndRestore(str(tmp_path), delete_checkpoint=False)
    model.fit(np.ones((2, 3)), np.ones((2, 2)), verbose=0, callbacks=[backup])
    with zipfile.ZipFile(tmp_path / "latest.npz") as file:
        members = {n: file.read(n) for n in file.namelist()}
    with zipfile.ZipFile(tmp_path / "latest.npz", "w") as file:
        for member, data in {**members, "0.npy": NPY[name]}.items():
            file.writestr(member, data)
    check_refused(backup.on_train_begin, tmp_path, audit)


def zip64_of_false_size(folder):
    """An archive whose member declares, in a field of 64 bits, 8 EiB."""
    read = by_zip(folder, sequential())
    data = bytearray((folder / "m.keras").read_bytes())
    place = data.rfind(b"PK\1\2")
    extra = b"\1\0\x10\0" + ((1 << 63) - 1).to_bytes(8, "little") * 2
    start = place + 46 + int.from_bytes(data[place + 28 : place + 30], "little")
    data[place + 20 : place + 28] = b"\xff" * 8
    data[place + 30 : place + 32] = len(extra).to_bytes(2, "little")
    data[start:start] = extra
    end = data.rfind(b"PK\5\6") + 12
    size = int.from_bytes(data[end : end + 4], "little") + len(extra)
    data[end : end + 4] = size.to_bytes(4, "little")
    (folder / "m.keras").write_bytes(data)
    return read


def bomb_of_estimator(folder):
    with zipfile.ZipFile(folder / "m.keras", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("estimator.json", " " * (200 << 20))
    return lambda: keras.wrappers.KerasRegressor.load(folder / "m.keras")


def bomb_of_backup(folder):
    with zipfile.ZipFile(folder / "latest.npz", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("state.json", "{}" + " " * (200 << 20))
    backup = keras.callbacks.BackupAndRestore(str(folder))
    keras.callbacks.CallbackList([backup], model=network())
    return backup.on_train_begin


BOMBS = {
    "zip64": zip64_of_false_size,
    "estimator": bomb_of_estimator,
    "backup": bomb_of_backup,
}


@pytest.mark.parametrize("name", BOMBS)
def test_archives_do_not_grow(name, tmp_path, audit):
    """S18; see test_ways_in.py for the members of models."""
    check_refused(BOMBS[name](tmp_path), tmp_path, audit)


# S22: what looks like a pattern is none.
@pytest.mark.parametrize("argument", ["split", "standardize"])
def test_texts_are_split_by_no_pattern_of_a_file(argument, tmp_path, audit):
    config = sequential(
        layer("TextVectorization", **{argument: "(a+)+$"}, vocabulary=["a"])
    )
    for way in (by_zip, by_folder, by_json, by_tfjs):
        folder = tmp_path / way.__name__
        folder.mkdir()
        check_refused(way(folder, config), folder, audit)


# S23: files that are cut off.
def write_tfjs(folder):
    data = np.arange(8, dtype="float32").tobytes() * 200
    specs = [{"name": "dense/kernel", "shape": [3, 400], "dtype": "float32"}]
    specs.append({"name": "dense/bias", "shape": [400], "dtype": "float32"})
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(400, name="dense")])
    document = {
        "format": "layers-model",
        "modelTopology": {"model_config": json.loads(model.to_json())},
        "weightsManifest": [{"paths": ["g.bin"], "weights": specs}],
    }
    (folder / "model.json").write_text(json.dumps(document))
    (folder / "g.bin").write_bytes(data)
    return folder / "g.bin", lambda: keras.saving.load_model(folder / "model.json")


def write_safetensors(folder):
    path = folder / "m.safetensors"
    big = keras.Sequential([keras.Input((3,)), keras.layers.Dense(400)])
    big.save_weights(path)
    return path, lambda: big.load_weights(path)


def write_backup(folder):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(400)])
    model.compile("sgd", "mse")
    backup = keras.callbacks.BackupAndRestore(str(folder), delete_checkpoint=False)
    model.fit(np.ones((2, 3)), np.ones((2, 400)), verbose=0, callbacks=[backup])
    return folder / "latest.npz", backup.on_train_begin


def write_estimator(folder):
    path = folder / "e.keras"
    x = np.zeros((4, 50))
    fitted = keras.wrappers.KerasRegressor(epochs=1, verbose=0).fit(x, np.arange(4.0))
    fitted.save(path)
    return path, lambda: type(fitted).load(path)


def write_folder(folder):
    network().save(folder / "m", zipped=False)
    path = folder / "m" / archive.WEIGHTS
    return path, lambda: keras.saving.load_model(folder / "m")


def write_json(folder):
    model = keras.Sequential([keras.Input((3,)), *map(keras.layers.Dense, range(1, 9))])
    (folder / "m.json").write_text(model.to_json())
    path = folder / "m.json"
    return path, lambda: keras.models.model_from_json(path.read_text())


CUT_OFF = {
    f.__name__.removeprefix("write_"): f
    for f in (
        *(write_tfjs, write_safetensors, write_backup, write_estimator),
        *(write_folder, write_json),
    )
}


@pytest.mark.parametrize("kind", CUT_OFF)
def test_files_cut_off_at_each_kibibyte(kind, tmp_path, audit):
    """S23; see test_ways_in.py for the other formats."""
    path, read = CUT_OFF[kind](tmp_path)
    data = path.read_bytes()
    for end in range(0, len(data), 1024):
        path.write_bytes(data[:end])
        check_refused(read, tmp_path, audit)


# S24: permission is for the names that are given, and for one call.
class Mine(keras.layers.Layer):
    def call(self, x):
        return x


def unsafe_beside_mine():
    yield sequential(layer("Mine", None), layer("Other", None))
    yield sequential(layer("Mine", None), layer("Mine", "os"), layer("system", "os"))
    yield sequential(layer("Mine", None), layer("Lambda", function=function("exec")))
    yield sequential(layer("Mine", None), layer("Mine2", None))


@pytest.mark.parametrize("way", [by_zip, by_folder, by_json, by_tfjs])
def test_custom_objects_allow_their_names_alone(way, tmp_path, audit):
    known = dict(keras.saving.get_custom_objects())
    for number, config in enumerate(unsafe_beside_mine()):
        folder = tmp_path / str(number)
        folder.mkdir()
        with keras.saving.CustomObjectScope({"Mine": Mine}):
            check_refused(way(folder, config), folder, audit)
    (tmp_path / "good").mkdir()
    read = way(tmp_path / "good", sequential(layer("Mine", None)))
    with keras.saving.CustomObjectScope({"Mine": Mine}):
        assert type(read().layers[-1]) is Mine
    with pytest.raises(UnsafeFileError, match="'Mine'"):
        read()
    assert keras.saving.get_custom_objects() == known


def test_a_name_of_the_library_is_not_taken(tmp_path):
    """S24: also not by the caller, where the file says that it means the library's."""
    text = json.dumps(sequential(layer("Dense", units=2)))
    keras.saving.get_custom_objects()["Dense"] = Mine
    try:
        model = keras.models.model_from_json(text)
    finally:
        del keras.saving.get_custom_objects()["Dense"]
    assert type(model.layers[-1]) is keras.layers.Dense
