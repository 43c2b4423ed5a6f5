"""Dense on inputs of rank 3: one 2-D product, forwards and backwards (JAX)."""

import numpy as np

import hornbeam as keras
from hornbeam import backends

BATCH, STEPS, SIZE, UNITS = 8, 64, 32, 16


def gradient():
    """Return the function of (inputs, kernel, bias) that gives their gradients."""
    import jax

    layer = keras.layers.Dense(UNITS)
    layer.build((None, None, SIZE))

    def loss(values):
        outputs, _ = layer.stateless_call(values[1:], [], values[0])
        return keras.ops.sum(keras.ops.square(outputs))

    return jax.grad(loss), [
        np.ones((BATCH, STEPS, SIZE), "float32"),
        np.ones((SIZE, UNITS), "float32"),
        np.ones((UNITS,), "float32"),
    ]


def products(jaxpr):
    """Yield the dot_general equations of a jaxpr and of those inside it."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            yield equation
        for inner in equation.params.values():
            if hasattr(inner, "jaxpr"):
                yield from products(inner.jaxpr)


def test_no_batched_product_in_the_gradient():
    import jax

    with backends.scope("jax"):
        fn, values = gradient()
        found = list(products(jax.make_jaxpr(fn)(values).jaxpr))
    assert len(found) == 3
    for equation in found:
        _, (left, right) = equation.params["dimension_numbers"]
        assert left == right == ()
        assert max(v.aval.ndim for v in equation.invars) == 2


def test_gradient_memory_is_that_of_inputs_and_outputs():
    import jax

    with backends.scope("jax"):
        fn, values = gradient()
        analysis = jax.jit(fn).lower(values).compile().memory_analysis()
    outputs = BATCH * STEPS * UNITS * 4
    assert analysis.temp_size_in_bytes <= 3 * outputs
