"""pad_sequences."""

import numpy as np
import pytest

from hornbeam.utils.sequence import pad_sequences

ROWS = [[1], [1, 2], [1, 2, 3]]

# arguments, result
CASES = [
    ({}, [[0, 0, 1], [0, 1, 2], [1, 2, 3]]),
    ({"padding": "post"}, [[1, 0, 0], [1, 2, 0], [1, 2, 3]]),
    ({"maxlen": 2}, [[0, 1], [1, 2], [2, 3]]),
    ({"maxlen": 2, "truncating": "post"}, [[0, 1], [1, 2], [1, 2]]),
    ({"maxlen": 4, "value": 9}, [[9, 9, 9, 1], [9, 9, 1, 2], [9, 1, 2, 3]]),
]


@pytest.mark.parametrize(("arguments", "expected"), CASES)
def test_integers(arguments, expected):
    rows = pad_sequences(ROWS, **arguments)
    assert rows.dtype == "int32"
    np.testing.assert_array_equal(rows, expected)


def test_other_items():
    rows = pad_sequences([["a"], ["b", "c"]], dtype=object, value="-")
    assert rows.tolist() == [["-", "a"], ["b", "c"]]
    rows = pad_sequences([[[1.5, 2]], [], [[1, 2], [3, 4]]], dtype="float32")
    assert rows.shape == (3, 2, 2)
    np.testing.assert_array_equal(rows[0], [[0, 0], [1.5, 2]])
    np.testing.assert_array_equal(rows[1], 0)
    assert pad_sequences(ROWS, maxlen=0).shape == (3, 0)
    assert pad_sequences([], maxlen=3).shape == (0, 3)


ERRORS = [
    ([[1]], {"padding": "middle"}, "'middle'"),
    ([[1]], {"truncating": "middle"}, "'middle'"),
    ([[1], 2], {}, "Item 1"),
    ([["a"]], {"value": "-"}, "`dtype` int32 is not compatible with"),
    ([[[1, 2]], [[1, 2, 3]]], {}, r"Sequence 1.*\(3,\).*\(2,\)"),
    ([], {}, "no sequences"),
    ([[1]], {"maxlen": -1}, "maxlen=-1"),
    ([[1]], {"maxlen": 1.5}, "maxlen=1.5"),
    ([[1], ["word"]], {}, "Sequence 1.*int32.*word"),
    ([[1], [2**40]], {}, "Sequence 1.*int32"),
]


@pytest.mark.parametrize(("rows", "arguments", "message"), ERRORS)
def test_errors(rows, arguments, message):
    with pytest.raises(ValueError, match=message):
        pad_sequences(rows, **arguments)


def test_fractions_that_are_cut_off_are_warned_of():
    with pytest.warns(UserWarning, match="Sequence 1.*dtype='float32'"):
        rows = pad_sequences([[1.0], [0.5, 2.0]])
    np.testing.assert_array_equal(rows, [[0, 1], [0, 2]])
