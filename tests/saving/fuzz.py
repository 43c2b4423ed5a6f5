"""Damage good files of every format at random, and read them.

    python tests/saving/fuzz.py --seconds 600 --seed 7

What is read is a model, or an error of ours says what is wrong with the file; anything
else is printed with its seed and makes the exit status 1. Bytes are changed, and
structures: values and keys of JSON, members of archives, arrays of HDF5 files.
"""

import argparse
import collections
import copy
import importlib.util
import io
import json
import logging
import pathlib
import random
import sys
import tempfile
import time
import traceback
import warnings
import zipfile

import h5py
import numpy as np

import hornbeam as keras
from hornbeam.core.errors import DamagedFileError, UnsafeFileError

SLOW = 10
VALUES = [
    None,
    True,
    -1,
    0,
    1.5,
    1 << 40,
    1e308,
    float("nan"),
    "",
    "os.system",
    "../x",
    "x" * 2000,
    "é\0",
    [],
    {},
    [[]],
    [1, 2, 3],
    {"class_name": "x"},
    {"class_name": "Dense", "config": {"units": 1 << 33}},
    {"class_name": "__numpy__", "config": {"value": [1], "dtype": "float32"}},
    {"class_name": "__tuple__", "config": {"value": 3}},
    {"class_name": "__lambda__", "config": {"code": "4wAA"}},
    {"class_name": "function", "config": "load_model", "module": "builtins"},
]


FILES = pathlib.Path(__file__).with_name("files")
OTHERS = (
    "do not fit the model",
    "the model and the file must match",
    "has weights of",
    "holds no estimator",
    "holds no model",
    "holds no architecture",
    "is no layers model",
    "holds weights and no model",
    "is of another model",
    "is of another training",
    "File not found",
    "File format not supported",
)


def build():
    """Return the model whose files are damaged."""
    inputs = keras.Input((4, 3))
    x = keras.layers.Conv1D(2, 2, activation="relu")(inputs)
    x = keras.layers.Bidirectional(keras.layers.GRU(2))(x)
    x = keras.layers.BatchNormalization()(keras.ops.tanh(x) * 2)
    outputs = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.1))(x)
    model = keras.Model(inputs, outputs, name="fuzzed")
    model.compile(keras.optimizers.Adam(), "mse", metrics=["mae"], jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def files_of(folder):
    """Return `{relative path: bytes}` of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def tfjs_files(model):
    weights = [(v.path, np.asarray(v)) for v in model.weights]
    specs = [{"name": n, "shape": a.shape, "dtype": a.dtype.name} for n, a in weights]
    document = {
        "format": "layers-model",
        "modelTopology": {"model_config": json.loads(model.to_json())},
        "weightsManifest": [{"paths": ["group1.bin"], "weights": specs}],
    }
    data = b"".join(a.astype(a.dtype.newbyteorder("<")).tobytes() for _, a in weights)
    return {"model.json": json.dumps(document).encode(), "group1.bin": data}


def samples(model):
    """Return `{kind: (files, read)}`; `read(folder)` reads the files in a folder."""
    found = {}

    def add(kind, write, read):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            write(path)
            found[kind] = files_of(path), read

    def load(name):
        return lambda folder: keras.saving.load_model(folder / name)

    def load_weights(name):
        return lambda folder: model.load_weights(folder / name)

    def from_json(folder):
        text = (folder / "m.json").read_bytes().decode("utf-8", "replace")
        keras.models.model_from_json(text)

    def resume(folder):
        callback = keras.callbacks.BackupAndRestore(str(folder / "b"))
        callback.set_model(model)
        callback.on_train_begin()

    def back_up(folder):
        callback = keras.callbacks.BackupAndRestore(
            str(folder / "b"), delete_checkpoint=False
        )
        x, y = np.zeros((2, 4, 3)), np.zeros((2, 1))
        model.fit(x, y, verbose=0, callbacks=[callback])

    def write_tfjs(folder):
        for name, data in tfjs_files(model).items():
            (folder / name).write_bytes(data)

    def save_json(folder):
        (folder / "m.json").write_text(model.to_json())

    add("zip", lambda p: model.save(p / "m.keras"), load("m.keras"))
    add("folder", lambda p: model.save(p / "m", zipped=False), load("m"))
    add("legacy h5", lambda p: model.save(p / "m.h5"), load("m.h5"))
    for name in ("w.weights.h5", "w.safetensors"):
        add(
            name.partition(".")[2],
            lambda p, name=name: model.save_weights(p / name),
            load_weights(name),
        )
    add(
        "shards",
        lambda p: model.save_weights(p / "w.weights.json", max_shard_size=4e-7),
        load_weights("w.weights.json"),
    )
    add("json", save_json, from_json)
    add("tfjs", write_tfjs, load("model.json"))
    add("backup", back_up, resume)
    add("estimator", *estimator())
    for kind, write in old_files().items():
        add(kind, write, load("old.h5"))
    found["editor"] = found["zip"][0], edit
    if importlib.util.find_spec("orbax"):
        add("orbax", checkpoint(model), load("o"))
    return found


def edit(folder):
    """Read by the editor, and write again."""
    editor = keras.saving.KerasFileEditor(folder / "m.keras")
    editor.save(folder / "again.weights.h5")


def old_files():
    """Return `{kind: function that writes old.h5 into a folder}`."""
    with zipfile.ZipFile(FILES / "keras-2.12.0.zip") as archive:
        keras_2 = archive.read("pooling_2d.h5")
    config = {
        "name": "dense",
        "batch_input_shape": [None, 3],
        "output_dim": 2,
        "activation": "relu",
        "input_dim": None,
    }
    layers = [{"class_name": "Dense", "config": config}]

    def write_keras_1(folder):
        with h5py.File(folder / "old.h5", "w") as file:
            model_config = {"class_name": "Sequential", "config": layers}
            file.attrs["model_config"] = json.dumps(model_config)
            file.attrs["keras_version"] = "1.2.2"
            weights = file.create_group("model_weights")
            weights.attrs["layer_names"] = [b"dense"]
            group = weights.create_group("dense")
            group.attrs["weight_names"] = [b"dense_W", b"dense_b"]
            group["dense_W"], group["dense_b"] = np.ones((3, 2)), np.ones(2)

    return {
        "keras 1": write_keras_1,
        "keras 2": lambda folder: (folder / "old.h5").write_bytes(keras_2),
    }


def checkpoint(model):
    """Return a function that writes a directory of `OrbaxCheckpoint`."""

    def write(folder):
        save = keras.callbacks.OrbaxCheckpoint(folder / "o")
        x, y = np.zeros((2, 4, 3)), np.zeros((2, 1))
        model.fit(x, y, verbose=0, callbacks=[save])

    return write


def estimator():
    x, y = np.zeros((4, 2)), np.arange(4.0)
    fitted = keras.wrappers.KerasRegressor(epochs=1, verbose=0).fit(x, y)
    kind = type(fitted)
    return lambda p: fitted.save(p / "e.keras"), lambda p: kind.load(p / "e.keras")


def places(value):
    """Yield `(container, key)` of each value of JSON."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, dict | list):
            pairs = list(item.items() if isinstance(item, dict) else enumerate(item))
            yield from ((item, key) for key, _ in pairs)
            left += [child for _, child in pairs]


def damage_json(data, rng):
    """Return JSON with a few values or keys changed."""
    document = json.loads(data)
    for _ in range(rng.randrange(1, 4)):
        everywhere = list(places(document))
        if not everywhere:
            break
        (item, key), (other, other_key) = rng.choices(everywhere, k=2)
        action = rng.randrange(5)
        if action == 0:
            del item[key]
        elif action == 1 and isinstance(item, dict):
            item[rng.choice(["class_name", "config", "name", "x"])] = item.pop(key)
        elif action == 2:
            item[key] = json.loads(json.dumps(other[other_key]))
        else:
            item[key] = copy.deepcopy(rng.choice(VALUES))
    return json.dumps(document).encode()


def damage_bytes(data, rng):
    """Return the bytes with bits flipped, cut, repeated, or overwritten."""
    data = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        if not data:
            break
        start = rng.randrange(len(data))
        end = min(len(data), start + rng.choice([1, 2, 4, 8, 64, 512]))
        action = rng.randrange(5)
        if action == 0:
            data[start] ^= 1 << rng.randrange(8)
        elif action == 1:
            data[start:end] = bytes([rng.choice([0, 255])]) * (end - start)
        elif action == 2:
            data[start:end] = rng.randbytes(end - start)
        elif action == 3:
            data[start:start] = data[start:end]
        else:
            del data[start : rng.choice([end, len(data)])]
    return bytes(data)


def damage_zip(data, rng):
    """Return an archive of which one member is damaged, missing, or there twice."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(members))
    action = rng.randrange(6)
    if action == 0:
        members[rng.choice(["../x", "/x", "a\\b", "x", "assets/y"])] = members.pop(name)
    elif action == 1:
        del members[name]
    else:
        members[name] = damage(name, members[name], rng)
    target = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
        with zipfile.ZipFile(target, "w", kind) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
            if action == 2:
                archive.writestr(name, b"{}")
    return target.getvalue()


def damage_hdf5(data, rng):
    """Return an HDF5 file with objects or attributes removed, moved or replaced."""
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        paths: list[str] = []
        file.visit(paths.append)
        for _ in range(rng.randrange(1, 3)):
            path = rng.choice(paths)
            if path not in file:
                continue
            action = rng.randrange(6)
            if action == 0:
                del file[path]
            elif action == 1:
                file.move(path, f"x{rng.randrange(10**6)}")
            elif action == 2:
                del file[path]
                file[path] = rng.choice([np.zeros(3), np.float32(1), b"x", "text"])
            elif action == 3:
                del file[path]
                file[path] = rng.choice(
                    [h5py.SoftLink("/"), h5py.ExternalLink("a", "/"), file["/"]]
                )
            else:
                attributes = file[rng.choice([path, "/"])].attrs
                if not len(attributes):
                    continue
                name = rng.choice(list(attributes))
                old = attributes[name]
                if isinstance(old, str) and old.startswith("{") and rng.random() < 0.8:
                    attributes[name] = damage_json(old, rng).decode()
                else:
                    attributes[name] = rng.choice([3, "x", [b"a", b"b"], np.zeros(4)])
    return buffer.getvalue()


def damage_safetensors(data, rng):
    """Return a safetensors file with another header."""
    size = int.from_bytes(data[:8], "little")
    header = damage_json(data[8 : 8 + size], rng)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


STRUCTURES = (
    (b"PK", damage_zip),
    (b"\x89HDF", damage_hdf5),
    (b"{", damage_json),
)


def damage(name, data, rng):
    """Return the bytes of a file, damaged."""
    structure = damage_safetensors if name.endswith(".safetensors") else None
    for start, function in STRUCTURES:
        if data.startswith(start):
            structure = function
    if structure is None or rng.random() < 0.4:
        return damage_bytes(data, rng)
    try:
        return structure(data, rng)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError):
        return damage_bytes(data, rng)  # it was damaged inside before


def is_ours(error):
    """Whether an error is one that a damaged file may give.

    One that is whole may hold another thing than is asked for: its weights do not fit.
    """
    if isinstance(error, UnsafeFileError | DamagedFileError):
        return True
    return type(error) is ValueError and any(text in str(error) for text in OTHERS)


def once(number, found):
    """Read one damaged file; return its kind, what came of it, and the failure."""
    rng = random.Random(number)
    kind = rng.choice(sorted(found))
    files, read = found[kind]
    files = dict(files)
    name = rng.choice(sorted(files))
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        if len(files) > 1 and rng.random() < 0.05:
            del files[name]
        else:
            files[name] = damage(name, files[name], rng)
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        main = min(folder.iterdir(), default=folder)
        result, failure = "read", None
        for step in (read, lambda _: str(keras.saving.inspect(main))):
            started = time.monotonic()
            try:
                step(folder)
            except Exception as error:
                if not is_ours(error):
                    failure = traceback.format_exc()
                if step is read:
                    result = type(error).__name__.lstrip("_")
            if time.monotonic() - started > SLOW:
                failure = f"took over {SLOW} seconds"
    return kind, result, failure


def run(seconds, seed):
    """Read damaged files for so many seconds; return the counts and the failures."""
    found = samples(build())
    counts, failures = collections.Counter(), {}
    until, number = time.monotonic() + seconds, seed * 10**9
    while time.monotonic() < until:
        kind, result, failure = once(number, found)
        counts[kind, result] += 1
        if failure:
            failures[number] = kind, failure
        number += 1
    return counts, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="the number of one damaged file")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # of Orbax's threads
    if arguments.only is not None:
        print(*once(arguments.only, samples(build())), sep="\n")
        return 0
    counts, failures = run(arguments.seconds, arguments.seed)
    for (kind, result), count in sorted(counts.items()):
        print(f"{kind:14} {result:20} {count}")
    print(f"{sum(counts.values())} files, {len(failures)} failures")
    for number, (kind, failure) in list(failures.items())[:20]:
        print(f"\n--only {number}: {kind}\n{failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
