"""One search in a process of its own: `python search_case.py CASE LIBRARY [DATA.npz]`.

LIBRARY is hornbeam, scikeras or skorch. The process prints one JSON object: seconds of
the import, of the first search (`cold`, compilation included) and of a second one
(`warm`), and the candidates' mean scores. The case `memory` prints mebibytes.
"""

import contextlib
import gzip
import importlib
import json
import os
import pathlib
import resource
import sys
import time

import numpy as np

FASHION = pathlib.Path(
    os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist")
)
RATES = [0.0, 0.2, 0.4, 0.6, 0.8]
# `hidden` is the width of a perceptron; without it the network is the small CNN.
CASES = {
    "pima": {"data": "pima", "hidden": 12, "epochs": 20, "batch": 10},
    "pima50": {"data": "pima", "hidden": 12, "epochs": 100, "batch": 10},
    "fashion": {"data": "fashion", "hidden": 128, "epochs": 3, "batch": 32},
    "cnn": {"data": "digits", "epochs": 3, "batch": 32},
}
# 10 dropout rates x 5 learning rates; a peer is measured on a tenth of them.
FIFTY = {
    "model__dropout_rate": [round(0.09 * i, 2) for i in range(10)],
    "model__learning_rate": [3e-4, 1e-3, 2e-3, 4e-3, 8e-3],
}
TENTH_RATES = [0.36]
TENTH = {**FIFTY, "model__dropout_rate": TENTH_RATES}


def read_data(name, path=None):
    """Return inputs and labels: from `path`, or made or read here."""
    if path:
        arrays = np.load(path)
        return arrays["x"], arrays["y"]
    return {"pima": like_pima, "fashion": fashion, "digits": digits}[name]()


def like_pima():
    """768 x 8 with labels of which about three quarters can be told."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((768, 8)).astype("float32")
    z = x @ rng.standard_normal(8) + 2 * rng.standard_normal(768)
    return x, (z > 1).astype("int32")


def fashion(rows=6_000):
    """The first rows of Fashion-MNIST, flat."""
    images = gzip.decompress((FASHION / "train-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((FASHION / "train-labels-idx1-ubyte.gz").read_bytes())
    x = np.frombuffer(images, np.uint8, rows * 784, 16).reshape(rows, 784)
    y = np.frombuffer(labels, np.uint8, rows, 8)
    return (x / 255).astype("float32"), y.astype("int32")


def digits():
    """The handwritten digits as images of 8 x 8."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return (x / 16).astype("float32").reshape(-1, 8, 8, 1), y.astype("int32")


def keras_builder(keras, hidden, shape, outputs):
    """Return `create_model` as its users write it, for either library."""

    def create_model(dropout_rate=0.0, learning_rate=1e-3):
        layers = keras.layers
        if hidden:
            body = [layers.Dense(hidden, activation="relu")]
        else:
            body = [
                layers.Conv2D(16, 3, padding="same", activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(32, 3, padding="same", activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
            ]
        activation = "softmax" if outputs > 1 else "sigmoid"
        head = [
            layers.Dropout(dropout_rate),
            layers.Dense(outputs, activation=activation),
        ]
        model = keras.Sequential([keras.Input(shape), *body, *head])
        kind = "sparse_categorical" if outputs > 1 else "binary"
        model.compile(
            optimizer=keras.optimizers.Adam(learning_rate),
            loss=f"{kind}_crossentropy",
            metrics=["accuracy"],
        )
        return model

    return create_model


def torch_module(hidden, shape, outputs):
    """Return the same networks as a class of torch modules, which give logits."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self, dropout_rate=0.0):
            super().__init__()
            if hidden:
                body = [nn.Linear(shape[0], hidden), nn.ReLU()]
                width = hidden
            else:
                body = [
                    nn.Conv2d(1, 16, 3, padding="same"),
                    nn.ReLU(),
                    nn.MaxPool2d(2),
                    nn.Conv2d(16, 32, 3, padding="same"),
                    nn.ReLU(),
                    nn.MaxPool2d(2),
                    nn.Flatten(),
                ]
                width = 32 * 2 * 2
            self.body = nn.Sequential(
                *body, nn.Dropout(dropout_rate), nn.Linear(width, outputs)
            )
            for layer in self.body:
                if hasattr(layer, "weight"):
                    nn.init.xavier_uniform_(layer.weight)
                    nn.init.zeros_(layer.bias)

        def forward(self, x):
            logits = self.body(x)
            return logits[:, 0] if outputs == 1 else logits

    return Network, torch


def keras_estimator(library, case, x, y):
    """Return the estimator of hornbeam or of SciKeras."""
    wrappers = importlib.import_module(f"{library}.wrappers")
    keras = importlib.import_module("keras" if library == "scikeras" else library)
    model = keras_builder(keras, case.get("hidden"), x.shape[1:], outputs(y))
    return wrappers.KerasClassifier(
        model=model, epochs=case["epochs"], batch_size=case["batch"], verbose=0
    )


def skorch_estimator(case, x, y):
    """Return skorch's estimator of the same network and optimizer."""
    import skorch

    module, torch = torch_module(case.get("hidden"), x.shape[1:], outputs(y))
    binary = outputs(y) == 1
    kind = skorch.NeuralNetBinaryClassifier if binary else skorch.NeuralNetClassifier
    loss = torch.nn.BCEWithLogitsLoss if binary else torch.nn.CrossEntropyLoss
    return kind(
        module,
        criterion=loss,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        max_epochs=case["epochs"],
        batch_size=case["batch"],
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def outputs(y):
    """Return how many outputs a network for these labels has."""
    count = len(np.unique(y))
    return count if count > 2 else 1


def for_torch(x, y):
    """Return what torch's losses take: channels first, floats for two classes."""
    if x.ndim == 4:
        x = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    return x, y.astype("float32" if outputs(y) == 1 else "int64")


def prepare(name, library, path=None, whole=True):
    """Return a function that runs the search once and returns it."""
    from sklearn.model_selection import GridSearchCV

    case = CASES[name]
    x, y = read_data(case["data"], path)
    grid = {"model__dropout_rate": RATES}
    if name == "pima50":
        grid = FIFTY if whole else TENTH
    if library == "skorch":
        names = {"model__dropout_rate": "module__dropout_rate"}
        names["model__learning_rate"] = "optimizer__lr"
        grid = {names[key]: values for key, values in grid.items()}
        estimator = skorch_estimator(case, x, y)
        x, y = for_torch(x, y)
    else:
        estimator = keras_estimator(library, case, x, y)
    jobs = int(os.environ.get("SEARCH_JOBS", "1"))

    def search():
        found = GridSearchCV(
            estimator,
            grid,
            cv=3,
            n_jobs=-1 if library == "hornbeam" else jobs,
            refit=False,
            error_score="raise",
        )
        with rendezvous(library):
            return found.fit(x, y)

    return search


def rendezvous(library):
    """Return the scope in which hornbeam's fits train together."""
    if library != "hornbeam":
        return contextlib.nullcontext()
    import joblib

    return joblib.parallel_config(backend="hornbeam")


def time_case(name, library, path=None):
    """Measure the import, a search in this fresh process, and a second one."""
    started = time.perf_counter()
    for module in {
        "hornbeam": ["jax", "hornbeam.wrappers"],
        "scikeras": ["keras", "scikeras.wrappers"],
        "skorch": ["torch", "skorch"],
    }[library]:
        importlib.import_module(module)
    imported = time.perf_counter() - started
    whole = name != "pima50" or library == "hornbeam"
    search = prepare(name, library, path, whole)
    scale = 1 if whole else 10
    figures = {"import": imported}
    for figure in ("cold", "warm"):
        started = time.perf_counter()
        found = search()
        figures[figure] = (time.perf_counter() - started) * scale
        if not whole:
            figures["warm"] = figures["cold"]
            break
    results = found.cv_results_
    compared = [
        name != "pima50" or params.get("model__dropout_rate") in (None, *TENTH_RATES)
        for params in results["params"]
    ]
    figures["scores"] = results["mean_test_score"][compared].tolist()
    figures["spread"] = float(results["std_test_score"][compared].mean())
    return figures


def memory(library, path=None, searches=10):
    """Measure the peak of the 150 fits, and what ten more searches of 15 fits add."""
    search = prepare("pima50", library, path)
    search()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    search = prepare("pima", library, path)
    search()
    before = resident()
    for _ in range(searches):
        search()
    return {"peak_MiB": peak, "growth_MiB": resident() - before}


def resident():
    """Return the mebibytes of this process in memory (Linux)."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main(name, library, path=None):
    """Run one case and print its figures."""
    if name == "memory":
        figures = memory(library, path)
    else:
        figures = time_case(name, library, path)
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
