"""Files of older versions of Keras predict, and go on training, as they did there."""

import json
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import hornbeam as keras
from hornbeam.saving import hdf5, legacy_h5

LIBRARIES = ("keras-2.12.0", "tf-keras-2.21.0")
FILES = Path(__file__).with_name("files")
_WAYS = ("h5", "keras", "json", "weights")


def names(trained):
    with zipfile.ZipFile(FILES / f"{LIBRARIES[0]}.zip") as file:
        stems = [n[:-4] for n in file.namelist() if n.endswith(".npz")]
    return [n for n in stems if n.startswith("optimizer_") == trained]


@pytest.fixture(scope="module", params=LIBRARIES)
def folder(request, tmp_path_factory):
    """The files that a library wrote."""
    folder = tmp_path_factory.mktemp(request.param)
    with zipfile.ZipFile(FILES / f"{request.param}.zip") as file:
        file.extractall(folder)
    return folder


def loaded(folder, name, way):
    if way in ("h5", "keras"):
        return keras.models.load_model(folder / f"{name}.{way}")
    model = keras.models.model_from_json((folder / f"{name}.json").read_text())
    suffix = {"json": ".h5", "weights": "_weights.h5"}[way]
    model.load_weights(folder / f"{name}{suffix}")
    return model


@pytest.mark.filterwarnings("ignore:.*does not say how the model was compiled")
@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("name", names(trained=False))
def test_models_predict_as_they_did(folder, name, way):
    arrays = np.load(folder / f"{name}.npz")
    inputs = [arrays[k] for k in arrays if k.startswith("x")]
    model = loaded(folder, name, way)
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    for i, output in enumerate(outputs):
        np.testing.assert_allclose(output, arrays[f"y{i}"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", names(trained=True))
def test_training_goes_on_from_the_state_of_the_optimizer(folder, name):
    arrays = np.load(folder / f"{name}.npz")
    model = keras.models.load_model(folder / f"{name}.h5")
    if name == "optimizer_nadam":
        # Its schedule of momentums is another one since 2.11, and is in no file.
        return check_slots_of_nadam(folder / f"{name}.h5", model.optimizer)
    x, y = arrays["x0"], arrays["t0"]
    model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 12
    predictions = model.predict(x, verbose=0)
    np.testing.assert_allclose(predictions, arrays["y0"], rtol=1e-5, atol=1e-5)


def check_slots_of_nadam(path, optimizer):
    with h5py.File(path) as file:
        group = file["optimizer_weights"]
        names = list(group.attrs["weight_names"])
        stored = [group[n][()] for n in names if "/m/" in n or n.endswith("/m:0")]
    slots = [v for v in optimizer.variables if v.name.endswith("_momentum")]
    for variable, array in zip(slots, stored, strict=True):
        np.testing.assert_array_equal(variable.numpy(), array)
    t = np.arange(1, 9)
    product = np.prod(0.9 * (1 - 0.5 * 0.96**t))
    assert float(optimizer._u_product.numpy()) == pytest.approx(product)


def write(path, model_config, layers, version="1.2.2", **attributes):
    """Write a file as Keras 1 did: `layers` is `{name: {weight name: array}}`."""
    with h5py.File(path, "w") as file:
        if model_config is not None:
            file.attrs["model_config"] = json.dumps(model_config).encode()
        group = file.create_group("model_weights") if model_config else file
        group.attrs["layer_names"] = np.array([n.encode() for n in layers])
        group.attrs["keras_version"] = version.encode()
        for name, value in attributes.items():
            group.attrs[name] = value.encode()
        for name, arrays in layers.items():
            part = group.create_group(name)
            part.attrs["weight_names"] = np.array([n.encode() for n in arrays], "S")
            for key, array in arrays.items():
                part[key] = array
    return path


def random_arrays(*shapes):
    random = np.random.default_rng(0)
    return [random.normal(size=shape).astype("float32") for shape in shapes]


def keras_1(class_name, shape, **config):
    layer = {"name": "layer", "batch_input_shape": [None, *shape], **config}
    return {
        "class_name": "Sequential",
        "config": [{"class_name": class_name, "config": layer}],
    }


def predicted_by_file(path, config, arrays, x, **attributes):
    weights = {f"layer_{i}": array for i, array in enumerate(arrays)}
    write(path, config, {"layer": weights}, **attributes)
    with pytest.warns(UserWarning, match="does not say how the model was compiled"):
        model = keras.models.load_model(path)
    return model.predict(x, verbose=0)


def test_dense_of_keras_1(tmp_path):
    kernel, bias, x = random_arrays((4, 3), (3,), (5, 4))
    config = keras_1(
        "Dense",
        [4],
        output_dim=3,
        init="glorot_uniform",
        activation="relu",
        W_regularizer=None,
        b_regularizer=None,
        W_constraint=None,
        b_constraint=None,
        bias=True,
        input_dim=4,
        input_dtype="float32",
    )
    y = predicted_by_file(tmp_path / "a.h5", config, [kernel, bias], x)
    np.testing.assert_allclose(y, np.maximum(x @ kernel + bias, 0), atol=1e-5)


def correlated(x, kernel):
    """The valid correlation of images (n, h, w, c) with a kernel (a, b, c, d)."""
    a, b = kernel.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(x, (a, b), axis=(1, 2))
    return np.einsum("nhwcab,abcd->nhwd", windows, kernel)


@pytest.mark.parametrize("backend", ["tensorflow", "theano"])
@pytest.mark.parametrize("ordering", ["tf", "th"])
def test_convolutions_of_keras_1(tmp_path, ordering, backend):
    kernel, bias, x = random_arrays((3, 2, 2, 4), (4,), (2, 6, 5, 2))
    stored = kernel[::-1, ::-1] if backend == "theano" else kernel
    if ordering == "th":
        stored = stored.transpose(3, 2, 0, 1)
    config = keras_1(
        "Convolution2D",
        [2, 6, 5] if ordering == "th" else [6, 5, 2],
        nb_filter=4,
        nb_row=3,
        nb_col=2,
        border_mode="valid",
        subsample=[1, 1],
        dim_ordering=ordering,
        init="glorot_uniform",
        activation="linear",
        bias=True,
    )
    inputs = x.transpose(0, 3, 1, 2) if ordering == "th" else x
    y = predicted_by_file(
        tmp_path / "a.h5", config, [stored, bias], inputs, backend=backend
    )
    y = y.transpose(0, 2, 3, 1) if ordering == "th" else y
    np.testing.assert_allclose(y, correlated(x, kernel) + bias, rtol=1e-4, atol=1e-4)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("wrapped", [False, True])
def test_gates_of_keras_1_are_apart(tmp_path, wrapped):
    """The order of an LSTM's gates in files is i, c, f, o; that of a GRU's z, r, h."""
    shapes = [(3, 2), (2, 2), (2,)] * 4
    *arrays, x = random_arrays(*shapes, (5, 6, 3))
    (wi, ui, bi), (wc, uc, bc), (wf, uf, bf), (wo, uo, bo) = (
        arrays[3 * i : 3 * i + 3] for i in range(4)
    )
    h, c = np.zeros((5, 2)), np.zeros((5, 2))
    for t in range(6):
        i = sigmoid(x[:, t] @ wi + h @ ui + bi)
        f = sigmoid(x[:, t] @ wf + h @ uf + bf)
        o = sigmoid(x[:, t] @ wo + h @ uo + bo)
        c = f * c + i * np.tanh(x[:, t] @ wc + h @ uc + bc)
        h = o * np.tanh(c)
    arguments = {
        "output_dim": 2,
        "init": "glorot_uniform",
        "inner_init": "orthogonal",
        "forget_bias_init": "one",
        "activation": "tanh",
        "inner_activation": "sigmoid",
        "dropout_W": 0.0,
        "dropout_U": 0.0,
        "consume_less": "cpu",
    }
    if wrapped:
        inner = {"class_name": "LSTM", "config": {"name": "inner", **arguments}}
        config = keras_1("Bidirectional", [6, 3], layer=inner, merge_mode="concat")
        arrays = arrays + arrays
    else:
        config = keras_1("LSTM", [6, 3], **arguments)
    y = predicted_by_file(tmp_path / "a.h5", config, arrays, x)
    np.testing.assert_allclose(y[:, :2], h, rtol=1e-5, atol=1e-5)


def test_gru_for_cudnn(tmp_path):
    """Kernels for cuDNN are transposed by gate, and there are two biases."""
    model = keras.Sequential(
        [keras.Input((6, 3)), keras.layers.GRU(2, name="layer", reset_after=True)]
    )
    kernel, recurrent, bias, x = random_arrays((3, 6), (2, 6), (2, 6), (5, 6, 3))
    model.layers[0].set_weights([kernel, recurrent, bias])
    parts = [np.reshape(k, (2, 3), order="F").T for k in np.split(kernel, 3, axis=1)]
    stored = [
        np.concatenate(parts, axis=1).reshape(3, 6),
        np.concatenate([k.T for k in np.split(recurrent, 3, axis=1)], axis=1),
        bias.ravel(),
    ]
    config = {
        "class_name": "Sequential",
        "config": {
            "name": "sequential",
            "layers": [
                {
                    "class_name": "CuDNNGRU",
                    "config": {
                        "name": "layer",
                        "batch_input_shape": [None, 6, 3],
                        "units": 2,
                    },
                }
            ],
        },
    }
    y = predicted_by_file(tmp_path / "a.h5", config, stored, x, version="2.3.1")
    np.testing.assert_allclose(y, model.predict(x, verbose=0), atol=1e-5)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("sum", lambda a, b: a + b),
        ("mul", lambda a, b: a * b),
        ("ave", lambda a, b: (a + b) / 2),
        ("max", np.maximum),
        ("concat", lambda a, b: np.concatenate([a, b], -1)),
    ],
)
def test_merge_of_keras_1(mode, expected):
    inputs = [
        {
            "class_name": "InputLayer",
            "name": name,
            "config": {
                "name": name,
                "batch_input_shape": [None, 3],
                "input_dtype": "float32",
                "sparse": False,
            },
            "inbound_nodes": [],
        }
        for name in "ab"
    ]
    merge = {
        "class_name": "Merge",
        "name": "merge",
        "config": {
            "name": "merge",
            "mode": mode,
            "mode_type": "raw",
            "concat_axis": -1,
            "dot_axes": -1,
            "output_shape": None,
        },
        "inbound_nodes": [[["a", 0, 0], ["b", 0, 0]]],
    }
    config = {
        "class_name": "Model",
        "config": {
            "name": "model",
            "layers": [*inputs, merge],
            "input_layers": [["a", 0, 0], ["b", 0, 0]],
            "output_layers": [["merge", 0, 0]],
        },
        "keras_version": "1.2.2",
    }
    model = keras.models.model_from_json(json.dumps(config))
    a, b = random_arrays((4, 3), (4, 3))
    np.testing.assert_allclose(
        model.predict([a, b], verbose=0), expected(a, b), rtol=1e-6
    )


def sequential_of_keras_1(*layers):
    return {"class_name": "Sequential", "config": list(layers)}


def dense_of_keras_1(name, units, inputs=None):
    config = {"name": name, "output_dim": units, "activation": "linear"}
    if inputs:
        config["batch_input_shape"] = [None, inputs]
    return {"class_name": "Dense", "config": config}


def merge_of_keras_1(name, mode, *branches):
    config = {"name": name, "mode": mode, "layers": list(branches)}
    return {"class_name": "Merge", "config": config}


def test_a_merge_begins_a_sequential_of_keras_1(tmp_path):
    model, dense = sequential_of_keras_1, dense_of_keras_1
    inner = model(
        merge_of_keras_1("m2", "sum", model(dense("c", 2, 2)), model(dense("d", 2, 2))),
        dense("f", 3),
    )
    outer = model(
        merge_of_keras_1("m1", "concat", model(dense("a", 3, 4), dense("b", 2)), inner),
        dense("e", 1),
    )
    sizes = {"a": (4, 3), "b": (3, 2), "c": (2, 2), "d": (2, 2), "f": (2, 3)}
    sizes["e"] = 5, 1
    w = dict(zip(sizes, random_arrays(*sizes.values()), strict=True))
    layers = {n: {f"{n}_W": k, f"{n}_b": k[0] * 0} for n, k in w.items()}
    path = write(tmp_path / "a.h5", outer, layers)
    with pytest.warns(UserWarning, match="does not say how the model was compiled"):
        loaded = keras.models.load_model(path)
    a, c, d = random_arrays((5, 4), (5, 2), (5, 2))
    named = {"a_input": a, "c_input": c, "d_input": d}
    summed = (c @ w["c"] + d @ w["d"]) @ w["f"]
    joined = np.concatenate([a @ w["a"] @ w["b"], summed], 1)
    for x in (named, list(named.values())):
        y = loaded.predict(x, verbose=0)
        np.testing.assert_allclose(y, joined @ w["e"], rtol=1e-4)
    assert [x.name for x in loaded.inputs] == list(named)


@pytest.mark.parametrize(
    ("branch", "message"),
    [
        (dense_of_keras_1("x", 2, 2), "joins something else than Sequential"),
        (sequential_of_keras_1(dense_of_keras_1(None, 2, 2)), "has no name"),
    ],
)
def test_a_merge_of_what_has_no_counterpart_is_refused(branch, message):
    config = sequential_of_keras_1(merge_of_keras_1("m", "sum", branch))
    with pytest.raises(ValueError, match=message):
        keras.models.model_from_json(json.dumps(config))


def small():
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, name="first"),
            keras.layers.Dense(2, name="second"),
        ]
    )


def test_weights_by_name_leave_the_others(tmp_path):
    kernel, bias = random_arrays((3, 2), (2,))
    path = write(
        tmp_path / "a.h5",
        None,
        {"second": {"kernel": kernel, "bias": bias}, "unknown": {}},
        version="2.1.0",
    )
    model = small()
    before = model.layers[0].get_weights()
    model.load_weights(path, by_name=True)
    np.testing.assert_array_equal(model.layers[1].get_weights()[0], kernel)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], before[0])


def test_files_of_keras_3_are_not_read_by_name(tmp_path):
    path = tmp_path / "a.weights.h5"
    model = small()
    model.save_weights(path)
    with pytest.raises(ValueError, match="only supports loading legacy"):
        model.load_weights(path, by_name=True)


def test_misfits_are_reported_by_layer_and_nothing_changes(tmp_path):
    arrays = random_arrays((4, 3), (3,), (3, 5), (5,))
    layers = {
        "first": dict(zip(("kernel", "bias"), arrays[:2], strict=True)),
        "second": dict(zip(("kernel", "bias"), arrays[2:], strict=True)),
    }
    path = write(tmp_path / "a.h5", None, layers, version="2.1.0")
    model = small()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"(?s)1 of 2 layers.*'second'.*\(3, 5\)"):
        model.load_weights(path)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="'second'"):
        model.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], arrays[0])
    np.testing.assert_array_equal(model.layers[1].get_weights()[0], before[2])


def test_weights_of_the_model_itself_fit_or_nothing_changes(tmp_path):
    class Scaled(keras.Model):
        def __init__(self, size):
            super().__init__()
            self.dense = keras.layers.Dense(2)
            self.scale = self.add_weight(shape=(size,), name="scale")

        def call(self, x):
            return self.dense(x) * self.scale[0]

    def built(size):
        model = Scaled(size)
        model(np.ones((1, 4), "float32"))
        return model

    saved = built(1)
    path = tmp_path / "a.h5"
    with hdf5.creating(path) as file:
        legacy_h5.save_weights(saved, file)
    other = built(3)
    before = [w.numpy() for w in other.weights]
    with pytest.raises(ValueError, match=r"itself have the shapes \[\(3,\)\]"):
        other.load_weights(path)
    for a, b in zip(before, other.weights, strict=True):
        np.testing.assert_array_equal(a, b.numpy())
    same = built(1)
    same.load_weights(path)
    np.testing.assert_array_equal(same.scale.numpy(), saved.scale.numpy())


def test_other_numbers_of_layers_are_shown_side_by_side(tmp_path):
    (kernel,) = random_arrays((4, 3))
    path = write(tmp_path / "a.h5", None, {"only": {"kernel": kernel}})
    with pytest.raises(ValueError, match=r"(?s)1 layers.*2 layers.*first.*only"):
        small().load_weights(path)


@pytest.mark.parametrize("rate", [0.1, keras.optimizers.schedules.CosineDecay(0.1, 9)])
def test_the_state_of_an_optimizer_is_restored_or_it_is_said_why(tmp_path, rate):
    x, y = random_arrays((8, 4), (8, 3))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile(keras.optimizers.Adam(rate), "mse")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.h5")
    loaded = keras.models.load_model(tmp_path / "model.h5")
    for found, saved in zip(
        loaded.optimizer.variables, model.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(found.numpy(), saved.numpy())
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        group = file["optimizer_weights"]
        group.attrs["weight_names"] = group.attrs["weight_names"][:-1]
    with pytest.warns(UserWarning, match=r"was not restored.* variables, the file"):
        loaded = keras.models.load_model(tmp_path / "model.h5")
    assert loaded.optimizer.iterations.numpy() == 0
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "The state of the optimizer")
        with pytest.raises(UserWarning, match="was not restored"):
            keras.models.load_model(tmp_path / "model.h5")


@keras.saving.register_keras_serializable("legacy_files")
class NamedTwice(keras.layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(input_shape[-1:], name="weight")
        self.shift = self.add_weight(input_shape[-1:], name="weight")

    def call(self, inputs):
        return inputs * self.scale + self.shift


def test_weights_with_equal_paths_are_all_written(tmp_path):
    x, y = random_arrays((8, 4), (8, 4))
    model = keras.Sequential([keras.Input((4,)), NamedTwice()])
    model.compile("adam", "mse")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "a.h5")
    loaded = keras.models.load_model(tmp_path / "a.h5")
    found = [*loaded.variables, *loaded.optimizer.variables]
    saved = [*model.variables, *model.optimizer.variables]
    for a, b in zip(found, saved, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


LOSSES = {
    "an object": lambda of: of.MeanSquaredError(reduction="sum"),
    "another name": lambda of: of.Huber(),
    "a list": lambda of: [of.CategoricalCrossentropy(label_smoothing=0.1)],
    "a dict": lambda of: {"only": of.MeanSquaredError()},
    "a short name in a dict": lambda of: {"only": "mae"},
}


def compiled_with(loss, path):
    """Save a model that is compiled with the loss; return its data and evaluation."""
    layer = keras.layers.Dense(3, name="only", activation="softmax")
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile("adam", loss(keras.losses))
    (x,) = random_arrays((6, 4))
    y = np.eye(3, dtype="float32")[[0, 1, 2, 0, 1, 2]]
    model.save(path)
    return x, y, model.evaluate(x, y, verbose=0)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_each_form_of_losses_comes_back(tmp_path, loss):
    x, y, expected = compiled_with(loss, tmp_path / "a.h5")
    loaded = keras.models.load_model(tmp_path / "a.h5")
    assert loaded.evaluate(x, y, verbose=0) == expected


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.oracle
@pytest.mark.parametrize("form", [form for form in LOSSES if "dict" not in form])
def test_keras_reads_each_form_of_losses(tmp_path, form):
    import keras as real

    # Dicts of losses are left out: Keras does not read those that it wrote itself.
    x, y, expected = compiled_with(LOSSES[form], tmp_path / "a.h5")
    read = real.models.load_model(tmp_path / "a.h5")
    np.testing.assert_allclose(read.evaluate(x, y, verbose=0), expected, rtol=1e-5)


def test_a_file_of_weights_is_no_model(tmp_path):
    (kernel,) = random_arrays((4, 3))
    path = write(tmp_path / "a.h5", None, {"only": {"kernel": kernel}})
    with pytest.raises(ValueError, match="holds weights and no model"):
        keras.models.load_model(path)


def test_an_argument_whose_loss_would_change_the_model_is_refused(tmp_path):
    config = keras_1("BatchNormalization", [4], mode=1)
    with pytest.raises(ValueError, match="mode=1"):
        keras.models.model_from_json(json.dumps(config))


INITIALIZER = {"class_name": "GlorotUniform", "config": {"seed": 1, "dtype": "float32"}}
layers, GLOROT = keras.layers, keras.initializers.GlorotUniform(1)
OLD_LAYERS = [
    (
        ("Convolution1D", [6, 2], {"nb_filter": 3, "filter_length": 2}),
        layers.Conv1D(3, 2),
    ),
    (
        (
            "AtrousConvolution1D",
            [6, 2],
            {"nb_filter": 3, "filter_length": 2, "atrous_rate": 2},
        ),
        layers.Conv1D(3, 2, dilation_rate=2),
    ),
    (
        (
            "AtrousConvolution2D",
            [6, 6, 2],
            {"nb_filter": 3, "nb_row": 2, "nb_col": 1, "atrous_rate": [2, 2]},
        ),
        layers.Conv2D(3, (2, 1), dilation_rate=2),
    ),
    (
        (
            "Convolution3D",
            [4, 4, 4, 2],
            {"nb_filter": 3, "kernel_dim1": 2, "kernel_dim2": 1, "kernel_dim3": 2},
        ),
        layers.Conv3D(3, (2, 1, 2)),
    ),
    (
        (
            "SeparableConvolution2D",
            [4, 4, 2],
            {"nb_filter": 3, "nb_row": 2, "nb_col": 2, "pointwise_init": "zero"},
        ),
        layers.SeparableConv2D(3, 2, pointwise_initializer="zeros"),
    ),
    (
        ("TimeDistributedDense", [5, 2], {"output_dim": 3, "input_length": 5}),
        layers.Dense(3),
    ),
    (("CuDNNLSTM", [5, 2], {"units": 3}), layers.LSTM(3)),
    (
        ("BatchNormalizationV1", [4, 4, 2], {"axis": [3], "fused": True}),
        layers.BatchNormalization(3),
    ),
    (
        ("SyncBatchNormalization", [4, 2], {"momentum": 0.9}),
        layers.BatchNormalization(momentum=0.9),
    ),
    (
        ("Dense", [3], {"units": 2, "kernel_initializer": INITIALIZER}),
        layers.Dense(2, kernel_initializer=GLOROT),
    ),
    (("MaxPooling1D", [6, 2], {"pool_length": 3, "stride": 2}), layers.MaxPool1D(3, 2)),
    (("UpSampling1D", [6, 2], {"length": 3}), layers.UpSampling1D(3)),
    (("Dropout", [3], {"p": 0.3}), layers.Dropout(0.3)),
]


@pytest.mark.parametrize(
    ("old", "layer"), OLD_LAYERS, ids=[old[0] for old, _ in OLD_LAYERS]
)
def test_layers_under_older_names_and_arguments(old, layer):
    name, shape, arguments = old
    text = json.dumps(keras_1(name, shape, **arguments))
    model = keras.models.model_from_json(text)
    (found,) = model.layers
    assert type(found) is type(layer)
    assert found.get_config() | {"name": layer.name} == layer.get_config()
    assert model.output_shape == layer.compute_output_shape((None, *shape))


def test_a_size_that_keras_3_works_out_is_not_dropped():
    arguments = {"nb_filter": 3, "nb_row": 2, "nb_col": 2, "subsample": [2, 2]}
    config = keras_1("Deconvolution2D", [4, 4, 2], output_shape=[8, 8], **arguments)
    with pytest.raises(ValueError, match=r"output_shape=\[8, 8\]"):
        keras.models.model_from_json(json.dumps(config))


def test_hard_sigmoid_is_another_function_since_keras_3():
    config = keras_1("LSTM", [6, 3], output_dim=2, inner_activation="hard_sigmoid")
    text = json.dumps({**config, "keras_version": "1.2.2"})
    with pytest.warns(UserWarning, match="relu6"):
        keras.models.model_from_json(text)
    old = {"hard_sigmoid": lambda x: keras.ops.clip(0.2 * x + 0.5, 0, 1)}
    with pytest.warns(UserWarning, match="relu6"):
        model = keras.models.model_from_json(text, custom_objects=old)
    cell = model.layers[0].cell
    assert float(cell.recurrent_activation(keras.ops.convert_to_tensor(1.0))) == (
        pytest.approx(0.7)
    )


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`")
@pytest.mark.oracle
def test_keras_reads_what_is_written(tmp_path):
    import keras as real

    inputs = keras.Input((4,))
    base = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization()]
    )
    outputs = keras.layers.Dense(2, activation="softmax", kernel_regularizer="l2")
    model = keras.Model(inputs, outputs(keras.layers.Dropout(0.1)(base(inputs))))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "ours.h5")
    read = real.models.load_model(tmp_path / "ours.h5")
    np.testing.assert_allclose(
        read.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6
    )
    np.testing.assert_allclose(
        read.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-5
    )
    read.save(tmp_path / "theirs.h5")
    # Keras itself does not restore the slots.
    with pytest.warns(UserWarning, match="14 variables, the file 2"):
        again = keras.models.load_model(tmp_path / "theirs.h5")
    np.testing.assert_allclose(
        again.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6
    )
    ours = keras.models.load_model(tmp_path / "ours.h5")
    for a, b in zip(ours.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
