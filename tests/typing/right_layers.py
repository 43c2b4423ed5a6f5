"""Right programs with layers and models: no checker may find an error in them."""

import numpy as np

import hornbeam as keras
from hornbeam import layers, ops

# A subclass of Layer, as tutorials write it.


class Linear(keras.layers.Layer):
    def __init__(self, units=32, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.supports_masking = True

    def build(self, input_shape):
        self.w = self.add_weight(
            shape=(input_shape[-1], self.units),
            initializer="glorot_uniform",
            trainable=True,
            name="w",
        )
        self.b = self.add_weight(
            shape=(self.units,), initializer=keras.initializers.Zeros()
        )
        super().build(input_shape)

    def call(self, inputs, training=None, mask=None):
        return ops.matmul(inputs, self.w) + self.b

    def compute_mask(self, inputs, mask=None):
        return mask

    def compute_output_shape(self, input_shape):
        return input_shape[:-1] + (self.units,)

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units})
        return config


class Block(keras.layers.Layer):
    def __init__(self, width, rate=0.1, name=None):
        super().__init__(name=name)
        self.first = keras.layers.Dense(width, activation="relu")
        self.second = Linear(width, dtype="float32", trainable=False)
        self.dropout = keras.layers.Dropout(rate, seed=1)
        self.norm = keras.layers.LayerNormalization(epsilon=1e-6)
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x, training=False):
        y = self.dropout(self.second(self.first(x)), training=training)
        self.steps.assign_add(1.0)
        self.add_loss(1e-3 * ops.sum(ops.square(self.first.kernel)))
        return self.norm(x + y)


class TwoInputs(keras.Layer):
    def build(self, query_shape, value_shape):
        self.scale = self.add_weight(shape=(query_shape[-1],), name="scale")

    def call(self, query, value):
        return query * self.scale + value


class NoisyDense(keras.layers.Dense):
    def __init__(self, units, stddev=0.1, **kwargs):
        super().__init__(units, **kwargs)
        self.noise = keras.layers.GaussianNoise(stddev)

    def call(self, inputs):
        return super().call(self.noise(inputs))

    @classmethod
    def from_config(cls, config):
        return cls(**config)


layer = Linear(units=4, name="linear")
y = layer(np.ones((2, 3), "float32"))
print(y + 1, y.shape[0], float(ops.sum(y)), layer.weights[0].shape)
print(layer.losses, layer.trainable_variables, layer.count_params(), layer.dtype)
print(layer.get_config()["units"], layer.w.numpy().mean(), layer.name, layer.path)
layer.trainable = False
layer.set_weights([w * 2 for w in layer.get_weights()])
Block(4)(y, training=True)
TwoInputs()(y, y)

dense = keras.layers.Dense(3, "relu", kernel_regularizer=keras.regularizers.L2(1e-3))
dense.build((None, 4))
print(dense.kernel.shape, dense.bias.numpy(), dense.activation.__name__)
dense.kernel.assign(dense.kernel * 0.5)
dense.enable_lora(2)

# Every layer's usual arguments.

stack = [
    layers.Conv1D(8, 3, padding="causal", dilation_rate=2),
    layers.Conv2D(8, (3, 3), strides=2, padding="same", data_format="channels_last"),
    layers.Conv2DTranspose(8, 3, strides=(2, 2), output_padding=1),
    layers.SeparableConv2D(8, 3, depth_multiplier=2, name="separable"),
    layers.DepthwiseConv2D(3, use_bias=False),
    layers.MaxPooling2D(), layers.MaxPooling2D((2, 2), strides=1, name="pool"),
    layers.AveragePooling1D(2), layers.GlobalAveragePooling2D(keepdims=True),
    layers.AdaptiveMaxPooling2D((2, 3)),
    layers.BatchNormalization(momentum=0.9, dtype="float32"),
    layers.GroupNormalization(groups=-1), layers.UnitNormalization(axis=[1, 2]),
    layers.Embedding(100, 8, mask_zero=True), layers.Flatten(), layers.Reshape((-1, 2)),
    layers.Permute((2, 1)), layers.RepeatVector(3), layers.Rescaling(1 / 255),
    layers.ZeroPadding2D(((1, 0), (2, 2))), layers.Cropping1D(1),
    layers.UpSampling2D(2, interpolation="bilinear"),
    layers.Activation(ops.relu), layers.LeakyReLU(negative_slope=0.1), layers.PReLU(),
    layers.Lambda(lambda x: x * 2, output_shape=(3,)), layers.Normalization(axis=-1),
    layers.SpatialDropout2D(0.5), layers.ActivityRegularization(l2=0.01),
    layers.LSTM(8, return_sequences=True, dropout=0.2, implementation=1),
    layers.GRU(8, activation="relu", use_cudnn=False),
    layers.Bidirectional(layers.LSTM(8), merge_mode="sum"),
    layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)], return_state=True),
    layers.TimeDistributed(layers.Dense(2)), layers.ConvLSTM2D(4, 3),
    layers.MultiHeadAttention(num_heads=2, key_dim=4, attention_axes=(1, 2)),
    layers.Attention(use_scale=True), layers.Dot(axes=(1, 2)), layers.Add(),
    layers.EinsumDense("abc,cd->abd", output_shape=(None, 8), bias_axes="d"),
]  # fmt: skip
layers.Dense(5, input_shape=(3,), activity_regularizer="l2", trainable=False)
print(layers.add([y, y]), layers.concatenate([y, y], axis=1))

# Cells of one's own.


class MinimalCell(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="k")

    def call(self, inputs, states):
        output = ops.tanh(ops.matmul(inputs, self.kernel) + states[0])
        return output, [output]


sequences, state = keras.layers.RNN(MinimalCell(4), return_state=True)(y[:, None])

# Functional models.

image = keras.Input(shape=(28, 28, 1), name="image")
table = keras.Input((4,), dtype="int32", batch_size=None)
x = layers.Conv2D(8, 3, activation="relu")(image)
x = layers.Flatten()(x)
x = layers.Concatenate()([x, ops.cast(table, "float32")])
first = layers.Dense(1, name="first")(x)
second = layers.Dense(10, activation="softmax", name="second")(x)
model = keras.Model(inputs=[image, table], outputs={"a": first, "b": second}, name="m")
model.summary()
print(model.layers[0].name, model.get_layer("first").kernel.shape, model.output_shape)
print(model.inputs[0].shape, model.get_layer(index=1).output, model.count_params())
features = keras.Model(model.inputs, model.get_layer("first").output)
double = keras.models.Model(image, layers.Dense(image.shape[-1])(image) * 2, name="d")
copy = keras.models.clone_model(features)
copy.set_weights(features.get_weights())
for one in model.layers:
    one.trainable = False
    if hasattr(one, "kernel_initializer"):
        print(one.kernel_initializer)

# Sequential models.

sequential = keras.Sequential(
    [keras.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(1)], name="s"
)
sequential.add(layers.Dropout(0.5))
sequential.add(keras.layers.Lambda(lambda x: x + 1))
sequential.pop()
sequential.summary()
print(sequential.input_shape, sequential.outputs, sequential(np.ones((1, 4))) - 1)
empty = keras.Sequential()
empty.add(keras.Input(shape=(3,)))
empty.add(layers.Dense(2))
empty.save_weights("model.weights.h5")
stacked = [layers.Dense(2), layers.ReLU()]
keras.Sequential(stacked).build((None, 3))

# Models of one's own.


class Encoder(keras.Model):
    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(width)
        self.blocks = [Block(width) for _ in range(2)]

    def call(self, inputs, training=None):
        x = self.dense(inputs)
        for block in self.blocks:
            x = block(x, training=training)
        return x


class Autoencoder(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_tracker]

    def build(self, input_shape):
        self.built = True

    def call(self, x):
        return self.decoder(self.encoder(x))

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        return ops.mean(ops.square(y_pred - x))


class Wide(keras.Model):
    def __init__(self, size):
        inputs = keras.Input((size,))
        super().__init__(inputs=inputs, outputs=keras.layers.Dense(1)(inputs))


auto = Autoencoder(Encoder(4, name="encoder"), keras.layers.Dense(3), name="auto")
auto(np.ones((2, 3)))
print(auto.encoder.dense.units, auto.loss_tracker.result(), auto.built)
print(Wide(3).layers, Encoder(3).get_config(), auto.to_json())
serialized = keras.layers.serialize(dense)
restored = keras.layers.deserialize(serialized)
print(restored.units, keras.layers.Dense.from_config(dense.get_config()).units)
auto.save("auto.keras", overwrite=True)
