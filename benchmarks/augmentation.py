"""Layers of images inside compiled programs, beside Keras on the same engine.

    python benchmarks/augmentation.py [--engine jax|tensorflow] [--only Flip,Zoom]

Each row is a layer on 256 images of 64x64x3. Both are compiled (`jax.jit` of
`stateless_call`, `tf.function` of the call), run in turn, and the medians compared:
milliseconds of processor time of hornbeam, of Keras, and their ratio. RandomCrop and
RandomElasticTransform of Keras cannot be compiled on JAX: there is no figure.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

# Layer, arguments.
ROWS = [
    ("Resizing", {"height": 48, "width": 80}),
    ("CenterCrop", {"height": 48, "width": 48}),
    ("RandomCrop", {"height": 48, "width": 48, "seed": 1}),
    ("RandomFlip", {"seed": 1}),
    ("RandomRotation", {"factor": 0.1, "seed": 1}),
    ("RandomTranslation", {"height_factor": 0.2, "width_factor": 0.2, "seed": 1}),
    ("RandomZoom", {"height_factor": 0.2, "width_factor": 0.2, "seed": 1}),
    ("RandomShear", {"x_factor": 0.2, "y_factor": 0.2, "seed": 1}),
    ("RandomPerspective", {"seed": 1}),
    ("RandomElasticTransform", {"seed": 1}),
    ("RandomBrightness", {"factor": 0.2}),
    ("RandomContrast", {"factor": 0.2}),
    ("RandomSaturation", {"factor": (0.3, 0.7)}),
    ("RandomHue", {"factor": 0.2}),
    ("RandomColorJitter", {"brightness_factor": 0.2, "hue_factor": 0.2}),
    ("RandomColorDegeneration", {"factor": 0.5}),
    ("RandomGrayscale", {}),
    ("RandomSharpness", {"factor": 0.5}),
    ("RandomGaussianBlur", {}),
    ("RandomErasing", {}),
    ("RandomInvert", {}),
    ("RandomPosterization", {"factor": 4}),
    ("Solarization", {"addition_factor": 0.2, "threshold_factor": 0.5}),
    ("AutoContrast", {}),
    ("Equalization", {}),
    ("ContrastLimitedAdaptiveHistogramEqualization", {}),
    ("MixUp", {}),
    ("CutMix", {}),
    ("RandAugment", {}),
]


def jax_program(layer, images):
    """Return a function that runs the layer's program once."""
    import jax

    layer(images, training=True)
    fixed = [v.value for v in layer.non_trainable_variables]

    @jax.jit
    def run(fixed, x):
        return layer.stateless_call([], fixed, x, training=True)

    x = jax.device_put(images)
    return lambda: jax.block_until_ready(run(fixed, x))


def tensorflow_program(layer, images):
    """Return a function that runs the layer's program once."""
    import tensorflow as tf

    layer(images, training=True)
    x = tf.constant(images)
    run = tf.function(lambda x: layer(x, training=True))
    return lambda: run(x).numpy()


def medians(functions, seconds):
    """Run functions in turn for some seconds; return the median time of each, in ms."""
    for function in functions * 2:
        function()
    times: list[list[float]] = [[] for _ in functions]
    end = time.process_time() + seconds
    while time.process_time() < end or len(times[0]) < 5:
        for function, taken in zip(functions, times, strict=True):
            start = time.process_time()
            function()
            taken.append(time.process_time() - start)
    return [statistics.median(taken) * 1e3 for taken in times]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", default="jax", choices=["jax", "tensorflow"])
    parser.add_argument("--only", default="", help="parts of names, comma separated")
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    os.environ["KERAS_BACKEND"] = options.engine

    import keras
    import numpy as np

    import hornbeam

    program = jax_program if options.engine == "jax" else tensorflow_program
    images = np.random.default_rng(0).random((256, 64, 64, 3)).astype("float32") * 255
    parts = options.only.split(",")
    print(f"{'layer':32}{'hornbeam':>10}{'Keras':>10}{'ratio':>8}   ({options.engine})")
    for name, arguments in ROWS:
        if not any(part in name for part in parts):
            continue
        pair = [
            program(getattr(library.layers, name)(**arguments), images)
            for library in (hornbeam, keras)
        ]
        try:
            ours, theirs = medians(pair, options.seconds)
        except (IndexError, TypeError):  # of Keras, while it is traced
            (ours,), theirs = medians(pair[:1], options.seconds), float("nan")
        print(f"{name:32}{ours:10.2f}{theirs:10.2f}{ours / theirs:8.2f}", flush=True)


if __name__ == "__main__":
    main()
