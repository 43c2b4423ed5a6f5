"""Custom training: one's own `train_step`, and a loop over batches by hand."""

import numpy as np

import hornbeam as keras
from hornbeam import ops


class Regression(keras.Model):
    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.hidden = keras.layers.Dense(units, activation="relu")
        self.out = keras.layers.Dense(1)
        self.tracker = keras.metrics.Mean(name="loss")

    def call(self, inputs, training=None):
        return self.out(self.hidden(inputs))

    @property
    def metrics(self):
        return [self.tracker]

    def train_step(self, data):
        x, y = data

        def loss_of():
            return ops.mean(ops.square(self(x, training=True) - y))

        loss, gradients = keras.value_and_grad(loss_of, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}

    def test_step(self, data):
        x, y = data
        loss = ops.mean(ops.square(self(x, training=False) - y))
        self.tracker.update_state(loss)
        return {metric.name: metric.result() for metric in self.metrics}


x, y = np.random.random((32, 3)), np.random.random((32, 1))
model = Regression(units=8)
model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
history = model.fit(x, y, epochs=2, verbose=0)
print(history.history["loss"][0])
print(model.evaluate(x, y, verbose=0))
print(model.optimizer.learning_rate)

# A loop by hand, with torch's gradients.
keras.config.set_backend("torch")
import torch  # noqa: E402

network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
loss_fn = keras.losses.MeanSquaredError()
metric = keras.metrics.MeanSquaredError()
optimizer = keras.optimizers.Adam(learning_rate=0.01)
for epoch in range(2):
    for start in range(0, len(x), 8):
        batch = torch.tensor(x[start : start + 8], dtype=torch.float32)
        target = torch.tensor(y[start : start + 8], dtype=torch.float32)
        network.zero_grad()
        prediction = network(batch, training=True)
        loss = loss_fn(target, prediction)
        loss.backward()
        variables = network.trainable_variables
        gradients = [variable.value.grad for variable in variables]
        with torch.no_grad():
            optimizer.apply(gradients, variables)
        metric.update_state(target, prediction)
    print(f"epoch {epoch}: {float(metric.result()):.3f}")
    metric.reset_state()
keras.config.set_backend("jax")
