"""Mistakes in making layers, models and functions, and in calling ops."""

import hornbeam as keras
from hornbeam import layers, ops

layers.Dense()  # error: reportCallIssue
layers.Dense(4, activaton="relu")  # error: reportCallIssue
layers.Dense("four")  # error: reportArgumentType
layers.Dropout(rate="half")  # error: reportArgumentType
layers.Conv2D(4, 3, padding="full")  # error: reportArgumentType
layers.Conv2D(4, 3, data_format="NHWC")  # error: reportArgumentType
layers.Danse(4)  # error: reportAttributeAccessIssue
layers.Dense(4).unit  # error: reportAttributeAccessIssue
layers.LSTM(4, return_sequence=True)  # error: reportCallIssue
keras.Input(4, shapes=3)  # error: reportCallIssue
keras.Sequential([layers.Dense(4)], nam="model")  # error: reportCallIssue
keras.Sequential(layers.Dense(4).units)  # error: reportArgumentType

keras.optimizers.Adam(lr=0.1)  # error: reportCallIssue
keras.optimizers.Adam(weight_decay="a little")  # error: reportArgumentType
keras.losses.MeanSquaredError(reduction="total")  # error: reportArgumentType
keras.metrics.Mean(names="mean")  # error: reportCallIssue
keras.callbacks.EarlyStopping(patience="long")  # error: reportArgumentType
keras.callbacks.EarlyStopping(mode="least")  # error: reportArgumentType
keras.initializers.HeNormal(scale=2)  # error: reportCallIssue
keras.regularizers.L2("strong")  # error: reportArgumentType
keras.models.load_model()  # error: reportCallIssue
keras.models.load_model("a.keras", compiled=False)  # error: reportCallIssue
keras.saving.load_model(3)  # error: reportArgumentType
keras.utils.set_random_seed("one")  # error: reportArgumentType

ops.exp()  # error: reportCallIssue
ops.exp("one")  # error: reportArgumentType
ops.exp(1.0, 2.0)  # error: reportCallIssue
ops.sum([1.0], axes=0)  # error: reportCallIssue
ops.sum([1.0], axis="rows")  # error: reportArgumentType
ops.reshape([1.0])  # error: reportCallIssue
ops.softmaxx([1.0])  # error: reportAttributeAccessIssue
keras.random.normal()  # error: reportCallIssue
keras.random.normal((2,), std=1.0)  # error: reportCallIssue
