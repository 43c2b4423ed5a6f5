"""Class weights as sample weights."""

import numpy as np
import pytest

from hornbeam.data import make_data

X = np.zeros((4, 1))
LABELS = np.array([0, 1, 1, 2])
TABLE = {0: 2.0, 1: 3.0, 2: 5.0}
BY_ROW = [2.0, 3.0, 3.0, 5.0]
ONE_HOT = np.eye(3)[LABELS]

# name, targets, class_weight, weights
ROWS = [
    ("integers", LABELS, TABLE, BY_ROW),
    ("floats", LABELS.astype("float32"), TABLE, BY_ROW),
    ("column", LABELS[:, None], TABLE, BY_ROW),
    ("one-hot", ONE_HOT, TABLE, BY_ROW),
    ("one-hot integers", ONE_HOT.astype(int), TABLE, BY_ROW),
    ("soft", ONE_HOT * 0.7 + 0.1, TABLE, BY_ROW),
    ("bool", LABELS == 1, {0: 2.0, 1: 3.0}, [2.0, 3.0, 3.0, 2.0]),
    ("NumPy keys", LABELS, {np.int64(k): v for k, v in TABLE.items()}, BY_ROW),
    ("a class that is absent", LABELS, {**TABLE, 9: 7.0}, BY_ROW),
    ("time steps", np.tile(LABELS, (4, 1)), TABLE, [BY_ROW] * 4),
    ("time steps, one-hot", np.tile(ONE_HOT, (4, 1, 1)), TABLE, [BY_ROW] * 4),
    ("images", np.tile(LABELS, (4, 2, 1))[..., None], TABLE, [[BY_ROW] * 2] * 4),
    ("balanced", LABELS, "balanced", [4 / 3, 2 / 3, 2 / 3, 4 / 3]),
    ("balanced one-hot", ONE_HOT, "balanced", [4 / 3, 2 / 3, 2 / 3, 4 / 3]),
]


@pytest.mark.parametrize(
    ("y", "table", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS]
)
def test_weights(y, table, expected):
    weights = make_data(X, y, class_weight=table).arrays[2]
    assert weights.dtype == "float32"
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_balanced_is_that_of_scikit_learn():
    from sklearn.utils.class_weight import compute_sample_weight

    y = np.random.default_rng(0).integers(0, 5, 100)
    weights = make_data(np.zeros(100), y, class_weight="balanced").arrays[2]
    np.testing.assert_allclose(weights, compute_sample_weight("balanced", y), rtol=1e-6)


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_it_multiplies_sample_weight(shape):
    given = np.arange(4.0).reshape(shape)
    weights = make_data(X, LABELS, given, class_weight=TABLE).arrays[2]
    np.testing.assert_allclose(weights, np.arange(4) * BY_ROW)


def test_rows_weights_spread_over_time_steps():
    y = np.tile(LABELS, (4, 1))
    weights = make_data(X, y, np.arange(4.0), class_weight=TABLE).arrays[2]
    np.testing.assert_allclose(weights, np.arange(4)[:, None] * np.array([BY_ROW] * 4))


@pytest.mark.parametrize("targets", [dict, list])
def test_several_outputs(targets):
    y = {"kind": LABELS, "size": np.zeros(4)}
    y = y if targets is dict else list(y.values())
    names = None if targets is dict else ["kind", "size"]
    data = make_data(X, y, class_weight={"kind": TABLE}, output_names=names)
    weights = data.arrays[2]
    assert type(weights) is targets
    kind, size = weights.values() if targets is dict else weights
    np.testing.assert_allclose(kind, BY_ROW)
    np.testing.assert_allclose(size, 1.0)


def test_balanced_of_one_of_several_outputs_and_weights_of_rows():
    y = {"kind": LABELS, "side": LABELS == 1}
    data = make_data(X, y, np.full(4, 2.0), class_weight={"side": "balanced"})
    np.testing.assert_allclose(data.arrays[2]["kind"], 2.0)
    np.testing.assert_allclose(data.arrays[2]["side"], 2.0)


TWO = {"kind": LABELS, "size": LABELS}
ERRORS = [
    ("missing class", LABELS, {0: 1.0, 1: 1.0}, ("[2]", "[0, 1]")),
    ("two outputs", TWO, TABLE, ("'kind'", "output name")),
    ("unknown output", TWO, {"knd": TABLE}, ("'knd'", "Did you mean 'kind'")),
    ("list", LABELS, [1.0, 2.0, 3.0], ("balanced",)),
    ("word", LABELS, "even", ("'even'", "balanced")),
    ("key", LABELS, {"a": 1.0}, ("'a'",)),
    ("columns", ONE_HOT, {**TABLE, 3: 1.0}, ("[3]", "3 columns")),
    ("not classes", LABELS + 0.5, TABLE, ("whole numbers",)),
    ("no targets", None, TABLE, ("no `y`",)),
]


@pytest.mark.parametrize(
    ("y", "table", "parts"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS]
)
def test_errors(y, table, parts):
    with pytest.raises(ValueError) as error:
        make_data(X, y, class_weight=table)
    for part in parts:
        assert part in str(error.value)
