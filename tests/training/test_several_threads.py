"""One model in several threads."""

import threading
import time

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends

X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


class Hold(keras.callbacks.Callback):
    """Holds the training after its first epoch until `goes_on` is set."""

    def __init__(self):
        super().__init__()
        self.is_there, self.goes_on = threading.Event(), threading.Event()

    def on_epoch_end(self, epoch, logs=None):
        self.is_there.set()
        assert self.goes_on.wait(60)


def small_model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def in_threads(engine, *functions):
    """Run functions at the same time; return what each returned or raised."""
    results = [None] * len(functions)

    def run(number, function):
        with backends.scope(engine.name):
            try:
                results[number] = function()
            except Exception as error:
                results[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_second_thread_may_predict_but_not_train(training_engine):
    model, hold = small_model(), Hold()

    def second():
        assert hold.is_there.wait(60)
        try:
            predicted = model.predict(X, verbose=0)
            np.testing.assert_array_equal(predicted, model.predict(X, verbose=0))
            calls = [
                lambda: model.fit(X, Y, verbose=0),
                lambda: model.evaluate(X, Y, verbose=0),
                lambda: model.train_on_batch(X, Y),
            ]
            for call in calls:
                with pytest.raises(RuntimeError, match="fit.. in another thread"):
                    call()
        finally:
            hold.goes_on.set()

    first, error = in_threads(
        training_engine,
        lambda: model.fit(X, Y, epochs=3, verbose=0, callbacks=[hold]),
        second,
    )
    assert error is None
    assert len(first.epoch) == 3
    model.fit(X, Y, verbose=0)  # another thread's turn is over


def test_predictions_while_a_model_trains(training_engine):
    """Each is that of one state of the weights, none of memory that was given away."""
    model = small_model()
    model.set_weights([np.zeros((3, 1)), np.zeros(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    ends = threading.Event()

    def train():
        try:
            return model.fit(X, Y, 1, epochs=30, verbose=0)
        finally:
            ends.set()

    def predict():
        count = 0
        while not ends.is_set() or count == 0:
            assert np.all(model.predict(X, verbose=0) == 0)
            assert np.all(model.predict_on_batch(X[:5]) == 0)
            count += 1
        return count

    model.predict(X, verbose=0)
    trained, *counts = in_threads(training_engine, train, predict, predict)
    assert len(trained.epoch) == 30
    assert all(count > 0 for count in counts), counts


def test_short_calls_wait_for_each_other(training_engine):
    model = small_model()
    expected = model.evaluate(X, Y, verbose=0)
    found = in_threads(
        training_engine, *[lambda: model.evaluate(X, Y, 8, verbose=0)] * 3
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)


class Until(keras.callbacks.Callback):
    """Ends the training when every reader has read often enough."""

    def __init__(self, counts, reads):
        super().__init__()
        self.counts, self.reads = counts, reads

    def on_epoch_end(self, epoch, logs=None):
        if min(self.counts) >= self.reads:
            self.model.stop_training = True


def hammered(engine, model, read, reads=5, callbacks=()):
    """Call `read` in two threads during a fit that ends when both have read."""
    counts, ends = [0, 0], threading.Event()

    def train():
        try:
            until = Until(counts, reads)
            model.fit(X, Y, 8, 10**6, 0, callbacks=[until, *callbacks])
        finally:
            ends.set()

    def reads_of(number):
        try:
            while not ends.is_set():
                read()
                counts[number] += 1
        finally:
            counts[number] = reads  # an error ends the training too

    found = in_threads(engine, train, lambda: reads_of(0), lambda: reads_of(1))
    assert found == [None] * 3


class AllAlike(keras.layers.Layer):
    """Two weights that every step changes by the same number."""

    def build(self, input_shape):
        self.first = self.add_weight(shape=(150, 150), initializer="zeros")
        self.second = self.add_weight(shape=(150, 150), initializer="zeros")

    def call(self, x):
        ops = keras.ops
        return ops.mean(x) * 0 + ops.sum(self.first) + ops.sum(self.second) + x[:, :1]


class EachBatch(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


@pytest.mark.parametrize("callbacks", [[], [EachBatch()]], ids=["calls", "batches"])
def test_weights_that_are_read_while_a_model_trains_are_of_one_step(
    training_engine, callbacks
):
    model = keras.Sequential([keras.Input((3,)), AllAlike()])
    model.compile(keras.optimizers.SGD(1e-9), "mse")
    model.train_on_batch(X, Y)
    seen = set()

    def read():
        first, second = model.get_weights()
        assert (first == second).all()
        assert (first == first[0, 0]).all()
        seen.add(float(first[0, 0]))
        assert np.isfinite(np.asarray(model.optimizer.iterations))
        assert np.isfinite(keras.ops.convert_to_numpy(model(X))).all()

    hammered(training_engine, model, read, callbacks=callbacks)
    assert len(seen) > 1


class Difference(keras.layers.Layer):
    """What two equal weights differ by, which it reads one after the other."""

    def __init__(self, alike):
        super().__init__()
        self.alike = alike

    def call(self, x):
        first = keras.ops.sum(self.alike.first)
        time.sleep(0.003)
        return first - keras.ops.sum(self.alike.second) + 0 * keras.ops.mean(x)


def test_a_call_while_the_model_trains_sees_the_weights_of_one_step(training_engine):
    model = keras.Sequential([keras.Input((3,)), AllAlike()])
    model.compile(keras.optimizers.SGD(1e-9), "mse")
    model.train_on_batch(X, Y)
    reader = keras.Sequential([Difference(model.layers[-1])])
    reader(X)

    def read():
        assert keras.ops.convert_to_numpy(reader(X)) == 0

    read()
    hammered(training_engine, model, read, callbacks=[EachBatch()])


def test_a_variable_of_two_models_waits_for_both(training_engine):
    shared = keras.layers.Dense(1)
    models = [keras.Sequential([keras.Input((3,)), shared]) for _ in range(2)]
    for model in models:
        model.compile("sgd", "mse")
        model.train_on_batch(X, Y)

    def train(model):
        for _ in range(100):
            # One in a step of the other, in either order.
            with model._running_steps():
                for other in models:
                    other.predict_on_batch(X)
            for weight in shared.get_weights():
                assert np.isfinite(weight).all()

    found = in_threads(
        training_engine,
        lambda: train(models[0]),
        *[lambda: [shared.get_weights() for _ in range(200)]] * 2,
    )
    assert not any(isinstance(x, Exception) for x in found), found
