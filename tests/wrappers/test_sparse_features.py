"""Estimators on sparse rows: the results of dense ones, without a dense matrix."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse

import hornbeam as keras
from hornbeam.wrappers import KerasClassifier, KerasRegressor, KerasTransformer
from hornbeam.wrappers.distinct_rows import distinct, moments
from hornbeam.wrappers.seeds import digest

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(5)


def tfidf(rows, words, words_per_row=12):
    """Return rows of norm 1 with few entries, as a TF-IDF vectoriser gives them."""
    places = np.repeat(np.arange(rows), words_per_row)
    columns = RNG.zipf(1.3, rows * words_per_row) % words
    counts = (np.ones(len(places)), (places, columns))
    x = scipy.sparse.csr_array(counts, shape=(rows, words))
    x.sum_duplicates()
    norms = np.sqrt(x.multiply(x).sum(axis=1))
    return scipy.sparse.csr_array(scipy.sparse.diags_array(1 / norms) @ x)


X = tfidf(120, 40)
WEIGHT = X.toarray()[:, 1:4].sum(axis=1)
Y = (WEIGHT > np.median(WEIGHT)).astype(int)


def network(sparse=False):
    return keras.Sequential(
        [
            keras.Input((40,), sparse=sparse),
            keras.layers.Dense(4, "relu"),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )


@pytest.mark.parametrize("sparse", [False, True])
def test_a_network_of_the_user_s(sparse):
    """Whether its inputs are sparse or not."""
    dense = KerasClassifier(network, epochs=3, random_state=0).fit(X.toarray(), Y)
    thin = KerasClassifier(network, epochs=3, random_state=0, sparse=sparse).fit(X, Y)
    expected = dense.predict_proba(X.toarray())
    np.testing.assert_allclose(thin.predict_proba(X), expected, atol=1e-5)
    np.testing.assert_allclose(thin.predict_proba(X[:1]), expected[:1], atol=1e-5)
    assert thin.score(X, Y) == dense.score(X.toarray(), Y)
    assert thin.history_["loss"] == pytest.approx(dense.history_["loss"], rel=1e-4)


@pytest.mark.parametrize("form", ["csr_matrix", "coo_array", "csc_array"])
def test_default_networks(form):
    rows = getattr(scipy.sparse, form)(X)
    settings = {"epochs": 2, "random_state": 0, "early_stopping": form == "coo_array"}
    numbers = X.toarray()[:, 1]
    for kind, y in [(KerasClassifier, Y), (KerasRegressor, numbers)]:
        dense = kind(**settings).fit(X.toarray(), y)
        thin = kind(**settings).fit(rows, y)
        assert thin.score(rows, y) == pytest.approx(dense.score(X.toarray(), y))
    thin = KerasTransformer(epochs=1, random_state=0).fit_transform(rows)
    dense = KerasTransformer(epochs=1, random_state=0).fit_transform(X.toarray())
    np.testing.assert_allclose(thin, dense, atol=1e-4)


def test_normalization_is_adapted_to_sparse_rows():
    layers = [keras.layers.Normalization(), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((40,)), *layers])
    estimator = KerasRegressor(model, random_state=0).fit(X, Y)
    mean = estimator.model_.layers[0].adapt_mean.numpy()
    np.testing.assert_allclose(mean.ravel(), X.toarray().mean(axis=0), atol=1e-5)


def test_distinct_rows_moments_and_digests_are_those_of_dense_rows():
    rows = RNG.integers(0, len(Y), 200)
    x, y, weight = X[rows].astype("float32"), Y[rows], RNG.integers(0, 3, 200) * 1.0
    found, expected = distinct(x, y, weight), distinct(x.toarray(), y, weight)
    np.testing.assert_array_equal(found[0].toarray(), expected[0])
    for a, b in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_array_equal(a, b)
    for given in (None, weight):
        for a, b in zip(moments(x, given), moments(x.toarray(), given), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12)
    assert digest(x) == digest(x.toarray())


def test_memory_does_not_grow_with_the_dense_size():
    words = 30_000
    x = tfidf(1500, words)
    y = (np.arange(1500) % 2).astype(int)
    dense_bytes = 4 * 1500 * words

    def create():
        layers = [keras.layers.Dense(2, "relu"), keras.layers.Dense(1, "sigmoid")]
        return keras.Sequential([keras.Input((words,)), *layers])

    estimator = KerasClassifier(create, random_state=0)
    tracemalloc.start()
    try:
        estimator.fit(x, y).score(x, y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < dense_bytes / 6
