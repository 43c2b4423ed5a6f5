"""Keras's own estimators: its signatures, without writing into parameters."""

import inspect
import os
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

import hornbeam as keras
from hornbeam import backends, wrappers
from hornbeam.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("float32")
WORDS = np.array(["no", "yes"])[(X[:, 0] > 0).astype(int)]


@pytest.fixture(autouse=True)
def _nothing_is_compiled():
    with backends.scope("torch"):
        yield


def build(X, y, units=6, activation="softmax", loss="categorical_crossentropy"):
    hidden = keras.layers.Dense(units, "relu")
    last = keras.layers.Dense(y.shape[1], activation)
    model = keras.Sequential([keras.Input(X.shape[1:]), hidden, last])
    model.compile(keras.optimizers.Adam(0.05), loss)
    return model


def classifier(**parameters):
    given = {"model_kwargs": {"units": 8}, "fit_kwargs": {"epochs": 5}}
    return SKLearnClassifier(build, **(given | parameters))


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["Classifier", "Regressor", "Transformer"])
def test_signatures_are_those_of_keras(name, monkeypatch):
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "jax")
    theirs = getattr(pytest.importorskip("keras").wrappers, f"SKLearn{name}")
    ours = getattr(wrappers, f"SKLearn{name}")
    for method in ("__init__", "fit"):
        expected = inspect.signature(getattr(theirs, method))
        found = inspect.signature(getattr(ours, method))
        plain = [p.replace(annotation=p.empty) for p in found.parameters.values()]
        assert plain == list(expected.parameters.values())
    for method in ("predict", "transform", "decision_function"):
        assert hasattr(ours, method) or not hasattr(theirs, method)


def test_clone_keeps_everything():
    found = clone(classifier(warm_start=True)).fit(X, WORDS)
    assert found.fit_kwargs == {"epochs": 5} and found.model_kwargs == {"units": 8}
    assert found.warm_start is True and found.epoch_ == 5
    assert found.model_.layers[0].units == 8


def test_fit_writes_into_no_parameter():
    estimator = classifier()
    weights = np.ones(60)
    estimator.fit(X, WORDS, batch_size=64, sample_weight=weights)
    assert estimator.fit_kwargs == {"epochs": 5}
    assert estimator.fit(X[:50], WORDS[:50]).epoch_ == 5
    model = build(X, np.eye(2))
    before = [w.numpy().copy() for w in model.variables]
    SKLearnClassifier(model, fit_kwargs={"epochs": 2}).fit(X, WORDS)
    for value, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(value, variable.numpy())


def test_what_the_builder_sees():
    seen = []

    def look(X, y, **kwargs):
        seen.append((X.shape, y.copy()))
        return build(X, y, **kwargs)

    SKLearnClassifier(look).fit(X, WORDS)
    expected = (WORDS[:, None] == np.array(["no", "yes"])).astype(float)
    assert seen[0][0] == (60, 4)
    np.testing.assert_array_equal(seen[0][1], expected)
    plain = {"activation": "linear", "loss": "mse"}
    SKLearnRegressor(look, model_kwargs=plain).fit(X, X[:, 0])
    np.testing.assert_array_equal(seen[1][1], X[:, :1])


def test_predictions_and_warm_start():
    found = classifier(fit_kwargs={"epochs": 30}, warm_start=True).fit(X, WORDS)
    predicted = found.predict(X)
    assert found.score(X, WORDS) == np.mean(predicted == WORDS) > 0.9
    proba, decision = found.predict_proba(X), found.decision_function(X)
    np.testing.assert_allclose(proba[:, 1] - proba[:, 0], decision, atol=1e-6)
    np.testing.assert_array_equal(decision > 0, predicted == "yes")
    network = found.model_
    assert found.fit(X, WORDS).model_ is network and found.epoch_ == 60
    copied = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(copied.predict_proba(X), found.predict_proba(X))


def test_regressor_and_transformer():
    plain = {"activation": "linear", "loss": "mse"}
    given = {"model_kwargs": plain, "fit_kwargs": {"epochs": 60}}
    assert SKLearnRegressor(build, **given).fit(X, X[:, 0]).score(X, X[:, 0]) > 0.8
    found = SKLearnTransformer(build, **given).fit(X, X[:, :2])
    assert found.transform(X).shape == (60, 2)
    np.testing.assert_allclose(found.predict(X), found.transform(X), rtol=1e-6)


def test_searches_reach_the_epochs():
    """With one epoch, as after a clone in Keras, the scores would be near chance."""
    scores = cross_val_score(classifier(fit_kwargs={"epochs": 30}), X, WORDS, cv=2)
    assert scores.mean() > 0.8
    grid = {"model_kwargs": [{"units": 2}, {"units": 8}], "fit_kwargs": [{"epochs": 7}]}
    found = GridSearchCV(classifier(), grid, cv=2).fit(X, WORDS)
    assert found.best_estimator_.epoch_ == 7
