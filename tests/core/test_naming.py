"""Made-up names."""

import pytest

import hornbeam as keras
from hornbeam.core import naming


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dense", "dense"),
        ("MaxPooling2D", "max_pooling2d"),
        ("LSTM", "lstm"),
        ("TimeDistributed", "time_distributed"),
        ("HTTPServer", "http_server"),
        ("already_snake", "already_snake"),
    ],
)
def test_snake_case(name, expected):
    assert naming.to_snake_case(name) == expected


def test_names_count_by_prefix():
    names = [naming.auto_name(p) for p in ("Dense", "Dense", "LSTM", "Dense")]
    assert names == ["dense", "dense_1", "lstm", "dense_2"]


def test_uids_count_from_one():
    assert [keras.backend.get_uid("a") for _ in range(2)] == [1, 2]
    assert keras.backend.get_uid("b") == 1


def test_clear_session_starts_anew():
    first = keras.layers.Dense(1).name
    keras.utils.clear_session()
    assert keras.layers.Dense(1).name == first == "dense"


def test_a_block_counts_for_itself():
    naming.auto_name("part")
    with naming.own_names():
        assert naming.auto_name("part") == "part_1"
    with naming.own_names():
        assert naming.auto_name("part") == "part_1"
    assert naming.auto_name("part") == "part_1"
