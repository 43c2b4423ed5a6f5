"""The main job: design, train, evaluate, save, move and search a network on real data.

The handwritten digits come with scikit-learn, so nothing is downloaded.
Run it with `make demo`.
"""

import pathlib
import tempfile
import time

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

import hornbeam as keras

OUTPUT = pathlib.Path("demo-output")


def load():
    """Return training and test images in [0, 1] and their labels."""
    images, labels = load_digits(return_X_y=True)
    images = np.asarray(images, "float32") / 16
    return train_test_split(
        images, labels, test_size=0.2, random_state=0, stratify=labels
    )


def create_model(dropout_rate=0.2):
    """A perceptron with one hidden layer, as one would write it with Keras."""
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(dropout_rate),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )
    model.compile(
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


class EveryTenthEpoch(keras.callbacks.Callback):
    """Prints a line every tenth epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch % 10 == 9:
            values = (f"{name} {value:.4f}" for name, value in logs.items())
            print(f"Epoch {epoch + 1:2}:", ", ".join(values))


def main():
    """Train on four fifths, evaluate on the rest, move the model, search its rate."""
    keras.utils.set_random_seed(1)
    x_train, x_test, y_train, y_test = load()

    model = create_model()
    model.summary()
    history = model.fit(
        x_train,
        y_train,
        epochs=60,
        batch_size=32,
        validation_data=(x_test, y_test),
        callbacks=[EveryTenthEpoch()],
        verbose=0,
    )
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"\nHeld-out fifth: accuracy {accuracy:.1%}, loss {loss:.4f}")
    if accuracy < 0.97:
        raise SystemExit("Expected at least 97% on the held-out fifth.")

    OUTPUT.mkdir(exist_ok=True)
    picture = OUTPUT / "training.png"
    keras.visualization.plot_history(history, path=picture)
    print(f"Training curves: {picture}")

    expected = model.predict(x_test, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "digits.keras"
        model.save(path)
        print(
            f"Saved {path.stat().st_size / 1024:.0f} KiB; the same file on each engine:"
        )
        for engine in ("jax", "torch", "numpy"):
            with keras.config.backend_scope(engine):
                loaded = keras.models.load_model(path)
            predictions = loaded.predict(x_test, verbose=0)
            difference = np.abs(predictions - expected).max()
            print(f"  {engine:6} largest difference of a probability {difference:.1e}")
            if difference > 1e-5:
                raise SystemExit("Engines disagree by more than 1e-5.")
    search_dropout_rate(x_train, y_train)


def search_dropout_rate(x, y):
    """Compare dropout rates with scikit-learn's grid search: all fits train at once."""
    classifier = keras.wrappers.KerasClassifier(
        model=create_model, epochs=30, batch_size=32, verbose=0, random_state=0
    )
    param_grid = {"model__dropout_rate": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]}
    search = GridSearchCV(
        classifier,
        param_grid,
        cv=5,
        n_jobs=-1,
        scoring=keras.visualization.record_histories("accuracy"),
    )
    started = time.perf_counter()
    with joblib.parallel_config(backend="hornbeam"):
        search.fit(x, y)
    fits = len(search.cv_results_["params"]) * search.n_splits_
    seconds = time.perf_counter() - started
    print(f"\nGrid search over the dropout rate: {fits} fits in {seconds:.1f} s")
    print(keras.visualization.search_table(search))
    for draw, name in (
        (keras.visualization.plot_search, "search.png"),
        (keras.visualization.plot_learning_curves, "search-curves.png"),
    ):
        draw(search, path=OUTPUT / name)
        print(f"Picture: {OUTPUT / name}")


if __name__ == "__main__":
    main()
