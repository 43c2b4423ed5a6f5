"""Tables of packed strings, beside Python's dict."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.layers.preprocessing.packed_strings import StringTable, words_of


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
    found = StringTable(tokens, words_of(strings.dtype)).find(strings, -5)
    assert found.tolist() == [table.get(x, -5) for x in asked]


def test_many_tokens_collide_and_are_found():
    tokens = [f"token {i}" for i in range(20_000)]
    strings = np.array(tokens)
    table = StringTable(tokens, words_of(strings.dtype))
    assert table.find(strings, -1).tolist() == list(range(len(tokens)))
    others = np.array([f"other {i}" for i in range(20_000)])
    assert set(table.find(others, -1).tolist()) == {-1}
    assert set(StringTable([], 2).find(strings, -1).tolist()) == {-1}


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
    assert words is None or StringTable(["a"], words).find(strings, -1) is None


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


@pytest.mark.parametrize("salt", [None, 5])
@pytest.mark.parametrize("kind", ["U", "S"])
def test_strings_of_fixed_width_are_hashed_as_objects_are(kind, salt):
    texts = ["x" * n + "y" * (m - n) for m in range(70) for n in range(min(m, 3))]
    layer = keras.layers.Hashing(10**9, salt=salt)
    for part in (texts, [t for t in texts if len(t) < 9], ["a", ""], [""]):
        expected = layer(np.array(part, object))
        np.testing.assert_array_equal(layer(np.array(part, kind)), expected)
    if kind == "U":
        mixed = ["a", "é", "日本", "a\0b"]
        expected = layer(np.array(mixed, object))
        np.testing.assert_array_equal(layer(np.array(mixed, kind)), expected)


def test_long_texts_are_split_as_short_ones():
    """Texts of many words are looked up in another way than the same one by one."""
    random = np.random.default_rng(0)
    spaces = [" ", "  ", "\t", "\n", "\r", "\v", "\f", "\x1c", "\u2003", "\x85"]
    letters = [*"abAB.,'", "é", "日", "\xa0"]

    def text(count):
        drawn = ("".join(random.choice(letters, random.geometric(0.1))) for _ in count)
        return "".join(word + random.choice(spaces) for word in drawn)

    texts = ["", " ", *(text(range(n)) for n in range(200)), " a" * 3, "x" * 99]
    tokens = dict.fromkeys(word for t in texts[::2] for word in t.lower().split(" "))
    vocabulary = [*dict.fromkeys([*tokens, "x" * 99, "a"]).keys() - {""}]
    for options in (
        {},
        {"output_sequence_length": 7},
        {"standardize": None, "output_mode": "count"},
        {"standardize": "lower", "output_mode": "multi_hot"},
        {"standardize": "strip_punctuation"},
    ):
        layer = keras.layers.TextVectorization(vocabulary=vocabulary, **options)
        together = np.asarray(layer(np.array(texts, object)))
        for text_, row in zip(texts, together, strict=True):
            alone = np.asarray(layer([text_]))[0]
            expected = np.pad(alone, (0, len(row) - len(alone)))
            np.testing.assert_array_equal(row, expected)
    # Zeros are no ends of words.
    with_zeros = np.array([*texts, "a\0 a"], object)
    last = np.asarray(layer(with_zeros))[-1]
    np.testing.assert_array_equal(last[:3], [1, *np.asarray(layer(["a"]))[0, :1], 0])


@pytest.mark.parametrize("output_mode", ["int", "tf_idf"])
@pytest.mark.parametrize("max_tokens", [None, 4, 30])
def test_tokens_that_come_as_bytes_are_learnt_as_strings_are(output_mode, max_tokens):
    texts = ["é b a", "日本 b", "a [UNK] b", "\U0001f600 \uffff z é"]
    options = {"output_mode": output_mode, "max_tokens": max_tokens}
    layers = [keras.layers.TextVectorization(standardize=None, **options)]
    layers[0].adapt(texts)
    for kind in (str, str.encode):
        words = [[kind(word) for word in text.split()] for text in texts]
        layers.append(keras.layers.StringLookup(mask_token="", **options))
        for row in words:
            layers[-1].update_state(np.array([row], object))
        layers[-1].finalize_state()
    expected = layers[1].get_vocabulary()
    assert all(layer.get_vocabulary() == expected for layer in layers)
    counts = {word: sum(word in text for text in texts) for word in expected}
    known = layers[1].get_vocabulary(include_special_tokens=False)
    assert known == sorted(known, key=lambda word: (counts[word], word), reverse=True)
    if max_tokens is None:
        assert set(known) == set(" ".join(texts).split()) - {"[UNK]"}
