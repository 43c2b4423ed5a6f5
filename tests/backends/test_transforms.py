"""What every engine does with functions: gradients, programs, abstract evaluation."""

import numpy as np
import pytest

from hornbeam import backends, ops
from hornbeam.backends.spec import Spec
from tests.engine_exceptions import cannot


def value(x):
    return ops.convert_to_numpy(x)


def test_value_and_grad_with_aux(training_engine):
    def loss(values, factor):
        a, b = values
        return ops.sum(a * a * factor), {"twice": 2 * a}

    a, b = ops.ones(3), ops.ones(2)
    run = training_engine.value_and_grad(loss, has_aux=True)
    (found, aux), (of_a, of_b) = run([a, b], 2.0)
    assert float(found) == 6
    np.testing.assert_array_equal(value(aux["twice"]), [2, 2, 2])
    np.testing.assert_array_equal(value(of_a), [4, 4, 4])
    np.testing.assert_array_equal(value(of_b), [0, 0])


def test_gradient_of_a_constant_is_zero(training_engine):
    run = training_engine.value_and_grad(lambda values: ops.sum(ops.ones(2)))
    found, gradients = run([ops.ones(3)])
    assert float(found) == 2
    np.testing.assert_array_equal(value(gradients[0]), [0, 0, 0])


def test_gradients_nest(training_engine):
    differentiate = training_engine.value_and_grad

    def outer(values):
        _, (slope,) = differentiate(lambda inner: ops.sum(inner[0] ** 3))(values)
        return ops.sum(slope**2)

    found, (gradient,) = differentiate(outer)([ops.ones(2) * 2])
    assert float(found) == 2 * 12**2
    np.testing.assert_allclose(value(gradient), [36 * 8, 36 * 8])


def test_torch_differentiates_live_parameters_and_detaches_the_rest():
    torch = pytest.importorskip("torch")
    engine = backends.get("torch")
    parameter = torch.nn.Parameter(torch.ones(2))
    seen = []

    def loss(values):
        seen.extend(values)
        return (values[0] * values[1]).sum(), values[0] * 2

    plain = torch.ones(2)
    (found, aux), gradients = engine.value_and_grad(loss, has_aux=True)(
        [parameter, plain]
    )
    assert seen[0] is parameter and seen[1] is not plain
    assert not plain.requires_grad and parameter.grad is None
    assert not found.requires_grad and not aux.requires_grad
    assert all(not g.requires_grad for g in gradients)


def test_numpy_says_which_engines_train():
    with pytest.raises(NotImplementedError, match="jax.*torch"):
        backends.get("numpy").value_and_grad(lambda values: values[0])


def test_jit_and_donate(engine):
    run = engine.jit(lambda a, b: (a + b, a * b), donate=(0,))
    a, b = ops.ones(3), ops.ones(3)
    found = run(a, b)
    np.testing.assert_array_equal(value(found[0]), [2, 2, 2])


def test_remat_changes_nothing_but_memory(training_engine):
    run = training_engine.remat(lambda x: ops.sin(x) * 2)
    x = ops.convert_to_tensor(0.5)
    found, (gradient,) = training_engine.value_and_grad(lambda v: run(v[0]))([x])
    np.testing.assert_allclose(float(found), 2 * np.sin(0.5), rtol=1e-6)
    np.testing.assert_allclose(float(gradient), 2 * np.cos(0.5), rtol=1e-6)


def test_vmap_axes(engine):
    a = np.arange(6.0, dtype="float32").reshape(2, 3)
    b = np.arange(3.0, dtype="float32")
    tensors = [engine.convert(x) for x in (a, b)]
    run = engine.vmap(lambda x, y: x * y + x, (0, None))
    np.testing.assert_allclose(value(run(*tensors)), a * b + a)
    run = engine.vmap(lambda x, y: ops.sum(x) * y, (1, 0))
    np.testing.assert_allclose(value(run(*tensors)), a.sum(0) * b)


X = Spec((None, 4), "float32")
INFERRED = [
    (lambda x: ops.relu(x), (X,), Spec((None, 4), "float32")),
    (lambda x: ops.reshape(x, (-1, 8)), (X,), Spec((None, 8), "float32")),
    (lambda x: ops.sum(x), (X,), Spec((), "float32")),
    (lambda x: ops.argmax(x, axis=1), (X,), Spec((None,), "int32")),
    (
        lambda x, y: ops.concatenate([x, y], 0),
        (X, np.ones((3, 4), "float32")),
        Spec((None, 4), "float32"),
    ),
    (lambda x, n: [x[:n], n], (X, 3), [Spec((3, 4), "float32"), 3]),
    (
        lambda x: {"a": x[:, 0], "b": None},
        (Spec((5, 2), "int32"),),
        {"a": Spec((5,), "int32"), "b": None},
    ),
    (
        lambda nest: nest["x"] * 2,
        ({"x": Spec((None, None, 3), "float16")},),
        Spec((None, None, 3), "float16"),
    ),
]


@pytest.mark.parametrize("row", range(len(INFERRED)))
def test_infer_knows_shapes_without_values(engine, row):
    fn, arguments, expected = INFERRED[row]
    assert engine.infer(fn, *arguments) == expected


def test_infer_runs_what_looks_at_values(engine):
    if cannot(engine, "values in a program"):
        return
    found = engine.infer(lambda x: x * float(x[0, 0]), X)
    assert found == X


def test_infer_shows_the_error_of_the_arguments(engine):
    with pytest.raises(Exception, match="4"):
        engine.infer(lambda x: ops.matmul(x, ops.ones((3, 2))), X)
