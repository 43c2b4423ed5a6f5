"""In JAX: jitted steps, or all steps of an epoch in one `scan`.

A network is a function of a `Values` object, which makes its weights when it is run for
the first time and hands them out in the same order afterwards. All else is `jax.numpy`,
with `jax.lax` for convolutions, and Adam as published.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn


class Values:
    """The weights and running statistics of a network, by the order of their use."""

    def __init__(self, weights=None, statistics=None, training=False, key=None):
        self.making = weights is None
        self.weights = [] if self.making else weights
        self.statistics = [] if self.making else statistics
        self.updates = []
        self.training, self.key = training, key
        self._weight, self._statistic = iter(self.weights), iter(self.statistics)
        self._random = np.random.default_rng(0)

    def weight(self, shape, scale=None):
        if not self.making:
            return next(self._weight)
        if scale is None:
            scale = np.sqrt(1 / max(1, np.prod(shape[:-1])))
        value = self._random.standard_normal(shape, dtype="float32") * scale
        self.weights.append(jnp.asarray(value, jnp.float32))
        return self.weights[-1]

    def vector(self, size, value=0.0):
        if not self.making:
            return next(self._weight)
        self.weights.append(jnp.full((size,), value))
        return self.weights[-1]

    def statistic(self, size, value):
        if not self.making:
            return next(self._statistic)
        self.statistics.append(jnp.full((size,), value))
        return self.statistics[-1]

    def draw(self):
        self.key, key = jax.random.split(self.key)
        return key


def dense(v, x, units, activation=lambda x: x):
    return activation(x @ v.weight((x.shape[-1], units)) + v.vector(units))


def dropout(v, x, rate):
    if not v.training:
        return x
    kept = jax.random.uniform(v.draw(), x.shape) >= rate
    return jnp.where(kept, x / (1 - rate), 0)


def conv(v, x, filters, size=3, strides=1, padding="SAME", groups=1, bias=True):
    kernel = v.weight((size, size, x.shape[-1] // groups, filters))
    y = lax.conv_general_dilated(
        x,
        kernel,
        (strides, strides),
        padding,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )
    return y + v.vector(filters) if bias else y


def conv_transpose(v, x, filters):
    kernel = v.weight((3, 3, x.shape[-1], filters))
    numbers = ("NHWC", "HWIO", "NHWC")
    y = lax.conv_transpose(x, kernel, (2, 2), "SAME", dimension_numbers=numbers)
    return y + v.vector(filters)


def max_pool(x):
    shape = (1, 2, 2, 1)
    return lax.reduce_window(x, -jnp.inf, lax.max, shape, shape, "VALID")


def batch_norm(v, x):
    scale, shift = v.vector(x.shape[-1], 1.0), v.vector(x.shape[-1])
    mean, variance = v.statistic(x.shape[-1], 0.0), v.statistic(x.shape[-1], 1.0)
    if v.training:
        axes = tuple(range(x.ndim - 1))
        now = x.mean(axes), x.var(axes)
        v.updates += [0.99 * mean + 0.01 * now[0], 0.99 * variance + 0.01 * now[1]]
        mean, variance = now
    return (x - mean) * (lax.rsqrt(variance + 1e-3) * scale) + shift


def layer_norm(v, x):
    scale, shift = v.vector(x.shape[-1], 1.0), v.vector(x.shape[-1])
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-3) * scale + shift


def lstm(v, x, units, sequences=False, backwards=False):
    recurrent = v.weight((units, 4 * units))
    kernel, bias = v.weight((x.shape[-1], 4 * units)), v.vector(4 * units)
    projected = jnp.swapaxes(x @ kernel + bias, 0, 1)

    def step(state, z):
        h, c = state
        i, f, g, o = jnp.split(z + h @ recurrent, 4, -1)
        c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
        h = nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h if sequences else None

    start = jnp.zeros((len(x), units))
    (h, _), all_h = lax.scan(step, (start, start), projected, reverse=backwards)
    return jnp.swapaxes(all_h, 0, 1) if sequences else h


def gru(v, x, units, sequences=False):
    recurrent, inner = v.weight((units, 3 * units)), v.vector(3 * units)
    kernel, bias = v.weight((x.shape[-1], 3 * units)), v.vector(3 * units)
    projected = jnp.swapaxes(x @ kernel + bias, 0, 1)

    def step(h, projection):
        z, r, n = jnp.split(projection, 3, -1)
        hz, hr, hn = jnp.split(h @ recurrent + inner, 3, -1)
        z, r = nn.sigmoid(z + hz), nn.sigmoid(r + hr)
        h = z * h + (1 - z) * jnp.tanh(n + r * hn)
        return h, h if sequences else None

    h, all_h = lax.scan(step, jnp.zeros((len(x), units)), projected)
    return jnp.swapaxes(all_h, 0, 1) if sequences else h


def attention(v, x, heads, causal):
    batch, steps, width = x.shape
    shape = (batch, steps, heads, width // heads)
    q, k, w = (dense(v, x, width).reshape(shape) for _ in range(3))
    mixed = jax.nn.dot_product_attention(q, k, w, is_causal=causal)
    return dense(v, mixed.reshape(batch, steps, width), width)


def block(v, x, causal=False):
    x = x + attention(v, layer_norm(v, x), 4, causal)
    y = dense(v, layer_norm(v, x), 4 * x.shape[-1], functools.partial(nn.gelu))
    return x + dense(v, y, x.shape[-1])


def _mlp(v, x, units):
    return dense(v, dropout(v, dense(v, x, units, nn.relu), 0.2), 10)


def _plain(v, x, units=128, depth=2):
    for _ in range(depth):
        x = dense(v, x, units, nn.relu)
    return dense(v, x, 10)


def _cnn(v, x):
    for filters in (32, 64):
        x = max_pool(nn.relu(conv(v, x, filters, padding="VALID")))
    return dense(v, x.reshape(len(x), -1), 10)


def _normed(v, x, filters, strides=1, size=3):
    return batch_norm(v, conv(v, x, filters, size, strides, bias=False))


def _resnet(v, x):
    x = nn.relu(_normed(v, x, 16))
    for filters, first_strides in ((16, 1), (32, 2), (64, 2), (128, 2)):
        for strides in (first_strides, 1):
            y = _normed(v, nn.relu(_normed(v, x, filters, strides)), filters)
            if strides != 1 or x.shape[-1] != filters:
                x = _normed(v, x, filters, strides, 1)
            x = nn.relu(x + y)
    return dense(v, x.mean((1, 2)), 10)


def _mobilenet(v, x):
    x = nn.relu(_normed(v, x, 16))
    for filters, strides in ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1)):
        channels = x.shape[-1]
        x = conv(v, x, channels, 3, strides, groups=channels, bias=False)
        x = nn.relu(batch_norm(v, x))
        x = nn.relu(_normed(v, x, filters, size=1))
    return dense(v, x.mean((1, 2)), 10)


def _bidirectional(v, x):
    both = [lstm(v, x, 32), lstm(v, x, 32, backwards=True)]
    return dense(v, jnp.concatenate(both, -1), 10)


def _transformer(v, x):
    return dense(v, block(v, block(v, x)).mean(1), 10)


def _decoder(v, x):
    x = v.weight((1000, 128), 0.05)[x]
    x = block(v, block(v, x, True), True)
    return dense(v, layer_norm(v, x), 1000)


def _recommender(v, x):
    x = v.weight((1_000_000, 32), 0.05)[x]
    return dense(v, dense(v, x.reshape(len(x), -1), 32, nn.relu), 2)


def _autoencoder(v, x):
    for filters in (16, 32):
        x = nn.relu(conv(v, x, filters, strides=2))
    for filters in (32, 16):
        x = nn.relu(conv_transpose(v, x, filters))
    return conv(v, x, 1)


NETWORKS = {
    "mlp": lambda v, x: _mlp(v, x, 128),
    "digits": lambda v, x: _mlp(v, x, 64),
    "wide_mlp": functools.partial(_plain, units=4096),
    "cnn": _cnn,
    "resnet": _resnet,
    "mobilenet": _mobilenet,
    "lstm": lambda v, x: dense(v, lstm(v, x, 64), 10),
    "gru": lambda v, x: dense(v, gru(v, x, 64), 10),
    "stacked_gru": lambda v, x: dense(v, gru(v, gru(v, x, 64, True), 64), 10),
    "bidirectional_lstm": _bidirectional,
    "transformer": _transformer,
    "decoder": _decoder,
    "recommender": _recommender,
    "autoencoder": _autoencoder,
    **dict.fromkeys(("plain", "plain_rows_x10", "plain_batch_x2"), _plain),
    **{
        f"plain_width_x{n}": functools.partial(_plain, units=128 * n) for n in (2, 4, 8)
    },
    **{
        f"plain_depth_x{n}": functools.partial(_plain, depth=2 * n)
        for n in (2, 4, 8, 16)
    },
}


class Loop:
    """A network with its data on the device; `scanned` puts an epoch into one call."""

    def __init__(self, name, workload, scanned):
        self.batch = workload.batch
        self.x, self.y = map(jax.device_put, workload.data())
        self.network, self.images = NETWORKS[name], workload.kind == "images"
        made = Values()
        self.network(made, self.x[:2])
        slots = [[jnp.zeros_like(w) for w in made.weights] for _ in range(2)]
        step = jnp.zeros((), "int32")
        self.state = made.weights, made.statistics, slots, step, jax.random.key(0)
        self._apply = jax.jit(self._outputs)
        whole = self._scanned if scanned else self._step
        self._run, self.scanned = jax.jit(whole, donate_argnums=0), scanned

    def _loss(self, weights, statistics, key, x, y):
        v = Values(weights, statistics, True, key)
        outputs = self.network(v, x)
        if self.images:
            return jnp.mean((outputs - y) ** 2), (v.updates, jnp.zeros(()))
        log = nn.log_softmax(outputs)
        loss = -jnp.take_along_axis(log, y[..., None], -1).mean()
        hits = (outputs.argmax(-1) == y).sum(dtype="float32")
        return loss, (v.updates, hits)

    def _step(self, state, rows):
        weights, statistics, (m, s), step, key = state
        key, own = jax.random.split(key)
        function = jax.value_and_grad(self._loss, has_aux=True)
        x, y = self.x[rows], self.y[rows]
        (loss, (statistics, hits)), g = function(weights, statistics, own, x, y)
        step += 1
        t = step.astype("float32")
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        m = [0.9 * a + 0.1 * b for a, b in zip(m, g, strict=True)]
        s = [0.999 * a + 0.001 * b * b for a, b in zip(s, g, strict=True)]
        weights = [
            w - rate * a / (jnp.sqrt(b) + 1e-7)
            for w, a, b in zip(weights, m, s, strict=True)
        ]
        return (weights, statistics, [m, s], step, key), (loss * len(rows), hits)

    def _scanned(self, state, order):
        state, (losses, hits) = lax.scan(self._step, state, order)
        return state, (losses.sum(), hits.sum())

    def epoch(self):
        """Train an epoch; the loss and the accuracy come to the host."""
        order = np.random.default_rng().permutation(len(self.x)).astype("int32")
        full = len(order) // self.batch * self.batch
        batches = order[:full].reshape(-1, self.batch)
        if self.scanned:
            self.state, totals = self._run(self.state, batches)
            return [float(t) for t in totals]
        totals = jnp.zeros(2)
        for rows in batches:
            self.state, parts = self._run(self.state, rows)
            totals += jnp.stack(parts)
        return [float(t) for t in totals]

    def _outputs(self, weights, statistics, x):
        return self.network(Values(weights, statistics), x)

    def predict(self, rows, batch):
        """Return the outputs of the first rows, on the host."""
        weights, statistics, *_ = self.state
        parts = [
            self._apply(weights, statistics, self.x[begin : min(begin + batch, rows)])
            for begin in range(0, rows, batch)
        ]
        return np.concatenate([np.asarray(part) for part in parts])
