"""Symbols, operations and the functions of a graph."""

import copy
import pickle

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.graph.operation import Operation


class Mix(Operation):
    """Two outputs from two inputs."""

    def call(self, x, y, factor=1.0):
        return x + y, x * y * factor

    def compute_output_spec(self, x, y, factor=1.0):
        return keras.KerasTensor(x.shape, x.dtype), keras.KerasTensor(x.shape, x.dtype)


def test_operators_are_recorded(engine):
    x, y = keras.KerasTensor((2, 3)), keras.Input(batch_shape=(2, 3))
    outputs = [
        x + y, 2 * x, x - 1, 1 / y, y**2, -x, abs(x), x @ keras.ops.transpose(y),
        x[0], x[:, 1:], x > y, x.reshape((3, 2)), x[None].squeeze(0), x // 2, x % 2,
    ]  # fmt: skip
    shapes = [(2, 3)] * 7 + [(2, 2), (3,), (2, 2), (2, 3), (3, 2)] + [(2, 3)] * 3
    assert [z.shape for z in outputs] == shapes
    assert outputs[10].dtype == "bool"
    a = np.arange(6, dtype="float32").reshape(2, 3) + 1
    b = np.ones((2, 3), "float32") * 3
    expected = [
        a + b, 2 * a, a - 1, 1 / b, b**2, -a, abs(a), a @ b.T,
        a[0], a[:, 1:], a > b, a.reshape(3, 2), a, a // 2, a % 2,
    ]  # fmt: skip
    for got, want in zip(
        keras.Function([x, y], outputs)([a, b]), expected, strict=True
    ):
        np.testing.assert_allclose(engine.to_numpy(got), want, rtol=1e-6)


def test_nests_of_inputs_and_outputs(engine):
    x, y = keras.KerasTensor((2,)), keras.KerasTensor((2,))
    function = keras.Function({"x": x, "y": [y]}, {"sum": x + y, "both": (x * 2, y)})
    result = function({"x": np.ones(2), "y": [np.full(2, 3.0)]})
    np.testing.assert_array_equal(engine.to_numpy(result["sum"]), [4, 4])
    np.testing.assert_array_equal(engine.to_numpy(result["both"][0]), [2, 2])
    assert type(result["both"]) is tuple


def test_shapes_are_inferred_again():
    x = keras.KerasTensor((None, 3))
    function = keras.Function(x, keras.ops.sum(x * 2, axis=0))
    assert function(keras.KerasTensor((4, 3))).shape == (3,)
    assert function.compute_output_shape((None, 3)) == (3,)
    wide = keras.Function(x, x * 2).compute_output_spec(keras.KerasTensor((7, 3)))
    assert wide.shape == (7, 3)


def test_called_on_symbols_it_is_one_operation(engine):
    x = keras.KerasTensor((2,))
    inner = keras.Function(x, x + 1, name="inner")
    y = keras.KerasTensor((2,))
    outer = keras.Function(y, inner(inner(y)))
    assert [operation.name for operation in outer.operations] == ["inner"]
    np.testing.assert_array_equal(engine.to_numpy(outer(np.zeros(2))), [2, 2])


def test_a_graph_begins_at_its_inputs(engine):
    x = keras.Input((3,), name="x")
    middle = x * 2 + 1
    function = keras.Function(middle, middle**2)
    assert [operation.name for operation in function.operations] == ["power"]
    result = engine.to_numpy(function(np.full((1, 3), 3.0)))
    np.testing.assert_array_equal(result, np.full((1, 3), 9.0))


def test_operations_are_ordered_by_depth():
    x = keras.Input((3,), name="x")
    y = keras.Input((3,), name="y")
    a = keras.layers.Activation("relu", name="a")(x)
    b = keras.layers.Add(name="b")([a, y])
    outputs = keras.layers.Add(name="c")([b, x])
    names = [o.name for o in keras.Function([x, y], outputs).operations]
    assert names == ["x", "a", "y", "b", "c"]


def test_deep_graphs_do_not_exhaust_the_stack(engine):
    x = y = keras.KerasTensor((1,))
    for _ in range(3000):
        y = y + 1
    result = keras.Function(x, y)(np.zeros(1))
    assert float(engine.to_numpy(result)[0]) == 3000


@pytest.mark.parametrize("style", ["positions", "names", "mixed"])
def test_operation(engine, style):
    x, y = keras.KerasTensor((2,)), keras.KerasTensor((2,))
    operation = Mix(name="mix")
    outputs = {
        "positions": lambda: operation(x, y, 3.0),
        "names": lambda: operation(x=x, y=y, factor=3.0),
        "mixed": lambda: operation(x, y=y, factor=3.0),
    }[style]()
    assert operation.input == [x, y] and operation.output == list(outputs)
    total, product = keras.Function([x, y], list(outputs))([np.full(2, 2.0)] * 2)
    np.testing.assert_array_equal(engine.to_numpy(total), [4, 4])
    np.testing.assert_array_equal(engine.to_numpy(product), [12, 12])


def test_operation_config():
    class Scaled(Operation):
        def __init__(self, factor, *, offset=0.0, name=None):
            super().__init__(name=name)
            self.factor, self.offset = factor, offset

    operation = Scaled(2.0)
    config = operation.get_config()
    assert config == {"factor": 2.0, "offset": 0.0, "name": "scaled"}
    assert Scaled.from_config(config).get_config() == config
    with pytest.raises(NotImplementedError, match="factor"):
        Scaled(object()).get_config()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda x, f: keras.Function([], x + 1), "`inputs` argument cannot be empty"),
        (lambda x, f: keras.Function(x, []), "`outputs` argument cannot be empty"),
        (lambda x, f: keras.Function(x, np.ones(2)), "must be KerasTensors"),
        (lambda x, f: keras.Function(x, x + keras.KerasTensor((2,))), "not connected"),
        (lambda x, f: f([np.ones(2)]), "invalid input structure"),
        (lambda x, f: f(np.ones((2, 2))), "incompatible inputs"),
        (lambda x, f: f(np.ones(3)), "incompatible inputs"),
        (lambda x, f: np.asarray(x), "no value"),
        (lambda x, f: float(x), "no value"),
        (lambda x, f: keras.KerasTensor((-1,)), "negative"),
        (lambda x, f: keras.KerasTensor("ab"), "tuple of integers"),
        (lambda x, f: Operation(name="a/b"), "cannot contain"),
    ],
)
def test_errors(make, words):
    x = keras.KerasTensor((2,))
    with pytest.raises(ValueError, match=words):
        make(x, keras.Function(x, x + 1))


def test_symbols_are_no_values():
    x = keras.KerasTensor((2,))
    for use in (bool, iter):
        with pytest.raises(TypeError, match="symbolic"):
            use(x)
    import jax.numpy as jnp
    import torch

    with pytest.raises((ValueError, TypeError)):
        jnp.sin(x)
    with pytest.raises((ValueError, TypeError), match="KerasTensor"):
        torch.sin(x)


def test_never_called():
    with pytest.raises(AttributeError, match="never called"):
        _ = Mix().output


def test_equal_symbols_are_the_same():
    x, y = keras.KerasTensor((2,)), keras.KerasTensor((2,))
    assert x in [y, x] and len({x, y}) == 2


COPIES = [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]


@pytest.mark.parametrize("copied", COPIES, ids=["deepcopy", "pickle"])
class TestCopies:
    def test_a_graph_of_any_depth(self, copied, python_only):
        x = inputs = keras.Input((3,))
        for _ in range(400):
            x = keras.layers.Dense(3)(x)
        model = keras.Model(inputs, x)
        rows = np.ones((2, 3), "float32")
        np.testing.assert_array_equal(copied(model)(rows), model(rows))

    def test_nodes_of_a_shared_layer_keep_their_order(self, copied, python_only):
        shared = keras.layers.Dense(3)
        inputs = keras.Input((3,))
        elsewhere = shared(keras.Input((3,)))
        first = shared(inputs)
        x = first
        for _ in range(5):
            x = keras.layers.Dense(3)(x)
        model = keras.Model(inputs, [shared(x), first])
        again = copied(model)
        config, expected = again.get_config(), model.get_config()
        assert config == expected
        rows = np.ones((2, 3), "float32")
        for a, b in zip(again(rows), model(rows), strict=True):
            np.testing.assert_array_equal(a, b)
        layer = again.get_layer(shared.name)
        assert again.inputs[0] is layer.input and again.outputs[1] is layer.output
        assert elsewhere._keras_history.operation is shared

    def test_a_layer_that_knows_its_model(self, copied, python_only):
        class Knows(keras.layers.Layer):
            def call(self, x):
                return x + 1

        globals()["Knows"] = Knows
        Knows.__qualname__ = "Knows"
        inputs, layer = keras.Input((3,)), Knows()
        layer.model = [keras.Model(inputs, layer(inputs))]
        again = copied(layer)
        (model,) = again.model
        assert model.layers[1] is again and again.output is model.outputs[0]


def test_source_inputs_are_those_of_the_graph_around():
    a, b, c = (keras.Input((2,), name=name) for name in "abc")
    x = keras.layers.Add()([a, b])
    y = keras.layers.Dense(2)(x) + a
    find = keras.utils.get_source_inputs
    assert [t.name for t in find(y)] == ["a", "b"]
    inner = keras.Model([a, b], y)
    assert [t.name for t in find(inner([c, c]))] == ["c"]
    assert find(a) == [a]
    alone = keras.KerasTensor((2,))
    assert find(alone) is alone
    with pytest.raises(TypeError, match="takes a KerasTensor"):
        find(np.ones(2))
