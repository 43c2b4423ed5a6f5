"""Ops on arrays, tensors, Variables, numbers and lists."""

import numpy as np

import hornbeam as keras
from hornbeam import ops

x = ops.exp(1.5) + 1
y = ops.exp([1.0, 2.0]) + np.ones(2)
z = -(ops.sum(y * 2, axis=0, keepdims=True) ** 2)
print(float(x), y[0], z.shape, z / 2, 1 - z)

matrix = ops.reshape(ops.arange(6, dtype="float32"), (2, 3))
print(ops.matmul(matrix, ops.transpose(matrix)) @ ops.eye(2))
print(ops.mean(matrix, axis=(0, 1)), ops.max(matrix, axis=-1), ops.argmax(matrix))
print(ops.concatenate([matrix, matrix], axis=0)[:, ::2])
print(ops.where(matrix > 2, matrix, 0), ops.clip(matrix, 0, 1))
print(ops.softmax(matrix), ops.one_hot([0, 1], 3), ops.cast(matrix, "int32"))
print(ops.convert_to_numpy(matrix).sum(), ops.shape(matrix)[0] + 1)
values, indices = ops.top_k(matrix, k=2)
print(values + 1, indices)
u, s, v = ops.svd(matrix)
print(s * 2)
print(ops.einsum("ij,kj->ik", matrix, matrix))
print(ops.conv(ops.ones((1, 8, 8, 3)), ops.ones((3, 3, 3, 2)), padding="same").shape)
print(ops.max_pool(ops.ones((1, 8, 8, 3)), 2, strides=2, padding="valid").shape)
print(ops.while_loop(lambda i: i < 3, lambda i: (i + 1,), (0,)))
print(ops.cond(True, lambda: 1.0, lambda: 0.0))
carry, sums = ops.scan(lambda carry, x: (carry + x, carry), 0.0, xs=ops.ones(3))
print(ops.vectorized_map(lambda row: row * 2, matrix))
print(ops.numpy.add(1, 2), ops.nn.relu(-1.0), ops.linalg.det(ops.eye(2)))

variable = keras.Variable(np.zeros((2, 2)), name="state", trainable=False)
variable.assign(variable + 1)
variable.assign_add(ops.ones((2, 2)))
print(variable.value * 2, 2 * variable, variable[0], variable.shape, variable.numpy())
print(ops.add(variable, 1), ops.sqrt(variable))

print(keras.random.normal((2, 3), mean=0.0, stddev=1.0, seed=1) + 1)
generator = keras.random.SeedGenerator(seed=3)
print(keras.random.uniform((2,), minval=-1, maxval=1, seed=generator) * 2)
print(keras.random.randint((2,), 0, 10), keras.random.shuffle([1, 2, 3]))
print(keras.random.dropout(ops.ones(4), rate=0.5), keras.random.categorical(matrix, 2))
print(keras.initializers.GlorotUniform(seed=1)((2, 3)) + 1)
print(keras.activations.relu(matrix) + 1, keras.activations.get("tanh"))
print(keras.losses.mean_squared_error([1.0], [2.0]) + 1)
keras.utils.set_random_seed(1)
