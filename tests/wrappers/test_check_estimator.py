"""scikit-learn's own checks of estimators."""

import warnings
from collections import Counter

import pytest
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

import hornbeam as keras
from hornbeam import backends
from hornbeam.wrappers import (
    KerasClassifier,
    KerasRegressor,
    KerasTransformer,
    SKLearnClassifier,
    SKLearnRegressor,
    SKLearnTransformer,
)

pytestmark = pytest.mark.slow


def build(X, y, activation="linear", loss="mse"):
    last = keras.layers.Dense(y.shape[1], activation)
    model = keras.Sequential(
        [keras.Input(X.shape[1:]), keras.layers.Dense(16, "relu"), last]
    )
    model.compile(keras.optimizers.Adam(0.05), loss)
    return model


SOFTMAX = {"activation": "softmax", "loss": "categorical_crossentropy"}
ESTIMATORS = [
    KerasClassifier(optimizer=keras.optimizers.Adam(0.03), epochs=5),
    KerasRegressor(optimizer=keras.optimizers.Adam(0.03), epochs=5),
    KerasTransformer(epochs=2),
    SKLearnClassifier(build, model_kwargs=SOFTMAX, fit_kwargs={"epochs": 5}),
    SKLearnRegressor(build, fit_kwargs={"epochs": 5}),
    SKLearnTransformer(build, fit_kwargs={"epochs": 2}),
]

# These need a `decision_function` of probabilities, or the variable SCIPY_ARRAY_API.
SKIPPED = {
    "check_array_api_input",
    "check_classifiers_multilabel_output_format_decision_function",
    "check_estimators_unfitted",
}


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_all_checks_of_scikit_learn(estimator):
    """On torch, since every other shape is another compilation elsewhere."""
    with warnings.catch_warnings(), backends.scope("torch"):
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_skip=None)
    found = Counter(result["status"] for result in results)
    assert found["passed"] > 40
    names = {r["check_name"] for r in results if r["status"] == "skipped"}
    assert names <= SKIPPED


EQUIVALENCE = {
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
}
# What depends on how long, and in which batches, an estimator trains.
TRAINING = {"check_class_weight_classifiers", "check_regressors_int", *EQUIVALENCE}


@pytest.mark.parametrize("cls", [KerasClassifier, KerasRegressor, KerasTransformer])
def test_checks_of_training_as_the_estimators_come(cls):
    done = set()
    with warnings.catch_warnings(), backends.scope("torch"):
        warnings.simplefilter("ignore")
        for instance, check in estimator_checks_generator(cls()):
            name = check.func.__name__
            if name in TRAINING:
                check(instance)
                done.add(name)
    assert EQUIVALENCE <= done


SOME_CHECKS = {
    "check_fit_idempotent",
    "check_estimators_pickle",
    "check_methods_subset_invariance",
}


def test_checks_on_the_default_engine():
    estimator = KerasRegressor(epochs=2)
    done = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for instance, check in estimator_checks_generator(estimator):
            if check.func.__name__ in SOME_CHECKS:
                check(instance)
                done += 1
    assert done >= len(SOME_CHECKS)
