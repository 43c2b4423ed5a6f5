"""Categories as vectors: shapes, and what is no category."""

import numpy as np
import pytest

import hornbeam as keras

MODES = ("one_hot", "multi_hot", "count")
SHAPES = {
    (1,): [(1, 3), (3,), (3,)],
    (2,): [(2, 3), (3,), (3,)],
    (1, 1): [(1, 3), (1, 3), (1, 3)],
    (1, 2): [(1, 2, 3), (1, 3), (1, 3)],
    (2, 1, 1): [(2, 1, 3), (2, 1, 3), (2, 1, 3)],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_those_of_keras(engine, shape):
    x = np.arange(np.prod(shape)).reshape(shape) % 2
    for mode, expected in zip(MODES, SHAPES[shape], strict=True):
        encoding = keras.layers.CategoryEncoding(3, output_mode=mode)
        lookup = keras.layers.IntegerLookup(vocabulary=[0, 1], output_mode=mode)
        assert tuple(encoding(x).shape) == expected
        assert encoding.compute_output_shape(shape) == expected
        assert tuple(lookup(x).shape) == expected


def test_one_row_goes_through_a_model(engine):
    inputs = keras.Input((), dtype="int32")
    vectors = keras.layers.CategoryEncoding(3, output_mode="one_hot")(inputs)
    dense = keras.layers.Dense(3, use_bias=False, kernel_initializer="identity")
    model = keras.Model(inputs, dense(vectors))
    one = model.predict(np.array([2]), verbose=0)
    assert one.tolist() == [[0, 0, 1]]


def test_lists_and_numbers_are_inputs():
    layers = keras.layers
    encoding = layers.CategoryEncoding(4, output_mode="one_hot")
    assert np.argmax(encoding([3, 2, 0, 1]), -1).tolist() == [3, 2, 0, 1]
    bins = layers.Discretization([0.0, 1.0])
    assert np.asarray(bins([[0.5, 3.0], [-1.0, 2.0]])).tolist() == [[1, 2], [0, 2]]
    assert int(bins(0.5)) == 1
    assert float(layers.Rescaling(0.5)([3.0])[0]) == 1.5


def test_a_fraction_is_no_category(engine):
    encoding = keras.layers.CategoryEncoding(3, output_mode="one_hot")
    rows = keras.ops.convert_to_numpy(encoding(np.array([0.0, 1.5, 2.0])))
    assert rows.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]
