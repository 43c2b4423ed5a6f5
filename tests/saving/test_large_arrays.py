"""Large arrays are read from the file when a variable takes them over."""

import zipfile

import h5py
import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.errors import DamagedFileError
from hornbeam.core.unread import Unread
from hornbeam.saving import hdf5

UNITS = 160  # kernels of 100 kB
WAYS = ("m.keras", "m.weights.h5", "m.h5", "m.safetensors", "folder")


def network(last=UNITS, **kwargs):
    layers = [keras.layers.Dense(UNITS), keras.layers.Dense(last, **kwargs)]
    return keras.Sequential([keras.Input((UNITS,)), *layers])


def saved(model, path):
    if path.suffix:
        is_whole = path.suffix == ".keras" or path.name == "m.h5"
        model.save(path) if is_whole else model.save_weights(path)
    else:
        model.save(path, zipped=False)
        path /= "model.weights.h5"
    return path


def test_they_are_not_read_before(tmp_path):
    path = saved(network(), tmp_path / "m.weights.h5")
    with hdf5.reading(path, path.name) as root:
        store = root.group("layers").group("dense").group("vars")
        kernel, bias = store["0"], store["1"]
        assert isinstance(kernel, Unread) and isinstance(bias, np.ndarray)
        assert kernel.shape == (UNITS, UNITS)
        np.testing.assert_array_equal(np.asarray(kernel), kernel[:])
        assert len(kernel) == UNITS


@pytest.mark.parametrize("way", WAYS)
def test_weights_are_independent_of_the_file(engine, tmp_path, way):
    model = network()
    path = saved(model, tmp_path / way)
    other = network()
    other.load_weights(path)
    whole = keras.models.load_model(path, compile=False) if way == "m.keras" else other
    data = path.read_bytes()
    with path.open("r+b") as file:
        file.write(bytes(len(data)))
    for found in (other, whole):
        for a, b in zip(found.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    if engine.trains:
        x = np.ones((2, UNITS), "float32")
        other.compile("sgd", "mse")
        other.fit(x, x, verbose=0)


@pytest.mark.parametrize("way", WAYS)
def test_what_does_not_fit_changes_nothing(tmp_path, way):
    path = saved(network(), tmp_path / way)
    model = network(last=UNITS + 1)
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"\(160, 161\)"):
        model.load_weights(path)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_other_dtypes_are_converted(engine, tmp_path):
    model = network()
    path = saved(model, tmp_path / "m.weights.h5")
    half = network(dtype="bfloat16")
    half.load_weights(path)
    kernel = half.layers[1].kernel.numpy().astype("float32")
    np.testing.assert_allclose(kernel, model.layers[1].kernel.numpy(), rtol=1e-2)


def test_a_changed_byte_is_noticed(tmp_path):
    path = saved(network(), tmp_path / "m.keras")
    with zipfile.ZipFile(path) as file:
        member = file.getinfo("model.weights.h5")
        place = member.header_offset + member.file_size // 2
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedFileError, match="model.weights.h5.*damaged"):
        keras.models.load_model(path)


def test_compressed_archives_and_arrays_are_read(tmp_path):
    model = network()
    path = saved(model, tmp_path / "m.keras")
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    path = saved(model, tmp_path / "m.weights.h5")
    kernel = model.layers[0].kernel.numpy()
    with h5py.File(path, "r+") as file:
        store = file["layers/dense/vars"]
        del store["0"]
        store.create_dataset("0", data=kernel, compression="gzip")
    model.layers[0].kernel.assign(0 * kernel)
    model.load_weights(path)
    np.testing.assert_array_equal(model.layers[0].kernel, kernel)
    whole = keras.models.load_model(tmp_path / "m.keras", compile=False)
    np.testing.assert_array_equal(whole.layers[0].kernel, kernel)


class Scaled(keras.layers.Dense):
    """A layer with a method of its own, which keeps what it is given."""

    def load_own_variables(self, store):
        self.kept = store["0"]
        self.kernel.assign(store["0"] * 2)


def test_methods_of_users_get_arrays(tmp_path):
    model = keras.Sequential([keras.Input((UNITS,)), Scaled(UNITS)])
    path = saved(model, tmp_path / "m.weights.h5")
    kernel = model.layers[0].kernel.numpy()
    model.load_weights(path)
    np.testing.assert_array_equal(model.layers[0].kernel, 2 * kernel)
    np.testing.assert_array_equal(model.layers[0].kept, kernel)
    stored = keras.saving.KerasFileEditor(path).weights_dict["layers"]["scaled"]
    np.testing.assert_array_equal(stored["0"], kernel)
