"""In TensorFlow: a `tf.function` with its fused Adam, compiled by XLA where it pays."""

import numpy as np
import tensorflow as tf

# XLA makes convolutions and unrolled recurrences slower, and the others faster.
_WITHOUT_XLA = ("cnn", "lstm")


class Values:
    """The weights of a network, by the order of their use."""

    def __init__(self, weights=None, training=False):
        self.making, self.training = weights is None, training
        self.weights = [] if self.making else weights
        self._next = iter(self.weights)
        self._random = np.random.default_rng(0)

    def weight(self, shape):
        if not self.making:
            return next(self._next)
        scale = np.sqrt(1 / max(1, np.prod(shape[:-1])))
        value = self._random.standard_normal(shape, dtype="float32") * scale
        self.weights.append(tf.Variable(tf.constant(value, tf.float32)))
        return self.weights[-1]

    def vector(self, size, value=0.0):
        if not self.making:
            return next(self._next)
        self.weights.append(tf.Variable(tf.fill((size,), value)))
        return self.weights[-1]


def dense(v, x, units):
    kernel, bias = v.weight((x.shape[-1], units)), v.vector(units)
    return tf.tensordot(x, kernel, 1) + bias


def conv(v, x, filters):
    kernel, bias = v.weight((3, 3, x.shape[-1], filters)), v.vector(filters)
    return tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "VALID") + bias)


def layer_norm(v, x):
    scale, shift = v.vector(x.shape[-1], 1.0), v.vector(x.shape[-1])
    mean, variance = tf.nn.moments(x, -1, keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + 1e-3) * scale + shift


def block(v, x, heads=4):
    steps, width = x.shape[1:]
    shape = (-1, steps, heads, width // heads)
    y = layer_norm(v, x)
    q, k, w = (tf.reshape(dense(v, y, width), shape) for _ in range(3))
    scores = tf.nn.softmax(tf.einsum("bqhd,bkhd->bhqk", q, k) / shape[-1] ** 0.5)
    mixed = tf.einsum("bhqk,bkhd->bqhd", scores, w)
    x = x + dense(v, tf.reshape(mixed, (-1, steps, width)), width)
    y = tf.nn.gelu(dense(v, layer_norm(v, x), 4 * width))
    return x + dense(v, y, width)


def _mlp(v, x, units):
    x = tf.nn.relu(dense(v, x, units))
    return dense(v, tf.nn.dropout(x, 0.2) if v.training else x, 10)


def _wide(v, x):
    for _ in range(2):
        x = tf.nn.relu(dense(v, x, 4096))
    return dense(v, x, 10)


def _cnn(v, x):
    for filters in (32, 64):
        x = tf.nn.max_pool2d(conv(v, x, filters), 2, 2, "VALID")
    return dense(v, tf.reshape(x, (-1, 1600)), 10)


def _lstm(v, x, units=64):
    projected, recurrent = dense(v, x, 4 * units), v.weight((units, 4 * units))
    h = c = tf.zeros((tf.shape(x)[0], units))
    for z in tf.unstack(projected, axis=1):
        i, f, g, o = tf.split(z + h @ recurrent, 4, axis=1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
    return dense(v, h, 10)


def _transformer(v, x):
    return dense(v, tf.reduce_mean(block(v, block(v, x)), 1), 10)


NETWORKS = {
    "mlp": lambda v, x: _mlp(v, x, 128),
    "digits": lambda v, x: _mlp(v, x, 64),
    "wide_mlp": _wide,
    "cnn": _cnn,
    "lstm": _lstm,
    "transformer": _transformer,
}


class Loop:
    """A network with its data as tensors."""

    def __init__(self, name, workload, scanned=False):
        self.batch, self.network = workload.batch, NETWORKS[name]
        self.x, self.y = map(tf.constant, workload.data())
        made = Values()
        self.network(made, self.x[:2])
        self.weights = made.weights
        self._slots = [
            [tf.Variable(tf.zeros_like(w)) for w in made.weights] for _ in range(2)
        ]
        self._powers = [tf.Variable(0.9), tf.Variable(0.999)]
        self._total, self._correct = tf.Variable(0.0), tf.Variable(0)
        compiled = name not in _WITHOUT_XLA
        self._step = tf.function(self._train, jit_compile=compiled)
        self._apply = tf.function(self._outputs, jit_compile=compiled)

    def _train(self, rows):
        x, y = tf.gather(self.x, rows), tf.gather(self.y, rows)
        with tf.GradientTape() as tape:
            outputs = self.network(Values(self.weights, True), x)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, outputs)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, self.weights)
        for w, m, s, g in zip(self.weights, *self._slots, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=w.handle, m=m.handle, v=s.handle, beta1_power=self._powers[0],
                beta2_power=self._powers[1], lr=1e-3, beta1=0.9, beta2=0.999,
                epsilon=1e-7, grad=g,
            )  # fmt: skip
        self._powers[0].assign(self._powers[0] * 0.9)
        self._powers[1].assign(self._powers[1] * 0.999)
        self._total.assign_add(loss * tf.cast(len(rows), tf.float32))
        hits = tf.argmax(outputs, -1, tf.int32) == y
        self._correct.assign_add(tf.reduce_sum(tf.cast(hits, tf.int32)))

    def epoch(self):
        """Train an epoch; the loss and the accuracy come to the host."""
        order = tf.random.shuffle(tf.range(len(self.x)))
        for begin in range(0, len(self.x), self.batch):
            self._step(order[begin : begin + self.batch])
        return [float(self._total), int(self._correct)]

    def _outputs(self, x):
        return self.network(Values(self.weights), x)

    def predict(self, rows, batch):
        """Return the outputs of the first rows, on the host."""
        parts = [
            self._apply(self.x[begin : min(begin + batch, rows)])
            for begin in range(0, rows, batch)
        ]
        return np.concatenate([part.numpy() for part in parts])
