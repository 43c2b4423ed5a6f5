"""Checks of class indices."""

import numpy as np
import pytest

from hornbeam.losses.labels import check_sparse_labels


@pytest.mark.parametrize("labels", [[0, 1, 2], [[0], [2]], [], np.array([2.0, 0.0])])
def test_good_labels(labels):
    check_sparse_labels(np.array(labels), 3)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 5, 1], r"label 5 at index \(1,\).*6 units"),
        ([1, 2, 3], "start at 1"),
        ([[0, 1], [-1, 2]], r"label -1 at index \(1, 0\).*ignore_class=-1"),
    ],
)
def test_bad_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        check_sparse_labels(np.array(labels), 3)


def test_label_to_ignore():
    check_sparse_labels(np.array([-1, 0, 2]), 3, ignore_class=-1)
    check_sparse_labels(np.array([-1, -1]), 3, ignore_class=-1)
