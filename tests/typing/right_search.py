"""scikit-learn's searches and pipelines over networks."""

import joblib
import numpy as np
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import hornbeam as keras
from hornbeam.wrappers import KerasClassifier, KerasRegressor


def create_model(dropout_rate=0.0):
    model = keras.Sequential()
    model.add(keras.Input((4,)))
    model.add(keras.layers.Dense(4, activation="relu"))
    model.add(keras.layers.Dropout(dropout_rate))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def create_regressor(units=4):
    layers = [keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(loss="mse", optimizer="sgd")
    return model


X = np.random.random((30, 4))
y = np.arange(30) % 2

classifier = KerasClassifier(create_model, dropout_rate=0.2, epochs=2, verbose=0)
grid = GridSearchCV(classifier, {"dropout_rate": [0.0, 0.5]}, cv=3)
with joblib.parallel_config(backend="hornbeam"):
    grid.fit(X, y)
print(grid.best_score_, grid.best_params_)
print(classifier.get_params()["dropout_rate"])

classifier.fit(X, y)
print(classifier.predict(X)[:2], classifier.predict_proba(X)[:, 1], classifier.classes_)
print(classifier.score(X, y) + 1)
classifier.set_params(epochs=1)

regressor = KerasRegressor(model=create_regressor, epochs=1, batch_size=10, verbose=0)
pipeline = make_pipeline(StandardScaler(), regressor)
print(cross_val_score(pipeline, X, y.astype("float32"), cv=2).mean())
print(regressor.fit(X, y).predict(X).shape)
