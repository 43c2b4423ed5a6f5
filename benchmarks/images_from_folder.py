"""A folder of JPEG files: one pass, and a network trained on it, beside Keras.

    python benchmarks/images_from_folder.py [--files 5000] [--size 256] [--rounds 3]

Each side runs in a process of its own, in turns; the smallest figure of
each counts. Prints milliseconds of wall and of processor time for an image (decoding
and resizing, one pass), the same for Keras with `tf.data`, their ratios, and how much
of an epoch of training a small network spends waiting for data.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

SHAPES = [(375, 500), (500, 375), (333, 500), (500, 500)]


def write_files(folder, count):
    """Write JPEG files of five classes, as large as those of photographs."""
    from PIL import Image

    draws = np.random.default_rng(0)
    for number in range(count):
        height, width = SHAPES[number % len(SHAPES)]
        coarse = draws.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize((width, height), Image.BICUBIC)
        noise = draws.normal(0, 6, (height, width, 1))
        image = np.clip(np.asarray(smooth) + noise, 0, 255).astype(np.uint8)
        place = pathlib.Path(folder, f"class_{number % 5}")
        place.mkdir(exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.jpg", quality=90)


def one_pass(keras, folder, size, **options):
    """Return milliseconds of wall and of processor time for an image."""
    dataset = keras.utils.image_dataset_from_directory(
        folder, image_size=(size, size), verbose=False, **options
    )
    list(dataset.take(2))
    wall, processor, count = time.perf_counter(), time.process_time(), 0
    for images, _ in dataset:
        count += len(images)
    return {
        "wall": (time.perf_counter() - wall) / count * 1e3,
        "processor": (time.process_time() - processor) / count * 1e3,
    }


def starvation(keras, folder, size):
    """Return the fraction of an epoch in which training waits for data."""
    layers = keras.layers
    blocks = [
        layer
        for filters in (32, 64, 128, 128)
        for layer in (
            layers.Conv2D(filters, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
        )
    ]
    model = keras.Sequential(
        [keras.Input((size, size, 3)), layers.Rescaling(1 / 255), *blocks]
        + [layers.GlobalAveragePooling2D(), layers.Dense(5, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    dataset = keras.utils.image_dataset_from_directory(
        folder, image_size=(size, size), verbose=False
    )
    model.fit(dataset.take(3), verbose=0)
    waited, fetch = [0.0], dataset.fetch

    def timed(indices, epoch):
        items = fetch(indices, epoch)
        while True:
            started = time.perf_counter()
            item = next(items, None)
            waited[0] += time.perf_counter() - started
            if item is None:
                return
            yield item

    dataset.fetch = timed
    started = time.perf_counter()
    model.fit(dataset, verbose=0)
    return waited[0] / (time.perf_counter() - started)


def measure(side, folder, size):
    """Return the figures of one side, in this process."""
    if side == "keras":
        os.environ["KERAS_BACKEND"] = "tensorflow"
        import keras

        return one_pass(keras, folder, size)
    import hornbeam

    if side == "starvation":
        return {"waiting": starvation(hornbeam, folder, size)}
    return one_pass(hornbeam, folder, size, format=None)


def main():
    """Write the files and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="files that are there already")
    parser.add_argument("--side", help="measure one side and print JSON")
    options = parser.parse_args()
    if options.side:
        print(json.dumps(measure(options.side, options.folder, options.size)))
        return
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or made
        if not options.folder:
            write_files(folder, options.files)
        command = [sys.executable, __file__, "--size", str(options.size)]
        command += ["--folder", folder, "--side"]
        best = {}
        for side in ["hornbeam", "keras"] * options.rounds + ["starvation"]:
            done = subprocess.run(
                [*command, side], check=True, capture_output=True, text=True
            )
            for name, value in json.loads(done.stdout.splitlines()[-1]).items():
                key = side, name
                best[key] = min(value, best.get(key, value))
    for name in ("wall", "processor"):
        ours, theirs = best["hornbeam", name], best["keras", name]
        print(
            f"{name:>9}: hornbeam {ours:.2f} ms an image, Keras {theirs:.2f}, ", end=""
        )
        print(f"ratio {ours / theirs:.2f}")
    print(f"waiting for data in an epoch: {best['starvation', 'waiting']:.1%}")


if __name__ == "__main__":
    main()
