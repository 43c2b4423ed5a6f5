"""The base of layers: building, arguments, masks, losses, state, dtypes, errors."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.core.masking import get_keras_mask, set_keras_mask
from tests.compilation import traced

X = np.arange(6, dtype="float32").reshape(2, 3)


class Scale(keras.Layer):
    builds = 0

    def build(self, input_shape):
        self.builds += 1
        self.w = self.add_weight((input_shape[-1],), "ones", name="w")

    def call(self, x):
        return x * self.w


class Echo(keras.Layer):
    """Gives back its input, and keeps `training` and `mask` as they came."""

    def call(self, x, training=False, mask=None):
        self.seen = training, mask
        return x


class Nest(keras.Layer):
    def __init__(self, *inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = list(inner)

    def call(self, x):
        for layer in self.inner:
            x = layer(x)
        return x


def numpy(x):
    return backends.current().to_numpy(x)


def test_built_once(engine):
    layer = Scale()
    assert not layer.built and layer.backend is None
    layer(X), layer(X)
    assert layer.built and layer.builds == 1 and layer.backend == engine.name
    assert layer.get_build_config() == {"input_shape": (2, 3)}
    layer.build((2, 3))
    assert layer.builds == 1
    with pytest.raises(ValueError, match="already built"):
        layer.build((2, 4))


@pytest.mark.parametrize("where", ["torch", "numpy", "tensorflow"])
def test_a_built_layer_stays_on_its_engine(where):
    with backends.scope(where):
        layer = Scale()
        layer(X)
    with backends.scope("jax"):
        assert backends.get(where).is_tensor(layer(X))


def test_paths(python_only):
    inner = Scale(name="in")
    outer = Nest(inner, name="out")
    outer(X)
    assert (outer.path, inner.path, inner.w.path) == ("out", "out/in", "out/in/w")
    late = Scale(name="late")
    outer.inner.append(late)
    outer(X)
    assert late.w.path == "out/late/w"


def test_add_weight_options(python_only):
    layer = keras.Layer()
    w = layer.add_weight(
        (2,), "ones", trainable=False, regularizer="l2", constraint="non_neg", name="w"
    )
    assert (w.shape, w.dtype, w.trainable) == ((2,), "float32", False)
    assert isinstance(w.regularizer, keras.regularizers.L2)
    assert isinstance(w.constraint, keras.constraints.NonNeg)
    scalar = layer.add_weight()
    counter = layer.add_weight(dtype="int32", trainable=False)
    assert scalar.shape == counter.shape == () and int(counter) == 0
    assert [id(v) for v in layer.weights] == [id(v) for v in (scalar, w, counter)]


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: keras.Layer().add_weight("w"), ValueError, "keyword argument"),
        (
            lambda: keras.Layer().add_weight("w", shape=(3,)),
            ValueError,
            r"Use: add_weight\(shape=..., name='w'\)",
        ),
        (lambda: keras.Layer(units=3), ValueError, "units"),
        (lambda: keras.layers.Dense(2, trainable=1), ValueError, "boolean"),
        (lambda: keras.Layer(name="a/b"), ValueError, "a/b"),
        (lambda: keras.Layer()(X), NotImplementedError, "call"),
        (lambda: Scale()(X, 3), ValueError, "Only input tensors.*\n?.*3"),
        (lambda: Scale()([1.0, 2.0]), ValueError, "Only input tensors"),
        (lambda: Scale().count_params(), ValueError, "built"),
        (lambda: Scale().stateless_call([], [], X), ValueError, "built"),
    ],
)
def test_errors(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


def test_forgotten_init():
    class Forgetful(keras.Layer):
        def __init__(self):
            self.units = 3

    with pytest.raises(RuntimeError, match="super"):
        Forgetful()(X)


def test_no_state_after_building():
    class Late(keras.Layer):
        def call(self, x):
            self.w = self.add_weight((), "zeros")
            return x

    with pytest.raises(ValueError, match="cannot add new elements of state"):
        Late()(X)


def test_wrong_rank_names_the_path(python_only):
    inner = keras.layers.Dense(2, name="dense")
    outer = Nest(inner, name="block")
    outer(X)
    with pytest.raises(ValueError, match="block/dense.*\n?.*size 3"):
        outer(np.ones((2, 4), "float32"))
    with pytest.raises(ValueError, match="rank"):
        keras.layers.Conv2D(1, 1, name="c")(X)


@pytest.mark.parametrize("given", [None, False, True])
def test_training_reaches_inner_layers(python_only, given):
    echo = Echo()
    Nest(Nest(echo))(X, training=given)
    assert echo.seen[0] is bool(given)


def test_explicit_training_comes_first_and_ends_with_the_call(python_only):
    inner, other = Echo(), Echo()

    class Forcing(keras.Layer):
        def __init__(self):
            super().__init__()
            self.inner = inner

        def call(self, x, training=None):
            return self.inner(x, training=False)

    with pytest.raises(ZeroDivisionError):
        Nest(keras.layers.Lambda(lambda x: 1 / 0))(X, training=True)
    Nest(Forcing(), other)(X, training=True)
    assert inner.seen[0] is False and other.seen[0] is True
    other(X)
    assert other.seen[0] is False


def test_context_arguments_of_ones_own(python_only):
    class Mode(keras.Layer):
        def __init__(self):
            super().__init__()
            self._register_call_context_args("mode")

        def call(self, x, mode=0):
            return x + mode

    outer = Nest(Mode())
    outer._register_call_context_args("mode")
    np.testing.assert_array_equal(numpy(outer(X, mode=2)), X + 2)
    np.testing.assert_array_equal(numpy(outer(X)), X)


def masked(value=1.0):
    x = keras.ops.full((2, 3), value)
    mask = keras.ops.array([True, False])
    set_keras_mask(x, mask)
    return x, mask


def test_masks_pass_through_nested_layers(engine):
    class Copy(Echo):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, x, mask=None):
            self.seen = None, mask
            return x + 0

    first, second = Copy(), Copy()
    outer = Nest(first, second)
    outer.supports_masking = True
    x, mask = masked()
    result = outer(x)
    assert first.seen[1] is mask and second.seen[1] is mask
    assert get_keras_mask(result) is mask
    given = keras.ops.array([False, True])
    assert get_keras_mask(first(keras.ops.ones((2, 3)), mask=given)) is given


def test_masks_of_several_inputs(engine):
    class Several(keras.Layer):
        def call(self, a, b, a_mask=None, b_mask=None):
            self.seen = a_mask, b_mask
            return a[0] + b

    (x, m), (y, n) = masked(), masked(2.0)
    z = keras.ops.ones((2, 3))
    layer = Several()
    layer.supports_masking = True
    layer.compute_mask = lambda inputs, previous_mask: None
    for call in (lambda: layer([x, z], y), lambda: layer(a=[x, z], b=y)):
        call()
        assert layer.seen[0][0] is m and layer.seen[0][1] is None
        assert layer.seen[1] is n


def test_masks_beside_arrays_go_with_them():
    array = np.ones(2)
    set_keras_mask(array, "mask")
    assert get_keras_mask(array) == "mask"
    gone = weakref.ref(array)
    del array
    gc.collect()
    assert gone() is None and get_keras_mask(np.ones(2)) is None


def test_masks_survive_compilation(training_engine):
    embedding = keras.layers.Embedding(
        2, 2, mask_zero=True, embeddings_initializer="ones"
    )
    model = keras.Sequential([embedding])
    model.compile(loss="mse")
    targets = np.array([[[1.0, 1], [2, 2], [3, 3], [1, 1]]])
    loss = model.evaluate(np.array([[1, 0, 0, 1]]), targets, verbose=0)
    assert loss == pytest.approx(0.0)


class Penalty(keras.Layer):
    def call(self, x):
        self.add_loss(keras.ops.sum(x))
        return x


def test_losses_are_those_of_the_last_call(engine):
    layer = Nest(Penalty(), Nest(Penalty()))
    layer(X), layer(X)
    assert [float(loss) for loss in layer.losses] == [15.0, 15.0]
    layer.inner[0](X)
    layer(X)
    assert len(layer.losses) == 2


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_activity_regularizer_is_a_mean_over_rows(engine, rows):
    layer = Echo(activity_regularizer="l2")
    layer(np.full((rows, 5), 2.0, "float32"))
    assert float(layer.losses[0]) == pytest.approx(0.2 if rows else 0.0)


@pytest.mark.parametrize("eagerly", [False, True])
def test_added_losses_count_once_in_fit(training_engine, eagerly):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            Penalty(),
            keras.layers.Dense(1, kernel_initializer="zeros"),
        ]
    )
    model.compile("sgd", loss="mse", run_eagerly=eagerly)
    x, y = np.ones((4, 3), "float32"), np.zeros((4, 1), "float32")
    history = model.fit(x, y, epochs=2, batch_size=4, verbose=0).history
    assert history["loss"] == pytest.approx([12.0, 12.0])
    assert model.evaluate(x, y, batch_size=4, verbose=0) == pytest.approx(12.0)


def test_stateless_call(engine):
    class Count(Scale):
        def build(self, input_shape):
            super().build(input_shape)
            self.count = self.add_weight((), "zeros", trainable=False)

        def call(self, x):
            self.count.assign_add(1.0)
            self.add_loss(keras.ops.sum(x))
            return x * self.w

    layer = Count()
    layer.build((2, 3))
    twos = [keras.ops.full((3,), 2.0)]
    outputs, (count,), losses = layer.stateless_call(
        twos, [keras.ops.array(4.0)], X, return_losses=True
    )
    np.testing.assert_array_equal(numpy(outputs), X * 2)
    assert float(numpy(count)) == 5.0 and float(numpy(losses[0])) == 15.0
    assert float(layer.count) == 0.0 and numpy(layer.w.value)[0] == 1.0
    with pytest.raises(ValueError, match="trainable_variables"):
        layer.stateless_call([], [], X)


def test_trainable_reaches_everything_inside(engine):
    layer = Nest(Scale(), keras.layers.BatchNormalization())
    traced(engine, lambda: layer(X))
    assert [len(layer.trainable_weights), len(layer.non_trainable_weights)] == [3, 2]
    layer.trainable = False
    assert layer.trainable_variables == [] and len(layer.non_trainable_variables) == 5
    assert not layer.inner[0].w.trainable
    layer.trainable = True
    assert [len(layer.trainable_weights), len(layer.non_trainable_weights)] == [3, 2]
    frozen = Scale(trainable=False)
    traced(engine, lambda: frozen(X))
    assert frozen.trainable_weights == [] and not frozen.w.trainable


def test_layers_in_containers_are_found_once(python_only):
    shared = Scale()

    class Holder(keras.Layer):
        def __init__(self):
            super().__init__()
            self.first = shared
            self.several = [shared, (Scale(),)]
            self.named = {"a": Scale(), "b": [Scale()]}
            self.seed = keras.random.SeedGenerator(1)

        def call(self, x):
            inner = [self.first, self.several[1][0], self.named["a"]]
            for layer in [*inner, self.named["b"][0]]:
                x = layer(x)
            return x

    layer = Holder()
    layer(X)
    assert len(layer.weights) == 4 and len(layer.variables) == 5


def test_weights_as_arrays(engine):
    layer = Nest(Scale(), Scale())
    traced(engine, lambda: layer(X))
    new = [np.full(3, 2.0, "float32"), np.full(3, 3.0, "float32")]
    layer.set_weights(new)
    np.testing.assert_array_equal(layer.get_weights(), new)
    for bad in ([new[0]], [new[0] * 9, np.ones(4)]):
        with pytest.raises(ValueError, match="set_weights"):
            layer.set_weights(bad)
    np.testing.assert_array_equal(layer.get_weights(), new)
    assert layer.count_params() == 6


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies(engine, again):
    layer = keras.layers.Dense(2)
    layer(X)
    other = again(layer)
    np.testing.assert_array_equal(numpy(other(X)), numpy(layer(X)))
    other.kernel.assign(other.kernel * 0)
    assert np.any(numpy(layer.kernel.value))
    assert other.get_config() == layer.get_config()


def test_build_for_several_inputs(python_only):
    class Two(keras.Layer):
        def build(self, b_shape, a_shape):
            self.shapes = a_shape, b_shape

        def call(self, a, b, bias=None):
            return a[:, :1] + b[:, :1]

    layer = Two()
    layer(X, np.ones((2, 4), "float32"))
    assert layer.shapes == ((2, 3), (2, 4))

    class Misnamed(Two):
        def build(self, a_shape, c_shape):
            """Built."""

    with pytest.raises(ValueError, match="`c_shape`"):
        Misnamed()(X, X)

    class Unnamed(Two):
        def build(self, a_shape, b):
            """Built."""

    with pytest.raises(ValueError, match="`b`, which does not end in `_shape`"):
        Unnamed()(X, X)


def test_spec_without_compute_output_shape(python_only):
    class Wide(keras.Layer):
        def call(self, x, flag=True):
            return {"wide": keras.ops.concatenate([x, x], -1), "rows": x[:, 0]}

    result = Wide()(keras.Input((3,)), flag=True)
    assert result["wide"].shape == (None, 6) and result["rows"].shape == (None,)


def test_mixed_precision(engine):
    class Look(Scale):
        def call(self, x):
            self.seen = x.dtype, self.w.dtype
            return super().call(x)

    layer = Look(dtype="mixed_bfloat16")
    result = layer(X)
    assert layer.w.dtype == "float32" and engine.dtype_of(result) == "bfloat16"
    assert layer.seen[1] == "bfloat16"
    full = Look(dtype="float32")
    Nest(full, dtype="mixed_bfloat16")(X)
    assert full.seen[1] == "float32"
    kept = Echo(autocast=False)
    assert engine.dtype_of(kept(X.astype("float16"))) == "float16"
    assert engine.dtype_of(Echo()(np.ones((1,), "int32"))) == "int32"


def test_dtype_policy_map():
    policies = keras.dtype_policies.DTypePolicyMap("float32")
    policies["out/in"] = "mixed_bfloat16"
    inner = Scale(name="in", dtype=policies)
    Nest(inner, name="out")(X)
    assert inner.compute_dtype == "bfloat16" and inner.w.dtype == "float32"
    inner.dtype_policy = "float16"
    assert policies["out/in"].name == "float16" and inner.compute_dtype == "float16"


def test_remat_changes_no_value(training_engine):
    def model():
        keras.utils.set_random_seed(1)
        layers = [
            keras.layers.Dense(4, activation="tanh", name="a"),
            keras.layers.BatchNormalization(name="b"),
            keras.layers.Dropout(0.5, seed=3, name="c"),
            Penalty(name="d"),
            keras.layers.Dense(1, name="e"),
        ]
        model = keras.Sequential([keras.Input((3,)), *layers])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        return model

    models, options = {"none": model()}, {"output_size_threshold": 1}
    for mode in ("full", "larger_than", "list_of_layers"):
        with keras.RematScope(mode, layer_names=["b", "c", "d"], **options):
            models[mode] = model()
    x = np.random.default_rng(0).standard_normal((8, 3)).astype("float32")
    losses = {}
    for mode, one in models.items():
        fitted = one.fit(x, x[:, :1], epochs=2, batch_size=4, shuffle=False, verbose=0)
        losses[mode] = fitted.history["loss"]
        assert losses[mode] == pytest.approx(losses["none"], rel=1e-5), mode
        pairs = zip(models["none"].get_weights(), one.get_weights(), strict=True)
        for a, b in pairs:
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6, err_msg=mode)


def test_config():
    layer = keras.layers.Dense(2, activity_regularizer="l2", dtype="mixed_bfloat16")
    config = layer.get_config()
    other = keras.layers.Dense.from_config(config)
    assert other.get_config() == config and other.compute_dtype == "bfloat16"
    assert repr(keras.layers.Dense(2, name="d")) == "<Dense name=d, built=False>"


@pytest.mark.parametrize("shape", [(3,), lambda shape: shape[0]])
def test_lambda_with_a_declared_shape_takes_nests(python_only, shape):
    add = keras.layers.Lambda(
        lambda x: x[0] + x[1], output_shape=shape, dtype="float16"
    )
    outputs = add([keras.Input((3,)), keras.Input((3,))])
    assert (outputs.shape, outputs.dtype) == ((None, 3), "float16")
    two = keras.layers.Lambda(lambda x: [x, -x], output_shape=lambda shape: [shape] * 2)
    assert [x.shape for x in two(keras.Input((3,)))] == [(None, 3)] * 2
    traced = keras.layers.Lambda(lambda x: x + 1, dtype="float16")(keras.Input((3,)))
    assert traced.dtype == "float16"


def test_build_is_told_of_an_input_that_is_no_tensor(python_only):
    """Layers that take texts build what depends on no shape: as Keras, with None."""

    class Texts(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self._allow_non_tensor_positional_args = True

        def build(self, input_shape):
            self.seen = input_shape

        def call(self, texts):
            return [text.upper() for text in texts]

    layer = Texts()
    assert layer(["a", "b"]) == ["A", "B"]
    assert layer.seen is None
