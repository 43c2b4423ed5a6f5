"""`split_dataset`, beside Keras."""

import random

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.data import Dataset

split = keras.utils.split_dataset
X = np.arange(10)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return np.full((2, 1), index), np.zeros(2)


@pytest.mark.parametrize(
    "sizes, counts",
    [
        ({"left_size": 0.5}, (5, 5)),
        ({"left_size": 0.25}, (2, 8)),
        ({"right_size": 0.25}, (8, 2)),
        ({"left_size": 3}, (3, 7)),
        ({"left_size": 3, "right_size": 2}, (3, 2)),
        ({"left_size": 0.3, "right_size": 0.2}, (3, 2)),
    ],
)
def test_sizes(sizes, counts):
    left, right = split(X, **sizes)
    assert (len(left), len(right)) == counts
    assert [int(x) for x in left] == list(range(counts[0]))
    assert [int(x) for x in right] == list(range(10 - counts[1], 10))


@pytest.mark.oracle
@pytest.mark.parametrize(
    "options", [{"left_size": 3, "right_size": 2}, {"left_size": 0.7}]
)
@pytest.mark.parametrize("shuffle", [False, True])
def test_items_are_those_of_keras(options, shuffle):
    real = pytest.importorskip("keras")
    expected = real.utils.split_dataset(X, **options, shuffle=shuffle, seed=3)
    for one, other in zip(
        split(X, **options, shuffle=shuffle, seed=3), expected, strict=True
    ):
        assert [int(x) for x in one] == [int(x) for x in other]


def test_kinds_of_datasets():
    left, right = split((X, X * 2), left_size=8)
    x, y = right.batch(2)[0]
    assert x.tolist() == [8, 9] and y.tolist() == [16, 18]
    assert left.shuffle(8).cardinality() == 8
    left, right = split(Batches(), left_size=0.6)
    assert [int(x[0, 0]) for x, _ in right] == [3, 4]
    rows = Dataset.from_tensor_slices(X).batch(5)
    left, right = split(rows, left_size=1)
    assert right[0].tolist() == [5, 6, 7, 8, 9]


def test_datasets_of_tensorflow():
    tensorflow = pytest.importorskip("tensorflow")
    left, right = split(tensorflow.data.Dataset.range(10), left_size=0.7)
    assert isinstance(left, tensorflow.data.Dataset)
    assert (int(left.cardinality()), int(right.cardinality())) == (7, 3)
    assert [int(x) for x in right] == [7, 8, 9]
    left, _ = split((X, X), left_size=3, preferred_backend="tensorflow")
    assert [int(x) for x, _ in left] == [0, 1, 2]


def test_datasets_of_torch():
    data = pytest.importorskip("torch.utils.data")

    class Rows(data.Dataset):
        def __len__(self):
            return 10

        def __getitem__(self, index):
            return np.full(2, index), index

    left, right = split(Rows(), left_size=3, shuffle=True, seed=3)
    order = list(range(10))
    random.Random(3).shuffle(order)
    assert isinstance(left, data.Dataset) and len(left) == 3
    assert [left[i][1] for i in range(3)] == order[:3]
    left, right = split(X, left_size=3, preferred_backend="torch")
    assert isinstance(right, data.Dataset) and int(right[0]) == 3


@pytest.mark.parametrize(
    "sizes, message",
    [
        ({}, "needs `left_size` or `right_size`"),
        ({"left_size": 0}, "positive integer smaller than 10"),
        ({"left_size": 10}, "positive integer smaller than 10"),
        ({"left_size": 1.5}, "within the range"),
        ({"left_size": 0.9, "right_size": 0.9}, "at most 1"),
        ({"left_size": 8, "right_size": 8}, "number of items, 10"),
        ({"left_size": 0.01}, "no item for the left part"),
        ({"left_size": 3, "preferred_backend": "x"}, "preferred_backend"),
    ],
)
def test_mistakes(sizes, message):
    with pytest.raises(ValueError, match=message):
        split(X, **sizes)


def test_what_cannot_be_split():
    with pytest.raises(TypeError, match="`left_size`.*'a'"):
        split(X, left_size="a")
    for data in ({"a": X}, [1, 2, 3], "text"):
        with pytest.raises(TypeError, match="`dataset` of split_dataset"):
            split(data, left_size=1)
