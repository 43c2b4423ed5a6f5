"""Writes graphs of tf.keras 2 that call TensorFlow, with what they predict beside them.

    python tests/saving/write_legacy_ops.py FILE.zip

runs in an environment with tf-keras 2.21.0. What it wrote is in `tests/saving/files/`.
"""

import io
import json
import sys
import zipfile

import numpy as np
import tensorflow as tf
import tf_keras as k

random = np.random.default_rng(0)
# Two inputs of 4 numbers.
GRAPHS = {
    "operators": lambda x, y: -(1.0 - (x + y) * 2.0 / 3.0) ** 2,
    "comparisons": lambda x, y: tf.where(
        tf.logical_or(x > y, tf.logical_not(x >= 0.2)), x, tf.zeros_like(y)
    ),
    "equality": lambda x, y: tf.where((x < y) & (x > 0.1) | tf.equal(x, y), x, -y),
    "division": lambda x, y: x // 0.3 + x % 0.4 + tf.math.divide(x, y),
    "slices": lambda x, y: x[:, 1:3] + y[..., ::2] + x[:, 0:1],
    "new_axis": lambda x, y: tf.squeeze(x[:, tf.newaxis] + y[:, None, 0:1], [1]),
    "one_item": lambda x, y: x[:, 2] - y[:, -1],
    "joined": lambda x, y: tf.concat([x, y, tf.ones((1, 4)) * x], axis=-1),
    "stacked": lambda x, y: tf.unstack(tf.stack([x, y], axis=1), axis=1)[1],
    "split": lambda x, y: tf.split(x, 2, axis=1)[1] * tf.split(y, [1, 2, 1], 1)[1],
    "reduced": lambda x, y: (
        tf.reduce_mean(x, axis=1, keepdims=True)
        + tf.reduce_sum(y, axis=[1], keepdims=True)
        + tf.reduce_max(x, -1, keepdims=True) * tf.math.reduce_prod(y, 1, True)
        - tf.reduce_logsumexp(x, 1, True)
    ),
    "truth": lambda x, y: tf.cast(tf.reduce_any(x > 0.9, 1), "float32")
    + tf.cast(tf.reduce_all(x > 0.01, 1), "float32"),
    "places": lambda x, y: tf.argmax(x, 1) - tf.argmin(y, axis=-1),
    "shapes": lambda x, y: tf.transpose(
        tf.reshape(tf.tile(tf.expand_dims(x, 1), [1, 2, 1]), (-1, 2, 4)), perm=[0, 2, 1]
    ),
    "linear": lambda x, y: tf.matmul(x, tf.eye(4)[:, :3]) + tf.constant([1.0, 2, 3]),
    "unary": lambda x, y: (
        tf.sqrt(tf.abs(x)) + tf.exp(-x) + tf.math.log1p(x) + tf.sin(y) * tf.cos(y)
        + tf.math.rsqrt(x + 1) + tf.math.reciprocal(y + 1) + tf.round(x * 3)
        + tf.sign(x) + tf.square(x) + tf.math.erf(x) + tf.floor(x * 3)
        + tf.math.ceil(y * 3)
    ),
    "activations": lambda x, y: (
        tf.nn.relu(x - 0.5) + tf.nn.elu(x - 0.5) + tf.nn.gelu(x) + tf.nn.softplus(x)
        + tf.nn.leaky_relu(x - 0.5) + tf.nn.leaky_relu(x - 0.5, alpha=0.3)
        + tf.nn.softmax(x) + tf.nn.log_softmax(y, axis=-1) + tf.nn.silu(x)
        + tf.nn.relu6(x * 9) + tf.tanh(x) + tf.sigmoid(y) + tf.nn.selu(x - 0.5)
    ),
    "limits": lambda x, y: tf.clip_by_value(tf.maximum(x, y), 0.2, tf.constant(0.8)),
    "chosen": lambda x, y: tf.gather(x, [2, 0], axis=1) + tf.math.atan2(x, y)[:, :2],
    "one_hot": lambda x, y: tf.one_hot(tf.cast(x * 3, "int32"), 3),
    "sums": lambda x, y: tf.cumsum(x, axis=1) + tf.stop_gradient(y) ** x,
}  # fmt: skip
REFUSED = {
    "lost": lambda x, y: x == y,  # the file does not say with what
    "shape": lambda x, y: tf.reshape(x, [tf.shape(x)[0], 2, 2]),
    "sorted": lambda x, y: tf.sort(x),
    "exclusive": lambda x, y: tf.cumsum(x, axis=1, exclusive=True),
}


def main(path):
    data = [random.uniform(size=(3, 4)).astype("float32") for _ in range(2)]
    arrays, configs = {"x": data[0], "y": data[1]}, {}
    for name, function in (GRAPHS | REFUSED).items():
        inputs = [k.Input((4,)), k.Input((4,))]
        model = k.Model(inputs, function(*inputs))
        configs[name] = json.loads(model.to_json())
        if name in GRAPHS:
            arrays[f"graph_{name}"] = model.predict(data, verbose=0)
    stored = io.BytesIO()
    np.savez(stored, **arrays)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("graphs.json", json.dumps(configs))
        file.writestr("arrays.npz", stored.getvalue())


if __name__ == "__main__":
    main(sys.argv[1])
