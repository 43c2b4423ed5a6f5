"""Calls of the ops that the table has no row for, as their values have tests of their
own: for the laws of symbols and errors alone, which need no oracle.
"""

import numpy as np

from tests.ops.table import (
    POSITIVE,
    SQUARE,
    SYMMETRIC,
    UNIT,
    I,
    Row,
    X,
    Y,
    floats,
)

LABELS = np.array([0, 2, 1], "int32")
SCORES = np.full((3, 4), 0.25, "float32")
VECTOR = np.ones(4, "float32")
IMAGES = floats(2, 8, 8, 3)
WORDS = floats(2, 10, 3)
WINDOW = floats(3, 3, 4, 3)
HEADS = [floats(2, n, 2, 4) for n in (5, 6, 6)]
PLACES = np.array([[0], [1]], "int32")
LENGTHS = np.array([6, 6], "int32")


def call(op, *args, **kwargs):
    return Row(op, args, None, kwargs)


ACTIVATIONS = [
    call(op, X)
    for op in (
        "celu elu gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu "
        "log_sigmoid log_softmax relu relu6 selu sigmoid silu soft_shrink softmax "
        "softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus "
        "tanh_shrink"
    ).split()
]
NEURAL = [
    call("adaptive_average_pool", IMAGES, 4),
    call("adaptive_max_pool", IMAGES, 4),
    call("average_pool", IMAGES, 2, padding="same"),
    call("batch_normalization", X, VECTOR, VECTOR, -1),
    call("binary_crossentropy", SCORES, SCORES),
    call("categorical_crossentropy", SCORES, SCORES),
    call("conv", IMAGES, floats(3, 3, 3, 5)),
    call("conv", WORDS, floats(3, 3, 5), 2, padding="same"),
    call("conv_transpose", IMAGES, WINDOW, 2),
    call("conv_transpose", WORDS, WINDOW[0], 2, padding="same"),
    call("ctc_decode", floats(2, 6, 4), LENGTHS),
    call("ctc_loss", I[:2], floats(2, 6, 4), LENGTHS - 2, LENGTHS),
    call("depth_to_space", floats(2, 4, 4, 4), 2),
    call("depthwise_conv", IMAGES, floats(3, 3, 3, 1)),
    call("dot_product_attention", *HEADS),
    call("fold", floats(2, 12, 16), (8, 8), 2, stride=2),
    call("layer_normalization", X),
    call("max_pool", IMAGES, 2),
    call("moments", X, [0]),
    call("multi_hot", LABELS, 3),
    call("normalize", X),
    call("one_hot", I, 3),
    call("polar", POSITIVE, Y),
    call("psnr", IMAGES, IMAGES, 1.0),
    call("rms_normalization", X),
    call("separable_conv", IMAGES, floats(3, 3, 3, 1), floats(1, 1, 3, 4)),
    call("space_to_depth", IMAGES, 2),
    call("sparse_categorical_crossentropy", LABELS, SCORES),
    call("unfold", IMAGES, 2),
]
OTHERS = [
    call("argpartition", X, 1),
    call("associative_scan", lambda a, b: a + b, X),
    call("cast", X, "int32"),
    call("eig", SQUARE),
    call("eigh", SYMMETRIC),
    call("istft", (floats(2, 9, 5), floats(2, 9, 5)), 8, 4, 8),
    call("lu_factor", SQUARE),
    call("map", lambda x: x * 2, X),
    call("moveaxis", X, 0, [1]),
    call("qr", SQUARE),
    call("rearrange", IMAGES, "b (h p) w c -> b h (p w) c", p=2),
    call("scatter", PLACES, floats(2, 3), (4, 3)),
    call("scatter_update", X, PLACES, floats(2, 4)),
    call("slice", X, (0, 1), (2, 2)),
    call("slice_update", X, (0, 1), floats(2, 2)),
    call("stft", floats(2, 32), 8, 4, 8),
    call("tensordot", UNIT, X.T, [[0, 1], [1, 0]]),
    call("threshold", X, 0.1, 0.2),
    call("unstack", X),
    call("vectorized_map", lambda x: x * 2, X),
    call("view_as_real", X + 1j * Y),
]
CALLS = [*ACTIVATIONS, *NEURAL, *OTHERS]
