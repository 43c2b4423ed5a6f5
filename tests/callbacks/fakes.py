"""A model that only counts, for callbacks that watch one."""

import numpy as np


class FakeVariable:
    def __init__(self, value, path):
        self.value = np.array(value, "float32")
        self.path = path
        self.shape = self.value.shape

    def numpy(self):
        return self.value

    def __array__(self, dtype=None, copy=None):
        return self.value

    def assign(self, value):
        if np.shape(value) != self.shape:
            raise ValueError(np.shape(value))
        self.value = np.array(value, "float32")

    def __float__(self):
        return float(self.value)


class FakeOptimizer:
    use_ema = False
    built = True

    def __init__(self):
        self.rate = FakeVariable(0.1, "rate")
        self.variables = [self.rate]

    @property
    def learning_rate(self):
        return self.rate

    @learning_rate.setter
    def learning_rate(self, value):
        self.rate.assign(value)


class FakeModel:
    """Each step adds 1 to the weights."""

    def __init__(self):
        self.stop_training = False
        self.optimizer = FakeOptimizer()
        self.metrics = []
        self.weight = FakeVariable([0.0, 0.0], "weight")
        self.saved = []

    @property
    def variables(self):
        return [self.weight]

    def _state_of_steps(self):
        return [self.weight, self.optimizer.rate], []

    def step(self):
        self.weight.assign(self.weight.value + 1)

    def get_weights(self):
        return [self.weight.value.copy()]

    def set_weights(self, weights):
        self.weight.assign(weights[0])

    def save(self, path, overwrite=True):
        self.saved.append(("model", path))

    def save_weights(self, path, overwrite=True):
        self.saved.append(("weights", path))


def run(model, callbacks, losses, first=0, batches=2, name="loss", data=None):
    """Run the events of a training whose epochs have these losses."""
    from hornbeam.callbacks import CallbackList

    events = CallbackList(
        callbacks, add_history=True, model=model, epochs=len(losses), steps=batches
    )
    events.data = data
    events.on_train_begin()
    resumed = events.resumed()
    events.restore(data=True)
    first, begun = (first, 0) if resumed is None else resumed[:2]
    logs = {}
    for epoch in range(first, len(losses)):
        events.on_epoch_begin(epoch)
        if begun:
            events.restore()
        for batch in range(begun, batches):
            events.on_train_batch_begin(batch)
            model.step()
            events.on_train_batch_end(batch, {name: losses[epoch]})
        begun = 0
        logs = {name: losses[epoch]}
        events.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    events.on_train_end(logs)
    return model.history
