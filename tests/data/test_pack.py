"""Packing and unpacking of batches."""

import pytest

from hornbeam.data import pack_x_y_sample_weight, unpack_x_y_sample_weight


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (1, (1, None, None)),
        ({"a": 1}, ({"a": 1}, None, None)),
        ((1,), (1, None, None)),
        ([1, 2], (1, 2, None)),
        ((1, 2, 3), (1, 2, 3)),
    ],
)
def test_unpack(data, expected):
    assert unpack_x_y_sample_weight(data) == expected


@pytest.mark.parametrize("data", [(), (1, 2, 3, 4)])
def test_unpack_refuses_other_lengths(data):
    with pytest.raises(ValueError, match=f"length {len(data)}"):
        unpack_x_y_sample_weight(data)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((1,), 1),
        (({"a": 1},), {"a": 1}),
        (((1,),), ((1,),)),
        (([1, 2],), ([1, 2],)),
        ((1, 2), (1, 2)),
        ((1, 2, 3), (1, 2, 3)),
    ],
)
def test_pack(parts, expected):
    assert pack_x_y_sample_weight(*parts) == expected
    filled = (*parts, None, None)[:3]
    assert unpack_x_y_sample_weight(expected) == filled
