"""Mistakes in building and training: each is reported where it is made."""

import numpy as np

import hornbeam as keras

x, y = np.ones((4, 3)), np.ones((4, 1))
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile(optimizer="sgd", loss="mse")

model.fit(x, y, epoch=3)  # error: reportCallIssue
model.fit(x, y, epochs="3")  # error: reportArgumentType
model.fit(x, y, epochs=2).losses  # error: reportAttributeAccessIssue
model.fit(x, y, verbose="loud")  # error: reportArgumentType
model.evaluate(x, y, return_dictionary=True)  # error: reportCallIssue
model.predict(x, batch_size="all")  # error: reportArgumentType
model.predict()  # error: reportCallIssue
model.compile(optimiser="sgd", loss="mse")  # error: reportCallIssue
model.compile(optimizer=0.1, loss="mse")  # error: reportArgumentType
model.sumary()  # error: reportAttributeAccessIssue
model.add()  # error: reportCallIssue
model.fit(x, y, callbacks=keras.layers.Dense(1))  # error: reportArgumentType
