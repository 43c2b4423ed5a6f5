"""Steps from given weights, and the loss of each epoch: for both libraries."""

import numpy as np


def build(keras, network):
    layers = keras.layers
    if network == "sequential":
        return keras.Sequential(
            [
                layers.Input((8,)),
                layers.Dense(16, activation="tanh"),
                layers.Dropout(0.0),
                layers.Dense(3, activation="softmax"),
            ]
        )
    x = inputs = keras.Input((8,))
    if network == "normalised":
        x = layers.BatchNormalization()(layers.Dense(16, use_bias=False)(x))
        x = layers.LayerNormalization()(layers.Activation("gelu")(x))
    else:
        a = layers.Dense(12, activation="relu", kernel_regularizer="l2")(x)
        b = layers.Dense(12, activation="elu")(x)
        x = layers.Concatenate()([a, b, layers.Multiply()([a, b])])
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


def train(keras, network, optimizer, x, y, weights, steps, batch):
    model = build(keras, network)
    if weights is not None:
        model.set_weights([np.asarray(w, "float32") for w in weights])
    start = [np.asarray(w).tolist() for w in model.get_weights()]
    made = eval("keras.optimizers." + optimizer)
    model.compile(made, "sparse_categorical_crossentropy", metrics=["accuracy"])
    epochs = steps * batch // len(x)
    history = model.fit(x, y, batch_size=batch, epochs=epochs, shuffle=False, verbose=0)
    loss = model.evaluate(x, y, verbose=0)[0]
    return start, history.history["loss"] + [float(loss)]


def of_keras(keras, given, *data):
    return {" ".join(case): train(keras, *case, *data) for case in given}
