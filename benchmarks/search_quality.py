"""Searches at an equal budget: the best validation loss after as many trained epochs.

    python benchmarks/search_quality.py run --data digits --method tpe --seeds 0-9
    python benchmarks/search_quality.py report

A piece is a data set, a method and a seed; each adds a line of JSON to a file. A
process that runs several seeds is cold for the first one alone. The report gives the
means over the seeds with 95% t intervals, of cold pieces the seconds by the clock and
of all processors, and the differences of hornbeam's losses from each peer's, paired by
the seeds that both have (a seed also says which rows are held out).

With `python -m hornbeam run benchmarks/search_quality.py run ...` the peers that are
written for Keras train on hornbeam: their searches, at a fraction of the time. The
engine is then called `hornbeam`.

Methods: `halving`, `hyperband` and `tpe` (with ASHA) are hornbeam's; `optuna` is
Optuna's TPE with its usual pruner over Keras, `tuner-hyperband` and `tuner-random` are
KerasTuner over Keras, `skorch` is Optuna's TPE with pruning over skorch. All search the
same space of the same network. A peer is stopped at the epoch with which the budget is
spent; hornbeam's searches have a number of candidates, such that they train for about
as many epochs on average: the report says how many.
"""

import argparse
import collections
import json
import os
import pathlib
import sys
import tempfile
import time

import numpy as np

EPOCHS = 9  # the most of a candidate
BUDGET = 126  # epochs of a whole search
UNITS = [16, 32, 64]
RATES = (0.0, 0.5)
LEARNING_RATES = (1e-4, 1e-1)
BATCH = 32
DATA = ("digits", "cancer", "fashion")
# The candidates of hornbeam's searches, whose epochs are about BUDGET.
OURS = {"halving": 54, "hyperband": 36, "tpe": 45}
PEERS = ("optuna", "tuner-hyperband", "tuner-random", "skorch")
RESULTS = "search_quality.jsonl"


class SpentError(BaseException):
    """The epochs of the budget are trained."""


def read(name, seed):
    """Return `(x, y), (x, y)`: rows to train on, and a fifth that is held out."""
    if name == "fashion":
        from search_case import fashion

        x, y = fashion(5_000)
    else:
        from sklearn import datasets

        load = {"digits": datasets.load_digits, "cancer": datasets.load_breast_cancer}
        x, y = load[name](return_X_y=True)
        x = (x - x.mean(0)) / (x.std(0) + 1e-6)
    x, y = x.astype("float32"), y.astype("int32")
    order = np.random.default_rng(seed).permutation(len(x))
    held = len(x) // 5
    return (x[order[held:]], y[order[held:]]), (x[order[:held]], y[order[:held]])


def builder(keras, shape, classes):
    """Return `create_model` as users of either library write it."""

    def create_model(units=32, rate=0.2, learning_rate=1e-3):
        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input(shape),
                layers.Dense(units, activation="relu"),
                layers.Dropout(rate),
                layers.Dense(classes, activation="softmax"),
            ]
        )
        model.compile(
            keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy"
        )
        return model

    return create_model


def by_hornbeam(method, train, valid, seed):
    """Return the best loss, and the number of epochs."""
    import hornbeam as keras

    space = {
        "units": UNITS,
        "rate": RATES,
        "learning_rate": keras.tuning.Log(*LEARNING_RATES),
    }
    result = keras.tuning.search(
        builder(keras, train[0].shape[1:], len(np.unique(train[1]))), space, train,
        validation=valid, budget=OURS[method], epochs=EPOCHS, seed=seed, verbose=0,
        sampler="tpe" if method == "tpe" else "random", batch_size=BATCH,
        schedule="asha" if method == "tpe" else method,
    )  # fmt: skip
    return result.best_score, sum(c.epochs for c in result.candidates)


class Spending:
    """Counts epochs, and keeps the best loss of all."""

    def __init__(self):
        self.epochs = 0
        self.best = np.inf

    def note(self, loss):
        """Count an epoch; raise SpentError at the last one."""
        self.epochs += 1
        if np.isfinite(loss):
            self.best = min(self.best, float(loss))
        if self.epochs >= BUDGET:
            raise SpentError

    def callback(self, keras):
        """Return a callback of Keras that notes each epoch."""
        note = self.note

        class Note(keras.callbacks.Callback):
            def __deepcopy__(self, memo):
                return self

            def on_epoch_end(self, epoch, logs=None):
                note(logs["val_loss"])

        return Note()


def by_optuna(train, valid, seed):
    """Optuna's TPE and its usual pruner over Keras."""
    import keras
    import optuna

    create_model = builder(keras, train[0].shape[1:], len(np.unique(train[1])))
    spending = Spending()

    class Prune(keras.callbacks.Callback):
        def __init__(self, trial):
            super().__init__()
            self.trial = trial

        def on_epoch_end(self, epoch, logs=None):
            self.trial.report(logs["val_loss"], epoch)
            if self.trial.should_prune():
                raise optuna.TrialPruned

    def objective(trial):
        keras.utils.set_random_seed(1000 * seed + trial.number)
        model = create_model(**suggested(trial))
        callbacks = [spending.callback(keras), Prune(trial)]
        history = model.fit(
            *train, validation_data=valid, epochs=EPOCHS, batch_size=BATCH, verbose=0,
            callbacks=callbacks,
        )  # fmt: skip
        return min(history.history["val_loss"])

    return spent(spending, lambda: study_of(seed).optimize(objective))


def suggested(trial):
    """Return the hyperparameters that Optuna suggests."""
    return {
        "units": trial.suggest_categorical("units", UNITS),
        "rate": trial.suggest_float("rate", *RATES),
        "learning_rate": trial.suggest_float(
            "learning_rate", *LEARNING_RATES, log=True
        ),
    }


def study_of(seed):
    """Return a study of Optuna with its usual sampler and pruner."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed)
    return optuna.create_study(sampler=sampler, pruner=optuna.pruners.MedianPruner())


def by_keras_tuner(method, train, valid, seed):
    """KerasTuner over Keras."""
    import keras
    import keras_tuner

    create_model = builder(keras, train[0].shape[1:], len(np.unique(train[1])))

    def build(hp):
        low, high = LEARNING_RATES
        return create_model(
            hp.Choice("units", UNITS),
            hp.Float("rate", *RATES),
            hp.Float("learning_rate", low, high, sampling="log"),
        )

    keras.utils.set_random_seed(seed)
    spending = Spending()
    with tempfile.TemporaryDirectory() as folder:
        given = {"directory": folder, "project_name": "search", "seed": seed}
        given |= {"objective": "val_loss", "overwrite": True}
        if method == "tuner-hyperband":
            tuner = keras_tuner.Hyperband(
                build, max_epochs=EPOCHS, factor=3, hyperband_iterations=99, **given
            )
        else:
            tuner = keras_tuner.RandomSearch(build, max_trials=999, **given)
        search = lambda: tuner.search(  # noqa: E731
            *train, validation_data=valid, epochs=EPOCHS, batch_size=BATCH, verbose=0,
            callbacks=[spending.callback(keras)],
        )  # fmt: skip
        return spent(spending, search)


def by_skorch(train, valid, seed):
    """Optuna's TPE and its usual pruner over skorch."""
    import optuna
    import skorch
    import torch
    from skorch.helper import predefined_split
    from torch import nn

    outputs, spending = len(np.unique(train[1])), Spending()
    held_out = skorch.dataset.Dataset(valid[0], valid[1].astype("int64"))

    class Note(skorch.callbacks.Callback):
        def __init__(self, trial):
            self.trial = trial

        def on_epoch_end(self, net, **kwargs):
            loss = net.history[-1, "valid_loss"]
            spending.note(loss)
            self.trial.report(loss, len(net.history) - 1)
            if self.trial.should_prune():
                raise optuna.TrialPruned

    def objective(trial):
        params = suggested(trial)
        torch.manual_seed(1000 * seed + trial.number)
        layers = [nn.Linear(train[0].shape[1], params["units"]), nn.ReLU()]
        layers += [nn.Dropout(params["rate"]), nn.Linear(params["units"], outputs)]
        for layer in layers[::3]:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        net = skorch.NeuralNetClassifier(
            nn.Sequential(*layers), criterion=nn.CrossEntropyLoss, verbose=0,
            optimizer=torch.optim.Adam, lr=params["learning_rate"], max_epochs=EPOCHS,
            batch_size=BATCH, iterator_train__shuffle=True, callbacks=[Note(trial)],
            train_split=predefined_split(held_out),
        )  # fmt: skip
        net.fit(train[0], train[1].astype("int64"))
        return min(net.history[:, "valid_loss"])

    return spent(spending, lambda: study_of(seed).optimize(objective))


def spent(spending, search):
    """Run a search until its epochs are spent; return the best loss and the epochs."""
    try:
        search()
    except SpentError:
        pass
    return spending.best, spending.epochs


def run(data, method, seeds, path):
    """Run pieces, and add their figures to the file."""
    import_libraries(method)
    for number, seed in enumerate(seeds):
        train, valid = read(data, seed)
        wall, processor = time.perf_counter(), time.process_time()
        if method in OURS:
            loss, epochs = by_hornbeam(method, train, valid, seed)
        elif method == "optuna":
            loss, epochs = by_optuna(train, valid, seed)
        elif method == "skorch":
            loss, epochs = by_skorch(train, valid, seed)
        else:
            loss, epochs = by_keras_tuner(method, train, valid, seed)
        figures = {
            "data": data, "method": method, "seed": seed, "loss": loss,
            "epochs": epochs, "wall": time.perf_counter() - wall,
            "processor": time.process_time() - processor, "is_cold": number == 0,
            "engine": engine_of(method),
        }  # fmt: skip
        with open(path, "a") as file:
            file.write(json.dumps(figures) + "\n")
        print(json.dumps(figures), flush=True)


def engine_of(method):
    """Return the engine on which a method trains."""
    if method == "skorch":
        return "torch"
    keras = sys.modules.get("keras")
    if method in PEERS and type(keras).__module__ == "hornbeam.as_keras":
        return "hornbeam"
    return os.environ.get("KERAS_BACKEND", "jax")


def import_libraries(method):
    """Import what a search needs, so that its seconds hold none of it."""
    names = ["hornbeam", "jax", "optuna"]
    if method in PEERS:
        names = [os.environ.get("KERAS_BACKEND", "jax"), "sklearn.datasets"]
        names += {"skorch": ["skorch", "optuna"], "optuna": ["keras", "optuna"]}.get(
            method, ["keras", "keras_tuner"]
        )
    for name in names:
        __import__(name)


def report(path):
    """Print the table."""
    pieces = {}
    for line in pathlib.Path(path).read_text().splitlines():
        one = json.loads(line)
        pieces[one["data"], one["method"], one["engine"], one["seed"]] = one
    groups = collections.defaultdict(list)
    for one in pieces.values():
        groups[one["data"], one["method"], one["engine"]].append(one)
    print("data     method           engine seeds  val_loss (95%)             epochs")
    for (data, method, engine), found in sorted(groups.items()):
        mean, half = interval([one["loss"] for one in found])
        epochs = np.mean([one["epochs"] for one in found])
        cold = [one for one in found if one["is_cold"]]
        seconds = ""
        if cold:
            wall = np.median([one["wall"] for one in cold])
            processor = np.median([one["processor"] for one in cold])
            seconds = f"cold {wall:.1f} s, processor {processor:.1f} s ({len(cold)})"
        print(
            f"{data:8} {method:16} {engine:6} {len(found):5}  {mean:.4f} "
            f"({mean - half:.4f} to {mean + half:.4f}) {epochs:7.1f}  {seconds}"
        )

    report_differences(groups)


def report_differences(groups):
    """Print the differences of our losses from the peers', paired by seeds."""
    print("\ndata     method           - peer                    seeds  loss (95%)")
    losses = {
        key: {one["seed"]: one["loss"] for one in found}
        for key, found in sorted(groups.items())
    }
    for (data, ours, _), mine in losses.items():
        for (of, peer, engine), theirs in losses.items():
            both = sorted(mine.keys() & theirs.keys())
            if of != data or ours not in OURS or peer not in PEERS or not both:
                continue
            mean, half = interval([mine[seed] - theirs[seed] for seed in both])
            print(
                f"{data:8} {ours:16} - {f'{peer} ({engine})':24} {len(both):4}  "
                f"{mean:+.4f} ({mean - half:+.4f} to {mean + half:+.4f})"
            )


def interval(values):
    """Return the mean, and half of the width of its 95% t interval."""
    from scipy import stats

    half = np.nan
    if len(values) > 1:
        half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return np.mean(values), half


def numbers(text):
    """Return the numbers of `0-9` or `3`."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def main():
    """Run pieces, or report those that were run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("run", "report"))
    parser.add_argument("--data", choices=DATA, default="digits")
    parser.add_argument("--method", choices=(*OURS, *PEERS), default="tpe")
    parser.add_argument("--seeds", type=numbers, default=[0])
    parser.add_argument("--results", default=RESULTS)
    options = parser.parse_args()
    if options.what == "report":
        report(options.results)
    else:
        run(options.data, options.method, options.seeds, options.results)


if __name__ == "__main__":
    sys.exit(main())
