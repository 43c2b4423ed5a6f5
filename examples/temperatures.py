"""A forecast of the temperature three hours ahead, better than the last value.

The hourly temperatures of Seattle in a year, cut into windows by
`timeseries_dataset_from_array`.
"""

import time

import data
import numpy as np

import hornbeam as keras

PAST, AHEAD, BATCH = 48, 3, 128


def main():
    """Train on ten months and compare errors on the last two."""
    keras.utils.set_random_seed(1)
    started = time.time()
    degrees = data.temperatures()
    split = len(degrees) * 10 // 12
    mean, scale = degrees[:split].mean(), degrees[:split].std()
    hours = 2 * np.pi * np.arange(len(degrees)) / 24
    columns = [(degrees - mean) / scale, np.sin(hours), np.cos(hours)]
    series = np.stack(columns, axis=1).astype("float32")

    def windows(part, shuffle=False):
        # The target of a window is AHEAD steps after its last one.
        targets = part[PAST + AHEAD - 1 :, 0]
        return keras.utils.timeseries_dataset_from_array(
            part, targets, PAST, batch_size=BATCH, shuffle=shuffle
        )

    train, test = windows(series[:split], shuffle=True), windows(series[split:])
    inputs = keras.Input((PAST, series.shape[1]))
    hidden = keras.layers.GRU(32)(inputs)
    change = keras.layers.Dense(1)(hidden)
    outputs = inputs[:, -1, :1] + change
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.003), loss="mse")
    model.fit(train, epochs=12, validation_data=test, verbose=2)

    actual = np.concatenate([np.asarray(y) for _, y in test])
    last = np.concatenate([np.asarray(x)[:, -1, 0] for x, _ in test])
    predicted = model.predict(test, verbose=0)[:, 0]
    error, naive = (
        scale * np.sqrt(np.mean((guess - actual) ** 2)) for guess in (predicted, last)
    )
    print(
        f"Error {AHEAD} hours ahead: {error:.2f} degrees, that of the last value "
        f"{naive:.2f}, after {time.time() - started:.0f} s"
    )
    if error > 0.7 * naive:
        raise SystemExit("Expected at most 70% of the error of the last value.")


if __name__ == "__main__":
    main()
