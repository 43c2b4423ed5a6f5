"""Files of ill will: refused, with nothing run, opened, fetched or left behind."""

import json
import random
import subprocess
import sys
import threading
import time
import zipfile

import h5py
import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from hornbeam.saving import archive, hdf5
from tests.saving.attack_table import functional, layer, node, sequential


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The members of a valid archive."""
    path = tmp_path_factory.mktemp("good") / "m.keras"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def write(path, members, config=None):
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            if name == archive.CONFIG and config is not None:
                data = json.dumps(config)
            file.writestr(name, data)
    return path


def test_weights_from_elsewhere(good, tmp_path, audit):
    members = {**good, archive.WEIGHTS: b"no hdf5"}
    path = write(tmp_path / "m.keras", members)
    with audit(path), pytest.raises(DamagedFileError, match="damaged"):
        keras.saving.load_model(path)
    del members[archive.WEIGHTS]
    path = write(tmp_path / "n.keras", members)
    with audit(path), pytest.raises(DamagedFileError, match="damaged"):
        keras.saving.load_model(path)


def test_trust_does_not_leak(good, tmp_path):
    class Mine(keras.layers.Layer):
        def call(self, x):
            return x

    config = {"module": None, "class_name": "Mine", "config": {"name": "m"}}
    members = {n: d for n, d in good.items() if n != archive.WEIGHTS}
    path = write(tmp_path / "m.keras", members, sequential(config))
    errors = []

    def without():
        try:
            keras.saving.load_model(path)
        except UnsafeFileError as error:
            errors.append(error)

    with keras.saving.CustomObjectScope({"Mine": Mine}):
        thread = threading.Thread(target=without)
        thread.start()
        thread.join()
    keras.saving.load_model(path, custom_objects={"Mine": Mine})
    without()
    assert len(errors) == 2
    assert keras.saving.get_registered_object("Mine") is None


def mutations(config, rng):
    """Return `config` with one value replaced by something else."""
    config = json.loads(json.dumps(config))
    places = []

    def visit(item):
        pairs = item.items() if isinstance(item, dict) else enumerate(item)
        for key, value in pairs:
            places.append((item, key))
            if isinstance(value, dict | list):
                visit(value)

    visit(config)
    item, key = rng.choice(places)
    item[key] = rng.choice(
        [
            None,
            -1,
            10**30,
            1.5,
            "",
            "os.system",
            [],
            {},
            [[]],
            {"class_name": "x"},
            True,
        ]
    )
    return config


def is_refused(path):
    """Tell whether a file is refused with an error of ours; any other is raised."""
    try:
        keras.saving.load_model(path)
    except (ValueError, TypeError):
        return True
    return False


def test_mutated_files_raise_only_our_errors(good, tmp_path, audit):
    rng = random.Random(0)
    config = json.loads(good[archive.CONFIG])
    refused = 0
    for i in range(150):
        path = tmp_path / f"m{i}.keras"
        write(path, good, mutations(config, rng))
        with audit(path):
            refused += is_refused(path)
    assert 75 < refused < 150


def test_flipped_bits_raise_only_our_errors(good, tmp_path, audit):
    rng = random.Random(0)
    data = write(tmp_path / "good.keras", good).read_bytes()
    refused = 0
    for i in range(150):
        flipped = bytearray(data)
        for _ in range(rng.randrange(1, 8)):
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        path = tmp_path / f"m{i}.keras"
        path.write_bytes(flipped)
        with audit(path):
            refused += is_refused(path)
    assert refused > 75


def test_arrays_in_configs_hold_no_objects():
    for dtype in ("object", "O", "f8,O", "V8", "datetime64[s]"):
        config = {
            "class_name": "__numpy__",
            "config": {"value": np.zeros(1).tolist(), "dtype": dtype},
        }
        with pytest.raises(UnsafeFileError):
            keras.saving.deserialize_keras_object(config)


def test_a_module_of_ours_is_not_imported_for_a_suggestion():
    """What a config names decides no import."""
    code = (
        "import sys, hornbeam as keras\n"
        "try: keras.layers.deserialize({'module': 'keras.wrappers', 'class_name': 'X',"
        " 'config': {}})\n"
        "except ValueError: pass\n"
        "print('hornbeam.wrappers' in sys.modules, 'sklearn' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


def test_numbers_in_the_place_of_a_tensor_are_not_computed_with():
    tile = {
        "module": "keras.src.ops.numpy",
        "class_name": "Tile",
        "config": {"name": "a", "repeats": [1 << 30]},
    }
    call = {"args": [[1.0]], "kwargs": {}}
    config = functional({**tile, "name": "a", "inbound_nodes": [call]})
    with pytest.raises(DamagedFileError, match="on no tensor of the graph"):
        keras.models.model_from_json(json.dumps(config))


def test_a_graph_in_reverse_order_takes_linear_time():
    count = 3000
    activations = [
        {
            **layer("Activation", activation="relu", name=f"a{i}"),
            "name": f"a{i}",
            "inbound_nodes": [
                node("x", [f"a{i - 1}" if i else "in", 0, 0])["inbound_nodes"][0]
            ],
        }
        for i in range(count)
    ]
    started = time.process_time()
    config = functional(*reversed(activations))
    config["config"]["output_layers"] = [f"a{count - 1}", 0, 0]
    model = keras.models.model_from_json(json.dumps(config))
    assert len(model.layers) == count + 1
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {' + ",".join(f'"{i}": 0' for i in range(30_000)) + ', "7": 1}}',
        "[" + "[]," * 3_000_000 + "[]]",
    ],
    ids=["a key twice", "many lists"],
)
def test_texts_are_refused_in_linear_time(text):
    started = time.process_time()
    with pytest.raises(UnsafeFileError, match="stands twice|more values than"):
        keras.models.model_from_json(text)
    assert time.process_time() - started < 2


def test_a_name_of_megabytes_is_refused_at_once():
    config = layer("X" * (15 << 20))
    started = time.process_time()
    with pytest.raises(UnsafeFileError, match="a name of 15728640 characters") as info:
        keras.layers.deserialize(config)
    assert time.process_time() - started < 1
    assert len(str(info.value)) < 200


@pytest.mark.parametrize("kind", ["chunk", "filters"])
def test_chunks_that_are_larger_than_their_array_are_refused(tmp_path, kind):
    path = tmp_path / "a.weights.h5"
    with h5py.File(path, "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk(((1 << 26) if kind == "chunk" else 2,))
        for _ in range(1 if kind == "chunk" else 2):
            plist.set_deflate(9)
        space = h5py.h5s.create_simple((2,), (h5py.h5s.UNLIMITED,))
        h5py.h5d.create(file.id, b"0", h5py.h5t.IEEE_F32LE, space, plist)
    message = "chunks of 268435456 bytes" if kind == "chunk" else "filtered twice"
    with (
        pytest.raises(UnsafeFileError, match=message),
        hdf5.reading(path, "a.weights.h5"),
    ):
        pass
