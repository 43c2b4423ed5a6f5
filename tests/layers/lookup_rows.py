"""One row for each use of the layers that look up: the layer, inputs, outputs."""

import numpy as np

import hornbeam as keras

layers = keras.layers
# Outputs of Keras 3.15.1.
ROWS = {
    "StringLookup": (
        lambda: layers.StringLookup(vocabulary=["a", "b", "c"]),
        [["a", "z"], ["c", "b"]],
        [[1, 0], [3, 2]],
    ),
    "StringLookup-mask": (
        lambda: layers.StringLookup(
            vocabulary=["a", "b", "c"], mask_token="", num_oov_indices=2
        ),
        [["", "a", "z", "q"]],
        [[0, 3, 2, 2]],
    ),
    "StringLookup-buckets": (
        lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=5),
        ["x", "y", "z", "w"],
        [0, 0, 2, 4],
    ),
    "StringLookup-salt": (
        lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=5, salt=3),
        ["x", "y", "z", "w"],
        [1, 4, 0, 4],
    ),
    "StringLookup-one_hot": (
        lambda: layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot"),
        [["a"], ["z"]],
        [[0, 1, 0], [1, 0, 0]],
    ),
    "StringLookup-multi_hot": (
        lambda: layers.StringLookup(
            vocabulary=["a", "b"], output_mode="multi_hot", mask_token=""
        ),
        [["a", "a", "z"], ["b", "", ""]],
        [[1, 1, 0], [0, 0, 1]],
    ),
    "StringLookup-tf_idf": (
        lambda: layers.StringLookup(
            vocabulary=["a", "b", "c"],
            idf_weights=[0.1, 0.2, 0.3],
            output_mode="tf_idf",
        ),
        [["a", "a", "z"], ["z", "b", "c"]],
        [[0.2, 0.2, 0, 0], [0.2, 0, 0.2, 0.3]],
    ),
    "IntegerLookup": (
        lambda: layers.IntegerLookup(vocabulary=[12, 36, 1138]),
        np.array([[36, 12], [7, -1]]),
        [[2, 1], [0, 0]],
    ),
    "IntegerLookup-buckets": (
        lambda: layers.IntegerLookup(vocabulary=[3, 4, 5], num_oov_indices=3),
        np.array([3, 9, 10, -1, -2, 11]),
        [3, 0, 1, 2, 1, 2],
    ),
    "IntegerLookup-farmhash": (
        lambda: layers.IntegerLookup(
            vocabulary=[3, 4, 5], num_oov_indices=3, oov_method="farmhash"
        ),
        np.array([3, 9, 10, -1, -2, 11]),
        [3, 2, 2, 0, 1, 1],
    ),
    "IntegerLookup-invert": (
        lambda: layers.IntegerLookup(vocabulary=[3, 4, 5], invert=True),
        np.array([0, 1, 3, 7]),
        [-1, 3, 5, -1],
    ),
    "IntegerLookup-multi_hot": (
        lambda: layers.IntegerLookup(
            vocabulary=[3, 4, 5], mask_token=0, output_mode="multi_hot"
        ),
        np.array([[0, 3, 9]]),
        [[1, 1, 0, 0]],
    ),
    "IntegerLookup-tf_idf": (
        lambda: layers.IntegerLookup(
            vocabulary=[12, 36], idf_weights=[0.25, 0.75], output_mode="tf_idf"
        ),
        np.array([[12, 12], [7, 36]]),
        [[0, 0.5, 0], [0.5, 0, 0.75]],
    ),
    "Hashing": (lambda: layers.Hashing(3), list("ABCDE"), [1, 0, 1, 1, 2]),
    "Hashing-mask": (
        lambda: layers.Hashing(3, mask_value=""),
        [["A"], ["B"], [""], ["C"], ["D"]],
        [[1], [1], [0], [2], [2]],
    ),
    "Hashing-salt": (
        lambda: layers.Hashing(3, salt=[133, 137]),
        list("ABCDE"),
        [1, 2, 1, 0, 2],
    ),
    "Hashing-booleans": (lambda: layers.Hashing(5), [True, False], [0, 2]),
    "Hashing-unsigned": (
        lambda: layers.Hashing(5),
        np.array([2**63 + 5], "uint64"),
        [1],
    ),
    "Hashing-integers": (
        lambda: layers.Hashing(5, mask_value=2),
        np.array([1, 2, -3, 99]),
        [2, 0, 4, 3],
    ),
    "HashedCrossing": (
        lambda: layers.HashedCrossing(10),
        (np.array(["A", "B", "A"]), np.array([101, 101, 102])),
        [1, 4, 3],
    ),
    "Hashing-count": (
        lambda: layers.Hashing(5, output_mode="count"),
        np.array([[1, 2, 1]]),
        [[0, 0, 0, 0, 3]],
    ),
    "TextVectorization": (
        lambda: layers.TextVectorization(vocabulary=["foo", "bar", "äö"]),
        ["Foo, bar!", "b-a-r ÄÖ äö\tx", ""],
        [[2, 3, 0, 0], [3, 1, 4, 1], [0, 0, 0, 0]],
    ),
    "TextVectorization-length": (
        lambda: layers.TextVectorization(
            vocabulary=["foo", "bar"], output_sequence_length=2
        ),
        [["foo bar bar"], ["bar"]],
        [[2, 3], [3, 0]],
    ),
    "TextVectorization-character": (
        lambda: layers.TextVectorization(vocabulary=["f", "é"], split="character"),
        ["Fé x"],
        [[2, 3, 1, 1]],
    ),
    "TextVectorization-ngrams": (
        lambda: layers.TextVectorization(vocabulary=["a b", "b", "b c"], ngrams=2),
        ["a b c"],
        [[1, 3, 1, 2, 4]],
    ),
    "TextVectorization-count": (
        lambda: layers.TextVectorization(
            vocabulary=["a", "b"], output_mode="count", max_tokens=5,
            pad_to_max_tokens=True,
        ),
        ["a b z a", "b"],
        [[1, 2, 1, 0, 0], [0, 0, 1, 0, 0]],
    ),
    "TextVectorization-functions": (
        lambda: layers.TextVectorization(
            vocabulary=["x", "y"],
            standardize=lambda texts: np.strings.lower(texts),
            split=lambda texts: [t.split(",") for t in texts],
        ),
        ["X,y", "z"],
        [[2, 3], [1, 0]],
    ),
}  # fmt: skip
