"""Bad input: clear errors that name the object, what was expected and received."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends

# In one process: the tests share programs.
pytestmark = pytest.mark.xdist_group("bad input")


def model(units=3, loss="sparse_categorical_crossentropy", activation="softmax"):
    network = keras.Sequential(
        [
            keras.Input((4,), name="features"),
            keras.layers.Dense(units, activation=activation, name="head"),
        ],
        name="net",
    )
    network.compile("sgd", loss)
    return network


X = np.ones((10, 4), "float32")
Y = np.arange(10) % 3


@pytest.mark.parametrize(
    ("x", "y", "options", "words"),
    [
        (np.ones((10, 5), "float32"), Y, {}, ["net", "4", "5"]),
        (np.ones((10, 2, 4), "float32"), Y, {}, ["net", "(None, 4)", "(10, 2, 4)"]),
        (X, Y[:9], {}, ["10", "9"]),
        (X, Y + 5, {}, ["head", "7", "3"]),
        (X, Y - 1, {}, ["head", "-1"]),
        (X[:0], Y[:0], {}, ["empty", "`x`"]),
        (X, Y, {"batch_size": 0}, ["batch_size", "0"]),
        (X, Y, {"validation_split": 1.5}, ["validation_split", "1.5"]),
        (X, Y, {"sample_weight": np.ones(3)}, ["10", "3"]),
        (X, Y, {"class_weight": {7: 1.0}}, ["7"]),
        (np.array([["a"] * 4] * 10), Y, {}, ["str"]),
        (X.astype("complex64"), Y, {}, ["features", "float32", "complex64"]),
        (X, None, {}, ["head", "no targets"]),
        (X, np.full(10, np.nan), {}, ["head", "NaN", "(0,)"]),
        (X, Y, {"epochs": "3"}, ["epochs", "net", "'3'"]),
        (
            X, Y, {"validation_data": (X, Y), "validation_freq": 0},
            ["validation_freq", ">= 1", "0"],
        ),
        (X, Y, {"validation_data": (X[:, :3], Y)}, ["net", "4", "3"]),
        (X, Y, {"callbacks": [keras.callbacks.TerminateOnNaN]}, ["TerminateOnNaN"]),
    ],
    ids=[
        "width", "rank", "cardinality", "label too large", "label negative", "empty",
        "batch_size", "validation_split", "sample_weight", "class_weight", "strings",
        "complex", "no targets", "label NaN", "epochs", "validation_freq",
        "validation width", "callback class",
    ],
)  # fmt: skip
def test_fit_says_what_is_wrong_and_changes_nothing(
    training_engine, x, y, options, words
):
    network = model()
    before = network.get_weights()
    with pytest.raises((ValueError, TypeError)) as caught:
        network.fit(x, y, verbose=0, **options)
    for word in words:
        assert word in str(caught.value), f"{word!r} not in: {caught.value}"
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    network.fit(X, Y, verbose=0)


class Pair(keras.Model):
    def __init__(self):
        super().__init__(name="net")
        self.first, self.second = keras.layers.Dense(3), keras.layers.Dense(3)

    def call(self, x):
        return [self.first(x), self.second(x)]


def functional_pair(form):
    x = keras.Input((4,), name="features")
    outputs = [keras.layers.Dense(3, name=name)(x) for name in ("b", "a")]
    outputs = {"b": outputs[0], "a": outputs[1]} if form is dict else outputs
    return keras.Model(x, outputs, name="net")


SPARSE = "sparse_categorical_crossentropy"
LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.mark.parametrize(
    ("make", "loss", "y", "output"),
    [
        (lambda: functional_pair(list), SPARSE, [Y, Y + 1], "'a'"),
        (lambda: functional_pair(list), [SPARSE, LOGITS], [Y, Y + 1], "'a'"),
        (lambda: functional_pair(list), {"b": SPARSE}, [Y + 1, Y], "'b'"),
        (lambda: functional_pair(dict), LOGITS, {"a": Y, "b": Y + 1}, "'b'"),
        (
            lambda: functional_pair(dict), {"b": SPARSE, "a": LOGITS},
            {"b": Y, "a": Y - 1}, "'a'",
        ),
        (
            lambda: functional_pair(dict), {"b": "mse", "a": SPARSE},
            {"b": np.zeros((10, 3)), "a": Y + 1}, "'a'",
        ),
        (Pair, SPARSE, [Y, Y + 1], "1"),
        (Pair, [None, SPARSE], Y + 1, "1"),
        (
            Pair,
            [keras.losses.SparseCategoricalCrossentropy(ignore_class=-1), None],
            Y - 2, "0",
        ),
    ],
)  # fmt: skip
def test_labels_of_several_outputs(make, loss, y, output):
    network = make()
    network.compile("sgd", loss)
    with pytest.raises(ValueError, match=f"Output {output} of 'net': Labels must be"):
        network.fit(X, y, verbose=0)


def test_labels_in_the_first_batch_of_a_generator():
    with pytest.raises(ValueError, match="'head' of 'net': Labels must be"):
        model().fit(((X, Y + 1) for _ in range(3)), verbose=0)


def test_labels_that_are_ignored_or_changed_by_the_user():
    network = model(loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=-1))
    weights = network.get_weights()
    rows = Y > 0
    expected = network.evaluate(X[rows], Y[rows] - 1, verbose=0)
    assert network.evaluate(X, Y - 1, verbose=0) == pytest.approx(expected)
    network.fit(X, Y - 1, verbose=0)
    assert not np.array_equal(network.get_weights()[0], weights[0])

    class FromOne(keras.Sequential):
        def compute_loss(self, x, y, y_pred, **kwargs):
            return super().compute_loss(x, y - 1, y_pred, **kwargs)

    plain = model(loss=LOGITS, activation=None)
    expected = plain.evaluate(X, Y, verbose=0)
    network = FromOne(plain.layers)
    network.compile("sgd", LOGITS)
    history = network.fit(X, Y + 1, verbose=0).history
    assert history["loss"] == [pytest.approx(expected)]


def test_targets_that_do_not_fit_the_output(training_engine):
    network = model(loss="categorical_crossentropy")
    with pytest.raises(ValueError, match="sparse_categorical_crossentropy"):
        network.fit(X, Y, verbose=0)
    network = model(loss="mse")
    with pytest.raises(ValueError, match=r"head.*\(10, 3\).*\(10, 7\)"):
        network.fit(X, np.ones((10, 7)), verbose=0)
    with pytest.raises(ValueError, match=r"head.*\(10, 3\).*\(10,\)"):
        network.fit(X, np.ones(10), verbose=0)


TWO = {"left": X, "right": X}


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ({"left": X}, [Y, Y], "'towers'.*'right'.*'left', 'right'.*'left'"),
        ({"left": X, "rihgt": X}, [Y, Y], "'right'.*'rihgt'"),
        ([X], [Y, Y], r"'towers' expects 2 inputs.*Received 1"),
        ([X, X[:, :2]], [Y, Y], r"'right' of model 'towers'.*\(10, 2\)"),
        (TWO, {"a": Y, "bb": Y}, "'bb'.*Did you mean 'b'"),
        (TWO, {"a": Y}, "'b' has no targets"),
        (TWO, [Y, Y, Y], "3 targets"),
        (TWO, [Y, Y[:5]], "rows.*5"),
    ],
)
def test_inputs_and_targets_by_name(training_engine, x, y, message):
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    outputs = [keras.layers.Dense(3, name=n)(v) for n, v in (("a", left), ("b", right))]
    network = keras.Model([left, right], outputs, name="towers")
    network.compile("sgd", SPARSE)
    before = network.get_weights()
    with pytest.raises(ValueError, match=message):
        network.fit(x, y, verbose=0)
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_sizes_that_make_no_sense(engine):
    for value in ("a", None, 1.5):
        with pytest.raises(ValueError, match=f"rate.*{value}"):
            keras.layers.Dropout(value)


@pytest.mark.parametrize(
    ("options", "nearest"),
    [
        ({"optimizer": "adm"}, "adam"),
        ({"loss": "sparse_categorical_crosentropy"}, "sparse_categorical_crossentropy"),
        ({"loss": "mse", "metrics": ["acuracy"]}, "accuracy"),
    ],
)
def test_unknown_names_get_a_suggestion(options, nearest):
    network = model()
    options = {"optimizer": "sgd", "loss": "mse", **options}
    with pytest.raises(ValueError, match=nearest):
        network.compile(**options)
        network.fit(X, np.ones((10, 3)), verbose=0)


@pytest.mark.parametrize(
    ("make", "nearest"),
    [
        (lambda: keras.layers.Dense(2, activation="rellu"), "relu"),
        (lambda: keras.layers.Dense(2, kernel_initializer="glorot"), "glorot"),
        (lambda: keras.layers.Dens, "Dense"),
        (lambda: keras.regularizers.get("l3"), "l"),
    ],
)
def test_unknown_names_in_layers(make, nearest):
    with pytest.raises((ValueError, AttributeError), match=nearest):
        make()


def test_nan_loss_warns_once_and_names_the_step(training_engine):
    x = X.copy()
    x[6] = np.nan
    network = model()
    with pytest.warns(RuntimeWarning, match="step 4 of epoch 1") as caught:
        network.fit(x, Y, batch_size=2, epochs=3, shuffle=False, verbose=0)
    assert len([w for w in caught if "NaN" in str(w.message)]) == 1
    assert len(network.history.history["loss"]) == 3


def test_terminate_on_nan_stops(training_engine):
    x = X.copy()
    x[0] = np.nan
    network = model()
    with pytest.warns(RuntimeWarning):
        network.fit(
            x, Y, epochs=5, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()]
        )
    assert len(network.history.epoch) <= 1


def test_methods_need_compile_and_say_so():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)], name="net")
    for method in ("fit", "evaluate", "train_on_batch", "test_on_batch"):
        with pytest.raises(ValueError, match="compile"):
            getattr(network, method)(X, Y)


def test_numpy_says_which_engines_train():
    with backends.scope("numpy"):
        network = model()
        assert network.evaluate(X, Y, verbose=0) > 0
        with pytest.raises(NotImplementedError, match="jax, torch"):
            network.fit(X, Y, verbose=0)


def test_foreign_tensors_and_variables_name_both_engines():
    import torch

    with backends.scope("jax"):
        network = model()
        variable = keras.Variable(np.ones(3, "float32"))
        with pytest.raises(backends.BackendMismatchError, match=r"torch.*jax"):
            keras.ops.add(torch.ones(3), 1.0)
        with pytest.raises(backends.BackendMismatchError, match=r"torch.*jax"):
            network(torch.ones(2, 4))
        with pytest.raises(backends.BackendMismatchError, match=r"torch.*jax"):
            variable.assign(torch.ones(3))
    with backends.scope("torch"):
        with pytest.raises(backends.BackendMismatchError, match=r"jax.*torch"):
            keras.ops.add(variable, 1.0)


def test_building_twice_with_another_shape():
    layer = keras.layers.Dense(2, name="head")
    layer.build((None, 3))
    weights = layer.get_weights()
    layer.build((None, 3))
    with pytest.raises(ValueError, match=r"head.*already built.*3.*5"):
        layer.build((None, 5))
    assert len(layer.weights) == 2
    np.testing.assert_array_equal(weights[0], layer.get_weights()[0])


def test_wrong_weights_change_nothing():
    network = model()
    before = network.get_weights()
    with pytest.raises(ValueError, match=r"net.*2 weights.*1"):
        network.set_weights(before[:1])
    with pytest.raises(ValueError, match=r"head/bias.*\(3,\).*\(4,\)"):
        network.set_weights([np.zeros((4, 3)), np.zeros(4)])
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_unbuilt_model_says_how_to_build_it():
    network = keras.Sequential([keras.layers.Dense(2)], name="net")
    with pytest.raises(ValueError, match="built"):
        network.count_params()
    with pytest.raises(AttributeError, match="net"):
        _ = network.output_shape


@pytest.mark.parametrize(
    ("call", "given", "meant"),
    [
        (lambda: keras.layers.Dense(4, activaton="relu"), "activaton", "activation"),
        (lambda: keras.layers.Dense(unit=4), "unit", "units"),
        (lambda: keras.layers.InputLayer(shpe=(3,)), "shpe", "shape"),
        (lambda: keras.Input(shpe=(3,)), "shpe", "shape"),
        (
            lambda: keras.Model(inputs=keras.Input((3,)), output=[]),
            "output",
            "outputs",
        ),
        (
            lambda: keras.optimizers.Adam(learnin_rate=1),
            "learnin_rate",
            "learning_rate",
        ),
        (
            lambda: keras.optimizers.schedules.CosineDecay(0.1, decay_step=3),
            "decay_step",
            "decay_steps",
        ),
        (lambda: keras.losses.Huber(dlta=1), "dlta", "delta"),
        (lambda: keras.metrics.AUC(num_threshold=3), "num_threshold", "num_thresholds"),
        (lambda: keras.callbacks.EarlyStopping(patiense=3), "patiense", "patience"),
        (lambda: keras.initializers.RandomNormal(stdev=1), "stdev", "stddev"),
        (lambda: keras.regularizers.L2(l=1), "l", "l2"),
        (lambda: keras.constraints.MaxNorm(max_val=1), "max_val", "max_value"),
        (lambda: model().compile(optimiser="adam"), "optimiser", "optimizer"),
        (lambda: model().fit(X, Y, epoch=1), "epoch", "epochs"),
        (lambda: model().evaluate(X, Y, batchsize=1), "batchsize", "batch_size"),
        (lambda: model().predict(X, verbos=0), "verbos", "verbose"),
        (lambda: model().train_on_batch(X, Y, weights=0), "weights", "class_weight"),
    ],
)
def test_misspelt_arguments_get_a_suggestion(python_only, call, given, meant):
    with pytest.raises(
        (TypeError, ValueError), match=f"{given}.*Did you mean '{meant}"
    ):
        call()


def test_arguments_of_users_classes_stay_theirs(python_only):
    class Scaled(keras.layers.Layer):
        def __init__(self, **options):
            self.scale = options.pop("scale")
            super().__init__(**options)

    assert Scaled(scale=3, name="s").scale == 3
    with pytest.raises(ValueError, match="nme.*Did you mean 'name'"):
        Scaled(scale=3, nme="s")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"loss": "mss"}, "loss: 'mss'. Did you mean 'mse'"),
        ({"loss": ["mse", "mss"]}, "loss: 'mss'"),
        ({"loss": {"a": "mse", "b": ["mss"]}}, "loss: 'mss'"),
        ({"metrics": ["acuracy"]}, "metric: 'acuracy'. Did you mean '.*accuracy'"),
        ({"metrics": [["mae"], ["acuracy"]]}, "metric: 'acuracy'"),
        ({"metrics": {"a": "mae", "b": ["acuracy"]}}, "metric: 'acuracy'"),
        ({"weighted_metrics": [[], ["acuracy"]]}, "metric: 'acuracy'"),
        ({"optimizer": "adm"}, "optimizer: 'adm'. Did you mean 'adam'"),
        ({"metrics": [3]}, "Could not interpret the metric 3"),
    ],
)
def test_misspelt_names_are_seen_by_compile(python_only, options, words):
    network = functional_pair(list)
    with pytest.raises(ValueError, match=words):
        network.compile(**{"loss": "mse", **options})
    assert not network.compiled
    network.compile("adam", ["mse", None], metrics=[["Acc", "ce"], []])
