"""Networks of a JaxLayer and a FlaxLayer, for both libraries."""

import flax.linen
import jax
import jax.numpy as jnp
import numpy as np

X = np.random.default_rng(0).standard_normal((20, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def parts(keras):
    register = keras.saving.register_keras_serializable("oracle")

    @register
    def call(params, state, inputs, training):
        outputs = inputs @ params["w"] + params["b"] - state["mean"]
        mean = 0.5 * state["mean"] + 0.5 * outputs.mean(0)
        return outputs, {"mean": jnp.where(training, mean, state["mean"])}

    @register
    def init(rng, inputs):
        w = jax.random.normal(rng, (inputs.shape[-1], 2))
        return {"w": w, "b": jnp.ones(2)}, {"mean": jnp.zeros(2)}

    class Net(flax.linen.Module):
        @flax.linen.compact
        def __call__(self, inputs, training):
            x = flax.linen.Dense(4)(inputs)
            x = flax.linen.BatchNorm(use_running_average=not training)(x)
            return flax.linen.Dense(1)(x)

    return call, init, Net()


def network(keras):
    call, init, net = parts(keras)
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.JaxLayer(call, init),
            keras.layers.FlaxLayer(net),
        ]
    )


def trained(keras, model):
    model.compile(keras.optimizers.SGD(0.05), "mse")
    options = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0}
    losses = model.fit(X, Y, **options).history["loss"]
    return losses, model.predict(X[:5], verbose=0).tolist()


def of_keras(keras, folder):
    """Save the start; return the first outputs, the losses and the last outputs."""
    model = network(keras)
    model.save_weights(folder / "start.weights.h5")
    jax_alone = keras.Sequential(model.layers[:1])
    jax_alone.save(folder / "jax.keras")
    outputs = jax_alone.predict(X[:5], verbose=0).tolist()
    return outputs, *trained(keras, model)
