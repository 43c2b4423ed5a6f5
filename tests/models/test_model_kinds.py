"""Functional, Sequential and subclassed models on every engine."""

import itertools

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from tests.conftest import ENGINES, TRAINING_ENGINES

# In one process: the tests share programs.
pytestmark = pytest.mark.xdist_group("model kinds")

X = np.random.default_rng(0).standard_normal((20, 4)).astype("float32")


def two_towers():
    """Several inputs and outputs, a shared layer, a nested model."""
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    shared = keras.layers.Dense(3, activation="relu", name="shared")
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)], name="inner")
    a, b = shared(left), shared(right)
    joined = keras.layers.concatenate([inner(a), inner(b), a * 2.0 + b])
    return keras.Model(
        {"left": left, "right": right},
        {
            "sum": keras.ops.sum(joined, axis=-1, keepdims=True),
            "head": keras.layers.Dense(2, name="head")(joined),
        },
        name="towers",
    )


def by_hand(model, left, right):
    """The same computation in NumPy."""
    kernel, bias = model.get_layer("shared").get_weights()
    inner_kernel, inner_bias = model.get_layer("inner").get_weights()
    head_kernel, head_bias = model.get_layer("head").get_weights()
    a, b = (np.maximum(x @ kernel + bias, 0) for x in (left, right))
    parts = [a @ inner_kernel + inner_bias, b @ inner_kernel + inner_bias, a * 2 + b]
    joined = np.concatenate(parts, axis=-1)
    return joined.sum(-1, keepdims=True), joined @ head_kernel + head_bias


def test_functional_model_computes_its_graph(engine):
    model = two_towers()
    outputs = model.predict({"left": X, "right": -X}, verbose=0)
    total, head = by_hand(model, X, -X)
    np.testing.assert_allclose(outputs["sum"], total, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(outputs["head"], head, rtol=1e-4, atol=1e-5)
    assert model.output_shape == {"sum": (None, 1), "head": (None, 2)}
    assert model.count_params() == 15 + 8 + 7 * 2 + 2


def test_a_list_of_one_output_is_that_output(training_engine):
    inputs = keras.Input((4,))
    for outputs in (keras.layers.Dense(2)(inputs), keras.ops.sum(inputs, axis=-1)):
        alone, listed = keras.Model(inputs, outputs), keras.Model([inputs], [outputs])
        expected = alone.predict(X, verbose=0)
        np.testing.assert_array_equal(listed.predict(X, verbose=0), expected)
        assert listed(X).shape == expected.shape
        assert listed.output_shape == alone.output_shape == outputs.shape
        assert listed.input_shape == (None, 4)
        assert [x.shape for x in listed(inputs)] == [outputs.shape]
    assert keras.Model(inputs, (outputs,))(X).shape == (20,)
    around = keras.Model(inputs, keras.ops.expand_dims(listed(inputs)[0], -1))
    np.testing.assert_allclose(
        around.predict(X, verbose=0)[:, 0], X.sum(1), rtol=1e-4, atol=1e-5
    )


def test_functional_model_trains_on_named_outputs(training_engine):
    model = two_towers()
    model.compile(
        "adam",
        loss={"sum": "mse", "head": keras.losses.MeanAbsoluteError()},
        loss_weights={"sum": 0.5, "head": 2.0},
        metrics={"head": ["mse"]},
    )
    targets = {"sum": X[:, :1], "head": X[:, :2]}
    history = model.fit({"left": X, "right": X}, targets, epochs=3, verbose=0).history
    assert set(history) == {"loss", "sum_loss", "head_loss", "head_mse"}
    weighted = 0.5 * np.array(history["sum_loss"]) + 2 * np.array(history["head_loss"])
    np.testing.assert_allclose(history["loss"], weighted, rtol=1e-5)
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize("make", ["config", "json", "clone"])
def test_copies_compute_the_same(engine, make):
    model = two_towers()
    model.get_layer("shared").trainable = False
    model.get_layer("inner").layers[0].trainable = False
    if make == "config":
        copy = keras.Model.from_config(model.get_config())
    elif make == "json":
        copy = keras.models.model_from_json(model.to_json())
    else:
        copy = keras.models.clone_model(model)
    assert copy.get_layer("shared") is not model.get_layer("shared")
    assert [w.path for w in copy.trainable_weights] == [
        w.path for w in model.trainable_weights
    ]
    copy.set_weights(model.get_weights())
    inputs = {"left": X, "right": X}
    for name, value in model.predict(inputs, verbose=0).items():
        np.testing.assert_allclose(
            copy.predict(inputs, verbose=0)[name], value, rtol=1e-5, atol=1e-6
        )


class Gate(keras.Layer):
    """A layer with layers in a list and a dict."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.steps = [keras.layers.Dense(units), keras.layers.Dropout(0.5, seed=1)]
        self.parts = {"gate": keras.layers.Dense(units, activation="sigmoid")}

    def call(self, x, training=False):
        y = x
        for step in self.steps:
            y = step(y)
        self.add_loss(0.01 * keras.ops.mean(keras.ops.square(y)))
        return y * self.parts["gate"](x)


class Subclassed(keras.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.gate = Gate(units)
        self.head = keras.layers.Dense(1)

    def call(self, x, training=False):
        return self.head(self.gate(x))


def test_subclassed_model_is_built_by_data(training_engine):
    model = Subclassed()
    assert not model.built
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], batch_size=8, epochs=2, verbose=0)
    assert len(model.trainable_variables) == 6
    assert [layer.name for layer in model.layers] == ["gate", "dense_2"]
    inference = model(X, training=False)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(inference), model.predict(X, verbose=0), rtol=1e-5
    )
    dropped = keras.ops.convert_to_numpy(model(X, training=True))
    assert not np.allclose(dropped, keras.ops.convert_to_numpy(inference))


def test_added_losses_count_once(training_engine):
    model = Subclassed()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    found = model.evaluate(X, X[:, :1], batch_size=20, verbose=0)
    y = keras.ops.convert_to_numpy(model.gate.steps[0](X))
    expected = np.mean((model.predict(X, verbose=0) - X[:, :1]) ** 2)
    np.testing.assert_allclose(found, expected + 0.01 * np.mean(y**2), rtol=1e-4)


def test_custom_train_step_is_written_once(training_engine):
    class Doubled(keras.Sequential):
        def train_step(self, data):
            x, y = data

            def loss():
                return 2 * self.compute_loss(x, y, self(x, training=True))

            value, gradients = keras.value_and_grad(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"doubled": value}

    model = Doubled([keras.Input((4,)), keras.layers.Dense(1)])
    plain = keras.models.clone_model(model)
    weights = model.get_weights()
    model.compile(keras.optimizers.SGD(0.05), "mse")
    history = model.fit(X, X[:, :1], batch_size=8, epochs=3, shuffle=False, verbose=0)
    assert set(history.history) == {"doubled"}

    expected = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    expected.set_weights(weights)
    expected.compile(keras.optimizers.SGD(0.1), "mse")
    expected.fit(X, X[:, :1], batch_size=8, epochs=3, shuffle=False, verbose=0)
    for found, wanted in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
    assert plain.count_params() == 5


def test_gan_with_two_optimizers(training_engine):
    class Gan(keras.Model):
        def __init__(self):
            super().__init__()
            self.generator = keras.Sequential(
                [keras.Input((2,)), keras.layers.Dense(4)]
            )
            self.critic = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
            self.seeds = keras.random.SeedGenerator(1)
            self.critic_optimizer = keras.optimizers.Adam(0.01)

        def call(self, x):
            return self.critic(x)

        def train_step(self, data):
            x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
            noise = keras.random.normal((x.shape[0], 2), seed=self.seeds)

            def critic_loss():
                fake = self.critic(self.generator(noise))
                return keras.ops.mean(keras.ops.softplus(fake)) + keras.ops.mean(
                    keras.ops.softplus(-self.critic(x))
                )

            def generator_loss():
                fake = self.critic(self.generator(noise))
                return keras.ops.mean(keras.ops.softplus(-fake))

            own = self.critic.trainable_variables
            first, gradients = keras.value_and_grad(critic_loss, own)
            self.critic_optimizer.apply(gradients, own)
            own = self.generator.trainable_variables
            second, gradients = keras.value_and_grad(generator_loss, own)
            self.optimizer.apply(gradients, own)
            return {"critic": first, "generator": second}

    model = Gan()
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=None)
    before = model.get_weights()
    history = model.fit(X, batch_size=10, epochs=3, verbose=0).history
    assert np.isfinite(history["critic"]).all() and len(history["generator"]) == 3
    for old, new in zip(before, model.get_weights(), strict=True):
        assert not np.allclose(old, new)
    assert int(model.critic_optimizer.iterations.numpy()) == 6


def test_to_backend_moves_weights_and_optimizer():
    with backends.scope("jax"):
        model = two_towers()
        model.compile(
            "adam", loss={"sum": "mse", "head": "mse"}, metrics={"sum": "mae"}
        )
        data = ({"left": X, "right": X}, {"sum": X[:, :1], "head": X[:, :2]})
        model.fit(*data, epochs=2, verbose=0)
        before = model.predict(data[0], verbose=0)
    assert model.to_backend("torch") is model
    after = model.predict(data[0], verbose=0)
    for name in before:
        np.testing.assert_allclose(after[name], before[name], atol=1e-5)
    assert int(model.optimizer.iterations.numpy()) == 2
    model.fit(*data, epochs=1, shuffle=False, verbose=0)
    trained = model.get_weights()
    model.to_backend("numpy")
    np.testing.assert_allclose(model.get_weights()[0], trained[0])
    model.predict(data[0], verbose=0)
    assert model.to_backend("jax").backend == "jax"
    model.fit(*data, epochs=1, verbose=0)


PAIRS = list(itertools.permutations(TRAINING_ENGINES, 2))


@pytest.mark.parametrize(("here", "there"), PAIRS)
def test_training_goes_on_alike_on_another_engine(here, there):
    """Weights, slots, statistics, dropout's counter: all that training needs moves."""
    with backends.scope(here):
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(8, "relu"),
                keras.layers.BatchNormalization(),
                keras.layers.Dropout(0.3, seed=1),
                keras.layers.Dense(1),
            ]
        )
        model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
        options = {"batch_size": 8, "shuffle": False, "verbose": 0}
        model.fit(X, X[:, :1], epochs=2, **options)
    variables = model.variables + model.optimizer.variables
    state = [v.numpy() for v in variables]
    outputs = model.predict(X, verbose=0)
    wanted = model.fit(X, X[:, :1], epochs=3, **options).history
    for variable, value in zip(variables, state, strict=True):
        variable.assign(value)
    model.to_backend(there)
    assert {v.backend.name for v in variables} == {there}
    assert all(map(np.array_equal, state, [v.numpy() for v in variables]))
    np.testing.assert_allclose(model.predict(X, verbose=0), outputs, atol=1e-5)
    found = model.fit(X, X[:, :1], epochs=3, **options).history
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], rtol=2e-5)
    state, outputs = [v.numpy() for v in variables], model.predict(X, verbose=0)
    model.to_backend(here)
    assert all(map(np.array_equal, state, [v.numpy() for v in variables]))
    np.testing.assert_allclose(model.predict(X, verbose=0), outputs, atol=1e-5)


def test_engines_in_threads():
    import threading

    found = {}

    def work(name):
        with keras.config.backend_scope(name):
            keras.utils.set_random_seed(3)
            layer = keras.layers.Dense(
                2, kernel_initializer=keras.initializers.HeNormal(1)
            )
            layer(X)
            found[name] = (keras.config.backend(), layer.get_weights()[0])

    threads = [threading.Thread(target=work, args=(name,)) for name in ENGINES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: value[0] for name, value in found.items()} == {n: n for n in found}
    for name in ENGINES:
        np.testing.assert_array_equal(found[name][1], found["jax"][1])


def test_live_torch_parameters():
    import torch

    with backends.scope("torch"):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        assert all(isinstance(p, torch.nn.Parameter) for p in model.parameters())
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        x, y = torch.from_numpy(X), torch.from_numpy(X[:, :1])
        losses = []
        for _ in range(20):
            loss = torch.nn.functional.mse_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < 0.5 * losses[0]
        assert [name for name, _ in model.named_parameters()] == [
            "dense.kernel",
            "dense.bias",
        ]
        np.testing.assert_allclose(
            model.predict(X, verbose=0), model(x).detach().numpy(), rtol=1e-5
        )
    with backends.scope("jax"):
        other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        with pytest.raises(AttributeError, match="to_backend"):
            list(other.parameters())


def test_stateless_calls_in_a_loop_of_ones_own():
    import jax

    with backends.scope("jax"):
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.BatchNormalization(),
                keras.layers.Dense(1),
            ]
        )
        optimizer = keras.optimizers.Adam(0.05)
        optimizer.build(model.trainable_variables)

        def loss(trainable, rest, x, y):
            outputs, rest = model.stateless_call(trainable, rest, x, training=True)
            return ((outputs - y) ** 2).mean(), rest

        @jax.jit
        def step(state, x, y):
            trainable, rest, slots = state
            (value, rest), gradients = jax.value_and_grad(loss, has_aux=True)(
                trainable, rest, x, y
            )
            trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
            return value, (trainable, rest, slots)

        state = tuple(
            [v.value for v in group]
            for group in (
                model.trainable_variables,
                model.non_trainable_variables,
                optimizer.variables,
            )
        )
        values = []
        for _ in range(30):
            value, state = step(state, X, X[:, :1])
            values.append(float(value))
        assert values[-1] < 0.3 * values[0]
        assert int(optimizer.iterations.numpy()) == 0


def test_freezing(training_engine):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="a"), keras.layers.Dense(1)]
    )
    model.get_layer("a").trainable = False
    assert len(model.trainable_weights) == 2
    assert len(model.non_trainable_weights) == 2
    frozen = model.get_layer("a").get_weights()
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], verbose=0)
    for old, new in zip(frozen, model.get_layer("a").get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    model.trainable = True
    assert len(model.trainable_weights) == 4


def test_masks_reach_the_loss(engine):
    inputs = keras.Input((3,), dtype="int32")
    x = keras.layers.Embedding(5, 2, mask_zero=True)(inputs)
    x = keras.layers.TimeDistributed(keras.layers.Dense(1))(x)
    model = keras.Model(inputs, x)
    model.compile("sgd", "mse")
    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    targets = np.ones((2, 3, 1), "float32")
    errors = (model.predict(tokens, verbose=0) - targets)[..., 0] ** 2
    found = model.evaluate(tokens, targets, verbose=0)
    expected = (errors * (tokens != 0)).sum() / (tokens != 0).sum()
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_sequential_grows_and_shrinks(engine):
    model = keras.Sequential(name="net")
    model.add(keras.layers.Dense(3))
    assert not model.built
    model(X)
    assert model.output_shape == (None, 3)
    model.add(keras.layers.Dense(2))
    assert model(X).shape[-1] == 2
    assert isinstance(model.pop(), keras.layers.Dense)
    assert model(X).shape[-1] == 3
    with pytest.raises(ValueError, match="unique"):
        model.add(keras.layers.Dense(1, name=model.layers[0].name))
    with pytest.raises(ValueError, match="Only instances of `keras.Layer`"):
        model.add("dense")


def test_get_layer_suggests():
    model = two_towers()
    with pytest.raises(ValueError, match="Did you mean 'shared'"):
        model.get_layer("shard")
    assert model.get_layer(index=0) is model.layers[0]


def test_summary_shows_layers_shapes_and_counts(capsys):
    model = two_towers()
    model.compile("adam", "mse")
    model.summary(expand_nested=True, show_trainable=True, line_length=110)
    text = capsys.readouterr().out
    for word in (
        "towers",
        "shared (Dense)",
        "inner (Sequential)",
        "(None, 2)",
        "Total params: 39",
    ):
        assert word in text
    lines = []
    keras.Sequential([keras.layers.Dense(2)]).summary(print_fn=lines.append)
    assert "unbuilt" in "".join(lines)


@pytest.mark.parametrize(
    "policy", ["mixed_bfloat16", "mixed_float16", "bfloat16", "float16"]
)
def test_mixed_precision_trains(training_engine, policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)]
        )
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(keras.optimizers.SGD(0.05), "mse")
    history = model.fit(X, X[:, :1], epochs=20, verbose=0).history["loss"]
    assert history[-1] < history[0]
    expected = "float32" if policy.startswith("mixed") else policy
    assert {v._dtype for v in model.trainable_variables} == {expected}
    compute = policy.removeprefix("mixed_")
    assert keras.backend.standardize_dtype(model(X).dtype) == compute
    assert (policy == "mixed_float16") == isinstance(
        model.optimizer, keras.optimizers.LossScaleOptimizer
    )
    if policy == "mixed_float16":
        before, steps = model.get_weights(), int(model.optimizer.iterations)
        # Gradients above 65504: the step is left out, and the scale halved.
        model.fit(X, 1e4 * X[:, :1], verbose=0)
        assert int(model.optimizer.iterations) == steps
        for old, new in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)


def test_data_of_many_kinds_gives_the_same(training_engine):
    import pandas as pd

    y = X[:, :1] * 2
    weights = None

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return X[8 * i : 8 * i + 8], y[8 * i : 8 * i + 8]

    def generator():
        for i in range(3):
            yield X[8 * i : 8 * i + 8], y[8 * i : 8 * i + 8]

    losses = []
    for data in (
        (X, y),
        (pd.DataFrame(X), pd.DataFrame(y)),
        (X.tolist(), y.tolist()),
        (Batches(),),
        (generator(),),
    ):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        weights = weights or model.get_weights()
        model.set_weights(weights)
        model.compile(keras.optimizers.SGD(0.1), "mse")
        options = {"batch_size": 8} if len(data) == 2 else {}
        model.fit(*data, shuffle=False, verbose=0, **options)
        losses.append(model.evaluate(X, y, verbose=0))
    np.testing.assert_allclose(losses, losses[0], rtol=1e-5)


def test_batch_methods(training_engine):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    before = model.test_on_batch(X, X[:, :1], return_dict=True)
    trained = model.train_on_batch(X, X[:, :1], return_dict=True)
    assert set(before) == {"loss", "mae"}
    np.testing.assert_allclose(before["loss"], trained["loss"], rtol=1e-5)
    assert model.test_on_batch(X, X[:, :1])[0] < before["loss"]
    assert model.predict_on_batch(X).shape == (20, 1)


def test_sizes_of_the_first_batch_bind_nobody(engine):
    model = keras.Sequential([keras.layers.Rescaling(2.0)])
    for shape in ((3, 5, 7), (2, 7, 5)):
        x = np.ones(shape, "float32")
        np.testing.assert_allclose(model.predict(x, verbose=0), 2 * x)
    model = keras.Sequential([keras.layers.Dense(2)], name="net")
    model(np.ones((2, 3), "float32"))
    with pytest.raises(ValueError, match="3"):
        model(np.ones((2, 4), "float32"))


def test_sequential_is_not_built_for_another_input_than_its_own():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)], name="net")
    for shape in ((None, 3), (None, 2, 2)):
        with pytest.raises(ValueError, match=r"'net' has already.*\(None, 2\)"):
            model.build(shape)
    model.build((3, 2))
    assert model(np.ones((5, 2), "float32")).shape == (5, 2)


def test_inputs_for_a_clone_go_by_name():
    a, b = keras.Input((2,)), keras.Input((2,))
    model = keras.Model({"x": a, "y": b}, a - b)
    with pytest.raises(ValueError, match="same structure"):
        keras.models.clone_model(model, input_tensors=(a, b))
    clone = keras.models.clone_model(model, input_tensors={"y": a, "x": b})
    ones = np.ones((1, 2), "float32")
    found = keras.ops.convert_to_numpy(clone({"x": 3 * ones, "y": ones}))
    np.testing.assert_array_equal(found, 2 * ones)


class AnyArguments(keras.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        return self.dense(x)


@pytest.mark.filterwarnings("ignore:What is being saved")
def test_any_arguments_are_known_where_none_were_given(tmp_path):
    model = AnyArguments(name="any")
    expected = model.predict(X, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(
        tmp_path / "model.keras", custom_objects={"AnyArguments": AnyArguments}
    )
    assert loaded.name == "any"
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), expected)

    class Unnamed(keras.layers.Layer):
        def __init__(self, *sizes):
            super().__init__()

    with pytest.raises(NotImplementedError, match="Unnamed.*write `get_config"):
        Unnamed(1, 2).get_config()


def test_an_optional_input_may_be_left_out_of_fit(training_engine):
    class AddIfGiven(keras.layers.Layer):
        def call(self, x, y=None):
            return x if y is None else x + y

        def compute_output_shape(self, x, y=None):
            return x

    inputs = [keras.Input((4,)), keras.Input((4,), optional=True)]
    outputs = keras.layers.Dense(1, kernel_initializer="ones")(AddIfGiven()(*inputs))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    history = model.fit([X, None], np.zeros((20, 1)), verbose=0)
    expected = np.square(X.sum(axis=1)).mean()
    np.testing.assert_allclose(history.history["loss"], [expected], rtol=1e-5)


def test_outputs_have_distinct_names(training_engine):
    """Those of one inner model too: no loss or metric hides another."""
    x = inputs = keras.Input((4,))
    one = keras.layers.Dense(1, name="one")(x)
    inner = keras.Model(inputs, [one, keras.layers.Dense(2, name="two")(x)], name="in")
    assert inner.output_names == ["one", "two"]
    inputs = keras.Input((4,))
    outputs = [*inner(inputs), keras.layers.Dense(1, name="in_1")(inputs)]
    model = keras.Model(inputs, [*outputs, outputs[0]])
    assert model.output_names == ["in", "in_2", "in_1", "in_3"]
    model.compile(loss=["mse", "mae", "mse", "mse"], metrics=[["mae"]] * 4)
    targets = [X[:, :1], X[:, :2], X[:, 1:2], X[:, 2:3]]
    found = model.evaluate(X, targets, verbose=0, return_dict=True)
    predictions = model.predict(X, verbose=0)
    errors = [y - p for y, p in zip(targets, predictions, strict=True)]
    expected = {}
    for name, error in zip(model.output_names, errors, strict=True):
        expected[f"{name}_mae"] = np.abs(error).mean()
        expected[f"{name}_loss"] = (error**2).mean()
    expected["in_2_loss"] = expected["in_2_mae"]
    losses = [v for k, v in expected.items() if k.endswith("loss")]
    expected["loss"] = sum(losses)
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, err_msg=name)


def test_names_of_outputs_in_nests(python_only):
    """`output_names` and the keys of logs as in Keras 3.15.1, where those differ."""
    inputs = keras.Input((4,))
    d, e = (keras.layers.Dense(2, name=name)(inputs) for name in "de")

    def logged(outputs):
        model = keras.Model(inputs, outputs)
        model.compile(loss="mse")
        y = keras.tree.map_structure(lambda _: X[:, :2], outputs)
        logs = model.evaluate(X, y, verbose=0, return_dict=True)
        return model.output_names, sorted(logs)

    assert logged({"z": d, "a": e}) == (["e", "d"], ["a_loss", "loss", "z_loss"])
    assert logged({"x": [d, e], "w": {"k": e}}) == (
        ["e", "d", "e_1"],
        ["loss", "w/k_loss", "x/d_loss", "x/e_loss"],
    )
    assert logged([d, d]) == (["d", "d_1"], ["d_1_loss", "d_loss", "loss"])


def printed(model, **options):
    lines = []
    model.summary(print_fn=lines.append, **options)
    return "\n".join(lines)


def test_a_summary_names_ops_and_says_how_a_graph_goes_where_it_branches():
    inputs = keras.Input((2,), name="inputs")
    x = keras.layers.Dense(4, name="hidden")(inputs)
    chain = printed(keras.Model(inputs, keras.ops.mean(x)), show_trainable=True)
    (row,) = (line for line in chain.splitlines() if "mean" in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[0].endswith("(Mean)")
    assert cells[1:] == ["()", "0", "-"]
    assert "Connected to" not in chain
    branching = printed(keras.Model(inputs, keras.layers.Concatenate()([inputs, x])))
    assert "Connected to" in branching
    assert "hidden[0][0]" in branching
    shared = keras.layers.Dense(2)
    assert "Connected to" in printed(keras.Model(inputs, shared(shared(inputs))))


def test_a_summary_says_what_layers_with_dicts_of_outputs_gave(capsys):
    class Split(keras.layers.Layer):
        def call(self, x):
            return {"first": x[:, :1], "rest": (x, x[:, 1:])}

    class Splits(keras.Model):
        def __init__(self):
            super().__init__()
            self.split = Split()

        def call(self, x):
            return self.split(x)["rest"][0]

    model = Splits()
    model(np.ones((2, 3), "float32"))
    model.summary(line_length=120)
    assert "{'first': (2, 1), 'rest': ((2, 3), (2, 2))}" in capsys.readouterr().out


def test_a_strategy_of_distribution_is_tensorflows_alone():
    import tensorflow as tf

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with backends.scope("tensorflow"):
        strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
        assert model.distribute_strategy is tf.distribute.get_strategy()
        with strategy.scope():
            assert model.distribute_strategy is strategy
    with backends.scope("jax"), pytest.raises(AttributeError, match="'jax' has no"):
        _ = model.distribute_strategy
