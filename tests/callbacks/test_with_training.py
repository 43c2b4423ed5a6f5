"""Callbacks in real training, on every engine that trains."""

import numpy as np
import pytest

import hornbeam as keras

# In one process: the tests share programs.
pytestmark = pytest.mark.xdist_group("callbacks")

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def small_model(**optimizer):
    keras.utils.set_random_seed(3)
    layers = [keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dropout(0.2)]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9, **optimizer), "mse")
    return model


def test_swap_ema_weights(training_engine):
    """Validation sees the averages, and training goes on with the weights."""

    def fit(*callbacks):
        model = small_model(use_ema=True, ema_momentum=0.9)
        history = model.fit(
            X, Y, 8, 3, 0, list(callbacks), validation_data=(X, Y)
        ).history
        return history, model, model.evaluate(X, Y, verbose=0)

    plain, model, final = fit()
    assert plain["val_loss"][-1] != pytest.approx(final, rel=1e-4)
    swap = keras.callbacks.SwapEMAWeights()
    swapped, swapped_model, swapped_final = fit(swap)
    assert swapped["loss"] == plain["loss"]
    assert swapped["val_loss"][-1] == pytest.approx(swapped_final, rel=1e-6)
    assert swapped_final == pytest.approx(final, rel=1e-6)


def test_swap_ema_weights_on_epoch(training_engine, tmp_path):
    path = tmp_path / "{epoch}.weights.h5"
    model = small_model(use_ema=True, ema_momentum=0.9)
    callbacks = [
        keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        keras.callbacks.ModelCheckpoint(path, save_weights_only=True),
    ]
    history = model.fit(X, Y, 8, 3, 0, callbacks).history
    plain = small_model(use_ema=True, ema_momentum=0.9)
    assert plain.fit(X, Y, 8, 3, 0).history == history
    expected = [w.copy() for w in model.get_weights()]
    model.load_weights(tmp_path / "3.weights.h5")
    for a, b, c in zip(expected, model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
        np.testing.assert_allclose(a, c, rtol=1e-6)


def test_swap_ema_weights_needs_averages():
    with pytest.raises(ValueError, match="`use_ema=True`"):
        small_model().fit(X, Y, verbose=0, callbacks=keras.callbacks.SwapEMAWeights())


def test_early_stopping_keeps_the_best_weights(training_engine):
    model = small_model()
    rise = keras.callbacks.LearningRateScheduler(lambda e: 0.01 if e < 3 else 3.0)
    stop = keras.callbacks.EarlyStopping(
        "val_loss", patience=1, restore_best_weights=True
    )
    history = model.fit(X, Y, 8, 20, 0, [rise, stop], validation_data=(X, Y)).history[
        "val_loss"
    ]
    assert len(history) < 20
    best = model.evaluate(X, Y, verbose=0)
    assert best == pytest.approx(min(history), rel=1e-5)


class Rows(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        rows = slice(8 * index, 8 * index + 8)
        return X[rows], Y[rows]


def generator():
    while True:
        for index in range(5):
            yield Rows()[index]


@pytest.mark.timeout(120)
def test_arrays_and_streams_train_alike(training_engine):
    def fit(x, y=None, **arguments):
        model = small_model()
        return model.fit(x, y, epochs=3, verbose=0, shuffle=False, **arguments).history

    expected = fit(X, Y, batch_size=8)["loss"]
    sources = [
        (Rows(), {}),
        (Rows(workers=3), {}),
        (generator(), {"steps_per_epoch": 5}),
    ]
    for source, arguments in sources:
        np.testing.assert_allclose(
            fit(source, **arguments)["loss"], expected, rtol=1e-5
        )


def test_class_weight_is_sample_weight(training_engine):
    labels = (X[:, :1] > 0).astype("float32")
    weights = np.where(labels[:, 0] > 0, 5.0, 1.0)

    def fit(**arguments):
        return small_model().fit(X, labels, 8, 2, 0, **arguments).history["loss"]

    expected = fit(sample_weight=weights)
    assert fit(class_weight={0: 1.0, 1: 5.0}) == pytest.approx(expected, rel=1e-6)
    assert fit() != pytest.approx(expected, rel=1e-3)


def multi_optimizer_model(**first):
    layers = [keras.Input((3,)), keras.layers.Dense(4, name="one")]
    model = keras.Sequential([*layers, keras.layers.Dense(1, name="two")])
    singles = keras.optimizers.OptimizerMap(
        keras.optimizers.SGD(0.02, name="rest"),
        {"one": keras.optimizers.SGD(0.01, name="first", **first)},
    )
    model.compile(keras.optimizers.MultiOptimizer(singles), "mse")
    return model


@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
        keras.callbacks.ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=1e9),
    ],
)
def test_all_rates_of_a_multi_optimizer(callback):
    model = multi_optimizer_model()
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=callback).history
    first, rest = (history[f"learning_rate_{name}"] for name in ("first", "rest"))
    np.testing.assert_allclose(rest, np.multiply(first, 2), rtol=1e-6)
    found = [float(o.learning_rate) for o in model.optimizer.optimizers]
    halvings = 3 if "Scheduler" in type(callback).__name__ else 2
    np.testing.assert_allclose(found, [0.01 / 2**halvings, 0.02 / 2**halvings])


def test_swap_ema_weights_of_a_multi_optimizer(training_engine):
    model = multi_optimizer_model(use_ema=True, ema_momentum=0.9)
    model.fit(X, Y, 8, 2, 0)
    one, two = (layer.kernel for layer in model.layers)
    one.assign(one + 1)
    before = one.numpy(), two.numpy()
    averages = model.optimizer.optimizers[0]._model_variables_moving_average[0]
    average = averages.numpy()
    swap = keras.callbacks.SwapEMAWeights()
    swap.set_model(model)
    swap.on_test_begin()
    np.testing.assert_array_equal(one.numpy(), average)
    np.testing.assert_array_equal(two.numpy(), before[1])
    np.testing.assert_array_equal(averages.numpy(), before[0])
    swap.on_test_end()
    np.testing.assert_array_equal(one.numpy(), before[0])


class StopAfter(keras.callbacks.Callback):
    """Ends a pass after its second batch."""

    def on_test_batch_end(self, batch, logs=None):
        self.model.stop_evaluating = batch == 1

    def on_predict_batch_end(self, batch, logs=None):
        assert logs["outputs"].shape == (8, 1)
        self.model.stop_predicting = batch == 1


def endless():
    while True:
        yield X[:8], Y[:8]


@pytest.mark.parametrize("source", ["arrays", "endless"])
def test_evaluate_and_predict_can_be_stopped(training_engine, source):
    model = small_model()
    data = (X, Y) if source == "arrays" else (endless(),)
    options = {"verbose": 0, "callbacks": [StopAfter()], "batch_size": 8}
    if source == "endless":
        options.pop("batch_size")
    loss = model.evaluate(*data, **options)
    outputs = model.predict(data[0], **options)
    assert outputs.shape == (16, 1)
    seen = X[:16] if source == "arrays" else np.concatenate([X[:8], X[:8]])
    expected = model.predict(seen, verbose=0)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    wanted = np.square(expected - seen.sum(1, keepdims=True)).mean()
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)
    assert model.predict(X, verbose=0).shape == (40, 1), "the next call starts anew"


def test_stopped_validation_ends_neither_training_nor_the_next_one(training_engine):
    model = small_model()
    history = model.fit(
        X, Y, 8, 2, 0, callbacks=[StopAfter()], validation_data=(X[:16], Y[:16])
    )
    assert len(history.history["val_loss"]) == 2
