"""Every loss, against its formula and the laws that all of them obey."""

import functools

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.core import hyperparameter, masking, scopes, tree
from hornbeam.core.lazy import names_of
from hornbeam.losses.loss import REDUCTIONS, Loss
from tests.compilation import program
from tests.engine_exceptions import cannot
from tests.losses.table import ROWS

rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
NOT_LOSSES = {"get", "serialize", "deserialize", "Loss"}


def data_of(row, seed=0):
    y_true, y_pred = row.data(np.random.default_rng(seed))
    kind = "int32" if y_true.dtype.kind == "i" else "float32"
    return y_true.astype(kind), y_pred.astype("float32")


def make(row, **more):
    return getattr(keras.losses, row.name)(**{**row.arguments, **more})


def expected(row, y_true, y_pred):
    y_true = y_true if y_true.dtype.kind == "i" else y_true.astype("float64")
    return row.formula(y_true, y_pred.astype("float64"))


def host(x):
    return keras.ops.convert_to_numpy(x)


def assert_close(found, wanted, rtol=2e-5, atol=2e-6):
    found = np.asarray(host(found))
    assert found.shape == np.shape(wanted)
    np.testing.assert_allclose(found.astype("float64"), wanted, rtol=rtol, atol=atol)


def test_every_loss_has_a_row():
    public = set(names_of(keras.losses.__name__)) - NOT_LOSSES
    assert {row.name for row in ROWS} | {row.function for row in ROWS} == public


WEIGHTS = np.arange(1.0, 7.0, dtype="float32")
COUNTS = np.array([True, False, True, True, False, True])
PADDING = np.array([1] * 6 + [0] * 2, "float32")


def weights_of(row):
    """One weight for each value: where there is a single one, a scalar."""
    return WEIGHTS if row.shape else np.array(1.5, "float32")


def padded(x):
    return np.concatenate([x, x[:1], x[:1]]) if x.ndim else x


def weigh(values, w):
    """Return the values times weights that belong to their first axis."""
    return values * np.reshape(w, w.shape + (1,) * (np.ndim(values) - w.ndim))


@functools.cache
def course(row, engine):
    """What the laws of numbers need of a row."""
    batch = data_of(row)
    loss, weighted_mean = make(row), make(row, reduction="mean_with_sample_weight")
    names = [
        name
        for name in hyperparameter.hyperparameter_names(type(loss))
        if hyperparameter.is_lifted(getattr(loss, name))
    ]
    numbers = np.array([getattr(loss, name) for name in names] + [0.0], "float32")

    def with_mask(y_true, y_pred, w, mask):
        masked = keras.ops.copy(y_pred)
        masking.set_keras_mask(masked, mask)
        return {
            "mean": loss(y_true, masked),
            "weighted": loss(y_true, masked, sample_weight=w),
        }

    def with_numbers(y_true, y_pred, numbers):
        owners = [(loss, name) for name in names]
        values = [numbers[i] for i in range(len(names))]
        with hyperparameter.hyperparameter_inputs(owners, values):
            return loss(y_true, y_pred)

    def gradient(y_true, y_pred):
        run = engine.value_and_grad(lambda values: loss(y_true, values[0]))
        return run([y_pred])[1][0]

    def compute(batch, w, mask, longer, longer_w, padding, numbers):
        found = {
            "values": make(row, reduction=None)(*batch),
            "function": getattr(keras.losses, row.function)(*batch, **row.arguments),
            "mean": loss(*batch),
            "weighted": make(row, reduction=None)(*batch, sample_weight=w),
            "weighted mean": weighted_mean(*batch, sample_weight=w),
            "longer": loss(*longer),
            "bfloat16": make(row, dtype="bfloat16")(*batch),
            "numbers": engine.jit(with_numbers)(*batch, numbers),
        }
        with scopes.batch_mask_scope(padding):
            found["padded"] = {
                "mean": loss(*longer),
                "weighted mean": weighted_mean(*longer, sample_weight=longer_w),
            }
        if not row.mixes_rows:
            found["masked"] = with_mask(*batch, w, mask)
        if not cannot(engine, "gradients"):
            found["gradient"] = gradient(*batch)
        return found

    w = weights_of(row)
    longer = [padded(x) for x in batch]
    given = (batch, w, COUNTS, longer, padded(w), PADDING, numbers)
    return program(engine, compute)(*tree.map_structure(engine.convert, given))


@rows
def test_values(row, engine):
    found, wanted = course(row, engine), expected(row, *data_of(row))
    assert_close(found["values"], wanted)
    assert_close(found["function"], wanted)
    assert_close(found["mean"], wanted.mean())


@rows
def test_weights(row, engine):
    """With some reductions: they are the same for all losses, and tested below."""
    found, w = course(row, engine), weights_of(row)
    values = weigh(expected(row, *data_of(row)), w)
    assert_close(found["weighted"], values)
    assert_close(found["weighted mean"], values.sum() / w.sum())


@rows
def test_the_mask_of_the_predictions_leaves_rows_out(row, engine):
    if row.mixes_rows:
        pytest.skip("mixes the rows")
    values, found = expected(row, *data_of(row)), course(row, engine)["masked"]
    assert_close(found["mean"], values[COUNTS].mean())
    assert_close(found["weighted"], weigh(values, WEIGHTS)[COUNTS].mean())


@rows
def test_a_padded_batch_costs_what_the_batch_costs(row, engine):
    assert make(row).accepts_padding
    found = course(row, engine)
    for reduction, value in found["padded"].items():
        assert_close(value, host(found[reduction]))
    assert not np.allclose(host(found["mean"]), host(found["longer"]), rtol=1e-5)


@rows
def test_gradients(row, training_engine):
    y_true, y_pred = data_of(row)
    gradient = host(course(row, training_engine)["gradient"]).astype("float64")
    step, p = 1e-6, y_pred.astype("float64")
    directions = np.random.default_rng(2).normal(size=(3, *p.shape))
    for direction in directions:
        up, down = (
            np.mean(row.formula(y_true, p + sign * step * direction))
            for sign in (1, -1)
        )
        found = np.sum(gradient * direction)
        assert found == pytest.approx((up - down) / (2 * step), rel=2e-4, abs=2e-5)


@rows
def test_hyperparameters_are_inputs_of_a_program(row, engine):
    found = course(row, engine)
    assert_close(found["numbers"], host(found["mean"]))


@rows
def test_dtype(row, engine):
    found = course(row, engine)
    assert keras.backend.standardize_dtype(found["bfloat16"].dtype) == "bfloat16"
    result = host(found["bfloat16"]).astype("float64")
    wanted = host(found["mean"]).astype("float64")
    np.testing.assert_allclose(result, wanted, rtol=0.05, atol=0.05)


@rows
def test_config_makes_an_equal_loss(row, python_only):
    loss = make(row, reduction="sum", name="mine")
    config = loss.get_config()
    assert config["name"] == "mine" and config["reduction"] == "sum"
    assert all(config[k] == v for k, v in row.arguments.items())
    copy = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(copy) is type(loss) and copy.get_config() == config
    assert keras.losses.get(row.name).get_config() == type(loss)().get_config()
    function = getattr(keras.losses, row.function)
    assert keras.losses.get(row.function) is function


@rows
def test_symbolic_shape(row, python_only):
    y_true, y_pred = data_of(row)
    batch = row.shape[:1] if row.shape and row.shape[0] else (None,)
    symbols = [
        keras.KerasTensor(batch + x.shape[1:], dtype=str(x.dtype))
        for x in (y_true, y_pred)
    ]
    assert make(row, reduction=None)(*symbols).shape == row.shape
    assert make(row)(*symbols).shape == ()


class Plain(Loss):
    """The predictions themselves."""

    def call(self, y_true, y_pred):
        return y_pred


VALUES = np.arange(24.0, dtype="float32").reshape(2, 3, 4)


@pytest.mark.parametrize("mask", [None, "predictions", "padding"])
@pytest.mark.parametrize("w", [None, WEIGHTS], ids=["plain", "weighted"])
def test_reductions(w, mask, engine):
    """All reductions, with and without weights and either mask."""
    values = np.arange(12.0, dtype="float32").reshape(6, 2)

    def compute(values):
        masked = keras.ops.copy(values)
        if mask == "predictions":
            masking.set_keras_mask(masked, engine.convert(COUNTS))
        return [Plain(reduction=r)(values, masked, w) for r in REDUCTIONS]

    with scopes.batch_mask_scope(engine.convert(COUNTS) if mask == "padding" else None):
        found = program(engine, compute)(engine.convert(values))
    weighted = values if w is None else weigh(values, w)
    kept = weighted[COUNTS] if mask else weighted
    count = (w[COUNTS] if mask else w).sum() if w is not None else kept.size
    wanted = {
        "sum_over_batch_size": kept.mean(),
        "sum": kept.sum(),
        "mean": kept.mean(),
        "mean_with_sample_weight": kept.sum() / count,
        "none": weighted * COUNTS[:, None] if mask else weighted,
    }
    for reduction, value in zip(REDUCTIONS, found, strict=True):
        assert_close(value, wanted[reduction or "none"])


@pytest.mark.parametrize(
    "shape", [(), (2,), (2, 1), (2, 3), (2, 3, 1), (2, 3, 4), (4,)]
)
def test_weights_belong_to_the_first_axes(shape, engine):
    w = np.arange(1.0, 1.0 + np.prod(shape), dtype="float32").reshape(shape)
    wide = w if shape in ((), (4,)) else w.reshape(shape + (1,) * (3 - len(shape)))
    found = Plain(reduction=None)(VALUES, VALUES, sample_weight=w)
    assert_close(found, VALUES * wide)


def test_weights_of_square_values_belong_to_the_samples(engine):
    values = np.ones((3, 3), "float32")
    w = np.array([1.0, 2.0, 3.0], "float32")
    found = Plain(reduction=None)(values, values, sample_weight=w)
    assert_close(found, np.repeat(w[:, None], 3, axis=1))


def test_weights_that_do_not_fit(engine):
    with pytest.raises(ValueError, match=r"`sample_weight` of shape \(5,\)"):
        Plain()(VALUES, VALUES, sample_weight=np.ones(5))
    with pytest.raises(ValueError, match=r"one weight for each sample, shape \(2,\)"):
        keras.losses.MeanSquaredError()(
            np.ones((2, 3)), np.ones((2, 3)), sample_weight=np.ones((2, 3))
        )


def test_all_masked_is_zero(engine):
    for reduction in ("mean", "sum", "mean_with_sample_weight"):
        loss = Plain(reduction=reduction)
        with scopes.batch_mask_scope(keras.ops.zeros((2,))):
            assert float(loss(VALUES, VALUES)) == 0.0


def test_class_to_ignore_does_not_count(engine):
    y_true = np.array([[0, -1], [2, 1]])
    y_pred = np.full((2, 2, 4), 0.25, "float32")
    y_pred[0, 0] = [0.7, 0.1, 0.1, 0.1]
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=-1, reduction=None)
    wanted = -np.log([[0.7, 1.0], [0.25, 0.25]])
    assert_close(loss(y_true, y_pred), wanted)
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert_close(loss(y_true, y_pred), wanted.sum() / 3)
    assert_close(loss(y_true[..., None], y_pred), wanted.sum() / 3)


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_classes_on_another_axis(axis, engine):
    generator = np.random.default_rng(0)
    p = generator.dirichlet(np.ones(4), (2, 3))
    y = generator.integers(0, 4, (2, 3))
    wanted = -np.log(np.take_along_axis(p, y[..., None], -1)[..., 0])
    moved = np.moveaxis(p, -1, axis).astype("float32")
    one_hot = np.moveaxis(np.eye(4)[y], -1, axis)
    sparse = keras.losses.sparse_categorical_crossentropy
    assert_close(sparse(y, moved, axis=axis), wanted)
    dense = keras.losses.categorical_crossentropy
    assert_close(dense(one_hot.astype("float32"), moved, axis=axis), wanted)


def test_large_class_indices_in_half_precision(engine):
    y_pred = np.zeros((1, 3000), "float32")
    y_pred[0, 2999] = 20.0
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, dtype="bfloat16"
    )
    assert float(loss(np.array([2999]), y_pred)) == pytest.approx(0, abs=1e-2)


def test_embeddings_without_a_fellow_do_not_count(engine):
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    labels = np.array([0, 0, 1, 1, 2])
    losses = [keras.losses.Circle(gamma=1.0, reduction=r) for r in (None, "mean")]
    values, mean = map(
        host, program(engine, lambda *batch: [f(*batch) for f in losses])(labels, x)
    )
    assert values[4] == 0 and (values[:4] > 0).all()
    assert mean == pytest.approx(values.sum() / 4, rel=1e-5)


def test_reference_embeddings_of_circle(engine):
    generator = np.random.default_rng(0)
    x, references = generator.normal(size=(3, 4)), generator.normal(size=(5, 4))
    labels, ref_labels = np.array([0, 1, 2]), np.array([0, 1, 1, 0, 3])

    def compute(labels, x, ref_labels, ref_embeddings):
        return keras.losses.circle(
            labels,
            x,
            ref_labels=ref_labels,
            ref_embeddings=ref_embeddings,
            remove_diagonal=False,
            gamma=0.5,
            margin=0.2,
        )

    x32, references32 = x.astype("float32"), references.astype("float32")
    found = program(engine, compute)(labels, x32, ref_labels, references32)
    wanted = []
    for label, row in zip(labels, x, strict=True):
        s, same = references @ row, ref_labels == label
        p = np.exp(-0.5 * np.maximum(1.2 - s, 0) * (s - 0.8))[same].sum()
        n = np.exp(0.5 * np.maximum(s + 0.2, 0) * (s - 0.2))[~same].sum()
        wanted.append(np.log1p(p * n))
    assert_close(found, wanted)


def test_extreme_logits_stay_finite(training_engine):
    y_true = np.array([[1.0, 0.0]], "float32")
    logits = np.array([[-200.0, 200.0]], "float32")
    losses = (
        keras.losses.BinaryCrossentropy(from_logits=True),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        keras.losses.BinaryFocalCrossentropy(from_logits=True),
        keras.losses.LogCosh(),
    )

    def compute(logits):
        return [
            training_engine.value_and_grad(lambda v, f=loss: f(y_true, v[0]))([logits])
            for loss in losses
        ]

    logits = training_engine.convert(logits)
    for value, (gradient,) in program(training_engine, compute)(logits):
        assert float(value) > 10 and np.isfinite(host(gradient)).all()


ERRORS = [
    (
        lambda: keras.losses.get("mean_squared_eror"),
        "Did you mean 'mean_squared_error'",
    ),
    (lambda: keras.losses.get(5), "Could not interpret the loss 5"),
    (lambda: Plain(reduction="avg"), "Invalid value for argument `reduction` of Plain"),
    (
        lambda: keras.losses.CategoricalCrossentropy()([0, 1], np.ones((2, 3))),
        "use sparse_categorical_crossentropy",
    ),
    (
        lambda: keras.losses.SparseCategoricalCrossentropy()(
            np.eye(3)[:2], np.ones((2, 3))
        ),
        "use categorical_crossentropy",
    ),
    (
        lambda: keras.losses.BinaryCrossentropy()(np.ones(2), np.ones((2, 3))),
        r"y_true.shape=\(2,\), y_pred.shape=\(2, 3\)",
    ),
    (lambda: keras.losses.CTC()(np.ones(2), np.ones((2, 3, 4))), "max_length"),
    (lambda: keras.losses.CategoricalGeneralizedCrossEntropy(q=1.5), "> 0 and < 1"),
]


@pytest.mark.parametrize(("act", "message"), ERRORS)
def test_errors(act, message):
    with pytest.raises(ValueError, match=message):
        act()


def test_aliases():
    for alias, name in {"mse": "mean_squared_error", "KLD": "kl_divergence"}.items():
        assert keras.losses.get(alias) is getattr(keras.losses, name)
    assert keras.losses.get(None) is None


def test_dtype_follows_floatx_at_construction():
    assert Plain().dtype == "float32" and "dtype" not in Plain().get_config()
    assert Plain(dtype="float16").get_config()["dtype"] == "float16"
    with pytest.raises(AttributeError):
        Plain().dtype = "float16"


def test_a_foreign_loss_is_not_known_to_accept_padding():
    assert not Plain().accepts_padding
    assert not keras.losses.CosineSimilarity(axis=0).accepts_padding
    assert not keras.losses.Dice(axis=(0,)).accepts_padding


def test_losses_of_each_engine_are_of_that_engine(engine):
    assert backends.of(keras.losses.MeanSquaredError()([1.0], [2.0])) in (engine, None)
