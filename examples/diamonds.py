"""Prices of diamonds from a table with numbers and categories, by `FeatureSpace`."""

import time

import data
import numpy as np

import hornbeam as keras

CUTS = ("Fair", "Good", "Very Good", "Premium", "Ideal")


def main():
    """Train on four fifths of 53,940 diamonds and test on the rest."""
    keras.utils.set_random_seed(1)
    started = time.time()
    table = data.diamonds()
    price = np.log10(table.pop("price"))
    order = np.random.default_rng(0).permutation(len(price))
    split = len(price) * 4 // 5

    def rows(part):
        return {name: column[part] for name, column in table.items()}, price[part]

    (x, y), (x_test, y_test) = rows(order[:split]), rows(order[split:])
    kinds = keras.utils.FeatureSpace
    space = kinds(
        {
            "carat": "float_discretized",
            **dict.fromkeys(("depth", "table", "x", "y", "z"), "float_normalized"),
            "cut": kinds.string_categorical(num_oov_indices=0),
            "color": kinds.string_categorical(num_oov_indices=0),
            "clarity": kinds.string_categorical(num_oov_indices=0),
        },
        crosses=[kinds.cross(("color", "clarity"), crossing_dim=56)],
        output_mode="concat",
    )
    space.adapt(x)
    print(f"Columns read after {time.time() - started:.0f} s", flush=True)
    model = keras.Sequential(
        [
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.002), "mse")
    model.fit(space(x), y, epochs=8, batch_size=128, verbose=2)
    predicted = model.predict(space(x_test), verbose=0)[:, 0]
    explained = 1 - np.mean((predicted - y_test) ** 2) / np.var(y_test)
    print(f"R2 of log price {explained:.3f} after {time.time() - started:.0f} s")
    if explained < 0.97:
        raise SystemExit("Expected at least 0.97.")


if __name__ == "__main__":
    main()
