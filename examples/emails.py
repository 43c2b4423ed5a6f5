"""Spam among real e-mails: a model that takes texts, at least 97% right.

The vocabulary is a part of the model: the file that is saved takes texts too.
"""

import pathlib
import tempfile
import time

import data
import numpy as np

import hornbeam as keras

WORDS, LENGTH = 20_000, 300


def main():
    """Train on four fifths, test on the rest, save, load and ask the file."""
    keras.utils.set_random_seed(1)
    started = time.time()
    texts, labels = data.emails()
    order = np.random.default_rng(0).permutation(len(texts))
    texts, labels = texts[order], labels[order]
    split = len(texts) * 4 // 5
    (x, y), (x_test, y_test) = (
        (texts[part], labels[part]) for part in (slice(split), slice(split, None))
    )

    words = keras.layers.TextVectorization(WORDS, output_sequence_length=LENGTH)
    words.adapt(x)
    print(f"Vocabulary after {time.time() - started:.0f} s", flush=True)
    model = keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            words,
            keras.layers.Embedding(WORDS, 32),
            keras.layers.Dropout(0.3),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x[:, None], y, epochs=10, batch_size=32, verbose=2)
    _, accuracy = model.evaluate(x_test[:, None], y_test, verbose=0)
    print(f"Test accuracy {accuracy:.1%} after {time.time() - started:.0f} s")
    if accuracy < 0.97:
        raise SystemExit("Expected at least 97%.")

    expected = model.predict(x_test[:5, None], verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "spam.keras"
        model.save(path)
        loaded = keras.models.load_model(path)
    np.testing.assert_allclose(
        loaded.predict(x_test[:5, None], verbose=0), expected, atol=1e-5
    )
    print("The saved file takes texts, and gives the same answers.")


if __name__ == "__main__":
    main()
