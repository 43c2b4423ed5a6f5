"""KerasTuner: its three searches, a search that is taken up again, its networks."""

import tempfile

import keras
import keras_tuner
import numpy as np
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")
train, test = slice(0, 1400), slice(1400, None)


def create_model(hp):
    units = hp.Int("units", 8, 64, step=8)
    model = keras.Sequential([keras.Input((64,))])
    for i in range(hp.Int("layers", 1, 2)):
        activation = hp.Choice(f"activation_{i}", ["relu", "tanh"])
        model.add(keras.layers.Dense(units, activation=activation))
    model.add(keras.layers.Dropout(hp.Float("dropout_rate", 0.0, 0.5, step=0.1)))
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(hp.Float("rate", 1e-4, 1e-1, sampling="log")),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def search(kind, folder, **budget):
    tuner = kind(
        create_model,
        objective="val_accuracy",
        seed=0,
        directory=folder,
        project_name=kind.__name__,
        **budget,
    )
    tuner.search(
        x[train],
        y[train],
        validation_split=0.2,
        epochs=3,
        verbose=0,
        callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=2)],
    )
    return tuner


BUDGETS = {
    keras_tuner.RandomSearch: {"max_trials": 4},
    keras_tuner.BayesianOptimization: {"max_trials": 5, "num_initial_points": 3},
    keras_tuner.Hyperband: {"max_epochs": 3, "factor": 3},
}
with tempfile.TemporaryDirectory() as folder:
    for kind, budget in BUDGETS.items():
        tuner = search(kind, folder, **budget)
        assert type(tuner.get_best_models()[0]).__module__.startswith("hornbeam")
        best = tuner.oracle.get_best_trials()[0]
        assert best.score > 0.8, (kind, best.score)

        # Another process takes up what is there: nothing is trained again.
        again = search(kind, folder, **budget, overwrite=False)
        assert again.oracle.trials.keys() == tuner.oracle.trials.keys()
        assert again.oracle.get_best_trials()[0].trial_id == best.trial_id
        found, wanted = (
            t.get_best_models()[0].predict(x[test], verbose=0) for t in (again, tuner)
        )
        np.testing.assert_array_equal(found, wanted)
        assert (found.argmax(1) == y[test]).mean() > 0.75

        model = tuner.hypermodel.build(again.get_best_hyperparameters()[0])
        assert model.count_params() == again.get_best_models()[0].count_params()

networks = keras_tuner.applications
shape = {"input_shape": (71, 71, 3), "classes": 5}
for kind in (networks.HyperResNet, networks.HyperXception, networks.HyperEfficientNet):
    try:
        model = kind(**shape).build(keras_tuner.HyperParameters())
    except OSError as error:
        # This one begins with trained weights, which need a connection or the file.
        assert "efficientnetb0_notop.h5" in str(error), error
        assert kind is networks.HyperEfficientNet
    else:
        assert model.output_shape == (None, 5), kind
        assert type(model).__module__.startswith("hornbeam")
