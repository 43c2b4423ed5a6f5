"""JAX on a CPU: every road of a correlation, beside the formula in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from hornbeam import ops
from hornbeam.backends.jax.correlation import Geometry, correlate
from tests.backends.correlation_formula import Formula, numbers

# name: shape of the inputs, of the kernel, strides, padding, gaps, dilation
ROWS = {
    "plain": ((2, 6, 5, 1, 3), (3, 2, 1, 3, 2), (1, 1), ((1, 1), (0, 1))),
    "strides": ((2, 6, 7, 1, 2), (3, 2, 1, 2, 3), (2, 3), ((1, 0), (0, 0))),
    "dilation": ((2, 9, 1, 2), (3, 1, 2, 3), (1,), ((2, 2),), (1,), (3,)),
    "strides and dilation": ((1, 9, 1, 2), (3, 1, 2, 2), (2,), ((1, 2),), (1,), (2,)),
    "gaps": ((2, 4, 3, 1, 3), (3, 4, 1, 3, 2), (1, 1), ((2, 1), (3, 2)), (2, 3)),
    "gaps wider than the window": ((1, 4, 1, 2), (2, 1, 2, 1), (1,), ((1, 1),), (3,)),
    "gaps and dilation": ((2, 4, 1, 2), (3, 1, 2, 2), (1,), ((4, 3),), (2,), (2,)),
    "gaps and strides": ((1, 5, 1, 2), (3, 1, 2, 1), (2,), ((2, 1),), (3,)),
    "crops": ((2, 9, 1, 2), (2, 1, 2, 3), (2,), ((-1, -2),)),
    "a window of one": ((2, 3, 4, 1, 3), (1, 1, 1, 3, 2), (1, 1), ((0, 0), (0, 0))),
    "one output": ((2, 3, 1, 2), (3, 1, 2, 2), (1,), ((0, 0),)),
    "groups": ((2, 6, 2, 3), (3, 2, 3, 4), (2,), ((1, 1),)),
    "depthwise": ((2, 6, 5, 4, 1), (3, 2, 4, 1, 1), (1, 2), ((1, 1), (0, 0))),
    "multiplier": ((2, 7, 3, 1), (3, 3, 1, 2), (1,), ((1, 1),), (1,), (2,)),
    "wide depthwise": ((1, 70, 2, 1), (66, 2, 1, 1), (1,), ((1, 0),)),
    "volume": ((1, 4, 3, 5, 1, 2), (2, 3, 2, 1, 2, 2), (2, 1, 1), ((1, 1),) * 3),
    "volume with gaps": (
        (1, 2, 3, 2, 1, 2),
        (3, 2, 2, 1, 2, 1),
        (1,) * 3,
        ((2, 1),) * 3,
        (2, 1, 3),
    ),
    "volume in groups": (
        (1, 3, 3, 2, 2, 1),
        (2, 2, 2, 2, 1, 3),
        (1,) * 3,
        ((1, 0),) * 3,
    ),
    "no rows": ((0, 5, 1, 2), (3, 1, 2, 2), (1,), ((0, 0),)),
    "no outputs": ((2, 2, 1, 2), (3, 1, 2, 2), (1,), ((0, 0),)),
}


def geometry_of(x_shape, kernel_shape, strides, padding, gaps=None, dilation=None):
    ones = (1,) * len(strides)
    return (
        x_shape,
        kernel_shape,
        Geometry(strides, padding, gaps or ones, dilation or ones),
    )


def agree(found, expected):
    jax.tree.map(np.testing.assert_array_equal, found, expected)


@pytest.mark.parametrize("row", ROWS)
def test_values_and_derivatives(row):
    x_shape, kernel_shape, geometry = geometry_of(*ROWS[row])
    formula, rng = Formula(x_shape, kernel_shape, geometry), np.random.default_rng(0)
    x, v = numbers(rng, 2, *x_shape)
    kernel, u = numbers(rng, 2, *kernel_shape)
    cotangent = numbers(rng, *formula.shape)

    def run(x, kernel):
        return correlate(x, kernel, geometry)

    def of_inputs(cotangent, kernel):
        return jax.vjp(lambda x: run(x, kernel), x)[1](cotangent)[0]

    def of_kernel(cotangent, x):
        return jax.vjp(lambda kernel: run(x, kernel), kernel)[1](cotangent)[0]

    @jax.jit
    def everything(x, kernel, cotangent, v, u):
        first = run(x, kernel), of_inputs(cotangent, kernel), of_kernel(cotangent, x)
        _, forward = jax.jvp(run, (x, kernel), (v, u))
        _, back = jax.vjp(of_inputs, cotangent, kernel)
        _, again = jax.vjp(of_kernel, cotangent, x)
        return (*first, forward, *back(v), *again(u))

    agree(
        everything(x, kernel, cotangent, v, u),
        (
            formula.outputs(x, kernel),
            formula.of_inputs(cotangent, kernel),
            formula.of_kernel(cotangent, x),
            formula.outputs(v, kernel) + formula.outputs(x, u),
            formula.outputs(v, kernel),
            formula.of_kernel(cotangent, v),
            formula.outputs(x, u),
            formula.of_inputs(cotangent, u),
        ),
    )


@pytest.mark.parametrize("row", ["strides", "gaps", "groups", "depthwise", "volume"])
def test_over_an_axis_and_in_a_loop(row):
    x_shape, kernel_shape, geometry = geometry_of(*ROWS[row])
    formula, rng = Formula(x_shape, kernel_shape, geometry), np.random.default_rng(1)
    xs, kernels = numbers(rng, 3, *x_shape), numbers(rng, 3, *kernel_shape)
    cotangent = numbers(rng, *formula.shape)

    def run(x, kernel):
        y, back = jax.vjp(lambda *a: correlate(*a, geometry), x, kernel)
        return y, *back(jnp.asarray(cotangent))

    @jax.jit
    def everything(xs, kernels):
        last = jnp.moveaxis(xs, 0, -1), jnp.moveaxis(kernels, 0, -1)
        return (
            jax.vmap(run)(xs, kernels),
            jax.vmap(run, (-1, None))(last[0], kernels[0]),
            jax.vmap(run, (None, -1))(xs[0], last[1]),
            jax.lax.map(lambda pair: run(*pair), (xs, kernels)),
        )

    def expected(x, kernel):
        return (
            formula.outputs(x, kernel),
            formula.of_inputs(cotangent, kernel),
            formula.of_kernel(cotangent, x),
        )

    def stacked(pairs):
        results = [expected(*pair) for pair in pairs]
        return tuple(np.stack(column) for column in zip(*results, strict=True))

    both = stacked(zip(xs, kernels, strict=True))
    agree(
        everything(xs, kernels),
        (
            both,
            stacked((x, kernels[0]) for x in xs),
            stacked((xs[0], kernel) for kernel in kernels),
            both,
        ),
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int32"])
def test_dtypes(dtype):
    x_shape, kernel_shape, geometry = geometry_of(*ROWS["strides"])
    rng = np.random.default_rng(2)
    x, kernel = numbers(rng, *x_shape), numbers(rng, *kernel_shape)
    expected = Formula(x_shape, kernel_shape, geometry).outputs(x, kernel)
    y = jax.jit(correlate, static_argnums=2)(
        jnp.asarray(x, dtype), jnp.asarray(kernel, dtype), geometry
    )
    assert y.dtype == dtype
    agree(np.asarray(y, "float32"), expected)


def test_gradients_outside_programs():
    x_shape, kernel_shape, geometry = geometry_of(*ROWS["plain"])
    formula, rng = Formula(x_shape, kernel_shape, geometry), np.random.default_rng(3)
    x, kernel = numbers(rng, *x_shape), numbers(rng, *kernel_shape)
    y, back = jax.vjp(lambda *a: correlate(*a, geometry), x, kernel)
    ones = np.ones(formula.shape, "float32")
    agree(y, formula.outputs(x, kernel))
    agree(
        back(jnp.asarray(ones)),
        (formula.of_inputs(ones, kernel), formula.of_kernel(ones, x)),
    )


@pytest.mark.parametrize("layer", ["conv", "depthwise_conv", "conv_transpose"])
def test_programs_for_any_number_of_rows(layer):
    kernel = jnp.ones({"conv": (3, 3, 2, 4)}.get(layer, (3, 3, 2, 2)))

    def run(x):
        return getattr(ops, layer)(
            x, kernel, strides=2, padding="same", data_format="channels_last"
        )

    rows = export.symbolic_shape("b, 6, 6, 2")
    exported = export.export(jax.jit(run))(jax.ShapeDtypeStruct(rows, "float32"))
    x = jnp.asarray(np.random.default_rng(4).random((3, 6, 6, 2), "float32"))
    np.testing.assert_allclose(exported.call(x), run(x), rtol=1e-6)


def test_loops_hold_the_order_that_xla_has_kernels_for():
    """A convolution in another order of axes is 40 times slower in a loop."""
    x, kernel = jnp.ones((2, 6, 6, 3)), jnp.ones((3, 3, 3, 4))

    def loss(x, kernel):
        y = ops.conv(x, kernel, strides=2, padding="same", data_format="channels_last")
        return (y * y).sum()

    def step(_, carry):
        return jax.grad(loss, (0, 1))(*carry)

    def loop(x, kernel):
        return jax.lax.fori_loop(0, 3, step, (x, kernel))

    text = jax.jit(loop).lower(x, kernel).as_text()
    orders = [
        line.split("dim_numbers = ")[1].split(", window")[0]
        for line in text.splitlines()
        if "stablehlo.convolution" in line
    ]
    assert len(orders) == 3
    assert set(orders) == {"[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]"}


def test_types_that_name_a_mesh():
    """In a `shard_map` the types of values say along which axes they vary."""
    mesh = jax.make_mesh((1,), ("rows",))
    x, kernel = jnp.ones((2, 6, 6, 2)), jnp.ones((3, 3, 2, 3))

    def gradient(kernel, x):
        def loss(kernel):
            return ops.conv(x, kernel, data_format="channels_last").sum()

        return jax.grad(loss)(kernel)

    spread = jax.sharding.PartitionSpec("rows")
    whole = jax.sharding.PartitionSpec()
    run = jax.shard_map(gradient, mesh=mesh, in_specs=(whole, spread), out_specs=whole)
    placed = jax.device_put(x, jax.sharding.NamedSharding(mesh, spread))
    kernels = jax.device_put(kernel, jax.sharding.NamedSharding(mesh, whole))
    agree(jax.jit(run)(kernels, placed), np.full(kernel.shape, 32.0))
