"""Functions of JAX and modules of Flax as layers: beside the same by hand."""

import functools

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, layers

jax = pytest.importorskip("jax")
jnp = jax.numpy

X = np.random.default_rng(0).standard_normal((20, 3)).astype("float32")
Y = X @ np.float32([[1.0], [-2.0], [0.5]])
PARAMS = {"w": np.full((3, 1), 0.5, "float32"), "b": [np.zeros(1, "float32")]}


@pytest.fixture(autouse=True)
def _engine():
    with backends.scope("jax"):
        yield


@keras.saving.register_keras_serializable("interplay")
def linear(params, inputs):
    return inputs @ params["w"] + params["b"][0]


@keras.saving.register_keras_serializable("interplay")
def counted(params, state, rng, inputs, training):
    """Keeps how often it was trained and the sum of its inputs; noisy in training."""
    if not training:
        return linear(params, inputs), state
    noise = 0.1 * jax.random.normal(rng, inputs.shape)
    new = {"steps": state["steps"] + 1, "total": state["total"] + inputs.sum(0)}
    return linear(params, inputs + noise), new


@keras.saving.register_keras_serializable("interplay")
def counted_init(rng, inputs):
    width = inputs.shape[-1]
    params = {"w": jax.random.normal(rng, (width, 1)), "b": [jnp.zeros(1)]}
    return params, {"steps": jnp.zeros((), "int32"), "total": jnp.zeros(width)}


def test_training_is_that_of_the_function_by_hand():
    layer = layers.JaxLayer(linear, params=PARAMS)
    assert [v.shape for v in layer.trainable_variables] == [(1,), (3, 1)]
    assert layer.params["b"][0].shape == (1,)
    model = keras.Sequential([keras.Input((3,)), layer])
    assert model.output_shape == (None, 1) and model.count_params() == 4
    model.compile(keras.optimizers.SGD(0.1), "mse")
    losses = model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history

    params, expected = PARAMS, []
    error = lambda p, x, y: jnp.mean((linear(p, x) - y) ** 2)  # noqa: E731
    step = jax.jit(jax.value_and_grad(error))
    for _ in range(2):
        sums = []
        for i in range(0, 20, 8):
            x, y = X[i : i + 8], Y[i : i + 8]
            loss, gradients = step(params, x, y)
            params = jax.tree.map(lambda p, g: p - 0.1 * g, params, gradients)
            sums.append(loss * len(x))
        expected.append(sum(sums) / 20)
    np.testing.assert_allclose(losses["loss"], expected, rtol=1e-5)
    np.testing.assert_allclose(layer.params["w"], params["w"], rtol=1e-5)
    np.testing.assert_allclose(
        model.predict(X, verbose=0), linear(params, X), rtol=1e-5
    )


def counted_model(seed=3):
    layer = layers.JaxLayer(counted, counted_init, seed=seed)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model, layer


def test_state_is_kept_and_noise_comes_in_training_only(tmp_path):
    model, layer = counted_model()
    assert [v.shape for v in layer.non_trainable_variables] == [(), (3,), (2,)]
    model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    assert int(layer.state["steps"]) == 6
    np.testing.assert_allclose(layer.state["total"], 2 * X.sum(0), rtol=1e-4)
    np.testing.assert_array_equal(model(X), model(X))
    assert np.abs(model(X, training=True) - model(X, training=True)).max() > 1e-3
    again, _ = counted_model()
    again.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_array_equal(again(X), model(X))

    model.save(tmp_path / "a.keras")
    loaded = keras.saving.load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(loaded(X), model(X))
    assert int(loaded.layers[0].state["steps"]) == int(layer.state["steps"])


@pytest.mark.filterwarnings("ignore:What is being saved")
def test_an_unregistered_function_is_not_loaded(tmp_path):
    def own(params, inputs):
        return inputs * params

    def own_init(rng, inputs):
        return jnp.ones(inputs.shape[-1])

    model = keras.Sequential([keras.Input((3,)), layers.JaxLayer(own, own_init)])
    model.save(tmp_path / "a.keras")
    with pytest.raises(ValueError, match="own"):
        keras.saving.load_model(tmp_path / "a.keras")
    given = {"own": own, "own_init": own_init}
    loaded = keras.saving.load_model(tmp_path / "a.keras", custom_objects=given)
    np.testing.assert_array_equal(loaded(X), X)


def test_nests_of_inputs_and_integers():
    def embed(params, inputs):
        a, b = inputs["a"], inputs["b"]
        return params[a] + b

    def init(rng, inputs, training):
        assert training and inputs["a"].dtype == "int32"
        return jax.random.normal(rng, (7, inputs["b"].shape[-1]))

    layer = layers.JaxLayer(embed, init)
    inputs = {"a": keras.Input((), dtype="int32"), "b": keras.Input((3,))}
    model = keras.Model(inputs, layer(inputs))
    data = {"a": np.arange(5, dtype="int32"), "b": X[:5]}
    expected = layer.params.numpy()[:5] + X[:5]
    np.testing.assert_allclose(model.predict(data, verbose=0), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"call_fn": linear}, "does not know its parameters"),
        ({"call_fn": lambda params, x: x, "params": {}}, r"takes \['x'\]"),
        ({"call_fn": lambda params: params, "params": {}}, "no `inputs`"),
        ({"call_fn": linear, "init_fn": lambda rng: 1}, "`init_fn`.*no `inputs`"),
    ],
)
def test_wrong_functions_are_told_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.JaxLayer(**arguments)


def test_wrong_results_are_told():
    layer = layers.JaxLayer(counted, lambda rng, inputs: {"w": 1.0})
    with pytest.raises(ValueError, match=r"must return `\(params, state\)`"):
        layer(X)
    for wrong, message in (
        (lambda params, state, inputs: inputs, r"`\(outputs, new state\)`"),
        (lambda params, state, inputs: (inputs, [state]), "of the same form"),
    ):
        layer = layers.JaxLayer(wrong, params=1.0, state={"a": 1.0})
        with pytest.raises(ValueError, match=message):
            layer(X)


@pytest.mark.parametrize("name", ["torch", "numpy"])
def test_other_engines_say_so(name):
    layer = layers.JaxLayer(linear, params=PARAMS)
    layer(X)
    with backends.scope(name), pytest.raises(NotImplementedError, match="JAX backend"):
        layers.JaxLayer(linear, params=PARAMS)
    layer.to_backend(name)
    with pytest.raises(NotImplementedError, match=rf"{name}.*to_backend\('jax'\)"):
        layer(X)


class TestFlax:
    @pytest.fixture
    def linen(self):
        return pytest.importorskip("flax").linen

    def module(self, linen):
        class Net(linen.Module):
            @linen.compact
            def __call__(self, inputs, training):
                x = linen.Dense(4)(inputs)
                x = linen.BatchNorm(use_running_average=not training, momentum=0.9)(x)
                x = linen.Dropout(0.5, deterministic=not training)(x)
                self.sow("intermediates", "hidden", x)
                return linen.Dense(1)(x)

        return Net()

    def test_it_computes_what_the_module_computes(self, linen):
        module = self.module(linen)
        init = functools.partial(module.init, training=False)
        variables = jax.jit(init)(jax.random.key(1), X)
        layer = layers.FlaxLayer(module, variables=dict(variables))
        apply = jax.jit(functools.partial(module.apply, training=False))
        np.testing.assert_allclose(layer(X), apply(variables, X), rtol=1e-6)
        assert len(layer.trainable_variables) == 6
        # Mean and variance, and the seed.
        assert [v.shape for v in layer.non_trainable_variables] == [(4,), (4,), (2,)]
        assert np.abs(layer(X, training=True) - layer(X, training=True)).max() > 1e-3
        dense = variables["params"]["Dense_0"]
        hidden = X @ dense["kernel"] + dense["bias"]
        mean = layer.state["batch_stats"]["BatchNorm_0"]["mean"]
        # Two steps of momentum 0.9 from 0.
        np.testing.assert_allclose(mean, 0.19 * hidden.mean(0), rtol=1e-4, atol=1e-6)

    def test_it_trains_in_fit_and_its_weights_are_saved(self, linen, tmp_path):
        def make():
            net = layers.FlaxLayer(self.module(linen), seed=1)
            model = keras.Sequential([keras.Input((3,)), net, layers.Dense(1)])
            model.compile(keras.optimizers.Adam(0.05), "mse")
            return model

        model = make()
        losses = model.fit(X, Y, epochs=15, batch_size=8, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        stats = model.layers[0].state["batch_stats"]["BatchNorm_0"]
        assert np.abs(stats["mean"]).max() > 1e-3
        model.save_weights(tmp_path / "a.weights.h5")
        other = make()
        other.load_weights(tmp_path / "a.weights.h5")
        np.testing.assert_array_equal(
            other.predict(X, verbose=0), model.predict(X, verbose=0)
        )
        lines = []
        model.summary(print_fn=lines.append)
        assert "flax_layer" in "".join(lines)

    def test_another_method_or_function(self, linen):
        class Net(linen.Module):
            @linen.compact
            def forward(self, x, scale):
                return linen.Dense(2, use_bias=False)(x) * scale

        def called(module, inputs):
            return module.forward(inputs, 3.0)

        layer = layers.FlaxLayer(Net(), method=called)
        outputs = layer(X)
        kernel = layer.params["Dense_0"]["kernel"].numpy()
        np.testing.assert_allclose(outputs, 3 * X @ kernel, rtol=1e-4, atol=1e-5)

    def test_a_module_that_gives_its_config_is_loaded(self, linen, tmp_path):
        @keras.saving.register_keras_serializable("interplay")
        class Wide(linen.Module):
            width: int = 2

            @linen.compact
            def __call__(self, inputs):
                return linen.Dense(self.width)(inputs)

            def get_config(self):
                return {"width": self.width}

            @classmethod
            def from_config(cls, config):
                return cls(**config)

        model = keras.Sequential([keras.Input((3,)), layers.FlaxLayer(Wide(width=5))])
        model.save(tmp_path / "a.keras")
        loaded = keras.saving.load_model(tmp_path / "a.keras")
        assert loaded.output_shape == (None, 5)
        np.testing.assert_array_equal(loaded(X), model(X))
