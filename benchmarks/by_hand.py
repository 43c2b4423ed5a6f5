"""The networks of `case.py`, and loops that train them, in torch and TensorFlow.

A step is what an expert writes: torch's own modules with fused Adam; a `tf.function`
(compiled by XLA where that is faster) with TensorFlow's fused Adam. The data is on the
device before.
"""

import time

import numpy as np


def torch_network(case, size):
    """Return the module, and how it wants its inputs."""
    import torch
    from torch import nn

    *_, channels = size["shape"]
    hidden, as_is = size["hidden"], lambda x: x

    class Last(nn.LSTM):
        def forward(self, x):
            return super().forward(x)[0][:, -1]

    class Mean(nn.TransformerEncoderLayer):
        def forward(self, x):
            return super().forward(x).mean(1)

    if case == "cnn":
        network = nn.Sequential(
            *(nn.Conv2d(channels, 16, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, hidden, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.LazyLinear(10)),
        )
        return network, lambda x: x.permute(0, 3, 1, 2).contiguous()
    if case == "lstm":
        lstm = Last(channels, hidden, batch_first=True)
        return nn.Sequential(lstm, nn.Linear(hidden, 10)), as_is
    if case == "transformer":
        block = Mean(channels, 4, hidden, dropout=0.0, batch_first=True)
        return nn.Sequential(block, nn.Linear(channels, 10)), as_is
    layers = nn.Linear(channels, hidden), nn.ReLU(), nn.Dropout(0.2)
    return torch.nn.Sequential(*layers, nn.Linear(hidden, 10)), as_is


def torch_loop(case, size, x, y):
    """Return the times at which the epochs end."""
    import torch

    network, prepared = torch_network(case, size)
    x, y = prepared(torch.from_numpy(x)), torch.from_numpy(y).long()
    network(x[:1])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-7, fused=True)
    ends = []
    for _ in range(1 + size["epochs"]):
        order = torch.randperm(len(x))
        total, correct = torch.zeros(()), torch.zeros(())
        for begin in range(0, len(x), size["batch"]):
            rows = order[begin : begin + size["batch"]]
            inputs, labels = x[rows], y[rows]
            logits = network(inputs)
            loss = torch.nn.functional.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                total += loss * len(rows)
                correct += (logits.argmax(1) == labels).sum()
        float(total), float(correct)
        ends.append(time.perf_counter())
    return ends


def tensorflow_network(case, size):
    """Return the network as a function, and its variables."""
    import tensorflow as tf

    variables = []
    hidden, (*places, channels) = size["hidden"], size["shape"]

    def weight(*shape):
        scale = np.sqrt(np.prod(shape[:-1]))
        variables.append(tf.Variable(tf.random.normal(shape) / scale))
        return variables[-1]

    def dense(inputs, outputs):
        w, b = weight(inputs, outputs), weight(outputs)
        return lambda x: tf.tensordot(x, w, 1) + b

    def conv(inputs, outputs):
        w, b = weight(3, 3, inputs, outputs), weight(outputs)
        return lambda x: tf.nn.max_pool2d(
            tf.nn.relu(tf.nn.conv2d(x, w, 1, "VALID") + b), 2, 2, "VALID"
        )

    def normalization():
        scale, shift = weight(channels), weight(channels)

        def normalize(x):
            mean, variance = tf.nn.moments(x, -1, keepdims=True)
            return (x - mean) * tf.math.rsqrt(variance + 1e-3) * scale + shift

        return normalize

    def cnn():
        sides = [((side - 2) // 2 - 2) // 2 for side in places]
        flat = int(np.prod(sides)) * hidden
        first, second = conv(channels, 16), conv(16, hidden)
        head = dense(flat, 10)
        return lambda x: head(tf.reshape(second(first(x)), (-1, flat)))

    def lstm():
        inputs, states = dense(channels, 4 * hidden), weight(hidden, 4 * hidden)
        head = dense(hidden, 10)

        def run(x):
            h = c = tf.zeros((tf.shape(x)[0], hidden))
            for z in tf.unstack(inputs(x), axis=1):
                i, f, g, o = tf.split(z + h @ states, 4, axis=1)
                c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
                h = tf.sigmoid(o) * tf.tanh(c)
            return head(h)

        return run

    def transformer():
        query, key, value, out = (dense(channels, channels) for _ in range(4))
        wide, narrow, head = (
            dense(channels, hidden), dense(hidden, channels), dense(channels, 10),
        )  # fmt: skip
        first, second = normalization(), normalization()

        def run(x):
            shape = (-1, places[0], 4, channels // 4)
            q, k, v = (tf.reshape(f(x), shape) for f in (query, key, value))
            scores = tf.einsum("bqhd,bkhd->bhqk", q, k) / shape[-1] ** 0.5
            mixed = tf.einsum("bhqk,bkhd->bqhd", tf.nn.softmax(scores), v)
            x = first(x + out(tf.reshape(mixed, (-1, places[0], channels))))
            x = second(x + narrow(tf.nn.relu(wide(x))))
            return head(tf.reduce_mean(x, 1))

        return run

    def mlp():
        first, second = dense(channels, hidden), dense(hidden, 10)
        return lambda x: second(tf.nn.dropout(tf.nn.relu(first(x)), 0.2))

    makers = {"cnn": cnn, "lstm": lstm, "transformer": transformer}
    return makers.get(case, mlp)(), variables


def tensorflow_loop(case, size, x, y):
    """Return the times at which the epochs end."""
    import tensorflow as tf

    network, variables = tensorflow_network(case, size)
    x, y = tf.constant(x), tf.constant(y)
    slots = [[tf.Variable(tf.zeros_like(v)) for v in variables] for _ in range(2)]
    powers = [tf.Variable(0.9), tf.Variable(0.999)]
    total, correct = tf.Variable(0.0), tf.Variable(0)

    # XLA makes convolutions and unrolled recurrences slower, and the others faster.
    @tf.function(jit_compile=case not in ("cnn", "lstm"))
    def step(rows):
        inputs, labels = tf.gather(x, rows), tf.gather(y, rows)
        with tf.GradientTape() as tape:
            logits = network(inputs)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            )
        gradients = tape.gradient(loss, variables)
        for v, m, s, g in zip(variables, *slots, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=v.handle, m=m.handle, v=s.handle, beta1_power=powers[0],
                beta2_power=powers[1], lr=1e-3, beta1=0.9, beta2=0.999,
                epsilon=1e-7, grad=g,
            )  # fmt: skip
        powers[0].assign(powers[0] * 0.9)
        powers[1].assign(powers[1] * 0.999)
        total.assign_add(loss * len(rows))
        hits = tf.argmax(logits, 1, tf.int32) == labels
        correct.assign_add(tf.reduce_sum(tf.cast(hits, tf.int32)))

    ends = []
    for _ in range(1 + size["epochs"]):
        order = tf.random.shuffle(tf.range(len(x)))
        for begin in range(0, len(x), size["batch"]):
            step(order[begin : begin + size["batch"]])
        float(total), int(correct)
        ends.append(time.perf_counter())
    return ends


LOOPS = {"torch": torch_loop, "tensorflow": tensorflow_loop}
