"""Weights files: what is written comes back, what is not plain is refused."""

import io

import h5py
import ml_dtypes
import numpy as np
import pytest

from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from hornbeam.saving import hdf5

ARRAYS = [
    np.arange(6, dtype="float32").reshape(2, 3),
    np.float64(1.5),
    np.array([True, False]),
    np.arange(3, dtype="uint8"),
    np.zeros((0, 4), "int64"),
    np.arange(3).astype(ml_dtypes.bfloat16),
    np.arange(3).astype(ml_dtypes.float8_e4m3fn),
    np.arange(3, dtype="float16"),
]


def read(path):
    with hdf5.reading(path, path.name) as root:
        return {name: root.group("vars")[name] for name in root.group("vars")}


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{a.shape}")
def test_arrays_come_back(tmp_path, array):
    path = tmp_path / "x.h5"
    with hdf5.Writer(path) as writer:
        writer.make("vars", name="owner")["0"] = array
    found = read(path)["0"]
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    np.testing.assert_array_equal(found, array)


def test_a_store_is_a_mapping(tmp_path):
    with hdf5.Writer(tmp_path / "x.h5") as writer:
        store = writer.make("vars")
        store["a"] = 42
        store["b"] = [1.0, 2.0]
        store["a"] = 43
        assert store["a"][()] == 43
        del store["b"]
        assert list(store) == ["a"]
        with pytest.raises(ValueError, match="arrays of numbers"):
            store["c"] = object()


def external(file, folder):
    (folder / "secret").write_bytes(b"x" * 800)
    space = [(str(folder / "secret").encode(), 0, 800)]
    file.create_dataset("d", (100,), "float64", external=space)


def virtual(file, folder):
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "d", shape=(4,))
    file.create_virtual_dataset("d", layout)


def reference(file, folder):
    file.create_dataset("d", data=file.ref, dtype=h5py.ref_dtype)


def cycle(file, folder):
    group = file.create_group("a")
    group["again"] = file["/"]


def deep(file, folder):
    group = file
    for _ in range(200):
        group = group.create_group("g")


def many(file, folder):
    for i in range(2000):
        file.create_dataset(f"d{i}", (2**29,), "f8", chunks=(1024,))


ATTACKS = {
    "external_storage": external,
    "external_link": lambda f, folder: f.__setitem__(
        "d", h5py.ExternalLink("other.h5", "/d")
    ),
    "soft_link": lambda f, folder: f.__setitem__("d", h5py.SoftLink("/elsewhere")),
    "soft_link_in_group": lambda f, folder: f.create_group("vars").__setitem__(
        "0", h5py.SoftLink("/elsewhere")
    ),
    "virtual": virtual,
    "reference": reference,
    "cycle": cycle,
    "deep": deep,
    "shape_bomb": lambda f, folder: f.create_dataset(
        "d", (2**50,), "f8", chunks=(1024,), compression="gzip", fillvalue=0.0
    ),
    "contiguous_bomb": lambda f, folder: f.create_dataset("d", (2**40,), "f8"),
    "many_bombs": many,
    "compound": lambda f, folder: f.create_dataset("d", (3,), [("a", "f4")]),
    "vlen": lambda f, folder: f.create_dataset("d", (3,), h5py.vlen_dtype("f4")),
    "text": lambda f, folder: f.create_dataset("d", (3,), h5py.string_dtype()),
    "named_type": lambda f, folder: f.__setitem__("d", np.dtype("f4")),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_not_plain_is_refused(tmp_path, name, audit):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        ATTACKS[name](file, tmp_path)
    with audit(path), pytest.raises(UnsafeFileError):
        read(path)


def test_files_cut_off_are_damaged(tmp_path):
    path = tmp_path / "x.h5"
    with hdf5.Writer(path) as writer:
        for i in range(20):
            writer.make(f"layers/dense_{i}/vars")["0"] = np.ones((8, 8), "float32")
        writer.make("vars")["0"] = np.ones(3)
    data = path.read_bytes()
    for size in range(0, len(data), 1024):
        with pytest.raises(DamagedFileError, match="damaged"):
            with hdf5.reading(io.BytesIO(data[:size]), "x.h5") as root:
                collect(root)


def collect(group):
    for name in group:
        if group.group(name) is None:
            group[name]
        else:
            collect(group.group(name))


def test_bytes_and_paths_are_read_alike(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["vars/0"] = np.ones(3)
    with hdf5.reading(io.BytesIO(path.read_bytes()), "x") as root:
        np.testing.assert_array_equal(root.group("vars")["0"], np.ones(3))
