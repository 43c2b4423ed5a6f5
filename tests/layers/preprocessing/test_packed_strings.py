"""Tables of packed strings, beside Python's dict."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.layers.preprocessing.packed_strings import PackedTable, words_of


@pytest.mark.parametrize("width", [1, 7, 8, 9, 30])
@pytest.mark.parametrize("alphabet", ["ab", "abc\xe9\xff"])
def test_places_are_those_of_a_dict(width, alphabet):
    random = np.random.default_rng(width)
    letters = np.array(list(alphabet))

    def drawn_strings(count):
        drawn = letters[random.integers(0, len(letters), (count, width))]
        cut = random.integers(0, width + 1, count)
        return ["".join(row[:n]) for row, n in zip(drawn, cut, strict=True)]

    tokens = list(
        dict.fromkeys([*drawn_strings(300), "much longer than all of them" * 3])
    )
    table = {token: place for place, token in enumerate(tokens)}
    asked = drawn_strings(2000)
    strings = np.array(asked, f"U{width}")
    found = PackedTable(tokens, words_of(strings.dtype)).find(strings, -5)
    assert found.tolist() == [table.get(x, -5) for x in asked]


def test_many_tokens_collide_and_are_found():
    tokens = [f"token {i}" for i in range(20_000)]
    strings = np.array(tokens)
    table = PackedTable(tokens, words_of(strings.dtype))
    assert table.find(strings, -1).tolist() == list(range(len(tokens)))
    others = np.array([f"other {i}" for i in range(20_000)])
    assert set(table.find(others, -1).tolist()) == {-1}
    assert set(PackedTable([], 2).find(strings, -1).tolist()) == {-1}


@pytest.mark.parametrize(
    "strings",
    [
        np.array(["日本"]),
        np.array(["é".encode()]),
        np.array(["x" * 65]),
        np.array(["x"], ">U1"),
    ],
)
def test_what_cannot_be_packed(strings):
    words = words_of(strings.dtype)
    assert words is None or PackedTable(["a"], words).find(strings, -1) is None


@pytest.mark.parametrize("kind", ["U", "S", "O"])
@pytest.mark.parametrize("mask_token", [None, "", "b"])
def test_a_layer_gives_the_same_whatever_the_kind(kind, mask_token):
    tokens = ["a", "cc", "naïve", "日本"]
    layer = keras.layers.StringLookup(vocabulary=tokens, mask_token=mask_token)
    few = ["a", "cc", "b", "", "dd"]
    if kind == "U":
        few += ["naïve"]
    array = np.array(few * 400)
    array = array.astype(object) if kind == "O" else array.astype(kind)
    names = {name: i for i, name in enumerate(layer.get_vocabulary())}
    unknown = names["[UNK]"]
    want = [names.get(x, unknown) for x in few]
    got = np.asarray(layer(array.reshape(-1, len(few))))
    assert got.tolist() == [want] * 400
