"""Checks of class indices."""

import numpy as np
import pytest

from hornbeam.losses.labels import check_sparse_labels


@pytest.mark.parametrize("labels", [[0, 1, 2], [[0], [2]], [], np.array([2.0, 0.0])])
def test_good_labels(labels):
    labels = np.array(labels)
    check_sparse_labels(labels, 3)
    if labels.size:
        with pytest.raises(ValueError, match="label 2.* at index"):
            check_sparse_labels(labels, 2)


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
    for labels in ([-1, 0, 2], [-1, -1]):
        check_sparse_labels(np.array(labels), 3, ignore_class=-1)
        with pytest.raises(ValueError, match=r"label -1 at index \(0,\)"):
            check_sparse_labels(np.array(labels), 3)
