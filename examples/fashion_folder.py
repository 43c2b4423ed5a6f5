"""Images from a folder, augmented, to at least 91% on Fashion-MNIST in five epochs.

The images are written into a folder for each class first, as people have them; the
augmentation is a layer of the model and runs with it.
"""

import concurrent.futures
import functools
import pathlib
import shutil
import tempfile
import time

import data
from PIL import Image

import hornbeam as keras

EPOCHS, BATCH = 5, 128
NAMES = (
    "T-shirt trouser pullover dress coat sandal shirt sneaker bag ankle-boot"
).split()


def write(folder, images, labels):
    """Write the images as PNG files into a folder for each class."""
    for name in NAMES:
        (folder / name).mkdir(parents=True)

    def write_one(number):
        path = folder / NAMES[labels[number]] / f"{number:05}.png"
        Image.fromarray(images[number]).save(path, compress_level=1)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(write_one, range(len(images)), chunksize=500))


def create_model(steps):
    """Two convolutions; the rate rises and falls once over all steps."""
    layers = keras.layers

    def convolution(filters):
        return [
            layers.Conv2D(filters, 3, padding="same", use_bias=False),
            # What is pooled first need not be normalised: a quarter of the numbers.
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.Activation("relu"),
        ]

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.RandomFlip("horizontal"),
            layers.Rescaling(1 / 255),
            *convolution(24),
            *convolution(40),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(len(NAMES)),
        ]
    )
    rate = keras.optimizers.schedules.CosineDecay(
        0.0005, steps - 300, alpha=0.01, warmup_target=0.004, warmup_steps=300
    )
    model.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def main():
    """Write the folders, train from them, and test."""
    keras.utils.set_random_seed(1)
    started = time.time()
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        (x, y), (x_test, y_test) = data.fashion_mnist(keras)
        write(folder / "train", x, y)
        write(folder / "test", x_test, y_test)
        print(f"70,000 files after {time.time() - started:.0f} s", flush=True)
        read = functools.partial(
            keras.utils.image_dataset_from_directory,
            color_mode="grayscale",
            image_size=(28, 28),
            batch_size=BATCH,
            class_names=NAMES,
            seed=1,
        )
        train, test = read(folder / "train"), read(folder / "test", shuffle=False)
        model = create_model(steps=EPOCHS * len(train))
        model.fit(train, epochs=EPOCHS, verbose=2)
        _, accuracy = model.evaluate(test, verbose=0)
    finally:
        shutil.rmtree(folder)
    print(f"Test accuracy {accuracy:.1%} after {time.time() - started:.0f} s")
    if accuracy < 0.91:
        raise SystemExit("Expected at least 91%.")


if __name__ == "__main__":
    main()
