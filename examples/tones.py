"""Five kinds of tones in noise, told apart by a network that begins with a spectrogram.

The waves go in as they are; the spectrogram is a layer of the model, computed with it.
"""

import time

import numpy as np

import hornbeam as keras

RATE, LENGTH = 8000, 4096
KINDS = ("sine", "square", "two tones", "rising", "tremolo")


def waves(count, seed):
    """Return noisy waves of the kinds, `(count, LENGTH)`, and the kind of each."""
    random = np.random.default_rng(seed)
    kinds = random.integers(0, len(KINDS), count)
    pitch = random.uniform(200, 800, (count, 1))
    start = random.uniform(0, 2 * np.pi, (count, 1))
    seconds = np.arange(LENGTH) / RATE
    phase = 2 * np.pi * pitch * seconds + start
    shapes = np.stack(
        [
            np.sin(phase),
            np.sign(np.sin(phase)),
            0.7 * (np.sin(phase) + np.sin(1.5 * phase)),
            np.sin(phase * (1 + seconds)),
            np.sin(phase) * (1 + np.sin(2 * np.pi * 12 * seconds)) / 2,
        ]
    )
    x = shapes[kinds, np.arange(count)]
    x = x * random.uniform(0.3, 1, (count, 1)) + random.normal(0, 0.1, x.shape)
    return x.astype("float32"), kinds.astype("int32")


def main():
    """Train on 4,000 waves and test on 500."""
    keras.utils.set_random_seed(1)
    started = time.time()
    (x, y), (x_test, y_test) = waves(4000, 0), waves(500, 1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((LENGTH, 1)),
            layers.STFTSpectrogram(
                mode="log", frame_length=512, frame_step=256, fft_length=512,
                expand_dims=True, trainable=False,
            ),
            layers.BatchNormalization(),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.Conv2D(32, 3, strides=2, activation="relu"),
            layers.Conv2D(32, 3, strides=2, activation="relu"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(len(KINDS)),
        ]
    )  # fmt: skip
    model.compile(
        keras.optimizers.Adam(0.003),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x[..., None], y, epochs=12, batch_size=32, verbose=2)
    _, accuracy = model.evaluate(x_test[..., None], y_test, verbose=0)
    print(f"Test accuracy {accuracy:.1%} after {time.time() - started:.0f} s")
    if accuracy < 0.95:
        raise SystemExit("Expected at least 95%.")


if __name__ == "__main__":
    main()
