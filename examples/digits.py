"""The main job: design, train, evaluate, save and move a network on real data.

The handwritten digits come with scikit-learn, so nothing is downloaded.
Run it with `make demo`.
"""

import pathlib
import tempfile

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import hornbeam as keras

OUTPUT = pathlib.Path("demo-output")


def load():
    """Return training and test images in [0, 1] and their labels."""
    digits = load_digits()
    images = (digits.data / 16).astype("float32")
    return train_test_split(
        images, digits.target, test_size=0.2, random_state=0, stratify=digits.target
    )


def create_model(dropout_rate=0.2):
    """A perceptron with one hidden layer, as one would write it with Keras."""
    return keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(dropout_rate),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )


def main():
    """Train on four fifths, evaluate on the rest, move the model to other engines."""
    keras.utils.set_random_seed(1)
    x_train, x_test, y_train, y_test = load()

    model = create_model()
    model.summary()
    model.compile(
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        x_train, y_train, epochs=60, batch_size=32, validation_data=(x_test, y_test)
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


if __name__ == "__main__":
    main()
