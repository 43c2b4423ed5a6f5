"""The estimators on all kinds of data; copies of them; seeds."""

import copy
import io
import pickle
import random

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import hornbeam as keras
from hornbeam import backends
from hornbeam.wrappers import KerasClassifier, KerasRegressor, KerasTransformer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("float32")
Y = (X[:, 0] > 0).astype(int)
WORDS = np.array(["no", "yes"])[Y]
THREE = np.digitize(X[:, 0], [-0.4, 0.4])
FITS = {"epochs": 60, "optimizer__learning_rate": 0.03, "random_state": 0}


@pytest.fixture
def nothing_is_compiled():
    with backends.scope("torch"):
        yield


def create(meta, units=12):
    inputs = keras.Input(meta["X_shape_"][1:])
    hidden = keras.layers.Dense(units, "relu")(inputs)
    outputs = [keras.layers.Dense(n, a)(hidden) for n, a in meta["output_layers_"]]
    return keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0])


def one_number(meta):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])


TARGETS = {
    "numbers": Y,
    "words": WORDS,
    "booleans": Y.astype(bool),
    "three": THREE,
    "three words": np.array(["a", "b", "c"])[THREE],
    "labels": (X[:, :3] > 0).astype(int),
    "one-hot": np.eye(3, dtype=int)[THREE],
    "columns": np.stack([THREE, Y], axis=1),
    "columns of words": np.stack([np.array(["a", "b", "c"])[THREE], WORDS], axis=1),
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets_of_a_classifier(name, nothing_is_compiled):
    y = TARGETS[name]
    found = KerasClassifier(create, **FITS).fit(X, y)
    predicted = found.predict(X)
    assert predicted.shape == y.shape and predicted.dtype == y.dtype
    assert np.mean(predicted == y) > 0.9
    assert found.score(X, y) == np.mean((predicted == y).reshape(60, -1).all(axis=1))
    proba = found.predict_proba(X)
    for part, logs in zip(
        *(
            x if isinstance(x, list) else [x]
            for x in (proba, found.predict_log_proba(X))
        ),
        strict=True,
    ):
        np.testing.assert_allclose(np.exp(logs), part, rtol=1e-5)
    if name.startswith("columns"):
        for column, classes, part in zip(y.T, found.classes_, proba, strict=True):
            assert classes.tolist() == np.unique(column).tolist()
            np.testing.assert_allclose(part.sum(axis=1), 1, atol=1e-5)
    elif y.ndim == 1:
        assert found.classes_.tolist() == np.unique(y).tolist()
        np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
        assert (found.classes_[proba.argmax(axis=1)] == predicted).all()
    else:
        np.testing.assert_array_equal(proba > 0.5, predicted == 1)


def test_a_softmax_with_one_hot_targets_predicts_one_label(nothing_is_compiled):
    def build():
        last = keras.layers.Dense(3, "softmax")
        model = keras.Sequential([keras.layers.Dense(12, "relu"), last])
        model.compile("adam", "categorical_crossentropy")
        return model

    found = KerasClassifier(build, **(FITS | {"epochs": 2})).fit(X, np.eye(3)[THREE])
    assert (found.predict(X).sum(axis=1) == 1).all()
    best = found.predict_proba(X).argmax(axis=1)
    np.testing.assert_array_equal(found.predict(X).argmax(axis=1), best)


@pytest.mark.parametrize("y", [X[:, 0], X[:, :1] + 1, X[:, :3]], ids=["1", "n1", "n3"])
def test_targets_of_a_regressor(y, nothing_is_compiled):
    found = KerasRegressor(create, **FITS).fit(X, y)
    predicted = found.predict(X)
    assert predicted.shape == y.shape and found.score(X, y) > 0.8
    np.testing.assert_allclose(found.score(X, y), r2_score(y, predicted))


@pytest.mark.parametrize("loss", ["hinge", None], ids=["margins", "logits"])
def test_decision_function(loss, nothing_is_compiled):
    unfitted = KerasClassifier(one_number, loss=loss, **FITS)
    assert not hasattr(unfitted, "decision_function")
    found = unfitted.fit(X, WORDS)
    decision = found.decision_function(X)
    np.testing.assert_array_equal(decision > 0, found.predict(X) == "yes")
    assert hasattr(found, "predict_proba") is (loss is None)
    if loss is None:
        expected = 1 / (1 + np.exp(-decision.astype(np.float64)))
        np.testing.assert_allclose(found.predict_proba(X)[:, 1], expected, rtol=1e-5)
    assert not hasattr(KerasClassifier(create).initialize(X, Y), "decision_function")


def test_targets_that_do_not_fit_the_network(nothing_is_compiled):
    with pytest.raises(ValueError, match="3 classes, and the network gives one number"):
        KerasClassifier(one_number, loss="binary_crossentropy").fit(X, THREE)
    with pytest.raises(
        ValueError, match=r"2 number\(s\) per row, and the network gives 1"
    ):
        KerasRegressor(one_number).fit(X, X[:, :2])
    with pytest.raises(ValueError, match="Unknown label type"):
        KerasClassifier(create).fit(X, X[:, 0])
    found = KerasClassifier(create).fit(X, Y)
    with pytest.raises(ValueError, match="labels that were not among the classes"):
        found.partial_fit(X, Y + 1)


def test_bad_rows(nothing_is_compiled):
    with pytest.raises(NotFittedError):
        KerasClassifier(create).predict(X)
    found = KerasClassifier(create).fit(X, Y)
    for rows, message in [(X[:, :2], "2 features"), (X * np.nan, "NaN")]:
        with pytest.raises(ValueError, match=message):
            found.predict(rows)


def test_frames_and_sparse_rows(nothing_is_compiled):
    frame = pd.DataFrame(X, columns=list("abcd"))
    found = KerasClassifier(create, random_state=0).fit(frame, pd.Series(WORDS))
    assert found.feature_names_in_.tolist() == list("abcd")
    assert found.n_features_in_ == 4
    with pytest.raises(ValueError, match="feature names"):
        found.predict(frame[list("dcba")])
    expected = KerasClassifier(create, random_state=0).fit(X, WORDS).predict_proba(X)
    np.testing.assert_array_equal(found.predict_proba(frame), expected)
    for form in (sparse.csr_matrix, sparse.csr_array):
        rows = form(X)
        thin = KerasClassifier(
            create, random_state=0, fit__validation_data=(rows, WORDS)
        )
        np.testing.assert_array_equal(
            thin.fit(rows, WORDS).predict_proba(rows), expected
        )


@pytest.mark.parametrize("is_adapted", [True, False])
def test_normalization_keeps_what_it_has_learned(is_adapted, nothing_is_compiled):
    layer = keras.layers.Normalization()
    model = keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(1)])
    if is_adapted:
        layer.adapt(X + 3)
    found = KerasRegressor(model).fit(X[:30], X[:30, 0]).model_.layers[0]
    seen = X + 3 if is_adapted else X[:30]
    np.testing.assert_allclose(found.adapt_mean.numpy(), seen.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(found.adapt_variance.numpy(), seen.var(0), rtol=1e-4)


def test_class_weight_is_a_weight_of_rows(nothing_is_compiled):
    weights = {"no": 1.0, "yes": 5.0}
    rows = np.where(Y, 5.0, 1.0)

    def proba(y=WORDS, sample_weight=None, **parameters):
        estimator = KerasClassifier(create, **(FITS | {"epochs": 3}), **parameters)
        # The seed follows from the weights given to `fit`, too.
        estimator._seed = lambda *_: 7
        return estimator.fit(X, y, sample_weight=sample_weight).predict_proba(X)

    expected = proba(sample_weight=rows)
    np.testing.assert_allclose(proba(class_weight=weights), expected, rtol=1e-5)
    rows = 60 / 2 / np.bincount(Y)[Y]
    balanced = proba(class_weight="balanced", sample_weight=np.full(60, 2.0))
    np.testing.assert_allclose(balanced, proba(sample_weight=2 * rows), rtol=1e-5)
    with pytest.raises(ValueError, match="yes"):
        proba(class_weight={"no": 1.0, "yess": 2.0})


def two_outputs(meta):
    inputs = keras.Input((4,))
    three = keras.layers.Dense(3, "softmax", name="three")(inputs)
    word = keras.layers.Dense(1, "sigmoid", name="word")(inputs)
    return keras.Model(inputs, [three, word])


def test_class_weight_by_output(nothing_is_compiled):
    loss = ["sparse_categorical_crossentropy", "binary_crossentropy"]
    given = {"optimizer": "sgd", "optimizer__learning_rate": 0.0, "loss": loss}
    y = np.stack([THREE, Y], axis=1)
    rows = np.linspace(0.5, 1.5, 60)

    def losses(class_weight):
        estimator = KerasClassifier(two_outputs, class_weight=class_weight, **given)
        estimator.fit(X, y, sample_weight=rows, batch_size=60)
        three, word = estimator.predict_proba(X)
        each = (-np.log(three[range(60), THREE]), -np.log(word[range(60), Y]))
        names = ("three_loss", "word_loss")
        return [estimator.history_[name][0] for name in names], each

    counts = np.bincount(THREE, weights=rows)
    balanced = rows.sum() / 3 / counts[THREE]
    for class_weight, weights in [
        ({"word": {1: 4.0}}, (1.0, np.where(Y, 4.0, 1.0))),
        ({"three": "balanced", "word": {0: 2.0, 1: 3.0}}, (balanced, 2.0 + Y)),
    ]:
        found, each = losses(class_weight)
        expected = [np.mean(rows * w * e) for w, e in zip(weights, each, strict=True)]
        np.testing.assert_allclose(found, expected, rtol=1e-4)
    with pytest.raises(ValueError, match="names no output.*Did you mean 'word'"):
        losses({"wrod": {0: 1.0}})


def test_rows_of_weight_zero_are_not_learned(nothing_is_compiled):
    found = KerasClassifier(create, **FITS).fit(X, WORDS, sample_weight=1.0 - Y)
    assert (found.predict(X) == "no").mean() > 0.9


def test_metadata_routing(nothing_is_compiled):
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = KerasClassifier(create, **FITS)
        estimator.set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, estimator)
        pipeline.fit(X, WORDS, sample_weight=1.0 - Y)
        assert (pipeline.predict(X) == "no").mean() > 0.9
        refusing = KerasClassifier(create, **FITS).set_fit_request(sample_weight=False)
        with pytest.raises(TypeError, match="sample_weight"):
            make_pipeline(scaler, refusing).fit(X, WORDS, sample_weight=1.0 - Y)


def test_the_course_of_training(nothing_is_compiled):
    estimator = KerasClassifier(create, epochs=2, random_state=0, warm_start=True)
    network = estimator.fit(X, Y).model_
    assert estimator.fit(X, Y).model_ is network
    assert estimator.current_epoch == len(estimator.history_["loss"]) == 4
    assert estimator.set_params(warm_start=False).fit(X, Y).model_ is not network
    assert estimator.current_epoch == estimator.n_iter_ == 2
    made = KerasClassifier(create).initialize(X, WORDS)
    network = made.model_
    assert made.current_epoch == 0 and set(made.predict(X)) <= {"no", "yes"}
    assert made.partial_fit(X, WORDS).partial_fit(X, WORDS).model_ is network
    assert made.current_epoch == 2
    first = KerasClassifier(create).partial_fit(X[Y == 0], WORDS[Y == 0], ["no", "yes"])
    assert first.partial_fit(X, WORDS).classes_.tolist() == ["no", "yes"]


@pytest.mark.parametrize("cls", [KerasClassifier, KerasRegressor])
def test_early_stopping_keeps_rows_apart(cls, nothing_is_compiled):
    given = {"early_stopping": True, "n_iter_no_change": 2, "validation_fraction": 0.25}
    found = cls(create, **(FITS | {"epochs": 300}), **given).fit(X, Y)
    losses = found.history_["val_loss"]
    assert len(losses) == found.n_iter_ < 300
    assert min(losses) == losses[-3] and found.score(X, Y) > 0.6


def test_a_fit_follows_from_random_state_and_data(training_engine):
    estimator = KerasClassifier(create, epochs=2, random_state=5)
    expected = estimator.fit(X, Y).predict_proba(X)
    keras.utils.set_random_seed(123)
    random.random(), np.random.rand()
    again = clone(estimator).fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    state = np.random.get_state()[1].copy()
    other = estimator.set_params(random_state=6).fit(X, Y)
    assert not np.array_equal(other.predict_proba(X), expected)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def through_joblib(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


COPIES = {
    "pickle": lambda e: pickle.loads(pickle.dumps(e)),
    "cloudpickle": lambda e: cloudpickle.loads(cloudpickle.dumps(e)),
    "joblib": through_joblib,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("way", COPIES)
def test_copies_predict_and_train_on_alike(way, training_engine):
    with backends.scope("torch" if way != "pickle" else training_engine.name):
        stop = keras.callbacks.EarlyStopping(monitor="loss")
        given = {"optimizer": keras.optimizers.SGD(0.1), "callbacks": [stop]}
        estimator = KerasClassifier(create, metrics=["AUC"], random_state=0, **given)
        expected = clone(estimator).fit(X, WORDS)
        found = COPIES[way](estimator).fit(X, WORDS)
        for _ in range(2):
            proba = expected.predict_proba(X)
            np.testing.assert_array_equal(found.predict_proba(X), proba)
            found = COPIES[way](found)
            np.testing.assert_array_equal(found.predict_proba(X), proba)
            assert found.history_ == expected.history_
            expected.partial_fit(X, WORDS)
            found.partial_fit(X, WORDS)


def test_a_fitted_estimator_predicts_on_its_own_engine(training_engine):
    found = KerasRegressor(create, random_state=0).fit(X, X[:, 0])
    expected = found.predict(X)
    other = "torch" if training_engine.name != "torch" else "jax"
    with backends.scope(other):
        np.testing.assert_array_equal(found.predict(X), expected)
        same = clone(found).fit(X, X[:, 0]).predict(X)
    np.testing.assert_allclose(same, expected, atol=1e-4)


def test_transformer(nothing_is_compiled):
    found = KerasTransformer(n_components=3, epochs=60, random_state=0).fit(X)
    assert found.transform(X).shape == (60, 3)
    assert found.history_["loss"][-1] < 0.7 * found.history_["loss"][0]

    def build(meta):
        model = create(meta)
        model.layers[1].name = "hidden"
        return model

    found = KerasTransformer(build, output_layer="hidden", random_state=0)
    given = found.fit_transform(X, WORDS)
    kernel, bias = (w.numpy() for w in found.model_.layers[1].variables)
    np.testing.assert_allclose(given, np.maximum(X @ kernel + bias, 0), atol=1e-5)
    assert found.get_feature_names_out()[0] == "kerastransformer0"
    frame = clone(found).set_output(transform="pandas").fit_transform(X, WORDS)
    np.testing.assert_array_equal(frame.to_numpy(), given)
