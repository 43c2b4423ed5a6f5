"""Fashion-MNIST with a perceptron: at least 88% on the test set.

The data is read from the Debian package `dataset-fashion-mnist`
(`apt-get install dataset-fashion-mnist`), or from the folder in FASHION_MNIST.
"""

import gzip
import os
import pathlib
import time

import numpy as np

import hornbeam as keras

FOLDER = pathlib.Path(
    os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist")
)


def find_folder():
    """Return the folder that holds the four files, or None."""
    places = [FOLDER, pathlib.Path("/usr/share/dataset-fashion-mnist")]
    for place in places:
        if place.is_dir() and list(place.rglob("train-images*")):
            return next(place.rglob("train-images*")).parent
    return None


def read(folder, name):
    """Return the array in an IDX file, which may be compressed."""
    (path,) = folder.glob(f"{name}*")
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    rank = data[3]
    shape = np.frombuffer(data, ">i4", rank, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def main():
    """Train and evaluate."""
    folder = find_folder()
    if folder is None:
        print("Fashion-MNIST is not here: apt-get install dataset-fashion-mnist")
        return
    x_train = read(folder, "train-images").reshape(-1, 784).astype("float32") / 255
    x_test = read(folder, "t10k-images").reshape(-1, 784).astype("float32") / 255
    y_train = read(folder, "train-labels").astype("int32")
    y_test = read(folder, "t10k-labels").astype("int32")

    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    started = time.time()
    model.fit(x_train, y_train, batch_size=128, epochs=12, validation_split=0.1)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"Test accuracy {accuracy:.1%} after {time.time() - started:.0f} s")
    if accuracy < 0.88:
        raise SystemExit("Expected at least 88%.")


if __name__ == "__main__":
    main()
