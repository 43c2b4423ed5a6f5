"""Weights in safetensors files, read and written beside the library's own functions."""

import re
import resource

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import hornbeam as keras
from hornbeam.core.errors import DamagedFileError


def mlp(units=2, head="head", **kwargs):
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(units, name=head),
        ],
        **kwargs,
    )


class Blocks(keras.Model):
    """Layers in a list, in a dict, inside each other, and shared."""

    def __init__(self):
        super().__init__()
        self.blocks = [keras.layers.Dense(3), keras.layers.Dense(3)]
        self.heads = {"a": keras.layers.Dense(1)}
        self.encoder = keras.layers.Bidirectional(keras.layers.LSTM(2))
        self.again = self.blocks[0]
        self.scale = self.add_weight(shape=(), name="scale", initializer="ones")

    def call(self, x):
        x = self.blocks[1](self.blocks[0](x))
        return self.heads["a"](self.encoder(x)) * self.scale


def test_other_libraries_read_the_weights_by_name(engine, tmp_path):
    mlp()  # the numbers in names do not depend on models made before
    model = mlp()
    model.save_weights(tmp_path / "m.safetensors")
    arrays = load_file(tmp_path / "m.safetensors")
    norm = "batch_normalization"
    assert set(arrays) == {
        *("dense.kernel", "dense.bias", "head.kernel", "head.bias"),
        *(f"{norm}.gamma", f"{norm}.beta"),
        *(f"{norm}.moving_mean", f"{norm}.moving_variance"),
    }
    np.testing.assert_array_equal(
        arrays["head.kernel"], model.layers[2].get_weights()[0]
    )
    other = mlp()
    other.load_weights(tmp_path / "m.safetensors")
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(other.predict(x), model.predict(x))


def test_names_are_the_attributes_of_a_subclass(tmp_path):
    model = Blocks()
    x = np.ones((2, 4, 3), "float32")
    expected = model.predict(x)
    model.save_weights(tmp_path / "m.safetensors")
    arrays = load_file(tmp_path / "m.safetensors")
    cell = ("kernel", "recurrent_kernel", "bias")
    ways = ("forward_layer", "backward_layer")
    assert set(arrays) == {
        *("scale", "again.kernel", "again.bias", "blocks.1.kernel", "blocks.1.bias"),
        *("heads.a.kernel", "heads.a.bias"),
        *(f"encoder.{way}.cell.{name}" for way in ways for name in cell),
    }
    other = Blocks()
    other.predict(x)
    other.load_weights(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(other.predict(x), expected)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_dtypes(engine, tmp_path, dtype):
    model = mlp()
    layer = keras.layers.Dense(2, dtype=dtype)
    layer.build((None, 3))
    wide = keras.Sequential([keras.Input((3,)), layer])
    wide.save_weights(tmp_path / "m.safetensors")
    stored = load_file(tmp_path / "m.safetensors")["dense.kernel"]
    assert stored.dtype.name == dtype
    kernel = layer.kernel.numpy()
    layer.kernel.assign(np.zeros((3, 2)))
    wide.load_weights(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(
        layer.kernel.numpy().astype("float32"), kernel.astype("float32")
    )
    # A file of another dtype is converted.
    arrays = {k: np.zeros(v.shape, ml_dtypes.bfloat16) for k, v in named(model).items()}
    save_file(arrays, tmp_path / "half.safetensors")
    model.load_weights(tmp_path / "half.safetensors")
    assert not model.layers[0].kernel.numpy().any()


def named(model):
    return {
        "dense/kernel": model.layers[0].kernel,
        "dense/bias:0": model.layers[0].bias,
        **{
            f"batch_normalization.{name}": getattr(model.layers[1], name)
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        },
        "head.kernel": model.layers[2].kernel,
        "head.bias": model.layers[2].bias,
    }


def test_what_does_not_fit_changes_nothing(tmp_path):
    mlp(5, "other").save_weights(tmp_path / "m.safetensors")
    model = mlp(5)
    before = model.get_weights()
    with pytest.raises(ValueError, match="4 weights of m.safetensors do not fit") as e:
        model.load_weights(tmp_path / "m.safetensors")
    assert "head.kernel: expected (4, 5), received None" in str(e.value)
    assert "other.bias: not in the model, received (5,)" in str(e.value)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_by_name_and_skip_mismatch(tmp_path):
    source = mlp(5, "other")
    source.save_weights(tmp_path / "m.safetensors")
    model = mlp(5)
    head = model.layers[2].get_weights()
    model.load_weights(tmp_path / "m.safetensors", by_name=True)
    np.testing.assert_array_equal(model.layers[0].kernel, source.layers[0].kernel)
    np.testing.assert_array_equal(model.layers[2].kernel, head[0])
    mlp(4).save_weights(tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match=re.escape("expected (4, 5), received (4, 4)")):
        model.load_weights(tmp_path / "m.safetensors", by_name=True)
    with pytest.warns(UserWarning, match="The weights of 'head' are skipped"):
        model.load_weights(tmp_path / "m.safetensors", skip_mismatch=True)
    # Not even the weight of that layer that would fit.
    np.testing.assert_array_equal(model.layers[2].bias, head[1])


def test_layers_are_left_out(tmp_path):
    model = mlp()
    skip = [model.layers[2]]
    keras.saving.save_weights(model, tmp_path / "m.safetensors", objects_to_skip=skip)
    assert not [n for n in load_file(tmp_path / "m.safetensors") if "head" in n]
    keras.saving.load_weights(model, tmp_path / "m.safetensors", objects_to_skip=skip)


class Unnamed(keras.layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(input_shape[-1:])
        self._pair = [self.add_weight(()), self.add_weight(())]
        self.shift = keras.Variable(np.float32(0.5))

    def call(self, inputs):
        return inputs * self.scale + self._pair[0] * self._pair[1] + self.shift


def test_a_weight_without_a_name_has_that_of_its_attribute(tmp_path):
    path = tmp_path / "m.safetensors"
    saved, model = (
        keras.Sequential([keras.Input((3,)), Unnamed(name="only")]) for _ in range(2)
    )
    saved.save_weights(path)
    names = {"only." + x for x in ("scale", "shift", "variable", "variable_1")}
    assert load_file(path).keys() == names
    model.load_weights(path)
    for found, expected in zip(model.weights, saved.weights, strict=True):
        np.testing.assert_array_equal(found.numpy(), expected.numpy())


_HEADER = b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x04",
        b"\xff" * 8,
        (1 << 26).to_bytes(8, "little") + b"{}",
        len(_HEADER).to_bytes(8, "little") + _HEADER,
        len(_HEADER).to_bytes(8, "little") + _HEADER + bytes(40),
        (2).to_bytes(8, "little") + b"[]",
    ],
)
def test_damaged_files(tmp_path, data):
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    for read in (mlp().load_weights, keras.saving.inspect):
        with pytest.raises(DamagedFileError, match="m.safetensors is damaged"):
            read(path)


def test_a_save_without_room_leaves_the_old_file(tmp_path):
    path = tmp_path / "m.safetensors"
    mlp().save_weights(path)
    old = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError, match="There is no room for .*m.safetensors"):
            mlp().save_weights(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]


def test_inspect(tmp_path):
    layer = keras.layers.Dense(2, dtype="bfloat16")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.save_weights(tmp_path / "m.safetensors")
    report = keras.saving.inspect(tmp_path / "m.safetensors")
    assert report.format == "safetensors weights"
    assert ("dense.kernel", (3, 2), "bfloat16") in report.arrays
