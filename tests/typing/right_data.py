"""What `fit` takes: arrays, frames, generators, PyDatasets, loaders of torch."""

import numpy as np
import pandas as pd
import torch

import hornbeam as keras


class Squares(keras.utils.PyDataset):
    def __init__(self, rows, **kwargs):
        super().__init__(**kwargs)
        self.rows = rows

    def __len__(self):
        return 4

    def __getitem__(self, index):
        x = np.full((self.rows, 3), float(index))
        return x, x.sum(axis=1, keepdims=True) ** 2


def batches():
    while True:
        yield np.ones((4, 3)), np.ones((4, 1))


model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.RMSprop(1e-3), loss=keras.losses.Huber())
x, y = np.ones((8, 3)), np.ones((8, 1))
model.fit(Squares(4, workers=1), epochs=1, verbose=0)
model.fit(batches(), steps_per_epoch=2, epochs=1, verbose=0)
model.fit(pd.DataFrame(x, columns=list("abc")), pd.Series(y[:, 0]), verbose=0)
tensors = torch.utils.data.TensorDataset(torch.ones(8, 3), torch.ones(8, 1))
model.fit(torch.utils.data.DataLoader(tensors, batch_size=4), verbose=0)
model.fit(keras.ops.ones((8, 3)), keras.ops.ones((8, 1)), validation_data=(x, y))
print(model.evaluate(Squares(2), verbose=0), model.predict(batches(), steps=1).shape)

labels = keras.utils.to_categorical([0, 2, 1], num_classes=3)
print(labels.argmax(axis=1), keras.utils.normalize(x, axis=-1, order=2).sum())
