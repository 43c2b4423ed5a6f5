"""Estimators in files: data alone, from which they predict as before."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import hornbeam as keras
from hornbeam import backends
from hornbeam.core.errors import UnsafeFileError
from hornbeam.wrappers import (
    KerasClassifier,
    KerasRegressor,
    KerasTransformer,
    SKLearnClassifier,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype("float32")
WORDS = np.where(X[:, 0] > 0, "yes", "no")


@pytest.fixture(autouse=True)
def nothing_is_compiled():
    with backends.scope("torch"):
        yield


def create(units=4):
    return keras.Sequential(
        [keras.layers.Dense(units, "relu"), keras.layers.Dense(1, "sigmoid")]
    )


def create_for(X, y):
    return keras.Sequential([keras.layers.Dense(y.shape[1], "softmax")])


def network():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def stop():
    return keras.callbacks.EarlyStopping("loss")


ESTIMATORS = {
    "default classifier": (KerasClassifier(epochs=1), WORDS),
    "builder": (
        KerasClassifier(create, units=5, optimizer=keras.optimizers.SGD, epochs=2),
        WORDS,
    ),
    "objects": (
        KerasClassifier(loss=keras.losses.BinaryCrossentropy(), optimizer="sgd"),
        WORDS.astype(object),
    ),
    "several outputs": (KerasClassifier(epochs=1), np.stack([WORDS, WORDS[::-1]], 1)),
    "indicators": (KerasClassifier(epochs=1), (X > 0).astype(int)),
    "default regressor": (KerasRegressor(epochs=1), 1000 + X[:, 0]),
    "network": (
        KerasRegressor(network(), random_state=np.random.RandomState(3)),
        X[:, 0],
    ),
    "transformer": (KerasTransformer(epochs=1, n_components=2), None),
    "Keras's": (SKLearnClassifier(create_for, fit_kwargs={"epochs": 1}), WORDS),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_comes_back(tmp_path, name):
    estimator, y = ESTIMATORS[name]
    estimator = clone(estimator)
    if name == "network":
        estimator.set_params(model=network())
    estimator.fit(pd.DataFrame(X, columns=list("abc")), y)
    estimator.save(tmp_path / "e.keras")
    loaded = type(estimator).load(tmp_path / "e.keras")
    frame = pd.DataFrame(X, columns=list("abc"))
    for method in ("predict", "predict_proba", "transform"):
        if hasattr(estimator, method):
            expected = getattr(estimator, method)(frame)
            found = getattr(loaded, method)(frame)
            np.testing.assert_array_equal(found, expected)
            if isinstance(expected, np.ndarray):
                assert found.dtype == expected.dtype
    learned = {n for n in vars(estimator) if n.endswith("_")}
    assert {n for n in vars(loaded) if n.endswith("_")} == learned
    assert loaded.history_ == estimator.history_
    assert loaded.feature_names_in_.tolist() == list("abc")
    for parameter, value in estimator.get_params(deep=False).items():
        found = getattr(loaded, parameter)
        if isinstance(value, int | float | str | dict | type | None):
            assert found == value
    # The network in it is a model of Keras.
    model = keras.saving.load_model(tmp_path / "e.keras")
    assert model.count_params() == estimator.model_.count_params()


def test_it_is_fitted_again_with_its_builder(tmp_path):
    estimator = KerasClassifier(create, units=5, random_state=0).fit(X, WORDS)
    estimator.save(tmp_path / "e.keras")
    loaded = KerasClassifier.load(tmp_path / "e.keras")
    for fit in (loaded.fit, clone(loaded).fit, loaded.partial_fit):
        with pytest.raises(ValueError, match=r"parameter `model` \(`create`\) is miss"):
            fit(X, WORDS)
    given = KerasClassifier.load(tmp_path / "e.keras", model=create)
    later = loaded.set_params(model=create)
    expected = estimator.fit(X, WORDS).predict_proba(X)
    for again in (given, later):
        np.testing.assert_array_equal(again.fit(X, WORDS).predict_proba(X), expected)
    assert given.units == 5


def test_training_continues(tmp_path):
    estimator = KerasRegressor(network, warm_start=True, random_state=0)
    estimator.fit(X, X[:, 0])
    estimator.save(tmp_path / "e.keras")
    loaded = KerasRegressor.load(tmp_path / "e.keras", model=network)
    expected = estimator.fit(X, X[:, 0]).predict(X)
    np.testing.assert_array_equal(loaded.fit(X, X[:, 0]).predict(X), expected)
    assert loaded.current_epoch == 2


def test_an_unfitted_estimator(tmp_path):
    KerasRegressor(epochs=3, random_state=1).save(tmp_path / "e.keras")
    loaded = KerasRegressor.load(tmp_path / "e.keras")
    assert loaded.epochs == 3
    assert not loaded.initialized_
    loaded.fit(X, X[:, 0])


def test_what_the_file_cannot_hold_is_told(tmp_path):
    estimator = KerasRegressor(network, callbacks=[stop()], epochs=1).fit(X, X[:, 0])
    with pytest.warns(UserWarning, match=r"cannot hold callbacks \(`list`\)"):
        estimator.save(tmp_path / "e.keras")
    loaded = KerasRegressor.load(tmp_path / "e.keras", model=network)
    with pytest.raises(ValueError, match="parameter `callbacks`"):
        loaded.fit(X, X[:, 0])
    KerasRegressor.load(tmp_path / "e.keras", model=network, callbacks=[stop()]).fit(
        X, X[:, 0]
    )


def test_a_fresh_process(tmp_path):
    estimator = KerasClassifier(create, random_state=0).fit(X, WORDS)
    estimator.save(tmp_path / "e.keras")
    np.save(tmp_path / "x.npy", X)
    code = (
        "import pathlib, sys, numpy as np\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "from hornbeam.wrappers import KerasClassifier\n"
        "e = KerasClassifier.load(folder / 'e.keras')\n"
        "x = np.load(folder / 'x.npy')\n"
        "np.save(folder / 'y.npy', e.predict_proba(x))\n"
        "print(e.classes_.tolist(), e.n_features_in_)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True
    )
    assert out.stdout.strip() == "['no', 'yes'] 3", out.stderr
    # The other process computes with the default engine.
    expected = estimator.predict_proba(X)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, atol=1e-6)


def changed(path, change):
    """Change the document in a file of an estimator."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    document = json.loads(members["estimator.json"])
    change(document)
    members["estimator.json"] = json.dumps(document)
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)


def array(dtype, shape, values=()):
    return {"kind": "array", "value": [dtype, shape, list(values)]}


CHANGES = {
    "method": (lambda d: d["parameters"].update(fit=1), "parameter 'fit'"),
    "private": (lambda d: d["parameters"].update(_x=1), "parameter '_x'"),
    "learned": (lambda d: d["learned"].update(initialized_=1), "attribute 'initial"),
    "size": (
        lambda d: d["learned"].update(classes_=array("<f8", [10**9])),
        "larger than the file",
    ),
    "wide": (
        lambda d: d["learned"].update(classes_=array("<U90000000", [1], ["a"])),
        "too large",
    ),
    "dtype": (lambda d: d["learned"].update(classes_=array("V8", [0])), "dtype 'V8'"),
    "class": (
        lambda d: d["parameters"].update(
            loss={"kind": "class", "value": ["utils", "get_file"]}
        ),
        "names the class",
    ),
    "kind": (lambda d: d["learned"].update(x_={"kind": "os", "value": 1}), "damaged"),
    "count": (lambda d: d["learned"].update(x_=array("<f8", [2])), "damaged"),
    "no parameters": (lambda d: d.pop("parameters"), "damaged"),
    "another class": (
        lambda d: d.update(class_name="KerasRegressor"),
        r"holds a KerasRegressor: load it with `KerasRegressor\.load\(\)`",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changed_files_are_refused(tmp_path, name):
    KerasClassifier(epochs=1).save(tmp_path / "e.keras")
    change, message = CHANGES[name]
    changed(tmp_path / "e.keras", change)
    with pytest.raises(ValueError, match=message) as error:
        KerasClassifier.load(tmp_path / "e.keras")
    is_damaged = message == "damaged" or name == "another class"
    assert isinstance(error.value, UnsafeFileError) != is_damaged
    if name == "another class":
        assert "damaged" not in str(error.value)


def test_other_files(tmp_path):
    network().save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="holds no estimator"):
        KerasClassifier.load(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="must end in '.keras'"):
        KerasClassifier().save(tmp_path / "m.pkl")
    with pytest.raises(FileExistsError):
        KerasClassifier().save(tmp_path / "m.keras", overwrite=False)


def test_attributes_that_are_no_data(tmp_path):
    estimator = KerasClassifier(epochs=1).fit(X, WORDS)
    estimator.scaler_ = object()
    with pytest.raises(TypeError, match="its attribute `scaler_` is no data"):
        estimator.save(tmp_path / "e.keras")
    assert not list(tmp_path.iterdir())
