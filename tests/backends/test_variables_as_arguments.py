"""Variables in functions of the engines' own libraries: they are taken as values."""

import jax
import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends

jnp, tree = jax.numpy, jax.tree
A = np.array([0.5, -1.0, 2.0], "float32")
STEP = 0.1


def square(x):
    return (x**2).sum()


def product(xs):
    return (xs[0] * xs[1]).sum()


OF_JAX = {
    "jit": lambda v, w: jax.jit(lambda x: x * 2)(v),
    "jit of a list": lambda v, w: jax.jit(product)([v, w]),
    "jit of a tree": lambda v, w: jax.jit(lambda t: t["a"] + t["b"][0])(
        {"a": v, "b": (w,)}
    ),
    "grad": lambda v, w: jax.grad(square)(v),
    "value_and_grad": lambda v, w: jax.value_and_grad(product)([v, w]),
    "jit of grad": lambda v, w: jax.jit(jax.grad(product))([v, w]),
    "hessian": lambda v, w: jax.hessian(square)(v),
    "jvp": lambda v, w: jax.jvp(square, (v,), (v,)),
    "vjp": lambda v, w: jax.vjp(square, v)[1](jnp.float32(3.0)),
    "vmap": lambda v, w: jax.vmap(lambda x, y: x * y, (0, None))(v, w),
    "checkpoint": lambda v, w: jax.grad(jax.checkpoint(square))(v),
    "scan": lambda v, w: jax.lax.scan(lambda c, x: (c + x, c * x), w, v),
    "while_loop": lambda v, w: jax.lax.while_loop(lambda x: x < 9, lambda x: x * 2, w),
    "cond": lambda v, w: jax.lax.cond(True, lambda x: x + 1, lambda x: x, v),
    "eval_shape": lambda v, w: jax.eval_shape(lambda x: x * 2, v).shape,
    "device_put": lambda v, w: jax.device_put(v),
    "inside a jit": lambda v, w: jax.jit(lambda x: x + jnp.sum(v) * jax.jit(square)(v))(
        1.0
    ),
    "jax.numpy": lambda v, w: jnp.sum(v) + jnp.dot(v, v) + jnp.linalg.norm(v),
    "jax.nn": lambda v, w: jax.nn.relu(v),
    "jax.lax": lambda v, w: jax.lax.add(v, v),
    "trees of both kinds": lambda v, w: [
        tree.map(lambda x, g: x - STEP * g, [v, w], [A, 1.0]),
        tree.map(lambda g, x: x - STEP * g, [A, 1.0], [v, w]),
    ],
}


@pytest.mark.parametrize("name", OF_JAX)
def test_functions_of_jax(name):
    call = OF_JAX[name]
    with backends.scope("jax"):
        v, w = keras.Variable(A), keras.Variable(2.0)
        expected = call(v.value, w.value)
        found = call(v, w)
    for one, other in zip(tree.leaves(found), tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_program_of_jax_takes_the_value_of_each_call():
    traces = []

    @jax.jit
    def double(x):
        traces.append(x)
        return 2 * x

    class Special(keras.Variable):
        pass

    with backends.scope("jax"):
        for cls in (keras.Variable, Special):
            variable = cls(A)
            for value in (A, A + 1, A - 1):
                variable.assign(value)
                np.testing.assert_allclose(double(variable), 2 * value)
    assert len(traces) == 1


def test_a_loop_of_optax():
    optax = pytest.importorskip("optax")
    rule = optax.adamw(0.1)

    def trained(values):
        state = rule.init(values)
        for _ in range(3):
            gradients = jax.grad(product)(values)
            updates, state = rule.update(gradients, state, values)
            values = optax.apply_updates(values, updates)
        return values

    with backends.scope("jax"):
        variables = [keras.Variable(A), keras.Variable(2.0)]
        found = trained(variables)
        expected = trained([v.value for v in variables])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_model_by_the_values_of_its_variables():
    with backends.scope("jax"):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])

        def loss(trainable):
            return model.stateless_call(trainable, [], A[None])[0].sum()

        gradients = jax.jit(jax.grad(loss))(model.trainable_variables)
    np.testing.assert_allclose(gradients[0], A[:, None])
    np.testing.assert_allclose(gradients[1], [1.0])


def test_functions_of_torch():
    torch = pytest.importorskip("torch")
    with backends.scope("torch"):
        v, w = keras.Variable(A), keras.Variable(2.0)
        for function, expected in (
            (lambda: torch.sum(v), A.sum()),
            (lambda: torch.stack([v, v]), np.stack([A, A])),
            (lambda: torch.add(input=v, other=w), A + 2),
            (lambda: torch.where(v > 0, v, w), np.where(A > 0, A, 2)),
            (lambda: torch.autograd.grad(square(v), [v])[0], 2 * A),
            (lambda: torch.as_tensor(v), A),
        ):
            np.testing.assert_allclose(function().detach(), expected, rtol=1e-6)


def test_functions_of_tensorflow():
    tf = pytest.importorskip("tensorflow")
    with backends.scope("tensorflow"):
        v, w = keras.Variable(A), keras.Variable(2.0)
        total = tf.function(lambda xs: tf.reduce_sum(xs[0]) * xs[1])
        inside = tf.function(lambda: tf.reduce_sum(v))
        for value in (A, A + 1):
            v.assign(value)
            np.testing.assert_allclose(total([v, w]), 2 * value.sum())
            np.testing.assert_allclose(inside(), value.sum())
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(v * v)
        np.testing.assert_allclose(tape.gradient(loss, v), 2 * v.numpy())
