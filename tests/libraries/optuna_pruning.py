"""Optuna: its callback for Keras prunes weak trials."""

import keras
import optuna
from optuna_integration import KerasPruningCallback
from sklearn.datasets import load_digits

optuna.logging.set_verbosity(optuna.logging.WARNING)
x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")
keras.utils.set_random_seed(0)


def objective(trial):
    rate = trial.suggest_float("dropout_rate", 0.0, 0.95)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dropout(rate),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    pruning = KerasPruningCallback(trial, "val_accuracy")
    history = model.fit(
        x, y, validation_split=0.2, epochs=6, verbose=0, callbacks=[pruning]
    )
    return history.history["val_accuracy"][-1]


study = optuna.create_study(
    direction="maximize",
    pruner=optuna.pruners.MedianPruner(n_startup_trials=2),
    sampler=optuna.samplers.TPESampler(seed=0),
)
study.optimize(objective, n_trials=10)
states = {trial.state.name for trial in study.trials}
assert states == {"COMPLETE", "PRUNED"}, states
assert study.best_value > 0.75
assert study.best_params["dropout_rate"] < 0.6
