"""What counts as arrays, and what becomes of it."""

import collections

import ml_dtypes
import numpy as np
import pandas as pd
import pytest

from hornbeam import backends
from hornbeam.core import config
from hornbeam.data import make_data, train_validation_split

X = np.arange(12, dtype="float32").reshape(6, 2)

# name, what is fed, the array it must become
KINDS = [
    ("float32", X, X),
    ("float64", X.astype("float64"), X),
    ("float16", X.astype("float16"), X),
    ("int64 kept", X.astype("int64"), X.astype("int64")),
    ("uint8 kept", X.astype("uint8"), X.astype("uint8")),
    ("bool kept", X > 3, X > 3),
    ("bfloat16 kept", X.astype(ml_dtypes.bfloat16), X.astype(ml_dtypes.bfloat16)),
    ("lists of numbers", X.tolist(), X),
    ("list of ints", [1, 2, 3, 4, 5, 6], np.arange(1, 7)),
    ("list of bools", [True] * 6, np.ones(6, bool)),
    ("frame", pd.DataFrame(X), X),
    ("frame of two dtypes", pd.DataFrame({"a": X[:, 0], "b": X[:, 1].astype(int)}), X),
    (
        "frame with bools",
        pd.DataFrame({"a": X[:, 0], "b": X[:, 1] > 3}),
        np.stack([X[:, 0], X[:, 1] > 3], 1),
    ),
    ("series", pd.Series(X[:, 0]), X[:, 0]),
    ("object numbers", X.astype(object), X),
]


@pytest.mark.parametrize(
    ("fed", "expected"), [k[1:] for k in KINDS], ids=[k[0] for k in KINDS]
)
def test_every_kind_becomes_a_host_array(fed, expected):
    (array,) = make_data(fed).arrays
    assert type(array) is np.ndarray
    assert array.dtype == expected.dtype or expected.dtype == "float64"
    np.testing.assert_array_equal(array, expected)


def test_nan_is_kept_and_missing_values_are_refused():
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": [True, False, True]})
    (array,) = make_data(frame).arrays
    np.testing.assert_array_equal(array[:, 0], [1, np.nan, 3])
    frame["b"] = pd.array([1, None, 3], dtype="Int64")
    with pytest.raises(ValueError, match="Column 'b' of `x` holds missing values"):
        make_data(frame)
    frame["b"] = pd.array([1, 2, 3], dtype="Int64")
    np.testing.assert_array_equal(make_data(frame).arrays[0][:, 1], [1, 2, 3])


@pytest.mark.parametrize("name", backends.NAMES)
def test_tensors_of_engines(name):
    tensor = backends.get(name).convert(X)
    (array,) = make_data(tensor).arrays
    assert type(array) is np.ndarray
    np.testing.assert_array_equal(array, X)


def test_floats_follow_floatx():
    config.set_floatx("float64")
    try:
        assert make_data(X).arrays[0].dtype == "float64"
    finally:
        config.set_floatx("float32")


def test_structure_is_kept():
    Pair = collections.namedtuple("Pair", "left right")
    x = {"b": X, "a": [X, Pair(X, None)]}
    found = make_data(x, y=[1, 2, 3, 4, 5, 6]).arrays
    assert list(found[0]) == ["b", "a"]
    assert isinstance(found[0]["a"][1], Pair)
    assert found[0]["a"][1].right is None
    assert found[1].shape == (6,)


def test_the_arrays_of_the_caller_are_not_copied():
    assert np.shares_memory(make_data(X).arrays[0], X)


def test_parts_that_are_absent_are_left_out():
    assert len(make_data(X).arrays) == 1
    assert len(make_data(X, X).arrays) == 2
    assert len(make_data(X, X, np.ones(6, int)).arrays) == 3
    assert make_data(X, X, np.ones(6, int)).arrays[2].dtype == "float32"


@pytest.mark.parametrize(
    ("rows", "batch", "steps"), [(10, 4, 3), (8, 4, 2), (3, 32, 1), (1, 1, 1)]
)
def test_batches_cover_all_rows_in_order(rows, batch, steps):
    data = make_data(np.arange(rows), batch_size=batch)
    assert data.in_memory
    assert (data.rows, data.batch_size, data.steps) == (rows, batch, steps)
    batches = [x for (x,) in data]
    assert [len(b) for b in batches][:-1] == [batch] * (steps - 1)
    np.testing.assert_array_equal(np.concatenate(batches), np.arange(rows))
    np.testing.assert_array_equal(data.peek()[0], np.arange(min(rows, batch)))


def test_default_batch_size_is_32():
    assert make_data(np.arange(100)).batch_size == 32


@pytest.mark.parametrize("shuffle", [True, "batch"])
def test_shuffle_visits_every_row_once_in_a_new_order_each_epoch(shuffle):
    np.random.seed(3)
    data = make_data(np.arange(50), batch_size=8, shuffle=shuffle)
    first, second = data.order(0), data.order(1)
    assert first.dtype == "int32"
    assert sorted(first) == sorted(second) == list(range(50))
    assert list(first) != list(range(50))
    assert list(first) != list(second)
    assert list(data.order(0)) == list(first)


def test_shuffle_batch_moves_whole_batches_and_leaves_the_rest_last():
    order = make_data(np.arange(50), batch_size=8, shuffle="batch").order(0)
    batches = order[:48].reshape(6, 8)
    assert (np.diff(batches) == 1).all()
    assert (batches[:, 0] % 8 == 0).all()
    assert list(order[48:]) == [48, 49]


def test_the_global_seed_settles_the_order():
    orders = []
    for seed in (1, 1, 2):
        np.random.seed(seed)
        orders.append(list(make_data(np.arange(30), shuffle=True).order(4)))
    assert orders[0] == orders[1] != orders[2]


def test_without_shuffle_the_global_state_is_untouched():
    np.random.seed(1)
    make_data(X)
    after = np.random.random()
    np.random.seed(1)
    assert np.random.random() == after


@pytest.mark.parametrize("shuffle", [False, True])
def test_fewer_steps_than_data_go_on_in_the_next_epoch(shuffle):
    data = make_data(np.arange(10), batch_size=4, steps=2, shuffle=shuffle)
    assert data.steps == 2
    seen = np.concatenate([data.order(epoch) for epoch in range(5)])
    assert [len(data.order(epoch)) for epoch in range(5)] == [8] * 5
    for one_pass in seen.reshape(4, 10):
        assert sorted(one_pass) == list(range(10))


def test_validation_steps_start_over():
    data = make_data(np.arange(10), batch_size=4, steps=2, continues=False)
    assert list(data.order(0)) == list(data.order(3)) == list(range(8))


def test_more_steps_than_data_warn_and_end_the_epoch():
    with pytest.warns(UserWarning, match="has 3 batches of 4, but 5 steps"):
        data = make_data(np.arange(10), batch_size=4, steps=5)
    assert data.steps == 3
    assert len(data.order(1)) == 10


@pytest.mark.parametrize("split", [0.1, 0.25, 0.5, 0.9])
def test_split_takes_the_last_rows(split):
    x = {"a": np.arange(10), "b": np.arange(10.0)}
    train, held = train_validation_split((x, np.arange(10), None), split)
    cut = {0.1: 9, 0.25: 7, 0.5: 5, 0.9: 1}[split]
    np.testing.assert_array_equal(train[0]["a"], np.arange(cut))
    np.testing.assert_array_equal(held[1], np.arange(cut, 10))
    assert train[2] is held[2] is None


def generator():
    yield X, X


# name, what is called, parts of the message
ERRORS = [
    ("rows differ", lambda: make_data(X, X[:5]), ("`x` has 6", "`y` has 5")),
    (
        "rows differ, deep",
        lambda: make_data({"a": X, "b": [X[:3]]}, X),
        ("`x['a']` has 6", "`x['b'][0]` has 3", "`y` has 6"),
    ),
    (
        "sample_weight",
        lambda: make_data(X, X, np.ones(4)),
        ("`sample_weight` has 4",),
    ),
    ("empty", lambda: make_data(X[:0], X[:0]), ("empty", "`x`")),
    ("no arrays", lambda: make_data({}), ("no data",)),
    ("empty list", lambda: make_data([]), ("no data",)),
    ("None", lambda: make_data(None), ("no data",)),
    ("number", lambda: make_data(3), ("`x` is a single number",)),
    ("object", lambda: make_data(object()), ("`x`", "object", "DataLoader")),
    ("string", lambda: make_data("text"), ("`x` is a string, 'text'",)),
    ("strings", lambda: make_data(np.array(["a", "b"])), ("StringLookup",)),
    ("list of strings", lambda: make_data(X, ["a"] * 6), ("`y` holds strings",)),
    (
        "text column",
        lambda: make_data(pd.DataFrame({"n": [1, 2], "city": ["x", "y"]})),
        ("Column 'city' of `x`", "strings"),
    ),
    ("None objects", lambda: make_data(np.array([{}, {}])), ("`x`", "type dict")),
    ("dates", lambda: make_data(np.zeros(3, "M8[s]")), ("datetime64",)),
    ("ragged", lambda: make_data([[1, 2], [3]]), ("differ in length",)),
    ("batch_size 0", lambda: make_data(X, batch_size=0), ("`batch_size`", "0")),
    ("batch_size -1", lambda: make_data(X, batch_size=-1), ("`batch_size`", "-1")),
    ("batch_size str", lambda: make_data(X, batch_size="4"), ("`batch_size`", "'4'")),
    ("steps", lambda: make_data(X, steps=-1), ("`steps`",)),
    ("shuffle", lambda: make_data(X, shuffle="rows"), ("'rows'",)),
    ("y beside", lambda: make_data(generator(), X), ("`y` cannot be", "generator")),
    (
        "sample_weight beside",
        lambda: make_data(generator(), sample_weight=X),
        ("`sample_weight` cannot be",),
    ),
    ("split 1.5", lambda: train_validation_split((X,), 1.5), ("`validation_split`",)),
    ("split -1", lambda: train_validation_split((X,), -0.1), ("`validation_split`",)),
    ("split 1", lambda: train_validation_split((X,), 1.0), ("training", "6 rows")),
    ("split 0", lambda: train_validation_split((X,), 0.0), ("validation", "6 rows")),
    (
        "split stream",
        lambda: train_validation_split((generator(),), 0.5),
        ("`validation_data`", "generator"),
    ),
]


@pytest.mark.parametrize(
    ("call", "parts"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS]
)
def test_errors_say_what_is_wrong(call, parts):
    with pytest.raises(ValueError) as error:
        call()
    for part in parts:
        assert part in str(error.value)


def frames_with_nulls():
    polars = pytest.importorskip("polars")
    arrow = pytest.importorskip("pyarrow")
    columns = {"a": [None, 1.0], "b": [1, 2]}
    return [
        (polars.DataFrame(columns), "Column 'a' of `x`"),
        (polars.Series([None, 1.0]), "`x` holds"),
        (arrow.table(columns), "Column 'a' of `x`"),
        (arrow.chunked_array([[None, 1.0]]), "`x` holds"),
        (polars.DataFrame({"a": [None, 1], "b": [1, None]}), r"columns \['a', 'b'\]"),
    ]


def test_missing_values_of_tables_are_no_nan():
    for table, where in frames_with_nulls():
        with pytest.raises(ValueError, match=f"{where}.*missing values"):
            make_data(table)
    polars = pytest.importorskip("polars")
    nan = make_data(polars.DataFrame({"a": [float("nan"), 1.0]}))
    assert np.isnan(nan.arrays[0][0, 0])


def test_missing_values_of_a_parquet_file(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = arrow.table({"a": [None, 1.0], "b": [1, 2]})
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"Column 'a' of `x`.*missing values"):
        data = make_data(parquet.ParquetFile(tmp_path / "a.parquet"))
        data.peek()


def test_what_is_masked_is_missing():
    x = np.ma.masked_greater(np.arange(4.0)[:, None], 2)
    with pytest.raises(ValueError, match="missing values"):
        make_data(x)
    assert make_data(np.ma.asarray(np.ones((3, 1)))).rows == 3


def test_what_is_no_data(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as group:
        for wrong, words in (
            ({1, 2}, "fed to a model: set. Expected"),
            (group, "fed to a model: File. Expected"),
            (lambda: iter([X]), "function. Give what the function returns. Expected"),
        ):
            with pytest.raises(ValueError, match=words):
                make_data(wrong, X)
