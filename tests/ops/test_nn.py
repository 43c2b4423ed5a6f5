"""Functions of neural networks against formulas in float64."""

import itertools

import numpy as np
import pytest
from scipy import special

from hornbeam import backends, ops
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.attention import linear
from tests.compilation import program
from tests.ops.neural_rows import ACTIVATIONS, POINTS
from tests.ops.oracles import alignments, collapse, loop_conv, loop_pool, scattered

RNG = np.random.default_rng(7)


def value(x):
    return ops.convert_to_numpy(x)


def computed(function, *arrays):
    """The value of `function(*tensors)`, computed by one program where there is one."""
    engine = backends.current()
    return value(program(engine, function)(*map(engine.convert, arrays)))


def gradient(function, *arrays):
    """The engine's gradients of `function(*tensors)`, a scalar."""
    return with_gradients(function, np.ones(()), *arrays)[1]


def with_gradients(function, weights, *arrays):
    """The value of `function(*tensors)` and the gradients of its sum with `weights`.

    Both are from one program. An engine without gradients gives None instead.
    """
    engine = backends.current()
    if not engine.trains:
        return computed(function, *arrays), None

    def loss(tensors, weights):
        result = function(*tensors)
        return ops.sum(result * weights), result

    run = program(engine, engine.value_and_grad(loss, has_aux=True))
    tensors = [engine.convert(a) for a in arrays]
    (_, result), gradients = run(tensors, value_as_tensor(weights))
    return value(result), [value(g) for g in gradients]


def numeric_gradient(function, x, step=1e-6):
    """Central differences, element by element, in float64."""
    result = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        delta = np.zeros_like(x)
        delta[place] = step
        result[place] = (function(x + delta) - function(x - delta)) / (2 * step)
    return result


def value_as_tensor(array):
    return ops.convert_to_tensor(array, "float32")


@pytest.mark.parametrize(
    "row", [r for r in ACTIVATIONS if r.op not in ("glu", "sparsemax")], ids=str
)
def test_activation_takes_integers_and_short_floats(engine, row):
    expected = row.oracle(np.array([-2.0, 3.0]), **row.kwargs)

    def both(x):
        short = row([ops.cast(x, "bfloat16")])
        assert ops.dtype(short) == "bfloat16"
        return [row([[-2, 3]]), ops.cast(short, "float32")]

    x = ops.convert_to_tensor([-2.0, 3.0])
    whole, short = program(engine, both)(x)
    np.testing.assert_allclose(value(whole), expected, rtol=1e-5)
    np.testing.assert_allclose(value(short), expected, rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize(
    "name,low,high", [("softplus", 0, 200), ("log_sigmoid", -200, 0), ("sigmoid", 0, 1)]
)
def test_saturated_functions_stay_finite(engine, name, low, high):
    found = value(getattr(ops, name)(np.array([-200.0, 200.0], "float32")))
    np.testing.assert_allclose(found, [low, high], atol=1e-6)


def test_gelu_approximation(engine):
    inner = np.sqrt(2 / np.pi) * (POINTS + 0.044715 * POINTS**3)
    found = value(ops.gelu(POINTS.astype("float32")))
    expected = 0.5 * POINTS * (1 + np.tanh(inner))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("axis", [0, -1, (1, 2), None])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_over_axes(engine, name, axis):
    x = RNG.normal(size=(2, 3, 4)) * 30
    op = getattr(ops, name)
    found = computed(lambda z: op(z, axis=axis), x.astype("float32"))
    expected = getattr(special, name)(x, axis=axis)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_softmax_rejects_a_missing_axis(engine):
    for x in (np.ones(2, "float32"), KerasTensor((2,))):
        with pytest.raises(ValueError, match="axis 10 is out of bounds"):
            ops.softmax(x, axis=10)


# Convolutions: loops in float64 over channels-last arrays.


def first(x, data_format):
    return np.moveaxis(x, -1, 1) if data_format == "channels_first" else x


CONVOLUTIONS = [
    # spatial sizes, window, strides, padding, dilation, groups
    ((7,), (3,), (1,), "valid", (1,), 1),
    ((8,), (3,), (2,), "same", (1,), 1),
    ((8,), (2,), (3,), "same", (1,), 2),
    ((9,), (3,), (1,), "same", (2,), 1),
    ((6, 7), (3, 2), (1, 1), "valid", (1, 1), 1),
    ((6, 7), (3, 4), (2, 2), "same", (1, 1), 1),
    ((6, 7), (2, 3), (1, 1), "valid", (2, 3), 2),
    ((6, 5), (1, 1), (2, 2), "same", (1, 1), 4),
    ((4, 5, 3), (2, 3, 2), (2, 1, 2), "same", (1, 1, 1), 1),
]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("row", CONVOLUTIONS, ids=str)
def test_conv(engine, row, data_format):
    sizes, window, strides, padding, dilation, groups = row
    x = RNG.normal(size=(2, *sizes, 4))
    kernel = RNG.normal(size=(*window, 4 // groups, 8))
    expected = first(
        loop_conv(x, kernel, strides, padding, dilation, groups), data_format
    )
    given = first(x, data_format).astype("float32")
    arguments = (strides, padding, data_format, dilation)
    weights, v = RNG.normal(size=expected.shape), RNG.normal(size=x.shape)
    found, gradients = with_gradients(
        lambda a, b: ops.conv(a, b, *arguments),
        weights,
        given,
        kernel.astype("float32"),
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    symbol = ops.conv(
        KerasTensor((None, *given.shape[1:])), KerasTensor(kernel.shape), *arguments
    )
    assert symbol.shape == (None, *expected.shape[1:])
    if gradients:
        # A convolution is linear in each argument, so the gradient along v is conv(v).
        of_x, of_kernel = gradients
        along = loop_conv(v, kernel, strides, padding, dilation, groups)
        expected_slope = (first(along, data_format) * weights).sum()
        np.testing.assert_allclose(
            (of_x * first(v, data_format)).sum(), expected_slope, rtol=1e-3, atol=1e-3
        )
        u = RNG.normal(size=kernel.shape)
        along = loop_conv(x, u, strides, padding, dilation, groups)
        expected_slope = (first(along, data_format) * weights).sum()
        np.testing.assert_allclose(
            (of_kernel * u).sum(), expected_slope, rtol=1e-3, atol=1e-3
        )


def test_depthwise_and_separable_conv(engine):
    x, kernel = RNG.normal(size=(2, 6, 5, 3)), RNG.normal(size=(3, 2, 3, 2))
    pointwise = RNG.normal(size=(1, 1, 6, 4))
    channels = [
        loop_conv(x[..., c : c + 1], kernel[:, :, c : c + 1], (2, 2), "same", (1, 1), 1)
        for c in range(3)
    ]
    depthwise = np.concatenate(channels, -1)
    tensors = [a.astype("float32") for a in (x, kernel, pointwise)]
    found = computed(
        lambda a, b: ops.depthwise_conv(a, b, 2, "same"), tensors[0], tensors[1]
    )
    np.testing.assert_allclose(found, depthwise, rtol=1e-4, atol=1e-4)
    found = computed(lambda *t: ops.separable_conv(*t, 2, "same"), *tensors)
    expected = depthwise @ pointwise[0, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    symbol = ops.separable_conv(
        KerasTensor((None, 6, 5, 3)), *[KerasTensor(a.shape) for a in tensors[1:]]
    )
    assert symbol.shape == (None, 4, 4, 4)


TRANSPOSED = [
    (k, s, d, extra, padding)
    for k, s, d, extra, padding in itertools.product(
        (1, 2, 3, 4), (1, 2, 3), (1, 2), (None, 0, 1), ("valid", "same")
    )
    if not (s > 1 and d > 1) and (extra is None or extra < s)
]


def test_conv_transpose(engine):
    """All kernels, strides, dilations, paddings and output paddings, in one program."""
    data = [
        (RNG.normal(size=(5, 3)), RNG.normal(size=(row[0], 2, 3))) for row in TRANSPOSED
    ]

    def convolved(arrays):
        return [
            ops.conv_transpose(x, k, stride, padding, extra, "channels_last", dilation)
            for (x, k), (_, stride, dilation, extra, padding) in zip(
                arrays, TRANSPOSED, strict=True
            )
        ]

    tensors = [
        (engine.convert(x[None].astype("float32")), engine.convert(k.astype("float32")))
        for x, k in data
    ]
    found = program(engine, convolved)(tensors)
    for row, (x, kernel), y in zip(TRANSPOSED, data, found, strict=True):
        _, stride, dilation, extra, padding = row
        expected = scattered(x, kernel, stride, dilation, extra, padding)
        np.testing.assert_allclose(
            value(y)[0], expected, rtol=1e-4, atol=1e-4, err_msg=str(row)
        )


def test_conv_transpose_is_the_transpose_of_conv(engine):
    x = RNG.normal(size=(2, 8, 6, 3)).astype("float32")
    kernel = RNG.normal(size=(3, 2, 3, 4)).astype("float32")
    y = computed(lambda a, b: ops.conv(a, b, 2, "same"), x, kernel)
    v = RNG.normal(size=y.shape).astype("float32")
    back = computed(lambda a, b: ops.conv_transpose(a, b, 2, "same"), v, kernel)
    assert back.shape == x.shape
    np.testing.assert_allclose((y * v).sum(), (back * x).sum(), rtol=1e-3)


@pytest.mark.parametrize(
    "x,kernel,message",
    [
        ((1, 5, 5, 3), (2, 2, 2, 4), "input channels must match"),
        ((1, 2, 2, 3), (3, 3, 3, 4), "does not fit"),
    ],
)
def test_conv_explains_a_misfit(engine, x, kernel, message):
    with pytest.raises(ValueError, match=message):
        ops.conv(np.ones(x, "float32"), np.ones(kernel, "float32"))
    with pytest.raises(ValueError, match=message):
        ops.conv(KerasTensor(x), KerasTensor(kernel))


POOLS = [
    ((8,), (2,), None, "valid"),
    ((7,), (3,), (2,), "same"),
    ((6, 7), (2, 3), (2, 1), "valid"),
    ((5, 6), (3, 2), (2, 3), "same"),
    ((20,), (12,), (3,), "same"),
    ((4, 5, 6), (2, 2, 3), (1, 2, 2), "same"),
]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("row", POOLS, ids=str)
@pytest.mark.parametrize(
    "name,reduce", [("max_pool", np.nanmax), ("average_pool", np.nanmean)]
)
def test_pools(engine, name, reduce, row, data_format):
    sizes, window, strides, padding = row
    op = getattr(ops, name)
    # Distinct values: the maximum and its gradient are unique.
    x = RNG.permutation(2 * int(np.prod(sizes)) * 3).reshape(2, *sizes, 3) / 10
    expected = first(
        loop_pool(x, window, strides or window, padding, reduce), data_format
    )
    given = first(x, data_format).astype("float32")
    arguments = (window, strides, padding, data_format)
    weights, v = RNG.normal(size=expected.shape), RNG.normal(size=x.shape)
    found, gradients = with_gradients(lambda z: op(z, *arguments), weights, given)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    symbol = op(KerasTensor((None, *given.shape[1:])), *arguments)
    assert symbol.shape == (None, *expected.shape[1:])
    if gradients:

        def oracle(z):
            pooled = loop_pool(z, window, strides or window, padding, reduce)
            return (first(pooled, data_format) * weights).sum()

        slope = (oracle(x + 1e-4 * v) - oracle(x - 1e-4 * v)) / 2e-4
        along = (gradients[0] * first(v, data_format)).sum()
        np.testing.assert_allclose(along, slope, rtol=1e-3, atol=1e-3)


def test_max_pool_sends_the_gradient_of_a_tie_to_one_place(training_engine):
    (found,) = gradient(
        lambda z: ops.sum(ops.max_pool(z, 2)), np.ones((1, 4, 4, 1), "float32")
    )
    assert sorted(found.ravel()) == [0] * 12 + [1] * 4


@pytest.mark.parametrize("sizes", [(7, 5), (6, 4)])
@pytest.mark.parametrize(
    "name,reduce", [("adaptive_max_pool", np.max), ("adaptive_average_pool", np.mean)]
)
def test_adaptive_pools(engine, name, reduce, sizes):
    x = RNG.normal(size=(2, *sizes, 3))
    expected = np.zeros((2, 3, 2, 3))
    (n, m), (rows, columns) = sizes, (3, 2)
    for i, j in itertools.product(range(rows), range(columns)):
        block = x[
            :,
            i * n // rows : -(-(i + 1) * n // rows),
            j * m // columns : -(-(j + 1) * m // columns),
        ]
        expected[:, i, j] = reduce(block, axis=(1, 2))
    op = getattr(ops, name)
    found = computed(lambda z: op(z, (3, 2)), x.astype("float32"))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    given = first(x, "channels_first").astype("float32")
    found = computed(lambda z: op(z, (3, 2), "channels_first"), given)
    expected = first(expected, "channels_first")
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert op(KerasTensor((None, *sizes, 3)), 2).shape == (None, 2, 2, 3)


# Labels and cross-entropies.


def test_one_hot(engine):
    found = value(ops.one_hot([[0, 2], [-1, 3]], 3))
    expected = [[[1, 0, 0], [0, 0, 1]], [[0, 0, 0], [0, 0, 0]]]
    np.testing.assert_array_equal(found, expected)
    found = ops.one_hot([0, 2], 3, axis=0, dtype="int32")
    np.testing.assert_array_equal(value(found), [[1, 0], [0, 0], [0, 1]])
    assert ops.one_hot(KerasTensor((None, 2), "int32"), 5).shape == (None, 2, 5)


def test_multi_hot(engine):
    found = ops.multi_hot([[0, 2], [1, 1]], 4)
    np.testing.assert_array_equal(value(found), [[1, 0, 1, 0], [0, 1, 0, 0]])
    np.testing.assert_array_equal(value(ops.multi_hot([1, 3], 4)), [0, 1, 0, 1])


def clipped(p):
    return np.clip(p, 1e-7, 1 - 1e-7)


@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("from_logits", [False, True])
def test_categorical_crossentropies(engine, from_logits, axis):
    labels = RNG.integers(0, 4, size=(3, 5))
    x = RNG.normal(size=(3, 5, 4)) * 10 if from_logits else RNG.random((3, 5, 4))
    logs = (
        special.log_softmax(x, -1)
        if from_logits
        else np.log(clipped(x / x.sum(-1, keepdims=True)))
    )
    expected = -np.take_along_axis(logs, labels[..., None], -1)[..., 0]
    target = np.moveaxis(np.eye(4)[labels], -1, axis).astype("float32")
    output = np.moveaxis(x, -1, axis).astype("float32")
    for op, y in (
        (ops.categorical_crossentropy, target),
        (ops.sparse_categorical_crossentropy, labels),
    ):
        found, gradients = with_gradients(
            lambda z: op(y, z, from_logits, axis),  # noqa: B023
            np.ones(expected.shape),
            output,
        )
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        if gradients:

            def oracle(z):
                logs = (
                    special.log_softmax(z, -1)
                    if from_logits
                    else np.log(z / z.sum(-1, keepdims=True))
                )
                return -np.take_along_axis(logs, labels[..., None], -1).sum()

            numeric = np.moveaxis(numeric_gradient(oracle, x), -1, axis)
            np.testing.assert_allclose(gradients[0], numeric, rtol=1e-3, atol=1e-3)


def test_sparse_labels_may_have_a_last_axis_and_lie_outside(engine):
    p = np.array([[0.2, 0.8], [0.5, 0.5]], "float32")
    found = ops.sparse_categorical_crossentropy([[1], [-1]], p)
    np.testing.assert_allclose(value(found), [-np.log(0.8), 0], rtol=1e-5)
    for outside in (-1, 2):
        labels = np.array([[1], [outside]])
        found = ops.sparse_categorical_crossentropy(labels, np.log(p), True)
        np.testing.assert_allclose(value(found), [-np.log(0.8), 0], rtol=1e-5)


def test_binary_crossentropy(engine):
    y, x = np.array([0.0, 1, 0.3, 1]), np.array([-200.0, 2, 0.5, -200])
    expected = y * np.logaddexp(0, -x) + (1 - y) * np.logaddexp(0, x)
    found = ops.binary_crossentropy(y, x.astype("float32"), from_logits=True)
    np.testing.assert_allclose(value(found), expected, rtol=1e-5, atol=1e-6)
    p = clipped(np.array([0.0, 0.9, 0.4, 0.0]))
    expected = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    found = ops.binary_crossentropy(y, np.array([0, 0.9, 0.4, 0], "float32"))
    np.testing.assert_allclose(value(found), expected, rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize(
    "op,target,output",
    [
        ("categorical_crossentropy", (2, 3), (2, 4)),
        ("categorical_crossentropy", (2,), (2, 4)),
        ("sparse_categorical_crossentropy", (3,), (2, 4)),
        ("binary_crossentropy", (2, 3), (2, 4)),
    ],
)
def test_crossentropies_reject_other_shapes(engine, op, target, output):
    with pytest.raises(ValueError, match="target"):
        getattr(ops, op)(np.ones(target, "float32"), np.ones(output, "float32"))
    with pytest.raises(ValueError, match="target"):
        getattr(ops, op)(KerasTensor(target), KerasTensor(output))


# Normalizations.


def test_moments(engine):
    x = RNG.normal(size=(4, 5, 6)) + 100
    center, variance = ops.moments(x.astype("float32"), (0, 2))
    np.testing.assert_allclose(value(center), x.mean((0, 2)), rtol=1e-5)
    np.testing.assert_allclose(value(variance), x.var((0, 2)), rtol=1e-3)
    kept = ops.moments(KerasTensor((None, 5)), [0], keepdims=True)
    assert [k.shape for k in kept] == [(1, 5), (1, 5)]
    # float16 squares of 300 overflow; the variance does not.
    _, variance = ops.moments(ops.cast([-300.0, 300.0] * 8, "float16"), [0])
    assert float(variance) == 65504


def test_batch_normalization(engine):
    x = RNG.normal(size=(3, 4, 5))
    center, variance, offset, scale = RNG.random((4, 4))
    shaped = [a[:, None] for a in (center, variance, offset, scale)]
    m, v, b, g = shaped
    expected = (x - m) / np.sqrt(v + 0.01) * g + b
    arrays = [a.astype("float32") for a in (x, center, variance)]
    found = ops.batch_normalization(
        *arrays, 1, offset.astype("float32"), scale.astype("float32"), 0.01
    )
    np.testing.assert_allclose(value(found), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="`offset` must be a vector of length"):
        ops.batch_normalization(
            KerasTensor((None, 4)),
            KerasTensor((4,)),
            KerasTensor((4,)),
            axis=-1,
            offset=KerasTensor((3,)),
        )


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), (-1,)])
@pytest.mark.parametrize("dtype,tolerance", [("float32", 1e-4), ("bfloat16", 5e-2)])
def test_layer_and_rms_normalization(engine, axis, dtype, tolerance):
    x = RNG.normal(size=(3, 4, 5)) * 3 + 2
    axes = axis if isinstance(axis, tuple) else (axis,)
    sizes = [x.shape[a] for a in axes]
    gamma, beta = RNG.random(sizes), RNG.random(sizes)
    shape = [n if i in [a % 3 for a in axes] else 1 for i, n in enumerate(x.shape)]
    g, b = gamma.reshape(shape), beta.reshape(shape)
    centered = x - x.mean(axes, keepdims=True)
    expected = centered / np.sqrt(x.var(axes, keepdims=True) + 1e-3) * g + b

    def both(*arrays):
        x, gamma, beta = (ops.cast(a, dtype) for a in arrays)
        results = [
            ops.layer_normalization(x, gamma, beta, axis=axis, epsilon=1e-3),
            ops.rms_normalization(x, gamma, axis, 1e-3),
        ]
        assert [ops.dtype(y) for y in results] == [dtype] * 2
        return [ops.cast(y, "float32") for y in results]

    tensors = [ops.convert_to_tensor(a, "float32") for a in (x, gamma, beta)]
    found, by_rms = map(value, program(engine, both)(*tensors))
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    expected = x / np.sqrt((x**2).mean(axes, keepdims=True) + 1e-3) * g
    np.testing.assert_allclose(by_rms, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_normalize(engine, order):
    x = RNG.normal(size=(3, 4))
    x[1] = 0
    norms = np.linalg.norm(x, order, axis=1, keepdims=True)
    expected = x / np.maximum(norms, 1e-7)
    found = ops.normalize(x.astype("float32"), order=order)
    np.testing.assert_allclose(value(found), expected, rtol=1e-5, atol=1e-6)
    if backends.current().trains and order == 2:
        (at_zero,) = gradient(
            lambda z: ops.sum(ops.normalize(z)), np.zeros(3, "float32")
        )
        assert np.isfinite(at_zero).all()
    with pytest.raises(ValueError, match="must be an int >= 1"):
        ops.normalize(x, order=0.5)


# Attention and linear maps.


@pytest.mark.parametrize("heads,key_heads", [(4, 4), (4, 2), (4, 1)])
@pytest.mark.parametrize("extra", ["", "mask", "bias", "causal", "causal mask", "cap"])
def test_dot_product_attention(engine, heads, key_heads, extra):
    q = RNG.normal(size=(2, 5, heads, 3))
    k, v = RNG.normal(size=(2, 2, 6, key_heads, 3))
    mask = RNG.random((2, 1, 5, 6)) > 0.3
    mask[..., 0] = True
    bias = RNG.normal(size=(1, heads, 5, 6))
    repeated = [np.repeat(a, heads // key_heads, 2) for a in (k, v)]
    logits = np.einsum("btnh,bsnh->bnts", q, repeated[0]) * 0.7
    arguments = {"scale": 0.7}
    if extra == "cap":
        logits, arguments["attn_logits_soft_cap"] = 2 * np.tanh(logits / 2), 2.0
    if extra == "bias":
        logits, arguments["bias"] = logits + bias, bias.astype("float32")
    if "mask" in extra:
        logits, arguments["mask"] = np.where(mask, logits, -np.inf), mask
    if "causal" in extra:
        logits = np.where(np.tril(np.ones((5, 6))) > 0, logits, -np.inf)
        arguments["is_causal"] = True
    expected = np.einsum("bnts,bsnh->btnh", special.softmax(logits, -1), repeated[1])
    tensors = [a.astype("float32") for a in (q, k, v)]
    found = computed(lambda *t: ops.dot_product_attention(*t, **arguments), *tensors)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (2, 4, 5, 3)])
@pytest.mark.parametrize("with_bias", [True, False])
def test_linear(engine, shape, with_bias):
    x, kernel, bias = (
        RNG.normal(size=shape),
        RNG.normal(size=(3, 4)),
        RNG.normal(size=4),
    )
    arrays = [a.astype("float32") for a in (x, kernel, bias)[: 2 + with_bias]]
    expected = x @ kernel + (bias if with_bias else 0)
    found, gradients = with_gradients(linear, np.ones(expected.shape), *arrays)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert linear(KerasTensor((None, 7, 3)), KerasTensor((3, 4))).shape == (
        None,
        7,
        4,
    )
    if gradients:
        ones = np.ones(expected.shape)
        np.testing.assert_allclose(gradients[0], ones @ kernel.T, rtol=1e-4, atol=1e-5)
        rows = x.reshape(-1, 3).T @ ones.reshape(-1, 4)
        np.testing.assert_allclose(gradients[1], rows, rtol=1e-4, atol=1e-4)


# Patches.


@pytest.mark.parametrize(
    "row", [(2, 1, 0, 1), (3, 1, 1, 2), ((2, 3), (2, 1), (0, 1), 2)]
)
def test_unfold_and_fold(engine, row):
    kernel, dilation, padding, stride = [np.broadcast_to(v, 2) for v in row]
    x = RNG.normal(size=(2, 3, 7, 6))
    around = [(0, 0), (0, 0), *((p, p) for p in padding)]
    padded = np.pad(x, around)
    counts = [
        (n - (k - 1) * d - 1) // s + 1
        for n, k, d, s in zip(padded.shape[2:], kernel, dilation, stride, strict=True)
    ]
    columns = []
    for i, j in np.ndindex(*counts):
        rows = i * stride[0] + np.arange(kernel[0]) * dilation[0]
        cells = j * stride[1] + np.arange(kernel[1]) * dilation[1]
        columns.append(padded[:, :, rows][:, :, :, cells].reshape(2, -1))
    expected = np.stack(columns, -1)
    found = computed(lambda z: ops.unfold(z, *row), x.astype("float32"))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert ops.unfold(KerasTensor((None, 3, 7, 6)), *row).shape == (
        None,
        *expected.shape[1:],
    )
    # Fold is the transpose of unfold.
    y = RNG.normal(size=expected.shape).astype("float32")
    back = computed(lambda z: ops.fold(z, (7, 6), *row), y)
    assert back.shape == x.shape
    np.testing.assert_allclose((back * x).sum(), (y * expected).sum(), rtol=1e-3)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_depth_to_space_and_back(engine, data_format):
    x = RNG.normal(size=(2, 3, 4, 8)).astype("float32")
    if data_format == "channels_last":
        expected = x.reshape(2, 3, 4, 2, 2, 2).transpose(0, 1, 3, 2, 4, 5)
        expected = expected.reshape(2, 6, 8, 2)
    else:
        x = np.moveaxis(x, -1, 1)
        expected = x.reshape(2, 2, 2, 2, 3, 4).transpose(0, 1, 4, 2, 5, 3)
        expected = expected.reshape(2, 2, 6, 8)
    found = ops.depth_to_space(x, 2, data_format)
    np.testing.assert_array_equal(value(found), expected)
    np.testing.assert_array_equal(value(ops.space_to_depth(found, 2, data_format)), x)
    symbol = ops.depth_to_space(KerasTensor((None, *x.shape[1:])), 2, data_format)
    assert symbol.shape == (None, *expected.shape[1:])
    with pytest.raises(ValueError, match="must be at least 2"):
        ops.depth_to_space(x, 1)


def test_polar_and_psnr(engine):
    r, t = RNG.random((2, 3)).astype("float32")
    np.testing.assert_allclose(value(ops.polar(r, t)), r * np.exp(1j * t), rtol=1e-5)
    a, b = RNG.random((2, 4, 5))
    expected = 10 * np.log10(4 / ((a - b) ** 2).mean())
    found = ops.psnr(a.astype("float32"), b.astype("float32"), 2.0)
    np.testing.assert_allclose(float(found), expected, rtol=1e-4)


# CTC: every alignment, one by one.


@pytest.mark.parametrize("blank", [0, 2])
def test_ctc_loss(engine, blank):
    logits = RNG.normal(size=(3, 5, 4))
    labels = {
        0: [[1, 1, 3], [2, 1, 0], [3, 0, 0]],
        2: [[1, 1, 3], [0, 1, 2], [3, 2, 2]],
    }
    target, lengths, steps = np.array(labels[blank]), [3, 2, 1], [5, 4, 3]
    expected = [
        -np.log(alignments(x[:t], blank)[tuple(y[:n])])
        for x, y, n, t in zip(logits, target, lengths, steps, strict=True)
    ]
    arguments = (np.array(lengths), np.array(steps), blank)
    found, gradients = with_gradients(
        lambda z: ops.ctc_loss(target, z, *arguments),
        np.ones(3),
        logits.astype("float32"),
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    if gradients:

        def oracle(z):
            return sum(
                -np.log(alignments(x[:t], blank)[tuple(y[:n])])
                for x, y, n, t in zip(z, target, lengths, steps, strict=True)
            )

        v = RNG.normal(size=logits.shape)
        slope = (oracle(logits + 1e-5 * v) - oracle(logits - 1e-5 * v)) / 2e-5
        along = (gradients[0] * v).sum()
        np.testing.assert_allclose(along, slope, rtol=1e-3, atol=1e-4)


def test_ctc_decode(engine):
    logits = RNG.normal(size=(2, 5, 3)).astype("float32")
    lengths = [5, 3]
    found, scores = ops.ctc_decode(
        logits, lengths, strategy="beam_search", beam_width=500, top_paths=2
    )
    for row, (x, n) in enumerate(zip(logits, lengths, strict=True)):
        ranked = sorted(alignments(x[:n], 0).items(), key=lambda item: -item[1])[:2]
        for path, (labels, chance) in enumerate(ranked):
            padded = list(labels) + [-1] * (5 - len(labels))
            np.testing.assert_array_equal(value(found)[path, row], padded)
            np.testing.assert_allclose(
                value(scores)[row, path], np.log(chance), rtol=1e-4
            )
    found, scores = ops.ctc_decode(logits, lengths)
    for row, (x, n) in enumerate(zip(logits, lengths, strict=True)):
        labels = collapse(tuple(x[:n].argmax(-1)), 0)
        padded = list(labels) + [-1] * (5 - len(labels))
        np.testing.assert_array_equal(value(found)[0, row], padded)
        expected = -x[:n].max(-1).sum()
        np.testing.assert_allclose(value(scores)[row, 0], expected, rtol=1e-5)
    symbols = ops.ctc_decode(KerasTensor((None, 5, 3)), KerasTensor((None,), "int32"))
    assert [s.shape for s in symbols] == [(1, None, 5), (None, 1)]
