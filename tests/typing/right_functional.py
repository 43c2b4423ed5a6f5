"""Functional models: several inputs and outputs, shared layers, models in models."""

import numpy as np

import hornbeam as keras
from hornbeam import ops
from hornbeam.layers import Concatenate, Conv2D, Dense, Flatten, Input
from hornbeam.models import Model

image = Input((8, 8, 1), name="image")
table = keras.Input(shape=(3,), dtype="float32", name="table")
hidden = Conv2D(4, 3, strides=2, padding="same", activation="relu")(image)
hidden = Conv2D(4, kernel_size=(3, 3), data_format="channels_last")(hidden)
hidden = Flatten()(hidden)
hidden = Concatenate()([hidden, Dense(4)(table)])
hidden = hidden + ops.relu(hidden) * 2
kind = Dense(3, activation="softmax", name="kind")(hidden)
size = Dense(1, name="size")(hidden[:, 1:])
model = Model([image, table], {"kind": kind, "size": size}, name="two_heads")
model.compile(
    optimizer="adam",
    loss={"kind": "categorical_crossentropy", "size": keras.losses.MeanSquaredError()},
    loss_weights={"kind": 1.0, "size": 0.5},
    metrics={"kind": ["accuracy"], "size": [keras.metrics.MeanAbsoluteError()]},
)
data = {"image": np.zeros((6, 8, 8, 1)), "table": np.zeros((6, 3))}
targets = {"kind": np.eye(3)[[0, 1, 2, 0, 1, 2]], "size": np.ones((6, 1))}
history = model.fit(data, targets, epochs=1, verbose=0)
print(sorted(history.history))
predictions = model.predict(data, verbose=0)
print(predictions["kind"].shape)

encoder = keras.Model(inputs=image, outputs=Flatten()(image))
left, right = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
distance = ops.norm(encoder(left) - encoder(right), axis=-1, keepdims=True)
siamese = keras.Model(inputs=[left, right], outputs=distance)
print(siamese.output_shape, siamese.inputs[0].shape, siamese.get_layer(index=-1).name)
siamese.trainable = False

again = keras.Model.from_config(model.get_config())
again.set_weights(model.get_weights())
copy = keras.models.clone_model(model)
copy.summary()
