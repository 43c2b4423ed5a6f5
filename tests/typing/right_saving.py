"""Saving and loading: whole models, weights, configs, custom objects, exports."""

import pathlib

import numpy as np

import hornbeam as keras


@keras.saving.register_keras_serializable(package="mine")
class Scale(keras.layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        config = super().get_config()
        config.update({"factor": self.factor})
        return config


def swish(x):
    return x * keras.ops.sigmoid(x)


x = np.ones((2, 3), "float32")
model = keras.Sequential([keras.Input((3,)), Scale(3.0), keras.layers.Dense(2, swish)])
model.compile("adam", "mse")
model.save("model.keras")
model.save(pathlib.Path("again.keras"), overwrite=True)
loaded = keras.models.load_model("model.keras", custom_objects={"swish": swish})
loaded = keras.saving.load_model("again.keras", {"swish": swish}, compile=False)
print(loaded.predict(x, verbose=0) + 1)
loaded.summary()

model.save_weights("model.weights.h5")
loaded.load_weights("model.weights.h5")

text = model.to_json(indent=2)
with keras.saving.custom_object_scope({"swish": swish}):
    print(keras.models.model_from_json(text).count_params())
config = keras.saving.serialize_keras_object(keras.layers.Dense(3))
dense = keras.saving.deserialize_keras_object(config)
print(dense.units, keras.layers.Dense.from_config(dense.get_config()).units)
print(keras.saving.get_registered_name(Scale).upper())
try:
    keras.saving.load_model("model.keras")
except (keras.saving.UnsafeFileError, keras.saving.DamagedFileError) as error:
    print(error.args)
