"""Tables: regression, imbalanced classes, wide and deep, scikit-learn."""

import numpy as np
from catalogue import program
from checks import assert_keys, assert_saved_alike
from small_data import diabetes, iris, rare_events


@program
def table_regression(keras):
    """Normalised columns, early stopping, the best weights kept."""
    x, y = diabetes()
    normal = keras.layers.Normalization(axis=-1)
    normal.adapt(x)
    model = keras.Sequential(
        [
            normal,
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(
        loss="mean_absolute_error",
        optimizer=keras.optimizers.Adam(0.01),
        metrics=["mse", keras.metrics.RootMeanSquaredError(), "mape"],
    )
    stop = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=5, restore_best_weights=True
    )
    history = model.fit(
        x, y, validation_split=0.2, epochs=60, verbose=0, callbacks=[stop]
    )
    names = ["loss", "mse", "root_mean_squared_error", "mape"]
    assert_keys(history, *names, *(f"val_{name}" for name in names))
    losses = history.history["val_loss"]
    assert len(losses) < 60 and stop.stopped_epoch == len(losses) - 1
    found = model.evaluate(x[353:], y[353:], verbose=0, return_dict=True)
    np.testing.assert_allclose(found["loss"], min(losses), 1e-4)
    assert found["loss"] < 0.8 * np.mean(np.abs(y - y.mean()))
    assert_saved_alike(keras, model, x[:20])


@program(slow=("jax", "tensorflow"))
def table_imbalanced(keras):
    """A rare class: the bias starts at the odds, weights of classes, many metrics."""
    x, y = rare_events()
    positive = float(y.sum())
    odds = np.log(positive / (len(y) - positive))
    metrics = [
        keras.metrics.BinaryCrossentropy(name="cross_entropy"),
        keras.metrics.TruePositives(name="tp"),
        keras.metrics.FalsePositives(name="fp"),
        keras.metrics.TrueNegatives(name="tn"),
        keras.metrics.FalseNegatives(name="fn"),
        keras.metrics.Precision(name="precision"),
        keras.metrics.Recall(name="recall"),
        keras.metrics.AUC(name="auc"),
        keras.metrics.AUC(name="prc", curve="PR"),
    ]
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(12, activation="relu"),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(
                1, activation="sigmoid",
                bias_initializer=keras.initializers.Constant(odds),
            ),
        ]
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=metrics)
    before = model.evaluate(x, y, batch_size=200, verbose=0, return_dict=True)
    assert before["recall"] < 0.5
    weights = {0: len(y) / (len(y) - positive) / 2, 1: len(y) / positive / 2}
    model.fit(x, y, batch_size=100, epochs=8, class_weight=weights, verbose=0)
    after = model.evaluate(x, y, batch_size=200, verbose=0, return_dict=True)
    assert after["recall"] > 0.7 and after["auc"] > 0.85, after
    score = model.predict(x, verbose=0)
    assert after["tp"] == np.sum((score > 0.5) & (y == 1))
    assert after["fp"] == np.sum((score > 0.5) & (y == 0))
    assert after["tp"] + after["fp"] + after["tn"] + after["fn"] == len(y)
    np.testing.assert_allclose(after["recall"], after["tp"] / positive, 1e-5)


@program(slow=("tensorflow",))
def table_wide_and_deep(keras):
    """Categories as one-hot for the wide part, embedded for the deep part."""
    random = np.random.default_rng(0)
    kind = random.integers(0, 6, 600).astype("int32")
    size = random.normal(size=(600, 3)).astype("float32")
    y = ((kind % 2 == 0) ^ (size[:, 0] > 0)).astype("float32")
    layers, ops = keras.layers, keras.ops
    kinds = keras.Input((), dtype="int32", name="kind")
    sizes = keras.Input((3,), name="size")
    wide = layers.concatenate([ops.one_hot(kinds, 6), sizes])
    deep = layers.concatenate([layers.Embedding(6, 4)(kinds), sizes])
    for units in (32, 16):
        deep = layers.Dense(units)(deep)
        deep = layers.ReLU()(layers.BatchNormalization(momentum=0.8)(deep))
    merged = layers.concatenate([wide, deep])
    outputs = layers.Dense(1, activation="sigmoid")(merged)
    model = keras.Model([kinds, sizes], outputs)
    model.compile("nadam", "binary_crossentropy", metrics=["binary_accuracy"])
    model.optimizer.learning_rate = 0.01
    data = {"size": size, "kind": kind}
    history = model.fit(data, y, epochs=10, batch_size=50, verbose=0)
    assert_keys(history, "loss", "binary_accuracy")
    assert model.evaluate(data, y, verbose=0)[1] > 0.9
    by_list = model.predict([kind, size], verbose=0)
    np.testing.assert_array_equal(model.predict(data, verbose=0), by_list)


@program
def table_with_sklearn(keras):
    """A wrapped network inside scikit-learn's pipeline and grid search."""
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = iris()

    def network(X, y, units=8):
        inputs = keras.Input((X.shape[1],))
        hidden = keras.layers.Dense(units, activation="tanh")(inputs)
        outputs = keras.layers.Dense(y.shape[1], activation="softmax")(hidden)
        model = keras.Model(inputs, outputs)
        model.compile(keras.optimizers.Adam(0.05), "categorical_crossentropy")
        return model

    classifier = keras.wrappers.SKLearnClassifier(
        network, model_kwargs={"units": 4}, fit_kwargs={"epochs": 10, "verbose": 0}
    )
    pipeline = make_pipeline(StandardScaler(), classifier)
    pipeline.fit(x, y)
    assert pipeline.predict(x[:5]).shape == (5,)
    assert pipeline.score(x, y) > 0.85
    grid = {"sklearnclassifier__model_kwargs": [{"units": 4}, {"units": 8}]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise", refit=False)
    search.fit(x, y)
    assert len(search.cv_results_["mean_test_score"]) == 2
