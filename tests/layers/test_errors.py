"""What is refused, with the name of the argument and the values in the message."""

import numpy as np
import pytest

import hornbeam as keras

layers = keras.layers

BAD_ARGUMENTS = [
    (lambda: layers.Dense(0), ValueError, r"`units` of Dense.*positive.*units=0"),
    (lambda: layers.Dense("64"), ValueError, r"units='64' \(of type str\)"),
    (lambda: layers.Dense(2, lora_rank=0), ValueError, "`lora_rank` of Dense"),
    (lambda: layers.Embedding(0, 2), ValueError, "`input_dim` of Embedding"),
    (lambda: layers.EinsumDense("abb->a", 2).build((2, 3)), ValueError, "'abb->a'"),
    (lambda: layers.Lambda(3), TypeError, "`function` of Lambda"),
    (lambda: layers.ReLU(max_value=-1), ValueError, "`max_value` of ReLU.*-1"),
    (lambda: layers.LeakyReLU(None), ValueError, "`negative_slope` of LeakyReLU"),
    (lambda: layers.Wrapper("x"), ValueError, "`layer` of Wrapper.*'x'"),
    (
        lambda: layers.BatchNormalization(synchronized=True),
        ValueError,
        "synchronized=True",
    ),
    (
        lambda: layers.BatchNormalization(renorm_clipping={"r": 1}),
        ValueError,
        r"invalid keys: \['r'\]",
    ),
    (lambda: layers.UnitNormalization("a"), TypeError, "axis='a'"),
    (
        lambda: layers.SpectralNormalization(layers.Dense(2), power_iterations=0),
        ValueError,
        "power_iterations=0",
    ),
    (lambda: layers.Dot("a"), TypeError, "`axes` of Dot.*'a'"),
    (lambda: layers.Dot((1, 2, 3)), ValueError, r"axes=\(1, 2, 3\)"),
    (lambda: layers.Reshape((-1, -1)), ValueError, "at most one unknown"),
    (lambda: layers.Reshape((-2, 5)), ValueError, r"target_shape=\(-2, 5\)"),
    (lambda: layers.Permute((1, 3)), ValueError, r"`dims` of Permute.*\(1, 3\)"),
    (lambda: layers.RepeatVector(2.0), TypeError, "`n` of RepeatVector"),
    (lambda: layers.RepeatVector(0), ValueError, "n=0"),
    (
        lambda: layers.ZeroPadding2D((1, 2, 3)),
        ValueError,
        r"`padding` of ZeroPadding2D",
    ),
    (lambda: layers.Cropping1D(-1), ValueError, "`cropping` of Cropping1D.*-1"),
    (
        lambda: layers.UpSampling2D(2, interpolation="x"),
        ValueError,
        "interpolation='x'",
    ),
    (
        lambda: layers.Conv2D(2, (1, 0)),
        ValueError,
        r"`kernel_size` of Conv2D.*\(1, 0\)",
    ),
    (lambda: layers.Conv2D(2, 3, padding="causal"), ValueError, "padding='causal'"),
    (lambda: layers.Conv2D(5, 2, groups=2), ValueError, "groups=2, filters=5"),
    (
        lambda: layers.Conv2D(2, 2, strides=2, dilation_rate=2),
        ValueError,
        r"strides=\(2, 2\) and dilation_rate=\(2, 2\)",
    ),
    (
        lambda: layers.Conv1DTranspose(2, 2, 2, output_padding=2),
        ValueError,
        "less than `strides`",
    ),
    (lambda: layers.MaxPooling2D(0), ValueError, "`pool_size` of MaxPooling2D"),
    (lambda: layers.AdaptiveMaxPooling2D((1,)), TypeError, "`output_size` of Adaptive"),
    (lambda: layers.Normalization(mean=1.0), ValueError, "variance=None"),
    (lambda: layers.Normalization(axis=0), ValueError, "may not hold 0"),
]

BAD_INPUTS = [
    (lambda: layers.Dense(2, name="head"), (3, None), "'head'.*unknown.*(3, None)"),
    (lambda: layers.Dense(2), (3,), "min_ndim"),
    (lambda: layers.EinsumDense("ab,bc->ac", 3), (2, None), "size of 'b'"),
    (lambda: layers.EinsumDense("abc,cd->abd", (7, 4)), (2, 3, 5), "size 3 at 'b'.*7"),
    (lambda: layers.PReLU(), (None, None, 3), "axis 1, is unknown"),
    (lambda: layers.GroupNormalization(3), (2, 4), "groups=3.*4 channels"),
    (lambda: layers.LayerNormalization(axis=5), (2, 4), "`axis` of LayerNorm"),
    (lambda: layers.Reshape((2, 2)), (3, 5), r"\(5,\), which have 5.*\(2, 2\)"),
    (lambda: layers.Cropping1D((2, 3)), (3, 5, 7), r"cropping=\(2, 3\).*\(3, 5, 7\)"),
    (lambda: layers.TimeDistributed(layers.Dense(2)), (2, 3), r"rank at least 3"),
    (
        lambda: layers.Conv2D(2, 7),
        (2, 5, 5, 3),
        r"kernel_size=\(7, 7\).*\(2, 5, 5, 3\)",
    ),
    (lambda: layers.Conv2D(2, 3, groups=2), (2, 5, 5, 3), "groups=2.*3 channels"),
    (lambda: layers.Conv2D(2, 3), (2, 5, 5, None), "number of channels.*unknown"),
    (lambda: layers.MaxPooling2D(7), (2, 5, 5, 3), r"pool_size=\(7, 7\)"),
    (lambda: layers.MaxPooling2D(2), (2, 5, 5), "ndim"),
    (lambda: layers.SpectralNormalization(layers.ReLU()), (2, 3), "`kernel`"),
    (lambda: layers.Add(), (2, 3), "list"),
    (lambda: layers.Add(), [(2, 3), (4, 3)], r"batch sizes.*\(2, 3\), \(4, 3\)"),
    (lambda: layers.Add(), [(2, 3), (2, 4)], r"\(2, 3\), \(2, 4\)"),
    (lambda: layers.Subtract(), [(2, 3)] * 3, "exactly 2 inputs"),
    (lambda: layers.Concatenate(), [(2, 3, 4), (2, 5, 4)], "matching shapes"),
    (lambda: layers.Dot(1), [(2, 3), (2, 4)], "size 3 at axis 1.*size 4"),
    (lambda: layers.Dot(0), [(2, 3), (2, 3)], "not the batch"),
]


@pytest.mark.parametrize(("make", "error", "message"), BAD_ARGUMENTS)
def test_bad_argument(make, error, message, engine):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(("make", "shape", "message"), BAD_INPUTS)
def test_bad_input(make, shape, message, engine):
    def symbol(sizes):
        return keras.KerasTensor(sizes)

    inputs = [symbol(s) for s in shape] if isinstance(shape, list) else symbol(shape)
    with pytest.raises(ValueError, match=message):
        make()(inputs)


def test_mask_that_does_not_fit(engine):
    with pytest.raises(ValueError, match="must not have more dimensions"):
        layers.Softmax()(np.ones((1, 3), "float32"), mask=np.ones((1, 1, 3)))
    steps = layers.TimeDistributed(layers.Dense(2))
    with pytest.raises(ValueError, match=r"\(2, 4\).*\(2, 3\)"):
        steps(np.ones((2, 3, 4), "float32"), mask=np.ones((2, 4), bool))


@pytest.mark.parametrize(
    ("inputs", "mask", "message"),
    [
        ([1, 2], 1, "`mask` should be a list"),
        (1, [None, None], "`inputs` should be a list"),
        ([1, 2], [None], "same length"),
    ],
)
def test_masks_of_merging_layers_are_lists(inputs, mask, message):
    with pytest.raises(ValueError, match=message):
        layers.Add().compute_mask(inputs, mask)


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Dense(1),
        lambda: layers.Embedding(3, 2),
        lambda: layers.Normalization(mean=0.0, variance=1.0),
        lambda: layers.Resizing(2, 2),
    ],
)
def test_strings_in_a_layer_of_numbers(make, engine):
    layer = make()
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each engine has its own
        layer(np.array([["a"]]))
    said = str(caught.value) + "".join(getattr(caught.value, "__notes__", ()))
    assert layer.path in said and "received strings" in said.lower()
    assert "StringLookup" in said


def test_strings_as_a_list(python_only):
    layer = layers.Discretization(bin_boundaries=[0.0])
    for wrong in (["a"], "a"):
        with pytest.raises(TypeError, match="'discretization.*StringLookup"):
            layer(wrong)
    with pytest.raises(ValueError, match="no values"):
        features = {"a": "float_normalized"}
        keras.utils.FeatureSpace(features).adapt({"a": []})
