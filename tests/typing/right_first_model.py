"""A first model: build, compile, fit, evaluate, predict, and read what comes back."""

import numpy as np

import hornbeam as keras
from hornbeam import layers

x = np.random.random((32, 4)).astype("float32")
y = np.random.randint(0, 3, size=(32,))

model = keras.Sequential()
model.add(keras.Input(shape=(4,)))
model.add(layers.Dense(8, activation="relu"))
model.add(layers.Dropout(0.2))
model.add(layers.Dense(3, activation=keras.activations.softmax))
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=1e-2),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.summary()
print(len(model.layers), model.count_params(), model.input_shape, model.name)

losses = model.fit(x, y, epochs=2, verbose=0).history["loss"]
print(f"{losses[-1]:.3f}", min(losses), [round(loss, 2) for loss in losses])

history = model.fit(
    x,
    y,
    batch_size=8,
    epochs=3,
    verbose="auto",
    validation_split=0.25,
    class_weight={0: 1.0, 1: 2.0, 2: 1.0},
    shuffle=False,
)
best_epoch = int(np.argmin(history.history["val_loss"]))
print(best_epoch, history.epoch[-1], history.params)
model.fit(x.tolist(), y.tolist(), validation_data=(x, y), verbose=False)
model.fit(x=x, y=y, batch_size=16, sample_weight=np.ones(32), verbose=2)

loss, accuracy = model.evaluate(x, y, verbose=0)
print(f"loss {loss:.3f}, accuracy {accuracy:.1%}")
results = model.evaluate(x, y, return_dict=True, verbose=0)
print(results["loss"] + 1)

probabilities = model.predict(x, batch_size=16, verbose=0)
labels = probabilities.argmax(axis=-1)
print(labels.shape, (labels == y).mean())
print(model(x[:1])[0], model(x, training=True).shape)
print(model.train_on_batch(x, y), model.test_on_batch(x, y), model.predict_on_batch(x))

for layer in model.layers:
    print(layer.name, layer.trainable, [weight.shape for weight in layer.get_weights()])
first = model.get_layer(index=0)
first.trainable = False
first.set_weights(first.get_weights())
print([variable.path for variable in model.trainable_variables])
model.pop()
