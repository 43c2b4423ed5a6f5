"""Recurrent networks step by step in plain NumPy and float64; batch first."""

import numpy as np
from scipy.special import expit as sigmoid

from tests.layers.oracles import conv


def simple(x, h, W, U, b=0.0):
    h = np.tanh(x @ W + h[0] @ U + b)
    return h, [h]


def lstm(x, states, W, U, b=0.0):
    return _lstm(x @ W + states[0] @ U + b, states[1])


def _lstm(z, c):
    i, f, g, o = np.split(z, 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, [h, c]


def gru(x, h, W, U, b):
    """The reset after the product, as in cuDNN."""
    (h,) = h
    x, r_h = np.split(x @ W + b[0], 3, -1), np.split(h @ U + b[1], 3, -1)
    z, r = sigmoid(x[0] + r_h[0]), sigmoid(x[1] + r_h[1])
    h = z * h + (1 - z) * np.tanh(x[2] + r * r_h[2])
    return h, [h]


def gru_reset_before(x, h, W, U, b):
    (h,), n = h, U.shape[0]
    x = np.split(x @ W + b, 3, -1)
    z, r = sigmoid(x[0] + h @ U[:, :n]), sigmoid(x[1] + h @ U[:, n : 2 * n])
    h = z * h + (1 - z) * np.tanh(x[2] + (r * h) @ U[:, 2 * n :])
    return h, [h]


def conv_lstm(**window):
    def step(x, states, W, U, b):
        h, c = states
        z = conv(x, W, b, **window) + conv(h, U, 0 * b, padding="same")
        return _lstm(z, c)

    return step


def run(step, x, states, weights, mask=None):
    """Return all outputs and the last states; masked steps change nothing."""
    outputs, output = [], states[0]
    for t in range(x.shape[1]):
        new_output, new = step(x[:, t], states, *weights)
        if mask is None:
            output, states = new_output, new
        else:
            m = mask[:, t].reshape(-1, *[1] * (new_output.ndim - 1))
            output = np.where(m, new_output, output)
            states = [np.where(m, n, s) for n, s in zip(new, states, strict=True)]
        outputs.append(output)
    return np.stack(outputs, 1), states


def layer(step, shape, count=1, sequences=False):
    """Return a row's oracle: `(x, *weights)` to the layer's output."""

    def oracle(x, *weights):
        states = [np.zeros((len(x), *shape))] * count
        outputs, _ = run(step, x, states, weights)
        return outputs if sequences else outputs[:, -1]

    return oracle


def bidirectional(step, units, count=1):
    """Both directions, all outputs side by side."""
    one = layer(step, (units,), count, sequences=True)

    def oracle(x, *weights):
        half = len(weights) // 2
        backward = one(x[:, ::-1], *weights[half:])[:, ::-1]
        return np.concatenate([one(x, *weights[:half]), backward], -1)

    return oracle
