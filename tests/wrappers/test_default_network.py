"""The default network: weights are frequencies, and how long it is trained."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_squared_error

import hornbeam as keras
from hornbeam import backends
from hornbeam.wrappers import KerasClassifier, KerasRegressor, KerasTransformer

RNG = np.random.default_rng(1)
X = RNG.normal(size=(450, 3)).astype("float32")
SCORE = X @ [1.0, -1.0, 0.5] + RNG.normal(size=450)
LABELS = np.array(["a", "b", "c"])[np.digitize(SCORE, [-0.7, 0.7])]
WEIGHT = RNG.integers(0, 5, 450)
REPEATED = np.repeat(np.arange(450), WEIGHT)
ESTIMATORS = {
    "classifier": (KerasClassifier, LABELS, "predict_proba"),
    "two classes": (KerasClassifier, LABELS == "a", "predict_proba"),
    "balanced": (
        lambda **given: KerasClassifier(class_weight="balanced", **given),
        LABELS,
        "predict_proba",
    ),
    "regressor": (KerasRegressor, SCORE, "predict"),
    "several numbers": (KerasRegressor, np.stack([SCORE, -SCORE], 1), "predict"),
    "transformer": (KerasTransformer, SCORE, "transform"),
}


@pytest.fixture(autouse=True)
def nothing_is_compiled():
    with backends.scope("torch"):
        yield


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("rows", [60, 450], ids=["one batch", "batches"])
def test_weighted_and_repeated_rows_are_equal(kind, rows):
    make, y, method = ESTIMATORS[kind]
    estimator = make(epochs=2, random_state=0)
    repeated = REPEATED[REPEATED < rows]
    estimator.fit(X[repeated], y[repeated])
    expected = getattr(estimator, method)(X)
    order = np.random.default_rng(2).permutation(rows)
    for factor in (1, 0.25):
        weight = factor * WEIGHT[order]
        estimator.fit(X[order], y[order], sample_weight=weight)
        np.testing.assert_array_equal(getattr(estimator, method)(X), expected)


def test_the_loss_is_the_weighted_mean():
    given = {"optimizer": "sgd", "optimizer__learning_rate": 0.0, "epochs": 1}
    rows, weight = slice(0, 60), RNG.random(60) + 0.1
    found = KerasClassifier(**given).fit(X[rows], LABELS[rows], sample_weight=weight)
    proba = found.predict_proba(X[rows])
    expected = log_loss(LABELS[rows], proba, sample_weight=weight)
    assert found.history_["loss"] == [pytest.approx(expected, rel=1e-5)]
    found = KerasRegressor(**given).fit(X[rows], SCORE[rows], sample_weight=weight)
    mean = np.average(SCORE[rows], weights=weight)
    variance = np.average((SCORE[rows] - mean) ** 2, weights=weight)
    error = mean_squared_error(
        SCORE[rows], found.predict(X[rows]), sample_weight=weight
    )
    assert found.history_["loss"] == [pytest.approx(error / variance, rel=1e-5)]


def test_features_are_standardised_by_weight():
    rows, weight = slice(0, 60), RNG.random(60)
    images = X[:60, :, None] * [1.0, 2.0]
    for x in (X[rows], images):
        found = KerasRegressor(epochs=0).fit(x, SCORE[rows], sample_weight=weight)
        layer = found.model_.layers[1]
        values = x.reshape(60, -1, x.shape[-1]).astype(float)
        weights = np.broadcast_to(weight[:, None, None], values.shape)
        mean = np.average(values, axis=(0, 1), weights=weights)
        variance = np.average((values - mean) ** 2, axis=(0, 1), weights=weights)
        np.testing.assert_allclose(layer.adapt_mean.numpy(), mean, atol=1e-6)
        np.testing.assert_allclose(layer.adapt_variance.numpy(), variance, rtol=1e-5)


@pytest.mark.parametrize(
    ("rows", "given", "steps"),
    [
        (60, {}, 500),
        (450, {}, 200 * 3),
        (450, {"batch_size": 225, "epochs": 2}, 4),
        (60, {"batch_size": 2}, 200 * 30),
    ],
)
def test_how_long_it_is_trained(rows, given, steps):
    found = KerasRegressor(hidden_layer_sizes=(2,), **given)
    counter = []

    class Counts(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            counter.append(int(self.model.optimizer.iterations))
            self.model.stop_training = self.params["epochs"] > 3

    found.fit(X[:rows], SCORE[:rows], callbacks=[Counts()])
    assert counter[0] * found.model_.history.params["epochs"] == steps


def test_a_network_of_the_user_gets_weights_and_batches_as_in_keras():
    def create():
        return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])

    given = {"optimizer": "sgd", "optimizer__learning_rate": 0.0}
    weight = 2.0 * WEIGHT[:60]
    found = KerasRegressor(create, **given)
    found.fit(X[:60], SCORE[:60], sample_weight=weight)
    assert int(found.model_.optimizer.iterations) == 2
    error = np.mean(weight * (found.predict(X[:60]) - SCORE[:60]) ** 2)
    assert found.history_["loss"] == [pytest.approx(error, rel=1e-5)]


def test_rows_keep_their_places_where_the_order_says_something():
    ones = np.ones(20)
    y = np.r_[np.zeros(10), ones[:10]]
    given = {"epochs": 1, "validation_split": 0.5, "random_state": 0}
    found = KerasRegressor(**given, optimizer__learning_rate=0.0, optimizer="sgd")
    found.fit(np.c_[ones], y)
    predicted = found.predict([[1.0]])[0]
    expected = (predicted - 1) ** 2 / y.var()
    assert found.history_["val_loss"] == [pytest.approx(expected, rel=1e-5)]
    stopped = KerasClassifier(early_stopping=True, epochs=2)
    assert len(stopped.fit(np.c_[y], y > 0).history_["val_loss"]) == 2


def test_weights_without_a_row():
    with pytest.raises(ValueError, match="zero"):
        KerasClassifier().fit(X, LABELS, sample_weight=np.zeros(450))
