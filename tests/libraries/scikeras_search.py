"""SciKeras: a search over the dropout rate, pickles, a pipeline, partial_fit."""

import copy
import pickle

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier, KerasRegressor
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")
keras.utils.set_random_seed(0)


def create_model(dropout_rate=0.2):
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dropout(dropout_rate),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


classifier = KerasClassifier(create_model, epochs=8, verbose=0, dropout_rate=0.2)
search = GridSearchCV(classifier, {"dropout_rate": [0.1, 0.9]}, cv=2).fit(x, y)
assert search.best_params_ == {"dropout_rate": 0.1}
assert search.best_score_ > 0.8
assert type(search.best_estimator_.model_).__module__.startswith("hornbeam")

restored = pickle.loads(pickle.dumps(search.best_estimator_))
np.testing.assert_array_equal(restored.predict(x), search.predict(x))
assert restored.predict_proba(x).shape == (len(x), 10)
copied = copy.deepcopy(search.best_estimator_)
np.testing.assert_array_equal(copied.predict(x), search.predict(x))

going_on = KerasClassifier(create_model, epochs=2, verbose=0, dropout_rate=0.2)
going_on.fit(x, y)
before = going_on.history_["loss"][-1]
going_on.partial_fit(x, y)
assert going_on.history_["loss"][-1] < before
assert going_on.current_epoch == 3


def create_regressor(meta, compile_kwargs, hidden=(8,)):
    model = keras.Sequential([keras.Input((meta["n_features_in_"],))])
    for units in hidden:
        model.add(keras.layers.Dense(units, activation="relu"))
    model.add(keras.layers.Dense(1))
    model.compile(**compile_kwargs)
    return model


regressor = KerasRegressor(
    create_regressor,
    hidden=(16,),
    loss="mse",
    optimizer="adam",
    optimizer__learning_rate=0.05,
    callbacks=keras.callbacks.EarlyStopping,
    callbacks__monitor="loss",
    callbacks__patience=3,
    epochs=30,
    verbose=0,
)
x, y = load_diabetes(return_X_y=True)
pipeline = make_pipeline(StandardScaler(), clone(regressor))
assert cross_val_score(pipeline, x, y, cv=3).mean() > 0.35
