"""Wrong arguments of searches are named before a candidate is trained."""

import re

import numpy as np
import optuna
import pytest
from sklearn.model_selection import KFold

import hornbeam as keras
from hornbeam import tuning

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype("int32")
NAN, INFINITE = float("nan"), float("inf")


def create_model(rate=0.2, units=6, loss="binary_crossentropy", inner=()):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            *inner,
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dropout(rate),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", loss, metrics=["accuracy"])
    return model


@pytest.fixture
def search(monkeypatch):
    """Return `search` where a step of training is an error."""

    def search(build=create_model, space=None, data=(X, Y), **arguments):
        given = {"budget": 3, "epochs": 2, "sampler": "random", "verbose": 0}
        space = {"rate": (0.0, 0.5)} if space is None else space
        return tuning.search(build, space, data, **(given | arguments))

    return without_training(monkeypatch, search)


@pytest.fixture
def compare(monkeypatch):
    """Return `compare` where a step of training is an error."""

    def compare(builds=None, data=(X, Y), **arguments):
        builds = builds or {"a": create_model, "b": lambda: create_model(units=3)}
        return tuning.compare(builds, data, **({"seeds": 2, "epochs": 2} | arguments))

    return without_training(monkeypatch, compare)


def without_training(monkeypatch, function):
    from hornbeam.training.execution import passes

    def trained(*args, **kwargs):
        raise AssertionError("A model was trained.")

    monkeypatch.setattr(passes.Pass, "run_epoch", trained)
    return function


def is_named(name, received):
    return f"(?s)`{re.escape(name)}`.*Received: .*{re.escape(received)}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seeds", -1),
        ("seeds", 2.5),
        ("seeds", "3"),
        ("batch", 0),
        ("batch", 2.5),
        ("budget", 0),
        ("budget", INFINITE),
        ("epochs", 2.5),
        ("patience", -1),
        ("patience", "a"),
        ("patience", 1.5),
        ("seed", None),
        ("seed", -1),
        ("seed", "a"),
        ("objective", 3),
        ("objective", [1, 2]),
        ("objective", {"val_loss": "lower"}),
        ("sampler", None),
        ("sampler", 3),
        ("sampler", optuna.samplers.TPESampler),
        ("schedule", tuning.Halving),
        ("schedule", tuning.Population),
        ("schedule", 3),
        ("callbacks", keras.callbacks.EarlyStopping),
        ("callbacks", [keras.callbacks.EarlyStopping]),
        ("callbacks", "early"),
        ("validation", 1.5),
        ("validation", 1),
        ("validation", NAN),
        ("validation", "folds"),
        ("verbose", "loud"),
        ("build", None),
    ],
)
def test_an_argument_is_named(search, name, value):
    received = value if isinstance(value, str) else repr(value)
    if isinstance(value, list):
        received = repr(value[0])
    if isinstance(value, dict):
        received = "lower"
    with pytest.raises((ValueError, TypeError), match=is_named(name, received)):
        search(**{name: value})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sampler": "cma", "objective": ["loss", "val_loss"]}, "use 'tpe'"),
        ({"objective": "val_acc"}, "'val_acc' .*Available: loss, accuracy, val_loss"),
        ({"objective": "f1"}, "'f1' of search.. is not in the logs. Available"),
        ({"validation": None, "objective": "val_loss"}, "`validation` is None"),
        ({"data": (X, Y[:50])}, "`data` of search.*`x` has 60, `y` has 50"),
        ({"data": (X, Y, Y[:3])}, "`data` of search.*`sample_weight` has 3"),
        ({"data": (X[:0], Y[:0])}, "`data` of search.*is empty"),
        ({"data": None}, "`data` of search.. is missing"),
        ({"validation": (X, Y[:3])}, "`validation` of search.*`y` has 3"),
        ({"validation": X}, "`validation` of search.. must be a fraction"),
        ({"validation": KFold}, r"`validation` .* Make an object of it: KFold\("),
        ({"data": (X[:, :3], Y)}, "invalid shape: expected shape=.None, 4."),
        ({"batch_size": 0}, "`batch_size` of fit"),
        ({"batchsize": 3}, "Did you mean 'batch_size'"),
        ({"space": {"dropout": (0.0, 0.5)}}, "'dropout' is no argument of"),
        ({"space": {}}, "`space` of search.. is empty"),
        ({"space": {1: [2]}}, "names in argument `space` .* strings. Received: 1"),
        ({"build": create_model()}, "function that makes .* make it in the function"),
        ({"build": lambda rate, width: None}, "needs 'width': without a default"),
        ({"callbacks": keras.callbacks.EarlyStopping}, r"of it: EarlyStopping\("),
    ],
)
def test_what_is_wrong_is_said(search, arguments, message):
    with pytest.raises((ValueError, TypeError), match=f"(?s){message}"):
        search(**arguments)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ((0.0, INFINITE), "must lie between finite numbers"),
        ((0.0, NAN), "must lie between finite numbers"),
        ((0.5, 0.1), r"Write \(0.1, 0.5\)"),
        ((), "must be a pair of numbers"),
        ([], "is empty"),
        ([0.1, NAN], "has NaN among its choices"),
        ({0.1, 0.2}, "a list of choices. Received: a set"),
        (map(float, [1]), "a list of choices. Received: a map"),
        (lambda: tuning.Log(0, 1), "Log must lie between numbers above 0"),
        (lambda: tuning.Log("a", 1), "Log must lie between finite numbers"),
        (lambda: tuning.Log(1e-3, INFINITE), "Log must lie between finite numbers"),
    ],
)
def test_ranges_without_numbers_are_refused(search, written, message):
    with pytest.raises((ValueError, TypeError), match=message):
        search(space={"rate": written() if callable(written) else written})


@pytest.mark.parametrize(
    "ask",
    [
        lambda trial: trial.suggest_float("rate", 0, 1, log=True),
        lambda trial: trial.suggest_float("rate", 1, 0),
        lambda trial: trial.suggest_float("rate", 0.0, NAN),
        lambda trial: trial.suggest_categorical("rate", []),
    ],
)
def test_a_trial_refuses_them_too(search, ask):
    with pytest.raises(ValueError, match="(range|choices) of 'rate'"):
        search(space=lambda trial: {"rate": ask(trial)})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, is_named("epochs", "0")),
        ({"patience": -1}, is_named("patience", "-1")),
        ({"seed": "a"}, is_named("seed", "a")),
        ({"data": (X, Y[:50])}, "`data` of compare"),
        ({"data": None}, "`data` of compare"),
        ({"objective": "val_acc"}, "of compare.. is not in the logs"),
        ({"objective": ["loss", "accuracy"]}, "`objective` .* must be a single one"),
        ({"builds": {"a": create_model, "b": None}}, r"`builds\['b'\]` of compare"),
        ({"callbacks": keras.callbacks.EarlyStopping}, "`callbacks` of compare"),
    ],
)
def test_comparisons_name_them_too(compare, arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        compare(**arguments)


def test_networks_of_different_losses_need_a_metric(compare):
    def of(loss):
        return lambda: create_model(loss=loss)

    with pytest.raises(ValueError, match="losses differ: 'a' has mean_squ.* metric"):
        compare({"a": of("mse"), "b": of("mae")})
    smooth = keras.losses.BinaryCrossentropy(label_smoothing=0.1)
    with pytest.raises(ValueError, match="label_smoothing=0.1"):
        compare({"a": create_model, "b": of(smooth)}, objective="loss")
    with pytest.raises(ValueError, match="and penalties of l2"):
        compare({"a": create_model, "b": lambda: create_model(inner=l2())})
    same = {"a": of("mse"), "b": of(keras.losses.MeanSquaredError())}
    with pytest.raises(AssertionError, match="was trained"):
        compare(same)
    with pytest.raises(AssertionError, match="was trained"):
        compare({"a": of("mse"), "b": of("mae")}, objective="val_accuracy")


def test_a_loss_that_is_searched_for_needs_a_metric(search):
    space = {"loss": ["mse", "mae"]}
    for objective in (None, "loss", ["val_accuracy", "val_loss"]):
        with pytest.raises(ValueError, match="losses differ: .*mean_absol.* metric"):
            search(space=space, budget=9, objective=objective)
    with pytest.raises(ValueError, match="and penalties of l2"):
        search(space={"inner": [(), l2()]}, budget=9)
    # What only is written in another way can be compared, by a metric all can.
    same = {"loss": ["mse", keras.losses.MeanSquaredError()]}
    for given in ({"space": same}, {"space": space, "objective": "val_accuracy"}):
        with pytest.raises(RuntimeError, match="was trained"):
            search(**given)


def l2():
    return [keras.layers.Dense(4, kernel_regularizer="l2")]


def test_a_misspelt_name_is_the_function_s_own(search, compare):
    with pytest.raises(TypeError, match=r"search\(\) .*'scheduel'. .* 'schedule'"):
        search(scheduel="asha")
    with pytest.raises(TypeError, match=r"compare\(\) .*'confidense'. .*'confidence'"):
        compare(confidense=0.9)
    with pytest.raises(TypeError, match=r"fit\(\) got .*'max_trials'"):
        search(max_trials=3)
