"""Comparisons: intervals and tests beside SciPy's."""

import numpy as np
import pytest
from scipy import stats

import hornbeam as keras
from hornbeam import tuning

RANDOM = np.random.default_rng(0)
SCORES = {
    "a": RANDOM.normal(0.9, 0.02, 8).tolist(),
    "b": RANDOM.normal(0.8, 0.02, 8).tolist(),
    "c": RANDOM.normal(0.9, 0.02, 8).tolist(),
}


def test_intervals_and_p_values_are_those_of_scipy():
    found = tuning.Comparison("val_accuracy", "max", SCORES)
    for row in found.table():
        values = SCORES[row["name"]]
        low, high = stats.t.interval(
            0.95, 7, loc=np.mean(values), scale=stats.sem(values)
        )
        assert (row["low"], row["high"]) == pytest.approx((low, high))
    pairs = {
        frozenset(pair): stats.ttest_rel(*(SCORES[name] for name in pair))
        for pair in (("a", "b"), ("a", "c"), ("b", "c"))
    }
    p_values = sorted(result.pvalue for result in pairs.values())
    holm = np.maximum.accumulate([p * (3 - i) for i, p in enumerate(p_values)])
    differences = found.differences
    assert [d.p_value for d in differences] == pytest.approx(np.minimum(holm, 1))
    for difference in differences:
        result = pairs[frozenset((difference.better, difference.worse))]
        low, high = sorted(map(abs, result.confidence_interval(0.95)))
        if difference.is_real:
            assert (difference.low, difference.high) == pytest.approx((low, high))
    assert [d.is_real for d in differences] == [True, True, False]
    assert differences[0].worse == differences[1].worse == "b"
    text = repr(found)
    assert "is better than b by" in text and "no difference is shown" in text


def test_shared_rows_widen_the_intervals():
    # Nadeau and Bengio 2003: the variance of the mean is (1/n + n2/n1) s^2.
    difference = np.array(SCORES["a"]) - np.array(SCORES["b"])
    found = tuning.Comparison(
        "loss", "min", {"a": SCORES["a"], "b": SCORES["b"]}, overlap=0.25
    )
    t = difference.mean() / np.sqrt(difference.var(ddof=1) * (1 / 8 + 0.25))
    (one,) = found.differences
    assert one.p_value == pytest.approx(2 * stats.t.sf(abs(t), 7))
    assert (one.better, found.best) == ("b", "b")


def test_networks_are_trained_on_the_same_rows():
    x = RANDOM.normal(size=(60, 3)).astype("float32")
    y = x[:, :1] ** 2

    def network(units):
        def build():
            model = keras.Sequential(
                [
                    keras.Input((3,)),
                    keras.layers.Dense(units, activation="relu"),
                    keras.layers.Dense(1),
                ]
            )
            model.compile(keras.optimizers.Adam(0.03), "mse")
            return model

        return build

    builds = {"four": network(4), "again": network(4), "wide": network(32)}
    found = tuning.compare(builds, (x, y), seeds=3, epochs=4)
    assert found.scores["four"] == found.scores["again"]
    assert len(set(found.scores["four"])) == 3
    assert found.best == "wide" and found.overlap == pytest.approx(12 / 48)
    same = [d for d in found.differences if {d.better, d.worse} == {"four", "again"}]
    assert same[0].p_value == 1 and not same[0].is_real
    with pytest.raises(ValueError, match="at least two functions"):
        tuning.compare({"a": network(1)}, (x, y))


def test_names_may_be_numbers():
    found = tuning.Comparison("loss", "min", {2: SCORES["a"], 16: SCORES["a"]})
    assert "no difference is shown between 2 and 16" in repr(found)
    found = tuning.Comparison(
        "loss", "min", {2: [1.0, 2.0], "b": [1.0, 2.0], 3: [1, 2]}
    )
    assert {row["name"] for row in found.table()} == {2, "b", 3}
    assert len(found.differences) == 3


def test_arguments_that_are_of_data_and_validation_are_refused():
    def build():
        raise AssertionError

    builds = {"a": build, "b": build}
    rows = np.zeros((8, 1))
    with pytest.raises(TypeError, match="Pass `validation=0.2`"):
        tuning.compare(builds, (rows, rows), validation_split=0.5)
    with pytest.raises(TypeError, match="no argument `verbose`"):
        tuning.compare(builds, (rows, rows), verbose=0)
    with pytest.raises(ValueError, match="`data` of compare.*Received: a zip"):
        tuning.compare(builds, zip(rows, rows, strict=True))


def test_what_became_nan_is_not_compared():
    found = tuning.Comparison("loss", "min", {"a": [1.0, float("nan")], "b": [1.0, 2]})
    assert "cannot be compared: a score is NaN" in repr(found)
