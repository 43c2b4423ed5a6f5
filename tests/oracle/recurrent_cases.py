"""Recurrent layers to compare: for each case the config, the weights' names, the
outputs and the gradient for the inputs.
"""

import json

import numpy as np

SHAPE, FRAMES = (3, 4, 2), (2, 3, 5, 2)
MASK = np.array([[0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 0, 0]], bool)
ALL = {"return_sequences": True, "return_state": True}
HARD = {"activation": "relu", "recurrent_activation": "hard_sigmoid"}

# name: (how to make it, whether it is masked, how many initial states of size 3)
CASES = {
    "simple": (lambda k: k.SimpleRNN(3, **ALL), False, 1),
    "simple_relu_masked": (lambda k: k.SimpleRNN(3, "relu", **ALL), True, 0),
    "lstm": (lambda k: k.LSTM(3), False, 0),
    "lstm_masked": (lambda k: k.LSTM(3, **ALL), True, 2),
    "lstm_hard": (lambda k: k.LSTM(3, **HARD, use_bias=False, **ALL), False, 0),
    "lstm_zeros": (lambda k: k.LSTM(3, zero_output_for_mask=True, **ALL), True, 0),
    "lstm_back": (lambda k: k.LSTM(3, go_backwards=True, **ALL), True, 0),
    "lstm_unrolled": (lambda k: k.LSTM(3, unroll=True, **ALL), True, 0),
    "gru": (lambda k: k.GRU(3, **ALL), False, 1),
    "gru_masked": (lambda k: k.GRU(3), True, 0),
    "gru_reset_before": (lambda k: k.GRU(3, reset_after=False, **ALL), True, 0),
    "gru_hard": (lambda k: k.GRU(3, **HARD, **ALL), False, 0),
    "stack": (
        lambda k: k.RNN([k.LSTMCell(2), k.GRUCell(3), k.SimpleRNNCell(2)], **ALL),
        True,
        0,
    ),
    "both_ways": (lambda k: k.Bidirectional(k.LSTM(3, **ALL)), True, 4),
    "both_ways_apart": (lambda k: k.Bidirectional(k.GRU(3), merge_mode=None), True, 0),
    "both_ways_two": (
        lambda k: k.Bidirectional(
            k.LSTM(3, return_sequences=True),
            merge_mode="mul",
            backward_layer=k.GRU(3, return_sequences=True, go_backwards=True),
        ),
        False,
        0,
    ),
    "conv": (
        lambda k: k.ConvLSTM1D(2, 3, data_format="channels_last", **ALL),
        False,
        0,
    ),
    "conv_dilated": (
        lambda k: k.ConvLSTM1D(
            2,
            2,
            dilation_rate=2,
            padding="same",
            data_format="channels_last",
            recurrent_activation="hard_sigmoid",
        ),
        False,
        0,
    ),
}


def results(keras, name, run):
    """Return what both sides must agree on.

    `run(function, x)` gives the outputs and the gradient of `(scalar, outputs)`.
    """
    keras.utils.clear_session()  # names count from the start
    build, masked, states = CASES[name]
    shape = FRAMES if name.startswith("conv") else SHAPE
    rng = np.random.default_rng(len(name))
    layer = build(keras.layers)
    layer.build(shape)
    weights = [rng.normal(size=w.shape) for w in layer.get_weights()]
    layer.set_weights([w.astype("float32") for w in weights])
    start = [rng.normal(size=(3, 3)).astype("float32") for _ in range(states)] or None
    start = start[0] if states == 1 else start
    options = {"mask": MASK if masked else None, "initial_state": start}
    x = rng.normal(size=shape).astype("float32")

    def total(x):
        outputs = keras.tree.flatten(layer(x, **options))
        return sum(keras.ops.sum(y) for y in outputs), outputs

    outputs, gradient = run(total, x)

    return {
        "config": json.loads(json.dumps(keras.layers.serialize(layer))),
        "names": [w.path.split("/", 1)[-1] for w in layer.weights],
        "shapes": [tuple(w.shape) for w in layer.weights],
        "outputs": [keras.ops.convert_to_numpy(y) for y in outputs],
        "gradient": keras.ops.convert_to_numpy(gradient),
    }


def of_keras(keras, names):
    """Return the results of the cases with Keras, on torch or JAX."""

    def on_torch(function, x):
        import torch

        x = torch.tensor(x, requires_grad=True)
        total, outputs = function(x)
        (gradient,) = torch.autograd.grad(total, x)
        return outputs, gradient

    def on_jax(function, x):
        import jax

        (_, outputs), gradient = jax.jit(jax.value_and_grad(function, has_aux=True))(x)
        return outputs, gradient

    run = {"torch": on_torch, "jax": on_jax}[keras.backend.backend()]
    return {name: results(keras, name, run) for name in names}
