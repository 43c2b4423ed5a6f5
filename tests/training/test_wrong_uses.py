"""A table of wrong uses: each raises, before anything runs, and says what to do."""

import datetime

import numpy as np
import pandas as pd
import pytest

import hornbeam as keras
from hornbeam import backends

# In one process: the tests share programs.
pytestmark = pytest.mark.xdist_group("wrong uses")

layers, optimizers, losses = keras.layers, keras.optimizers, keras.losses
metrics, callbacks = keras.metrics, keras.callbacks
schedules, initializers, constraints = (
    optimizers.schedules,
    keras.initializers,
    keras.constraints,
)
X = np.linspace(0, 1, 40, dtype="float32").reshape(10, 4)
Y = np.arange(10) % 3
NAN = float("nan")
DATE = datetime.date(2020, 1, 1)
IDS = np.arange(40).reshape(10, 4)
IMAGES = np.zeros((2, 8, 8, 4), "float32")
STEPS = np.zeros((2, 5, 4), "float32")
SPARSE = "sparse_categorical_crossentropy"
BINARY = "binary_crossentropy"
IGNORES = losses.SparseCategoricalCrossentropy(ignore_class=255)
LOGITS = losses.SparseCategoricalCrossentropy(from_logits=True)


def model(loss=SPARSE, units=3, activation="softmax", optimizer="sgd", **options):
    x = keras.Input((4,), name="features")
    head = layers.Dense(units, activation=activation, name="head")
    network = keras.Model(x, head(x), name="net")
    network.compile(optimizer, loss, **options)
    return network


def binary():
    return model(BINARY, 1, "sigmoid")


def fit(x=X, y=Y, network=None, **options):
    return (network or model()).fit(x, y, **{"verbose": 0, **options})


def two(loss=LOGITS, **options):
    x = keras.Input((4,), name="features")
    outputs = [layers.Dense(3, name=name)(x) for name in ("a", "b")]
    network = keras.Model(x, outputs, name="net")
    network.compile("sgd", loss, **options)
    return network


def embedded(inner=False):
    lookup = layers.Embedding(5, 2, name="words")
    if inner:
        x = keras.Input((4,), dtype="int32")
        lookup = keras.Model(x, lookup(x))
    parts = [keras.Input((4,), dtype="int32"), lookup, layers.Flatten()]
    network = keras.Sequential([*parts, layers.Dense(3)], name="net")
    network.compile("sgd", LOGITS)
    return network


class Looked(keras.Model):
    def __init__(self):
        super().__init__(name="net")
        self.words, self.head = layers.Embedding(5, 2), layers.Dense(3)

    def call(self, x):
        return self.head(keras.ops.mean(self.words(x), axis=1))


def frame(**columns):
    return pd.DataFrame(X, columns=list("abcd")).assign(**columns)


def calling(function, **others):
    """A compiled model with this `call`."""
    cls = type("Mine", (keras.Model,), {"call": function, **others})
    network = cls(name="net")
    network.compile("sgd", "mse")
    return network


class Rows(keras.utils.PyDataset):
    def __init__(self, item):
        super().__init__()
        self.item = item

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return self.item


class Forgot(keras.Model):
    def __init__(self):
        self.head = layers.Dense(4)


class ForgotLoss(losses.Loss):
    def __init__(self):
        self.scale = 1.0

    def call(self, y_true, y_pred):
        return keras.ops.mean(y_pred, axis=-1)


class NoLoss(keras.Sequential):
    def compute_loss(self, *args, **kwargs):
        return None


def without_loss():
    network = NoLoss([keras.Input((4,)), layers.Dense(4)], name="net")
    network.compile("sgd", "mse")
    return network


class Weighed(layers.Layer):
    def __init__(self, shape):
        super().__init__(name="weighed")
        self.shape = shape

    def build(self, input_shape):
        self.weight = self.add_weight(shape=self.shape)

    def call(self, x):
        return x


# An expression, and words that its error must hold, separated by semicolons.
TABLE = """
fit(epochs=-1) => `epochs`; fit() of model 'net'; an integer >= 0; -1
fit(epochs=1.5) => `epochs`; an integer; 1.5
fit(epochs="3") => `epochs`; an integer; '3'
fit(initial_epoch=-1) => `initial_epoch`; >= 0; -1
fit(batch_size=0) => `batch_size`; fit(); >= 1; 0
fit(batch_size=2.5) => `batch_size`; an integer; 2.5
fit(steps_per_epoch=0) => `steps_per_epoch`; fit(); >= 1; 0
fit(steps_per_epoch="a") => `steps_per_epoch`; an integer; 'a'
fit(validation_data=(X, Y), validation_steps=0) => `validation_steps`; >= 1
fit(validation_data=(X, Y), validation_batch_size=-1) => `validation_batch_size`; -1
fit(validation_data=(X, Y), validation_freq=["a"]) => `validation_freq`; >= 1; 'a'
fit(validation_data=(X, Y), validation_freq=[0]) => `validation_freq`; >= 1; 0
fit(verbose="yes") => `verbose`; fit(); 0 (silent); 'auto'; 'yes'
fit(shuffle="yes") => `shuffle`; True, False or 'batch'; 'yes'
fit(validation_split=-0.1) => `validation_split`; >= 0; -0.1
fit(validation_split="0.2") => `validation_split`; a number; '0.2'
fit(validation_data=X) => `validation_data`; `(x, y)`; (10, 4); validation_split
fit(validation_data=(X,)) => `validation_data`; a tuple of 1
fit(validation_data=(X, Y, Y, Y)) => `validation_data`; a tuple of 4
fit(validation_data=0.2) => `validation_data`; 0.2; validation_split=0.2
fit(validation_data="file") => `validation_data`; 'file'
fit(validation_data=(X, Y + 3)) => 'head' of 'net'; from 0 to 2; 5
fit(validation_data=(X, Y[:3])) => rows; `x` has 10; `y` has 3
fit(class_weight=[1, 2, 3]) => `class_weight`; dict; [1, 2, 3]
fit(class_weight={0: "a", 1: 1, 2: 1}) => `class_weight`; class numbers to weights; 'a'
fit(class_weight={0: None}) => `class_weight`; class numbers to weights; None
fit(class_weight={0: 1.0, 1: 1.0}) => classes [2]; `class_weight` lacks
fit(class_weight="balance") => `class_weight`; 'balanced'; 'balance'
fit(sample_weight=np.ones(3)) => `sample_weight` has 3
fit(sample_weight=2.0) => `sample_weight` is a single number
fit(sample_weight=np.array(["a"] * 10)) => `sample_weight` holds strings
fit(callbacks="early") => TypeError; `callbacks`; keras.callbacks.Callback; 'early'
fit(callbacks=[callbacks.TerminateOnNaN]) => TypeError; `callbacks`; TerminateOnNaN
fit(epoch=3) => TypeError; 'epoch'; Did you mean 'epochs'
fit(None, Y) => no data; `x`
fit("data.csv", None) => `x` is a string, 'data.csv'; read the data
fit(3, Y) => `x` is a single number
fit([], []) => no data; `x`
fit(X[:0], Y[:0]) => empty; `x`
fit(X.astype(str), Y) => `x` holds strings; astype(float); dtype <U
fit(["a"] * 10, Y) => `x` holds strings; dtype <U1
fit(X, ["a", "b"] * 5) => `y` holds strings; StringLookup
fit(X, pd.Series(["a", "b"] * 5, dtype="category")) => `y` holds strings
fit(X.astype(complex), Y) => 'features'; float32; complex128; keras.ops.real
fit(np.full((10, 4), np.datetime64("2020-01-01")), Y) => `x` holds dates; dayofweek
fit(frame(b=pd.Timestamp("2020-01-01")), Y) => Column 'b' of `x`; dates; Timestamp
fit(frame(b=pd.Timestamp("2020-01-01", tz="UTC")), Y) => Column 'b'; dates; days since
fit(frame(b=pd.Timedelta("3D")), Y) => Column 'b'; dates or times; Timedelta
fit(frame(b=pd.Period("2020-01")), Y) => Column 'b'; dates or times; Period
fit(frame(b=[DATE] * 10), Y) => Column 'b'; dates or times; date
fit(frame(b="x"), Y) => Column 'b' of `x`; strings; StringLookup
fit(frame(b="x", c="y"), Y) => columns ['b', 'c']; strings
fit(frame(b=pd.Series([None, 1.0] * 5, dtype=object)), Y) => Column 'b'; missing; fillna
fit(frame(b=pd.Series([None, 1] * 5, dtype="Int64")), Y) => Column 'b'; missing; NA
fit([[1.0, None, 2.0, 3.0]] * 10, Y) => `x` holds missing values; None
fit(X, [None, 1] * 5) => `y` holds missing values; None
fit([[1, 2, 3, 4], [1, 2]], Y[:2]) => `x`; differ in length; pad_sequences
fit(keras.Input((4,)), Y) => `x` is a KerasTensor; no values; model(inputs)
fit(lambda: X, None) => `x`; function; DataLoader
fit(keras.utils.PyDataset, None) => `x`; type; PyDataset
fit((i for i in range(3)), None) => generator; yields numbers; `x` of a batch is; (x, y)
fit(((X[0], Y[0]) for _ in range(3)), None) => yields numbers; `y` of a batch; x[None]
fit(((X[:0], Y[:0]) for _ in range(3)), None) => yields an empty batch; `x`
fit(((X, Y, Y, Y) for _ in range(3)), None) => a tuple of length 4; ([x1, x2], y)
fit(iter(()), None) => yielded no batch
fit(((X, Y) for _ in range(3)), Y) => `y` cannot be given; generator
fit(Rows(3), None) => Rows; yields numbers
fit(X, None) => 'head'; no targets; `y`
fit(X.T, Y[:4]) => 'features'; (None, 4); (4, 10)
fit(X, np.ones((10, 7)), model("mse")) => 'head'; (10, 3); (10, 7); 7 units
fit(X, np.eye(3)[Y]) => y_true.shape=(32, 3); categorical_crossentropy; argmax
fit(X, Y, model("categorical_crossentropy")) => one_hot; sparse_categorical
fit(X, Y + 0.5) => 'head' of 'net'; from 0 to 2; 0.5 at index (0,); categorical_cross; 'mse'
fit(X, Y + 1) => from 0 to 2; label 3 at index (2,); subtract 1
fit(X, Y - 1) => from 0 to 2; label -1; ignore_class=-1
fit(X, np.full(10, NAN)) => from 0 to 2; NaN at index (0,)
fit(X, np.full(10, np.inf)) => from 0 to 2; inf at index (0,)
fit(X, Y, binary()) => 'head' of 'net'; 'binary_crossentropy'; from 0 to 1; 2 at index (2,)
fit(X, Y % 2 * 2 - 1, binary()) => from 0 to 1; -1 at index (0,); hinge
fit(X, Y % 2 * 255, binary()) => from 0 to 1; 255; scaled
fit(X, np.full(10, NAN), binary()) => from 0 to 1; nan at index (0,)
fit(((X, Y) for _ in range(2)), None, binary()) => from 0 to 1; 2 at index (2,)
fit(((X, Y % 2 + i / 20) for i in range(2)), None, binary()) => batch 2; 0 to 1; 1.05
fit(((X, Y + i) for i in range(3)), None) => batch 2; generator; label 3; 0 to 2
fit(X, Y % 2 * 1.02, binary()) => from 0 to 1; 1.02 at index (1,); clip
embedded().predict((IDS % 5 + i for i in range(3)), verbose=0) => batch 2; 0 to 4; 5
binary().evaluate(X, Y, verbose=0) => from 0 to 1; 2 at index (2,)
binary().train_on_batch(X, Y) => from 0 to 1; 2 at index (2,)
fit(X, Y, model("binary_focal_crossentropy", 1, "sigmoid")) => focal; from 0 to 1
fit(X, np.full((10, 3), 255), model("dice")) => 'dice'; from 0 to 1; 255
fit(X, -np.ones((10, 1)), model("poisson", 1, "exponential")) => 'poisson'; not negative
fit(X, -np.ones((10, 1)) * 2, model("msle", 1, None)) => greater than -1; 'mse'
fit(IDS, Y, embedded()) => 'net/words' (Embedding); 0 to 4; 39 at index (9, 3); input_dim
fit(IDS % 5 - 1, Y, embedded()) => Embedding; -1 at index (0, 0); Negative
fit(IDS % 5 + 0.5, Y, embedded()) => Embedding; 0.5; whole numbers
embedded().predict(IDS, verbose=0) => Embedding; 0 to 4; 39
embedded().evaluate(IDS, Y, verbose=0) => Embedding; 0 to 4; 39
embedded(inner=True).predict(IDS, verbose=0) => Embedding; 0 to 4; 39
embedded().predict_on_batch(IDS) => Embedding; 0 to 4; 39
Looked().predict(IDS, verbose=0) => Embedding; 0 to 4; 39 at index (9, 3)
model().evaluate(X, Y, steps=0) => `steps`; evaluate(); >= 1; 0
model().evaluate(X, Y, verbose="yes") => `verbose`; evaluate(); 'yes'
model().evaluate(X, Y, vebose=0) => 'vebose'; Did you mean 'verbose'
keras.saving.load_model('x.keras', compile="no") => TypeError; `compile`; True or False
model().train_on_batch(X, Y, return_dict="no") => TypeError; `return_dict`; True or False; 'no'
model().predict(X, steps=-1) => `steps`; predict(); >= 1; -1
model().predict(X, batch_size=0) => `batch_size`; predict(); >= 1
model().predict(X, verbose="yes") => `verbose`; predict(); 'yes'
model().predict(keras.Input((4,))) => `x` is a KerasTensor; model(inputs)
model().predict(None) => no data; `x`
model().predict(X[0], verbose=0) => 'features'; (None, 4); (4,)
model().predict((i for i in range(3)), verbose=0) => generator; yields numbers
model().predict(frame(b=pd.Timestamp("2020-01-01"))) => Column 'b'; dates
keras.Model(X, X) => `inputs`; KerasTensors; keras.Input
model().compile("sgd", SPARSE, ["accuracy"]) => `loss_weights`; a number; metrics=['accuracy']
model().compile("sgd", SPARSE, "accuracy") => `loss_weights`; metrics='accuracy'
model(loss_weights="a") => `loss_weights`; a number; 'a'
model(loss_weights=NAN) => `loss_weights`; a number; nan
model(loss_weights=lambda: 1) => `loss_weights`; a number
model(loss_weights=np.ones(2)) => `loss_weights`; an array of shape (2,); `list(loss_weights)`
fit(network=model({"hed": SPARSE})) => KeyError; `loss`; 'hed'; ['head']; Did you mean 'head'
fit(network=model(metrics={"hed": ["acc"]})) => KeyError; `metrics`; 'hed'; Did you mean 'head'
fit(X, [Y, Y], two({"a": LOGITS, "bb": LOGITS})) => `loss`; 'bb'; ['a', 'b']; mean 'b'
fit(X, [Y, Y], two({"aa": LOGITS})) => `loss`; 'aa'; ['a', 'b']; mean 'a'
fit(X, [Y, Y], two(loss_weights={"a": 1, "bb": 2})) => `loss_weights`; 'bb'; mean 'b'
fit(X, {"a": Y, "bb": Y}, two()) => `y`; 'bb'; ['a', 'b']; mean 'b'
fit(X, [Y, Y], two(), sample_weight={"bb": Y, "a": Y}) => `sample_weight`; 'bb'; mean 'b'
fit(X, [Y, Y], two([LOGITS] * 3)) => `loss` is a list of 3; 2 outputs
model([]) => `loss`; empty; add_loss
model(metrics.Mean()) => `loss`; a metric; `metrics=[...]`
model(3) => the loss 3; a name
model("crosentropy") => 'crosentropy'; Did you mean
model(metrics="accuracy") => `metrics`; list; metrics=['accuracy']
model(metrics=["acuracy"]) => 'acuracy'; Did you mean
model(optimizer=3) => the optimizer 3; a name
model(optimizer={"learning_rate": 0.1}) => optimizer; class_name; 0.1
model(run_eagerly="no") => TypeError; `run_eagerly`; compile(); True or False; 'no'
model(jit_compile="yes") => `jit_compile`; compile(); 'auto'; 'yes'
model(steps_per_execution=0) => `steps_per_execution`; compile(); >= 1; 0
fit(network=model(lambda y, p: None)) => TypeError; function; return; None
fit(network=model(metrics=[lambda y, p: None])) => TypeError; function; return; None
fit(X, X, calling(lambda self, x: None)) => `call()` of model 'net'; None; return outputs
calling(lambda self, x: None).predict(X, verbose=0) => `call()` of model 'net'; None
fit(X, X, calling(lambda self, x: "a")) => `call()` of model 'net'; a tensor; 'a'
fit(X, X, without_loss()) => TypeError; `compute_loss()`; 'net'; None
Forgot().fit(X, Y) => AttributeError; Forgot.__init__(); super().__init__()
model(ForgotLoss()).fit(X, Y) => AttributeError; ForgotLoss.__init__(); super().__init__()
Weighed((None, 3))(X) => 'weighed'; (None, 3); keras.Input
Weighed((-1, 3))(X) => negative; (-1, 3)
layers.Dense(0) => `units` of Dense; positive integer; 0
layers.Dense("4") => `units` of Dense; positive integer; '4'
layers.Dense(4, activation="rellu") => 'rellu'; Did you mean 'relu'
layers.Dense(4, use_bias="no") => TypeError; `use_bias` of Dense; True or False; 'no'
layers.Dense(4, trainable="yes") => `trainable`; boolean; 'yes'
layers.Dense(4)(None) => input 0 is not a tensor; None; `call()`
layers.Dense(4)(X[0]) => rank (min_ndim) at least 2; rank 1
layers.Conv2D(4, 0) => `kernel_size` of Conv2D; >= 1; 0
layers.Conv2D(4, 3, padding="sme") => `padding` of Conv2D; 'valid', 'same'; mean 'same'
layers.Conv2D(4, 3, groups=3) => `groups`; divide; filters=4
layers.Conv2D(4, 11)(IMAGES) => window; (11, 11); (2, 8, 8, 4); 'same'
layers.MaxPooling2D(-1) => `pool_size` of MaxPooling2D; >= 1; -1
layers.Dropout(1.5) => `rate` of Dropout; >= 0 and <= 1; 1.5
layers.GaussianNoise("a") => `stddev` of GaussianNoise; a number; 'a'
layers.LSTM(3, dropout=1.5) => `dropout` of LSTMCell; <= 1; 1.5
layers.GRU(3, recurrent_dropout=-0.5) => `recurrent_dropout` of GRUCell; >= 0; -0.5
layers.LSTM(3, return_sequences="yes") => TypeError; `return_sequences`; 'yes'
layers.LSTM(3)(X) => rank (ndim) 3; rank 2
layers.Embedding(-1, 4) => `input_dim` of Embedding; positive integer; -1
layers.MultiHeadAttention(0, 2) => `num_heads`; positive integer; 0
layers.MultiHeadAttention(2, 2, dropout=2) => `dropout` of MultiHeadAttention; <= 1; 2
layers.MultiHeadAttention(2, 2)(STEPS) => TypeError; `value`; layer(x, x)
layers.Attention()([STEPS, np.zeros((2, 3, 6), "float32")]) => same width; 4 and 6
layers.BatchNormalization(momentum=2) => `momentum` of BatchNormalization; <= 1; 2
layers.BatchNormalization(axis=1.5) => `axis` of BatchNormalization; an integer; 1.5
layers.BatchNormalization(epsilon=-1) => `epsilon` of BatchNormalization; >= 0; -1
layers.LayerNormalization(epsilon=-1) => `epsilon` of LayerNormalization; >= 0; -1
layers.GroupNormalization(3)(IMAGES) => `groups`; divide; 4 channels
layers.Reshape(4) => TypeError; `target_shape` of Reshape; a tuple; (4,)
layers.Reshape((3,))(X) => (4,); (3,)
layers.Permute(2) => TypeError; `dims` of Permute; a tuple; (2,)
layers.RepeatVector(0) => `n` of RepeatVector; positive integer; 0
layers.ZeroPadding2D(-1) => `padding` of ZeroPadding2D; >= 0; -1
layers.Cropping2D(5)(IMAGES) => `cropping`; smaller; ((5, 5), (5, 5))
layers.Concatenate(axis="a") => `axis` of Concatenate; an integer; 'a'
layers.Add()([X, X[:, :3]]) => (10, 4), (10, 3)
layers.PReLU(shared_axes=[9])(X) => `shared_axes` of PReLU; rank 2; [9]
layers.ELU("a") => `alpha` of ELU; a number; 'a'
keras.Input(4) => `shape` of Input; (4,)
keras.Input(batch_shape=4) => `batch_shape` of Input; (4,)
keras.Input((-1,)) => negative; (-1,)
keras.Sequential(layers.Dense(2)) => TypeError; `layers` of Sequential; a list
keras.Sequential([1]) => Only instances of `keras.Layer`; 1
keras.Sequential([layers.Dense]) => Only instances of `keras.Layer`; Dense
keras.Sequential().pop() => IndexError; no layers
model().get_layer("hed") => 'hed'; Did you mean 'head'
optimizers.SGD(-0.1) => `learning_rate` of SGD; >= 0; -0.1; LearningRateSchedule
optimizers.SGD(NAN) => `learning_rate` of SGD; a finite number; nan
optimizers.Adam("fast") => `learning_rate` of Adam; a finite number; 'fast'
setattr(optimizers.SGD(0.1), "learning_rate", -1) => `learning_rate` of SGD; >= 0; -1
setattr(optimizers.SGD(0.1), "learning_rate", None) => `learning_rate` of SGD; None
optimizers.SGD(momentum=1.5) => `momentum` of SGD; <= 1; 1.5
optimizers.Adam(lr=0.1) => lr; Did you mean 'learning_rate'
model().predict(X[0], verbose=0) => expected shape=(None, 4); add the axis; `x[None]`
model(lambda y: y) => `loss` of compile(); (y_true, y_pred); too many positional
model(lambda y, p, w: y) => `loss` of compile(); missing a required argument: 'w'
model(metrics=[lambda y: y]) => `metrics` of compile(); too many positional
optimizers.Adam(beta_1=1.0) => `beta_1` of Adam; >= 0 and < 1; 1.0
optimizers.AdamW(beta_2=-0.1) => `beta_2` of AdamW; >= 0; -0.1
optimizers.Nadam(beta_1="a") => `beta_1` of Nadam; a number; 'a'
optimizers.RMSprop(rho=1.5) => `rho` of RMSprop; <= 1; 1.5
optimizers.Lion(beta_1=0) => `beta_1` of Lion; > 0; 0
optimizers.Adagrad(epsilon=-1) => `epsilon` of Adagrad; >= 0; -1
optimizers.Adagrad(initial_accumulator_value=-1) => `initial_accumulator_value`; >= 0
optimizers.Ftrl(learning_rate_power=1) => `learning_rate_power` of Ftrl; <= 0; 1
optimizers.SGD(weight_decay=-1) => `weight_decay` of SGD; >= 0; -1
optimizers.SGD(clipnorm="a") => `clipnorm` of SGD; a number; 'a'
optimizers.SGD(loss_scale_factor=0) => `loss_scale_factor` of SGD; > 0; 0
optimizers.SGD(use_ema=True, ema_momentum=2) => `ema_momentum` of SGD; <= 1; 2
optimizers.SGD(use_ema=True, ema_overwrite_frequency=1.5) => `ema_overwrite_frequency`
optimizers.SGD(gradient_accumulation_steps=1) => `gradient_accumulation_steps`; >= 2; 1
optimizers.SGD(nesterov="yes") => TypeError; `nesterov` of SGD; True or False; 'yes'
schedules.ExponentialDecay(-1, 3, 0.5) => `initial_learning_rate`; >= 0; -1
schedules.ExponentialDecay(0.1, 0, 0.5) => `decay_steps` of ExponentialDecay; > 0; 0
schedules.ExponentialDecay(0.1, 3, -1) => `decay_rate` of ExponentialDecay; >= 0; -1
schedules.CosineDecay(0.1, "a") => `decay_steps` of CosineDecay; a number; 'a'
schedules.CosineDecay(0.1, 3, warmup_steps=-1) => `warmup_steps`; >= 0; -1
schedules.PolynomialDecay(0.1, 3, end_learning_rate=-1) => `end_learning_rate`; >= 0
schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]) => `boundaries`; rise; [2, 1]
schedules.PiecewiseConstantDecay([1], [0.1, -0.2]) => `values`; >= 0; -0.2
losses.BinaryCrossentropy(label_smoothing=2) => `label_smoothing`; <= 1; 2
losses.BinaryCrossentropy(from_logits="yes") => TypeError; `from_logits`; 'yes'
losses.SparseCategoricalCrossentropy("sum") => TypeError; `from_logits`; 'sum'
losses.CategoricalCrossentropy(label_smoothing="a") => `label_smoothing`; a number
losses.Huber(delta=0) => `delta` of Huber; > 0; 0
losses.BinaryFocalCrossentropy(gamma=-1) => `gamma`; >= 0; -1
losses.BinaryFocalCrossentropy(alpha=2) => `alpha`; <= 1; 2
losses.Tversky(alpha=-1) => `alpha` of Tversky; >= 0; -1
losses.MeanSquaredError(reduction="men") => `reduction`; mean 'mean'
metrics.AUC(num_thresholds=1) => `num_thresholds` of AUC; >= 2; 1
metrics.AUC(num_labels=3) => `num_labels` of AUC; multi_label=True; 3
metrics.Precision(thresholds=2) => `thresholds`; <= 1; 2
metrics.Precision(top_k=0) => `top_k` of Precision; >= 1; 0
metrics.Recall(class_id=-1) => `class_id` of Recall; >= 0; -1
metrics.Recall(class_id=9)(np.eye(3), np.eye(3)) => `class_id`; 3 classes; 9
metrics.TopKCategoricalAccuracy(k=0) => `k` of TopKCategoricalAccuracy; >= 1; 0
metrics.SparseTopKCategoricalAccuracy(k="a") => `k`; an integer; 'a'
metrics.MeanIoU(1.5) => `num_classes` of MeanIoU; an integer >= 1; 1.5
metrics.BinaryAccuracy(threshold="a") => `threshold` of BinaryAccuracy; 'a'
metrics.SensitivityAtSpecificity("a") => `specificity`; a number; 'a'
metrics.MeanMetricWrapper(3) => TypeError; `fn` of MeanMetricWrapper; function; 3
callbacks.EarlyStopping(patience="a") => `patience` of EarlyStopping; a number; 'a'
callbacks.EarlyStopping(patience=-1) => `patience` of EarlyStopping; >= 0; -1
callbacks.EarlyStopping(min_delta=None) => `min_delta` of EarlyStopping; None
callbacks.EarlyStopping(3) => TypeError; `monitor` of EarlyStopping; 'val_loss'; 3
callbacks.EarlyStopping(restore_best_weights="no") => TypeError; True or False; 'no'
callbacks.ModelCheckpoint("a.keras", save_freq=0) => save_freq; 0; number of batches
callbacks.ReduceLROnPlateau(factor=2) => `factor` of ReduceLROnPlateau; < 1; 2
callbacks.ReduceLROnPlateau(cooldown="a") => `cooldown`; a number; 'a'
callbacks.LearningRateScheduler(3) => TypeError; `schedule`; a function; 3
callbacks.LambdaCallback(on_epoch_ends=print) => 'on_epoch_ends'; mean 'on_epoch_end'
callbacks.LambdaCallback(on_epoch_end=3) => `on_epoch_end`; a function; 3
callbacks.BackupAndRestore("folder", save_freq=-1) => `save_freq`; 'epoch'; -1
constraints.MaxNorm(-1) => `max_value` of MaxNorm; >= 0; -1
constraints.MinMaxNorm(2, 1) => `max_value` of MinMaxNorm; >= 2; 1
constraints.MinMaxNorm(rate=3) => `rate` of MinMaxNorm; <= 1; 3
"""  # noqa: E501

ROWS = [line.split(" => ") for line in TABLE.strip().splitlines()]


def check(call, words):
    """Raise unless the call raises an error that holds the words, in it or its notes.

    A word that is the name of a class of errors says what is raised: a ValueError
    otherwise.
    """
    kind = ValueError
    if words[0].endswith("Error") and words[0].isidentifier():
        kind = {
            k.__name__: k for k in (TypeError, KeyError, AttributeError, IndexError)
        }[words[0]]
        words = words[1:]
    with pytest.raises(kind) as caught:
        call()
    message = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])
    for word in words:
        assert word in message, f"{word!r} not in: {message}"


@pytest.mark.parametrize(("use", "words"), ROWS, ids=[row[0] for row in ROWS])
def test_a_wrong_use_says_what_is_wrong(use, words):
    with backends.scope("jax"):
        check(lambda: eval(use, globals()), words.split("; "))


def tensor_as_number(self, x):
    return self.head(x) * float(keras.ops.sum(x))


def numpy_function(self, x):
    return np.sin(self.head(x))


def branch(self, x):
    return self.head(x) if keras.ops.sum(x) > 0 else x


CODE = [
    (numpy_function, ["np.sin", "keras.ops.sin"]),
    (branch, ["keras.ops.where", "keras.ops.cond"]),
    (tensor_as_number, ["float()", "keras.ops.cast"]),
]


@pytest.mark.parametrize(("function", "words"), CODE)
def test_code_that_needs_numbers_learns_what_to_use(function, words):
    with backends.scope("jax"):
        network = calling(function)
        network.head = layers.Dense(4)
        with pytest.raises(Exception, match=r".") as caught:
            network.fit(X, X, verbose=0)
        notes = "\n".join(caught.value.__notes__)
        for word in [*words, "run_eagerly=True"]:
            assert word in notes


def test_numpy_functions_take_no_tensors_of_torch():
    with backends.scope("torch"):
        network = model(lambda y, p: np.mean(y - p), activation=None)
        with pytest.raises(TypeError) as caught:
            network.fit(X, X[:, :3], verbose=0)
    notes = "\n".join(caught.value.__notes__)
    assert "In place of `np.mean` use `keras.ops.mean`" in notes


SOME = [
    row
    for row in ROWS
    if row[0]
    in (
        "fit(epochs=-1)",
        "fit(steps_per_epoch=0)",
        "fit(X, Y + 0.5)",
        "fit(X, Y, binary())",
        "fit(IDS, Y, embedded())",
        "Looked().predict(IDS, verbose=0)",
        "fit(X, X, calling(lambda self, x: None))",
        'model().compile("sgd", SPARSE, ["accuracy"])',
        'fit(frame(b=pd.Timestamp("2020-01-01")), Y)',
        "fit((i for i in range(3)), None)",
        'layers.Attention()([STEPS, np.zeros((2, 3, 6), "float32")])',
        "Forgot().fit(X, Y)",
    )
]


@pytest.mark.parametrize("name", ["torch", "tensorflow"])
@pytest.mark.parametrize(("use", "words"), SOME, ids=[row[0] for row in SOME])
def test_on_other_engines(name, use, words):
    with backends.scope(name):
        check(lambda: eval(use, globals()), words.split("; "))


RIGHT = [
    (BINARY, np.linspace(0, 1, 10), {}),
    # What rounding leaves.
    (BINARY, np.linspace(0, 1.005, 10), {}),
    (losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1), Y % 2, {}),
    (BINARY, Y % 2 == 0, {}),
    ("hinge", Y % 2 * 2 - 1, {}),
    # What has no weight is not looked at.
    (BINARY, Y - 1, {"sample_weight": (Y > 0) * (Y < 3)}),
    ("mse", Y - 1.5, {}),
    ("poisson", Y, {}),
]


@pytest.mark.parametrize(("loss", "y", "options"), RIGHT)
def test_right_targets_stay_right(loss, y, options):
    with backends.scope("jax"):
        network = model(loss, 1, "sigmoid")
        assert np.isfinite(fit(X, y, network, **options).history["loss"][0])


def test_soft_and_signed_one_hot_labels_stay_right():
    with backends.scope("jax"):
        network = model("categorical_crossentropy")
        for y in (np.full((10, 3), 1 / 3), -np.eye(3)[Y], 2 * np.eye(3)[Y]):
            assert np.isfinite(fit(X, y, network).history["loss"][0])


def test_a_users_loss_and_step_read_labels_as_they_like():
    class FromOne(losses.SparseCategoricalCrossentropy):
        def call(self, y_true, y_pred):
            return super().call(y_true - 1, y_pred)

    class OwnStep(keras.Model):
        def test_step(self, data):
            return {"loss": keras.ops.sum(self(data[0]))}

    with backends.scope("jax"):
        plain = model()
        expected = plain.evaluate(X, Y, verbose=0)
        plain.compile("sgd", FromOne())
        assert plain.evaluate(X, Y + 1, verbose=0) == pytest.approx(expected)
        own = OwnStep(plain.inputs, plain.outputs)
        own.compile(loss=SPARSE)
        assert own.evaluate(X, Y + 5, verbose=0) > 0


def test_a_clip_of_0_and_below_is_none():
    with backends.scope("jax"):
        for argument in ("clipnorm", "clipvalue", "global_clipnorm"):
            for value in (0, -1, False, None):
                variable = keras.Variable(np.ones(2, "float32"))
                optimizer = optimizers.SGD(0.1, **{argument: value})
                optimizer.apply([keras.ops.array([2.0, 2.0])], [variable])
                np.testing.assert_allclose(variable.numpy(), [0.8, 0.8])


def test_a_batch_whose_parts_have_other_rows_is_not_padded():
    with backends.scope("jax"):
        network = model("mse", 1, None)
        network.fit(X, X[:, 0], verbose=0)
        with pytest.raises(Exception, match="shape"):
            fit(((X, X[:3, :1]) for _ in range(2)), None, network)


def test_a_loss_is_a_metric_too():
    with backends.scope("jax"):
        network = model(metrics=[losses.SparseCategoricalCrossentropy(name="again")])
        found = network.evaluate(X, Y, verbose=0, batch_size=4, return_dict=True)
    assert found["again"] == pytest.approx(found["loss"])


RIGHT_USES = """
optimizers.SGD(np.float32(0.1), momentum=0, weight_decay=0, nesterov=np.bool_(True))
optimizers.SGD(keras.ops.array(0.1))
optimizers.Adam(0.0, beta_1=np.float64(0.9), clipnorm=None)
schedules.CosineDecay(keras.ops.array(0.1), 100, alpha=2)
losses.BinaryCrossentropy(label_smoothing=None)
losses.CategoricalFocalCrossentropy(alpha=[0.2, 0.8, 1.5])
layers.Dropout(0), layers.Dropout(1), layers.GaussianNoise(0.5)
layers.Dense(np.int64(3)), layers.BatchNormalization(axis=np.int64(1))
layers.LSTM(3, use_cudnn="auto")
layers.MultiHeadAttention(2, 3)(np.ones((2, 3, 8)), np.ones((2, 5, 6)))
keras.Input([4]), keras.Input(()), keras.Input(batch_shape=[None, 4])
metrics.Precision(thresholds=[0.0, 0.5, 1.0], top_k=2, class_id=0)
metrics.AUC(multi_label=True, num_labels=2, label_weights=[1, 1])
callbacks.EarlyStopping(patience=float("inf"), min_delta=-0.1, baseline=0.3)
callbacks.LambdaCallback(on_epoch_end=None, on_test_begin=print, own=1)
model(loss_weights=np.float32(0.5)), model(loss_weights=[None])
model(loss_weights=[keras.Variable(0.5)])
model(metrics=[metrics.SparseCategoricalAccuracy], run_eagerly=None, jit_compile=1)
fit(epochs=0), fit(epochs=2.0, batch_size=4.0, verbose=False)
fit(shuffle=None, verbose=None, validation_split=None)
fit(validation_data=[X, Y], validation_freq=range(1, 3), epochs=2)
fit(validation_data=((X, Y) for _ in range(2)), validation_steps=2)
fit(X.astype(object), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0])
fit(frame(b=True, c=pd.array([1] * 10, dtype="Int64")), Y.astype("float32"))
fit(X, np.where(Y == 2, 255, Y), model(IGNORES))
embedded().predict(IDS % 5.0, verbose=0)
embedded().predict((IDS % 5).astype("uint8"), verbose=0)
"""


@pytest.mark.parametrize("use", RIGHT_USES.strip().splitlines())
def test_right_uses_stay_right(use):
    with backends.scope("jax"):
        made = eval(use, globals())
    assert all(x is not None for x in (made if isinstance(made, tuple) else [made]))


def test_labels_of_masked_steps_are_not_looked_at():
    parts = [
        keras.Input((6,), dtype="int32"),
        layers.Embedding(5, 3, mask_zero=True),
        layers.Dense(3, activation="softmax"),
    ]
    x = np.tile([1, 2, 3, 4, 0, 0], (4, 1))
    y = np.tile([0, 1, 2, 0, -1, -1], (4, 1))
    with backends.scope("jax"):
        network = keras.Sequential(parts)
        network.compile("sgd", SPARSE)
        assert np.isfinite(network.evaluate(x, y, verbose=0))
        network = keras.Sequential([keras.Input((6, 1)), layers.Dense(3, "softmax")])
        network.compile("sgd", SPARSE)
        weight = (y >= 0).astype("float32")
        loss = network.evaluate(x[..., None], y, sample_weight=weight, verbose=0)
        assert np.isfinite(loss)


class Graph(keras.Model):
    def __init__(self):
        super().__init__()
        self.head = layers.Dense(1)

    def call(self, inputs):
        nodes, edges = inputs
        sent = keras.ops.take(nodes, edges[:, 0], axis=0)
        return self.head(keras.ops.segment_sum(sent, edges[:, 1], num_segments=5))


def test_batches_of_graphs_have_parts_with_other_rows(training_engine):
    nodes, edges = np.ones((5, 3), "float32"), np.array([[0, 1], [1, 2], [3, 0]])
    with np.errstate(all="raise"):
        network = Graph()
        network.compile("sgd", "mse")
        batches = (((nodes, edges), np.zeros((5, 1))) for _ in range(3))
        found = network.fit(batches, verbose=0).history["loss"][0]
    assert found > 0
    assert network((nodes, edges)).shape == (5, 1)


def test_every_batch_has_a_target_for_each_row(training_engine):
    network = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="classes")])
    for loss, y in (("mse", np.zeros((5, 2))), (SPARSE, np.zeros(5, "int32"))):
        network.compile("sgd", loss)
        for use in (network.fit, network.evaluate):
            with pytest.raises(ValueError, match="'classes'.* 4 rows .* have 5"):
                use(iter([(np.ones((4, 3)), y)]), verbose=0)
    network.compile("sgd", "mse")  # one row of targets serves all
    assert network.evaluate(iter([(np.ones((4, 3)), np.zeros((1, 2)))]), verbose=0) > 0
