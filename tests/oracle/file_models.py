"""Models whose files go both ways: built alike with Keras and with hornbeam.

`write` saves them, `read` loads those that the other side saved. Results are arrays in
`.npz` files beside the models.
"""

import traceback

import numpy as np

CASES = {}
# What Keras cannot write to HDF5 files of models, or cannot read of its own.
NOT_IN_HDF5 = ("optimizer_lamb", "optimizer_adafactor", "op_nodes")


def case(x, y=None, optimizer="adam", loss="mse", epochs=1):
    """Register a model: `x`, `y` are the shapes of its data (`"int"`: indices)."""

    def add(build):
        CASES[build.__name__] = (build, x, y, optimizer, loss, epochs)
        return build

    return add


def array(shape, seed):
    rng = np.random.default_rng(seed)
    if isinstance(shape, dict):
        return {k: array(s, seed + i) for i, (k, s) in enumerate(shape.items())}
    if isinstance(shape, list):
        return [array(s, seed + i) for i, s in enumerate(shape)]
    if shape[0] == "int":
        return rng.integers(0, 5, size=shape[1:]).astype("int32")
    return rng.normal(size=shape).astype("float32")


@case((8, 3), (8, 2))
def sequential(k):
    return k.Sequential(
        [
            k.Input((3,)),
            k.layers.Dense(4, activation="relu", kernel_regularizer="l2"),
            k.layers.Dropout(0.5),
            k.layers.BatchNormalization(),
            k.layers.Activation("gelu"),
            k.layers.Dense(2, name="last"),
        ]
    )


@case((8, 3))
def sequential_without_input(k):
    model = k.Sequential([k.layers.Dense(4), k.layers.Dense(2)])
    model.build((None, 3))
    return model


@case(
    {"a": (8, 4), "b": (8, 4)},
    {"y": (8, 2), "z": (8, 4)},
    loss={"y": "mse", "z": "mae"},
)
def several_inputs_and_outputs(k):
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    shared = k.layers.Dense(4)
    x = k.layers.Add()([shared(a), shared(b)])
    y = k.layers.Dense(2, name="y")(x)
    z = k.layers.Dense(4, name="z")(k.layers.Concatenate()([x, a]))
    return k.Model({"a": a, "b": b}, {"y": y, "z": z})


@case([(8, 4), (8, 4)], (8, 2))
def nested(k):
    def inner(name, out):
        x = k.Input((4,))
        return k.Model(x, k.layers.Dense(out)(x), name=name)

    a, b = k.Input((4,)), k.Input((4,))
    twice = inner("twice", 4)
    head = k.Sequential([k.Input((8,)), k.layers.Dense(3), k.layers.Dense(2)])
    x = k.layers.Concatenate()([twice(a), twice(inner("once", 4)(b))])
    return k.Model([a, b], head(x))


@case((8, 2), (8, 2), optimizer="rmsprop")
def subclassed(k):
    @k.saving.register_keras_serializable("files")
    class Subclassed(k.Model):
        def __init__(self, units=2, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.blocks = [[k.layers.Dense(3), k.layers.Dense(4)], (k.layers.Dense(5),)]
            self.named = {"z": k.layers.Dense(6), "a": k.layers.Dropout(0.5)}
            self._private = k.layers.Dense(units)
            self.alias = self._private
            self.scale = self.add_weight(shape=(2,), name="scale")

        def call(self, x):
            for layer in [*self.blocks[0], self.blocks[1][0], *self.named.values()]:
                x = layer(x)
            return self._private(x) * self.scale

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    model = Subclassed()
    model(np.zeros((1, 2), "float32"))
    return model


@case((8, 5, 4), (8, 1))
def inner_sequentials(k):
    @k.saving.register_keras_serializable("files")
    class Block(k.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.attention = k.layers.MultiHeadAttention(2, 2)
            self.network = k.Sequential([k.layers.Dense(3), k.layers.Dense(4)])
            self.experts = [k.Sequential([k.layers.Dense(4)]) for _ in range(2)]

        def call(self, x):
            x = x + self.network(x + self.attention(x, x))
            return self.experts[0](x) * self.experts[1](x)

    inputs = k.Input((5, 4))
    x = k.Sequential([Block(), k.layers.GlobalAveragePooling1D()])(Block()(inputs))
    return k.Model(inputs, k.layers.Dense(1)(x))


@case((4, 8, 8, 3), (4, 2))
def convolutions(k):
    x = inputs = k.Input((8, 8, 3))
    x = k.layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
    x = k.layers.BatchNormalization()(x)
    x = k.layers.ReLU(max_value=6.0)(x)
    x = k.layers.DepthwiseConv2D(3)(x)
    x = k.layers.SeparableConv2D(5, 2)(x)
    x = k.layers.MaxPooling2D()(x)
    x = k.layers.Conv2DTranspose(3, 2, strides=2)(x)
    x = k.layers.AveragePooling2D(2)(x)
    x = k.layers.ZeroPadding2D(1)(x)
    x = k.layers.UpSampling2D(2)(x)
    x = k.layers.GroupNormalization(3)(x)
    x = k.layers.GlobalAveragePooling2D()(x)
    return k.Model(inputs, k.layers.Dense(2)(x))


@case((4, 8, 3), (4, 2))
def convolutions_1d(k):
    x = inputs = k.Input((8, 3))
    x = k.layers.Conv1D(4, 3, dilation_rate=2, padding="causal")(x)
    x = k.layers.DepthwiseConv1D(3)(x)
    x = k.layers.SeparableConv1D(4, 2)(x)
    x = k.layers.PReLU()(x)
    x = k.layers.Conv1DTranspose(4, 2)(x)
    x = k.layers.LayerNormalization(beta_initializer="ones")(x)
    x = k.layers.UnitNormalization()(x)
    x = k.layers.Flatten()(x)
    return k.Model(inputs, k.layers.Dense(2)(x))


@case(("int", 4, 3), (4, 2))
def embedded(k):
    x = inputs = k.Input((3,), dtype="int32")
    x = k.layers.Embedding(5, 4)(x)
    x = k.layers.TimeDistributed(k.layers.Dense(4))(x)
    x = k.layers.EinsumDense("abc,cd->abd", output_shape=(None, 4), bias_axes="d")(x)
    x = k.layers.GlobalAveragePooling1D()(x)
    return k.Model(inputs, k.layers.Dense(2)(x))


@case((4, 3, 4))
def op_nodes(k):
    o = k.ops
    x = k.Input((3, 4))
    y = 2.0 * x + k.layers.Dense(4)(x) / 3.0 - abs(-x) ** 2
    y = o.concatenate([y, x], axis=-1)[:, 1:, ::2]
    y = o.where(y > 0.1, o.exp(-y), o.minimum(y, 0.5))
    y = o.einsum("bij,bkj->bik", y, y)
    y = o.clip(y, -5.0, 5.0) + o.mean(y, axis=(1, 2), keepdims=True)
    y = o.reshape(o.transpose(y, (0, 2, 1)), (-1, 4))
    y = o.stack([o.softmax(y), o.relu(y), o.gelu(y, approximate=False)], axis=1)
    y = o.average(y, axis=1, weights=np.ones(3, "float32"))
    z = o.pad(x, ((0, 0), (1, 0), (0, 1)), constant_values=1.0)
    z = o.split(o.cumsum(z, axis=1), 2, axis=1)[1]
    z = o.cast(o.argmax(z, axis=-1), "float32")
    z = o.one_hot(o.cast(z, "int32"), 5) + o.sum(x, axis=-1)[:, :2, None]
    z = o.take(z, np.array([0, 2]), axis=-1)
    z = o.logsumexp(o.squeeze(z[:, :1], 1), axis=-1) + o.max(x, axis=(1, 2))
    return k.Model(x, [y, z, o.layer_normalization(x), o.matmul(x, x[:, :1, :, None])])


@case([(4, 5, 6), (4, 7, 6)], (4, 5, 6))
def attention(k):
    query, value = k.Input((5, 6)), k.Input((7, 6))
    x = k.layers.MultiHeadAttention(2, 3, value_dim=4, dropout=0.1)(query, value)
    x = k.layers.GroupQueryAttention(3, 4, 2, use_gate=True)(
        x, value, use_causal_mask=True
    )
    x = k.layers.Attention(use_scale=True, score_mode="concat")([x, value])
    x = k.layers.AdditiveAttention()([x, value])
    return k.Model([query, value], x)


@case((4, 5, 3), (4, 2))
def recurrent(k):
    x = inputs = k.Input((5, 3))
    x = k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True))(x)
    x = k.layers.RNN([k.layers.GRUCell(4), k.layers.LSTMCell(3)], True)(x)
    x, *states = k.layers.GRU(3, return_sequences=True, return_state=True)(x)
    x = k.layers.SimpleRNN(3, return_sequences=True)(x, initial_state=states)
    x = k.layers.Reshape((5, 3, 1))(x)
    x = k.layers.ConvLSTM1D(2, 2)(x)
    return k.Model(inputs, k.layers.Dense(2)(k.layers.Flatten()(x)))


@case((8, 3), (8, 2))
def mixed_precision(k):
    return k.Sequential(
        [
            k.Input((3,)),
            k.layers.Dense(4, dtype="mixed_bfloat16"),
            k.layers.Dense(4, dtype="bfloat16"),
            k.layers.Dense(2, dtype=k.DTypePolicy("float32")),
        ]
    )


@case((8, 3), (8, 2))
def arguments(k):
    return k.Sequential(
        [
            k.Input((3,), batch_size=8, name="in"),
            k.layers.Dense(
                4,
                kernel_initializer=k.initializers.RandomNormal(stddev=0.1, seed=3),
                bias_initializer=k.initializers.Constant(0.5),
                kernel_regularizer=k.regularizers.L1L2(0.1, 0.2),
                activity_regularizer=k.regularizers.L2(0.1),
                kernel_constraint=k.constraints.MaxNorm(2.0),
                bias_constraint="non_neg",
                activation=k.layers.LeakyReLU(negative_slope=0.1),
            ),
            k.layers.Dense(
                2,
                kernel_regularizer=k.regularizers.OrthogonalRegularizer(0.1),
                kernel_initializer="he_normal",
                activation=k.activations.silu,
                trainable=False,
            ),
        ]
    )


@case((8, 3), (8, 2))
def custom_objects(k):
    @k.saving.register_keras_serializable("files")
    class Scale(k.layers.Layer):
        def __init__(self, factor, inner=None, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor
            self.inner = inner or k.layers.Dense(3)

        def build(self, shape):
            self.bias = self.add_weight(shape=(shape[-1],), name="bias")
            if not self.inner.built:
                self.inner.build(shape)

        def call(self, x):
            return self.inner(x * self.factor + self.bias)

        def compute_output_shape(self, shape):
            return shape

        def get_config(self):
            inner = k.saving.serialize_keras_object(self.inner)
            return {**super().get_config(), "factor": self.factor, "inner": inner}

        @classmethod
        def from_config(cls, config):
            config = dict(config)
            config["inner"] = k.saving.deserialize_keras_object(config["inner"])
            return cls(**config)

    @k.saving.register_keras_serializable("files")
    def twice(x):
        return 2.0 * x

    return k.Sequential(
        [k.Input((3,)), Scale(2.0), k.layers.Dense(2, activation=twice)]
    )


@case((8, 3), (8, 2))
def functional_subclass(k):
    @k.saving.register_keras_serializable("files")
    class Twin(k.Model):
        def __init__(self, units=2, **kwargs):
            inputs = k.Input((3,))
            first = k.layers.Dense(4, name="first")
            super().__init__(inputs, k.layers.Dense(units)(first(inputs)), **kwargs)
            self.first = first
            self.units = units

        def get_config(self):
            return {"units": self.units}

    return Twin()


@case((8, 3), (8, 2))
def normalized(k):
    layer = k.layers.Normalization()
    layer.adapt(np.random.default_rng(0).normal(3.0, 2.0, (20, 3)).astype("float32"))
    given = k.layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0])
    return k.Sequential(
        [k.Input((3,)), layer, given, k.layers.Rescaling(2.0), k.layers.Dense(2)]
    )


OPTIMIZERS = {
    "sgd": lambda k: k.optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=1.0),
    "rmsprop": lambda k: k.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "adam_schedule": lambda k: k.optimizers.Adam(
        k.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9), amsgrad=True
    ),
    "adamw": lambda k: k.optimizers.AdamW(0.01),
    "adagrad": lambda k: k.optimizers.Adagrad(0.1),
    "adadelta": lambda k: k.optimizers.Adadelta(0.1),
    "adamax": lambda k: k.optimizers.Adamax(0.01),
    "nadam": lambda k: k.optimizers.Nadam(0.01),
    "ftrl": lambda k: k.optimizers.Ftrl(0.01),
    "lion": lambda k: k.optimizers.Lion(0.001),
    "lamb": lambda k: k.optimizers.Lamb(0.01),
    "adafactor": lambda k: k.optimizers.Adafactor(0.01),
    "accumulation": lambda k: k.optimizers.Adam(gradient_accumulation_steps=2),
    "loss_scale": lambda k: k.optimizers.LossScaleOptimizer(k.optimizers.Adam()),
}


def _with_optimizer(name):
    def build(k):
        return k.Sequential([k.Input((3,)), k.layers.Dense(4), k.layers.Dense(2)])

    build.__name__ = f"optimizer_{name}"
    case((8, 3), (8, 2), optimizer=OPTIMIZERS[name])(build)


for _name in OPTIMIZERS:
    _with_optimizer(_name)


def trained(keras, name):
    """Return the model of a case, compiled and trained where it has targets."""
    build, x, y, optimizer, loss, epochs = CASES[name]
    model = build(keras)
    if y is not None:
        optimizer = optimizer(keras) if callable(optimizer) else optimizer
        metrics = ["mae"] if loss == "mse" else None
        model.compile(optimizer=optimizer, loss=loss, metrics=metrics)
        model.fit(array(x, 0), array(y, 10), epochs=epochs, batch_size=4, verbose=0)
    return model


def outputs_of(model, name):
    """Return what a model predicts, as a dict of arrays."""
    outputs = model.predict(array(CASES[name][1], 0), verbose=0)
    if isinstance(outputs, dict):
        outputs = [outputs[key] for key in sorted(outputs)]
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    return {f"output_{i}": np.asarray(o, "float32") for i, o in enumerate(outputs)}


def results(model, name):
    """Return what must be equal on both sides, as a dict of arrays."""
    found = outputs_of(model, name)
    if getattr(model, "optimizer", None) is not None:
        for i, v in enumerate(model.optimizer.variables):
            found[f"optimizer_{i}"] = np.asarray(v.numpy(), "float32")
        _, x, y, *_ = CASES[name]
        logs = model.evaluate(array(x, 0), array(y, 10), verbose=0, return_dict=True)
        found |= {key: np.asarray(value, "float32") for key, value in logs.items()}
    return found


def is_graph(keras, model):
    """Whether the structure of a model is data: HDF5 files and JSON take no others."""
    return type(model) in (keras.Sequential, keras.Model) or (
        type(model).__name__ == "Functional"
    )


def largest_shard(model):
    """Return a size in GiB at which the weights of a model are several shards."""
    variables = [*model.variables]
    if getattr(model, "optimizer", None) is not None:
        variables += model.optimizer.variables
    most = max(np.asarray(v.numpy(), "float32").nbytes for v in variables)
    return 1.2 * most / 1024**3


def write(keras, folder, names=CASES):
    """Save models, their weights and their results; return what failed."""
    errors = {}
    for name in names:
        try:
            model = trained(keras, name)
            np.savez(folder / f"{name}.npz", **results(model, name))
            model.save(folder / f"{name}.keras")
            model.save(folder / f"{name}_folder", zipped=False)
            model.save_weights(folder / f"{name}.weights.h5")
            model.save_weights(
                folder / f"{name}.weights.json", max_shard_size=largest_shard(model)
            )
            if is_graph(keras, model):
                (folder / f"{name}.json").write_text(model.to_json())
                if name not in NOT_IN_HDF5:
                    model.save(folder / f"{name}.h5")
        except Exception:
            errors[name] = traceback.format_exc()[-2000:]
    return errors


def read(keras, folder, name):
    """Return by the kind of file the results of a model that was read from it."""
    CASES[name][0](keras)
    whole = [f"{name}.keras", f"{name}_folder", f"{name}.h5"]
    found = {
        file: results(keras.saving.load_model(folder / file), name)
        for file in whole
        if (folder / file).exists()
    }
    model = trained(keras, name)
    for suffix in (".weights.h5", ".weights.json"):
        model.set_weights([np.zeros_like(value) for value in model.get_weights()])
        model.load_weights(folder / f"{name}{suffix}")
        found[suffix] = results(model, name)
    if (folder / f"{name}.json").exists():
        model = keras.models.model_from_json((folder / f"{name}.json").read_text())
        model.load_weights(folder / f"{name}.weights.h5")
        found["json"] = outputs_of(model, name)
    return found
