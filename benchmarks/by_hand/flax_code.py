"""In Flax NNX with Optax: modules and a jitted step, as its guides write it."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx


class Mlp(nnx.Module):
    """Two layers with dropout between."""

    def __init__(self, inputs, units, rngs):
        self.hidden = nnx.Linear(inputs, units, rngs=rngs)
        self.dropout = nnx.Dropout(0.2, rngs=rngs)
        self.output = nnx.Linear(units, 10, rngs=rngs)

    def __call__(self, x):
        return self.output(self.dropout(nnx.relu(self.hidden(x))))


class Wide(nnx.Module):
    """Two layers of 4,096 units, and the output."""

    def __init__(self, rngs):
        self.hidden = nnx.Linear(1024, 4096, rngs=rngs)
        self.second = nnx.Linear(4096, 4096, rngs=rngs)
        self.output = nnx.Linear(4096, 10, rngs=rngs)

    def __call__(self, x):
        return self.output(nnx.relu(self.second(nnx.relu(self.hidden(x)))))


class Cnn(nnx.Module):
    """Two convolutions with pooling."""

    def __init__(self, rngs):
        convolution = functools.partial(
            nnx.Conv, kernel_size=(3, 3), padding="VALID", rngs=rngs
        )
        self.first, self.second = convolution(1, 32), convolution(32, 64)
        self.output = nnx.Linear(1600, 10, rngs=rngs)

    def __call__(self, x):
        for convolution in (self.first, self.second):
            x = nnx.max_pool(nnx.relu(convolution(x)), (2, 2), (2, 2))
        return self.output(x.reshape(len(x), -1))


class Recurrent(nnx.Module):
    """A recurrent layer of 64 units; its last step is taken."""

    def __init__(self, cell, rngs):
        self.layer = nnx.RNN(cell(16, 64, rngs=rngs))
        self.output = nnx.Linear(64, 10, rngs=rngs)

    def __call__(self, x):
        return self.output(self.layer(x)[:, -1])


NETWORKS = {
    "mlp": functools.partial(Mlp, 784, 128),
    "digits": functools.partial(Mlp, 64, 64),
    "wide_mlp": Wide,
    "cnn": Cnn,
    "lstm": functools.partial(Recurrent, nnx.OptimizedLSTMCell),
    "gru": functools.partial(Recurrent, nnx.GRUCell),
}


@nnx.jit
def _step(model, optimizer, metrics, x, y):
    def loss_of(model):
        outputs = model(x)
        losses = optax.softmax_cross_entropy_with_integer_labels(outputs, y)
        return losses.mean(), outputs

    (loss, outputs), gradients = nnx.value_and_grad(loss_of, has_aux=True)(model)
    metrics.update(loss=loss, logits=outputs, labels=y)
    optimizer.update(model, gradients)


@nnx.jit
def _outputs(model, x):
    return model(x)


class Loop:
    """A network with its data on the device."""

    def __init__(self, name, workload, scanned=False):
        self.batch = workload.batch
        self.x, self.y = map(jax.device_put, workload.data())
        self.model = NETWORKS[name](nnx.Rngs(0))
        adam = optax.adam(1e-3, eps=1e-7)
        self.optimizer = nnx.Optimizer(self.model, adam, wrt=nnx.Param)
        self.metrics = nnx.MultiMetric(
            loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy()
        )

    def epoch(self):
        """Train an epoch; the loss and the accuracy come to the host."""
        self.model.train()
        order = np.random.default_rng().permutation(len(self.x))
        for begin in range(0, len(order), self.batch):
            rows = order[begin : begin + self.batch]
            x, y = self.x[rows], self.y[rows]
            _step(self.model, self.optimizer, self.metrics, x, y)
        found = {name: float(value) for name, value in self.metrics.compute().items()}
        self.metrics.reset()
        return found

    def predict(self, rows, batch):
        """Return the outputs of the first rows, on the host."""
        self.model.eval()
        parts = [
            _outputs(self.model, jnp.asarray(self.x[begin : min(begin + batch, rows)]))
            for begin in range(0, rows, batch)
        ]
        return np.concatenate([np.asarray(part) for part in parts])
