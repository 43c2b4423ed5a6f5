"""Convolutions on every engine that trains, beside the formula, and gradients."""

import numpy as np
import pytest

from hornbeam import ops
from tests.backends.correlation_formula import Formula, numbers

# name: shape of the inputs, of the kernel, groups, arguments
ROWS = {
    "conv": ((2, 7, 6, 3), (3, 2, 3, 4), 1, {"strides": (2, 1), "padding": "same"}),
    "dilated": ((2, 9, 8, 2), (3, 2, 2, 3), 1, {"dilation_rate": (2, 3)}),
    "dilated sequence": (
        (2, 9, 2),
        (3, 2, 3),
        1,
        {"dilation_rate": 2, "padding": "same"},
    ),
    "strides and dilation": (
        (2, 9, 2),
        (3, 2, 3),
        1,
        {"strides": 2, "dilation_rate": 2},
    ),
    "volume": ((1, 5, 4, 6, 2), (2, 3, 2, 2, 3), 1, {"strides": 2, "padding": "same"}),
    "groups": ((2, 7, 6), (3, 3, 4), 2, {"padding": "same"}),
    "depthwise": ((2, 7, 6, 3), (3, 2, 1, 3), 3, {"strides": 2, "padding": "same"}),
    "depthwise sequence": ((2, 8, 3), (3, 1, 6), 3, {"strides": 2}),
    "dilated depthwise": (
        (2, 8, 3),
        (3, 1, 3),
        3,
        {"dilation_rate": 3, "padding": "same"},
    ),
}
TRANSPOSED = {
    "same": ((2, 4, 3, 3), (3, 4, 2, 3), {"strides": 2, "padding": "same"}),
    "valid": ((2, 4, 3, 3), (3, 2, 2, 3), {"strides": (2, 3)}),
    "sequence": ((2, 5, 3), (3, 2, 3), {"strides": 1, "padding": "same"}),
    "dilated": ((2, 5, 3), (3, 2, 3), {"dilation_rate": 2}),
    "strides and dilation": ((2, 5, 3), (3, 2, 3), {"strides": 2, "dilation_rate": 2}),
    "longer": ((2, 5, 3), (3, 2, 3), {"strides": 3, "output_padding": 1}),
    "volume": ((1, 2, 3, 2, 2), (3, 2, 2, 1, 2), {"strides": 2, "padding": "same"}),
}


def check(engine, function, x, kernel, expected, gradients, cotangent):
    def loss(values):
        y = function(*values)
        return ops.sum(ops.multiply(y, cotangent)), y

    run = engine.value_and_grad(loss, has_aux=True)
    (_, y), found = run([engine.convert(x), engine.convert(kernel)])
    for tensor, right in zip([y, *found], [expected, *gradients], strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(tensor), right)


def per_axis(settings, name, rank):
    value = settings.get(name, 1)
    return value if isinstance(value, tuple) else (value,) * rank


def geometry_of(sizes, window, settings):
    rank = len(window)
    strides, dilation = (
        per_axis(settings, name, rank) for name in ("strides", "dilation_rate")
    )
    padding = []
    for n, k, s, d in zip(sizes, window, strides, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        total *= settings.get("padding") == "same"
        padding.append((total // 2, total - total // 2))
    return strides, padding, (1,) * rank, dilation


@pytest.mark.parametrize("row", ROWS)
def test_convolutions(row, training_engine):
    shape, kernel_shape, groups, settings = ROWS[row]
    rng = np.random.default_rng(0)
    x, kernel = numbers(rng, *shape), numbers(rng, *kernel_shape)
    *window, depth, filters = kernel_shape
    grouped = kernel.reshape(*window, depth, groups, -1).swapaxes(-2, -3)
    parts = x.reshape(*shape[:-1], groups, depth)
    geometry = geometry_of(shape[1:-1], window, settings)
    formula = Formula(parts.shape, grouped.shape, geometry)
    cotangent = numbers(rng, *formula.shape)
    of_kernel = formula.of_kernel(cotangent, parts).swapaxes(-2, -3)
    new_shape = (*formula.shape[:-2], filters)
    check(
        training_engine,
        lambda x, kernel: ops.conv(x, kernel, **settings, data_format="channels_last"),
        x,
        kernel,
        formula.outputs(parts, grouped).reshape(new_shape),
        (
            formula.of_inputs(cotangent, grouped).reshape(shape),
            of_kernel.reshape(kernel_shape),
        ),
        cotangent.reshape(new_shape),
    )


@pytest.mark.parametrize("row", TRANSPOSED)
def test_transposed_convolutions(row, training_engine):
    shape, kernel_shape, settings = TRANSPOSED[row]
    rng = np.random.default_rng(1)
    x, kernel = numbers(rng, *shape), numbers(rng, *kernel_shape)

    def function(x, kernel):
        return ops.conv_transpose(x, kernel, **settings, data_format="channels_last")

    sizes = function(x, kernel).shape[1:-1]
    *window, filters, _ = kernel_shape
    geometry = geometry_of(sizes, window, settings)
    kernel_of_one = kernel[..., None, :, :]
    formula = Formula((shape[0], *sizes, 1, filters), kernel_of_one.shape, geometry)
    assert formula.shape == (*shape[:-1], 1, shape[-1])
    cotangent = numbers(rng, *formula.shapes[0])
    check(
        training_engine,
        function,
        x,
        kernel,
        formula.of_inputs(x[..., None, :], kernel_of_one)[..., 0, :],
        (
            formula.outputs(cotangent, kernel_of_one)[..., 0, :],
            formula.of_kernel(x[..., None, :], cotangent)[..., 0, :, :],
        ),
        cotangent[..., 0, :],
    )
