"""The readers of data sets on small files of the true formats, beside real Keras."""

import hashlib
import importlib
import io
import os
import pathlib
import pickle
import sys
import zipfile

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core import lazy
from hornbeam.datasets import fashion_mnist, reading, source
from hornbeam.saving import DamagedFileError, UnsafeFileError
from tests.datasets import true_files

FASHION = [name for name in source._ORIGINS if name.endswith("ubyte.gz")]
# The names in the cache folder, where they are others.
IN_CACHE = {
    "cifar-10-python.tar.gz": "cifar-10-batches-py-target_archive",
    "cifar-100-python.tar.gz": "cifar-100-python-target_archive",
    **{name: f"fashion-mnist/{name}" for name in FASHION},
}
FILES = true_files.all_files()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder with the files; the hashes are theirs, the network is absent."""
    folder = tmp_path / "keras" / "datasets"
    (folder / "fashion-mnist").mkdir(parents=True)
    for name, data in FILES.items():
        (folder / IN_CACHE.get(name, name)).write_bytes(data)
        origin = source._ORIGINS[name]
        if source.HASHES[origin]:
            hashed = hashlib.sha256(data).hexdigest()
            monkeypatch.setitem(source.HASHES, origin, hashed)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(
        "urllib.request.OpenerDirector.open", lambda *_, **__: pytest.fail("opened")
    )
    return folder


def of_keras(name, function, folder, monkeypatch, **options):
    """Call a function of real Keras that reads the same files."""
    module = importlib.import_module(f"keras.src.datasets.{name}")

    def get_file(fname=None, origin=None, cache_subdir="datasets", **_):
        return str(folder.parent / cache_subdir / fname)

    monkeypatch.setattr(module, "get_file", get_file)
    return getattr(module, function)(**options)


CASES = [
    ("mnist", {}),
    ("fashion_mnist", {}),
    ("boston_housing", {}),
    ("boston_housing", {"test_split": 0.5, "seed": 7}),
    ("california_housing", {}),
    ("california_housing", {"version": "small", "test_split": 0.1, "seed": 1}),
    ("imdb", {}),
    ("imdb", {"num_words": 20, "skip_top": 6, "maxlen": 8}),
    ("imdb", {"num_words": 20, "oov_char": None, "seed": 3}),
    ("imdb", {"start_char": None, "index_from": None}),
    ("imdb", {"start_char": None, "maxlen": 6, "skip_top": 7, "oov_char": None}),
    ("imdb", {"index_from": 0, "start_char": 5, "oov_char": 9, "skip_top": 8}),
    ("reuters", {}),
    ("reuters", {"num_words": 30, "skip_top": 2, "maxlen": 9, "test_split": 0.3}),
    ("reuters", {"seed": 5, "test_split": 0.0, "index_from": 10}),
]


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "options"), CASES)
def test_values_are_those_of_keras(name, options, cache, monkeypatch):
    if name == "fashion_mnist":  # Keras knows its shapes
        for file in FASHION:
            train = file.startswith("train")
            rows = 60_000 if train else 10_000
            kind = (rows, 28, 28) if "images" in file else (rows,)
            data = true_files.idx(
                np.broadcast_to(np.arange(28, dtype="u1"), kind)
                if len(kind) == 3
                else np.arange(rows).astype("u1")
            )
            (cache / "fashion-mnist" / file).write_bytes(data)  # fmt: skip
    ours = getattr(keras.datasets, name).load_data(**options)
    theirs = of_keras(name, "load_data", cache, monkeypatch, **options)
    for our_pair, their_pair in zip(ours, theirs, strict=True):
        for our, their in zip(our_pair, their_pair, strict=True):
            assert (our.dtype, our.shape) == (their.dtype, their.shape)
            np.testing.assert_array_equal(our, their)
            assert [*map(type, our)][:1] == [*map(type, their)][:1]
            assert our.flags.writeable


@pytest.mark.oracle
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name", ["cifar10", "cifar100", "cifar100 coarse"])
def test_cifar(name, data_format, cache, monkeypatch):
    """Keras reads batches of 10,000 rows alone: one batch in the place of all."""
    name, *mode = name.split()
    options = {"label_mode": mode[0]} if mode else {}
    before = keras.config.image_data_format()
    keras.config.set_image_data_format(data_format)
    try:
        ours = getattr(keras.datasets, name).load_data(**options)
    finally:
        keras.config.set_image_data_format(before)
    import keras as real
    from keras.src.datasets.cifar import load_batch

    folder = "cifar-10-batches-py" if name == "cifar10" else "cifar-100-python"
    place = cache / f"{folder}-target" / folder
    test = place / ("test_batch" if name == "cifar10" else "test")
    kind = f"{(mode or ['fine'])[0]}_labels" if name == "cifar100" else "labels"
    x, y = load_batch(str(test), label_key=kind)
    x = x if data_format == "channels_first" else x.transpose(0, 2, 3, 1)
    (x_train, y_train), (x_test, y_test) = ours
    np.testing.assert_array_equal(x_test, x)
    np.testing.assert_array_equal(y_test[:, 0], y)
    assert x_train.shape == (50, *x.shape[1:]) and y_train.shape == (50, 1)
    assert x_train.dtype == y_train.dtype == y_test.dtype == np.uint8
    assert real.__version__


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["imdb", "reuters"])
def test_ranks_and_topics(name, cache, monkeypatch):
    ours = getattr(keras.datasets, name).get_word_index()
    assert ours == of_keras(name, "get_word_index", cache, monkeypatch)
    from keras.datasets import reuters

    names = keras.datasets.reuters.get_label_names()
    assert names == reuters.get_label_names()


@pytest.mark.oracle
def test_addresses_hashes_and_names_are_those_of_keras(tmp_path, monkeypatch):
    seen = {"ours": [], "theirs": []}

    def record(side, result):
        def get_file(*args, **options):
            names = ("fname", "origin")
            seen[side].append(
                {
                    "cache_subdir": "datasets",
                    "extract": False,
                    "file_hash": None,
                    **dict(zip(names, args, strict=False)),
                    **options,
                }
            )
            raise KeyboardInterrupt  # fmt: skip

        return get_file

    monkeypatch.setattr(source, "get_file", record("ours", None))
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", tmp_path / "none")
    for name in lazy.names_of("hornbeam.datasets"):
        module = importlib.import_module(f"keras.src.datasets.{name}")
        monkeypatch.setattr(module, "get_file", record("theirs", None))
        for function in ("load_data", "get_word_index"):
            for owner in (getattr(keras.datasets, name), module):
                if hasattr(owner, function):
                    with pytest.raises(KeyboardInterrupt):
                        getattr(owner, function)()
    # Fashion-MNIST asks for its files in another order.
    ours, theirs = (
        [c for c in seen[side] if "ubyte" not in c["fname"]] for side in seen
    )
    assert ours == theirs
    assert len(ours) == 9


def test_without_a_connection_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def offline(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr("urllib.request.OpenerDirector.open", offline)
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", tmp_path / "none")
    for name in lazy.names_of("hornbeam.datasets"):
        with pytest.raises(OSError, match="no route to host") as info:
            getattr(keras.datasets, name).load_data()
        message = str(info.value)
        assert str(tmp_path / "datasets") in message
        assert "https://" in message
        assert ("hash is" in message) == (name != "fashion_mnist")


def test_fashion_mnist_of_debian_is_read(cache, tmp_path, monkeypatch):
    (x_train, _), _ = keras.datasets.fashion_mnist.load_data()
    assert x_train.shape == (60, 28, 28)
    debian = tmp_path / "debian"
    debian.mkdir()
    for name in FASHION:
        (debian / name).write_bytes(FILES[name])
    for path in (cache / "fashion-mnist").iterdir():
        path.unlink()
    (again, _), _ = keras.datasets.fashion_mnist.load_data()
    np.testing.assert_array_equal(again, x_train)


@pytest.mark.parametrize(
    "data",
    [
        FILES["train-images-idx3-ubyte.gz"][:300],
        FILES[FASHION[0]],
        true_files.gzip.compress(b"\0\0\x09\3" + bytes(12)),
        b"",
    ],
    ids=["cut off", "of labels", "floats", "empty"],
)
def test_damaged_images_are_named(data, cache):
    path = cache / "fashion-mnist" / "train-images-idx3-ubyte.gz"
    path.write_bytes(data)
    with pytest.raises(DamagedFileError, match="train-images"):
        keras.datasets.fashion_mnist.load_data()


class Runs:
    """A pickle of it runs a function."""

    def __init__(self, function, *arguments):
        self.found = (function, arguments)

    def __reduce__(self):
        return self.found


def array_of(value):
    array = np.empty(1, object)
    array[0] = value
    return array


ATTACKS = {
    "system": Runs(os.system, "touch hornbeam-was-here"),
    "eval": Runs(eval, "1"),
    "getattr": Runs(getattr, [], "append"),
    "import": Runs(__import__, "os"),
    "class": RuntimeError,
    "function of NumPy": Runs(np.fromfile, "/etc/passwd"),
    "memory map": Runs(np.memmap, "/etc/passwd"),
    "text": ["word"],
    "nested": [[1, [2]]],
    "float": [1.5],
    "truth": [True],
    "dict": {"a": 1},
    "name": np.ndarray,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_pickles_of_texts_run_nothing(name, cache, tmp_path, monkeypatch):
    """S9: refused, whether the value is in the array or in its place."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    for value in (array_of(ATTACKS[name]), array_of([ATTACKS[name]])):
        data = true_files.npz(x=value, y=np.zeros(1, "int64"))
        (cache / "reuters.npz").write_bytes(data)
        monkeypatch.setitem(source.HASHES, source._ORIGINS["reuters.npz"], None)
        with pytest.raises((UnsafeFileError, DamagedFileError), match=r"reuters\.npz"):
            keras.datasets.reuters.load_data()
    assert not (tmp_path / "hornbeam-was-here").exists()
    assert not set(sys.modules) - before


def opcodes(*parts):
    return pickle.PROTO + b"\x02" + b"".join(parts) + pickle.STOP


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
NDARRAY, DTYPE = b"cnumpy\nndarray\n", b"cnumpy\ndtype\n"
STREAMS = {
    "a name as value": opcodes(NDARRAY),
    "sets attributes of a name": opcodes(RECONSTRUCT, b"}X\1\0\0\0aK\1sb"),
    "makes an object of a name": opcodes(NDARRAY, b")\x81"),
    "array without state": opcodes(RECONSTRUCT, b"(", NDARRAY, b"K\0\x85U\1btR"),
    "array of short data": opcodes(
        RECONSTRUCT, b"(", NDARRAY, b"K\0\x85U\1btR", b"(K\1K\x64\x85", DTYPE,
        b"(U\2u1K\0K\1tR(K\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb",
        b"\x89U\1xtb",
    ),
    "text by another codec": opcodes(b"c_codecs\nencode\n(X\1\0\0\0aX\3\0\0\0hextR"),
    "extension": opcodes(b"\x82\1"),
    "persistent": opcodes(b"Pname\n"),
    "no end": b"\x80\x02(",
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
def test_streams_that_no_pickler_writes(name):
    with pytest.raises((UnsafeFileError, DamagedFileError)):
        reading.read_pickle(io.BytesIO(STREAMS[name]))
    # What is there of ours is as before.
    array = np.arange(6, dtype=">i2").reshape(2, 3)
    data = true_files.python_2_pickle({b"data": array})
    again = reading.read_pickle(io.BytesIO(data))[b"data"]
    np.testing.assert_array_equal(again, array)


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(5, dtype=">f4"),
        np.array(3, "int64"),
        np.array([True, False]),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_arrays_are_read_as_numpy_reads_them(array, protocol, tmp_path):
    again = reading.read_pickle(io.BytesIO(pickle.dumps(array, protocol)))
    np.testing.assert_array_equal(again, array)
    assert again.dtype == array.dtype
    (tmp_path / "a.npz").write_bytes(true_files.npz(x=array))
    (again,) = reading.read_arrays(tmp_path / "a.npz", "x")
    np.testing.assert_array_equal(again, array)


def test_arrays_that_declare_too_much_are_refused(tmp_path):
    """S20: nothing is taken for what a header says."""
    target = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        target, {"descr": "<f8", "fortran_order": False, "shape": (1 << 50,)}
    )
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", target.getvalue() + bytes(80))
    with pytest.raises(DamagedFileError, match="numbers"):
        reading.read_arrays(path, "x")
    with pytest.raises(DamagedFileError, match="'y.npy'"):
        reading.read_arrays(path, "y")


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("imdb", {"maxlen": 1}, "maxlen=1"),
        ("imdb", {"num_words": 0}, "num_words"),
        ("imdb", {"skip_top": -1}, "skip_top"),
        ("imdb", {"words": 3}, "words"),
        ("reuters", {"test_split": 2}, "test_split"),
        ("boston_housing", {"test_split": -0.1}, "test_split"),
        ("california_housing", {"version": "medium"}, "version='medium'"),
        ("cifar100", {"label_mode": "rough"}, "label_mode='rough'"),
        ("mnist", {"path": "/tmp/mnist.npz"}, "fname"),
    ],
)
def test_wrong_arguments_are_named(name, options, match, cache):
    with pytest.raises((TypeError, ValueError), match=match):
        getattr(keras.datasets, name).load_data(**options)


def test_another_hash_is_not_read(cache, monkeypatch):
    """What is there and is another file is downloaded again."""
    (cache / "mnist.npz").write_bytes(b"another")

    class Offline(Exception):
        pass

    def offline(*_, **__):
        raise Offline

    monkeypatch.setattr("urllib.request.OpenerDirector.open", offline)
    with pytest.raises(Offline):
        keras.datasets.mnist.load_data()
    assert pathlib.Path(cache / "mnist.npz").read_bytes() == b"another"
