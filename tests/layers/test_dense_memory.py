"""Dense on inputs of rank 3: one 2-D product, forwards and backwards."""

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


def test_torch_keeps_nothing_but_inputs_and_kernel_for_the_gradient():
    import torch

    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with backends.scope("torch"):
        layer = keras.layers.Dense(UNITS)
        layer.build((None, None, SIZE))
        x = torch.ones((BATCH, STEPS, SIZE), requires_grad=True)
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            outputs = layer(x)
    expected = [x, layer.kernel.value]
    assert outputs.shape == (BATCH, STEPS, UNITS)
    assert kept == {t.untyped_storage().data_ptr(): t.nbytes for t in expected}


def test_tensorflow_has_no_batched_product_in_the_gradient():
    import tensorflow as tf

    with backends.scope("tensorflow"):
        layer = keras.layers.Dense(UNITS)
        layer.build((None, None, SIZE))

        @tf.function
        def gradients(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(tf.square(layer(x)))
            return tape.gradient(loss, [x, layer.kernel.value, layer.bias.value])

        graph = gradients.get_concrete_function(tf.ones((BATCH, STEPS, SIZE))).graph
    kinds = [operation.type for operation in graph.get_operations()]
    assert kinds.count("MatMul") == 3
    assert not [kind for kind in kinds if "BatchMatMul" in kind or kind == "Einsum"]
