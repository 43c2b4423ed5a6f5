"""Every metric, against its formula and the laws that all of them obey."""

import functools
import pickle

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.lazy import names_of
from tests.compilation import program
from tests.engine_exceptions import cannot
from tests.metrics.table import ROWS

rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
# Sum and Mean measure values, not predictions: they have tests of their own.
OTHER = {"Metric", "Sum", "Mean", "MeanMetricWrapper"}


def data_of(row, seed=0):
    y_true, y_pred = row.data(np.random.default_rng(seed))
    return tuple(
        x.astype("int32" if x.dtype.kind == "i" else "float32")
        for x in (y_true, y_pred)
    )


def weights_of(y_true, seed=1):
    return np.random.default_rng(seed).uniform(0.2, 2, len(y_true)).astype("float32")


def make(row, **more):
    return getattr(keras.metrics, row.name)(**{**row.arguments, **more})


def expected(row, y_true, y_pred, w=None):
    y_true, y_pred = (
        x if x.dtype.kind == "i" else x.astype("float64") for x in (y_true, y_pred)
    )
    w = np.ones(len(y_true)) if w is None else w.astype("float64")
    return row.formula(y_true, y_pred, w)


def host(x):
    return keras.ops.convert_to_numpy(x).astype("float64")


def assert_close(found, wanted, rtol=3e-5, atol=3e-6):
    found = host(found)
    assert found.shape == np.shape(wanted)
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=atol)


def test_every_metric_has_a_row():
    public = {n for n in names_of(keras.metrics.__name__) if n[0].isupper()}
    assert {row.name for row in ROWS} == public - OTHER


@functools.cache
def course(row, engine):
    """What the laws of numbers measure; results come with the state behind them."""
    y_true, y_pred = batch = data_of(row)
    padded = [np.concatenate([x, x[:1], x[:1]]) for x in batch]
    mask = np.array([1] * len(y_true) + [0, 0], "int32")

    def measure(*batches, metric=None):
        metric = metric or make(row)
        for one in batches:
            assert metric.update_state(*one) is None
        assert {v.dtype for v in metric.variables} <= {metric.dtype, "float32"}
        return metric.result(), state_of(metric)

    def in_parts(*weighed):
        metric = make(row)
        metric.update_state(*(x[:3] for x in weighed))
        return metric(*(x[3:] for x in weighed))

    def after_reset(y_true, y_pred, padded):
        metric = make(row)
        metric.update_state(y_pred=y_pred[:2], y_true=y_true[:2])
        metric.reset_state()
        return state_of(metric), measure(padded, metric=metric)

    def without_state(y_true, y_pred):
        metric = make(row)
        metric.build(y_true.shape, y_pred.shape)
        zeros = state = metric.stateless_reset_state()
        step = engine.jit(metric.stateless_update_state)
        half = len(y_true) // 2
        for part in (slice(0, half), slice(half, None)):
            state = step(state, y_true[part], y_pred[part])
        return metric.stateless_result(state), state, [*zeros, *state_of(metric)]

    def compute(batch, w, padded, mask):
        return {
            "empty": make(row).result(),
            "whole": measure(batch),
            "in parts": in_parts(*batch, w),
            "after reset": after_reset(*batch, (*padded, mask)),
            "without state": without_state(*batch),
        }

    return program(engine, compute)(batch, weights_of(y_true), padded, mask)


def at_once(engine, metric, *batch):
    """Return `metric(*batch)`; on JAX, the metric is of no use afterwards."""
    return program(engine, lambda *batch: metric(*batch))(*batch)


def state_of(metric):
    return [keras.ops.copy(v.value) for v in metric.variables]


def assert_all_zero(values):
    assert values and all((host(v) == 0).all() for v in values)


@rows
def test_values(row, engine):
    assert_close(course(row, engine)["whole"][0], expected(row, *data_of(row)))


@rows
def test_batches_add_up_with_weights(row, engine):
    y_true, y_pred = data_of(row)
    wanted = expected(row, y_true, y_pred, weights_of(y_true))
    assert_close(course(row, engine)["in parts"], wanted)


@rows
def test_weights_of_zero_leave_rows_out(row, engine):
    """What padding a batch needs."""
    assert make(row).accepts_padding
    found = course(row, engine)
    (whole, state), (padded, padded_state) = found["whole"], found["after reset"][1]
    assert_close(padded, host(whole))
    for a, b in zip(padded_state, state, strict=True):
        assert_close(a, host(b))


@rows
def test_reset(row, engine):
    zeros, (result, _) = course(row, engine)["after reset"]
    assert_all_zero(zeros)
    assert_close(result, expected(row, *data_of(row)))


@rows
def test_stateless_methods_leave_the_state(row, engine):
    result, state, zeros = course(row, engine)["without state"]
    assert_all_zero(zeros)
    y_true, y_pred = data_of(row)
    assert_close(result, expected(row, y_true, y_pred))
    metric = make(row)
    metric.build(y_true.shape, y_pred.shape)
    with pytest.raises(ValueError, match="metric_variables"):
        metric.stateless_result(state[:-1])


@rows
def test_state_of_64_bits(row, engine):
    if cannot(engine, "64 bits"):
        return
    metric = make(row, dtype="float64")
    y_true, y_pred = data_of(row)
    metric.update_state(y_true, y_pred)
    assert {v.dtype for v in metric.variables} == {"float64"}
    assert_close(metric.result(), expected(row, y_true, y_pred))


@rows
def test_before_the_first_batch_it_is_zero(row, engine):
    assert_all_zero([course(row, engine)["empty"]])


@rows
def test_config_makes_an_equal_metric(row, python_only):
    y_true, y_pred = data_of(row)
    metric = make(row, name="mine")
    config = metric.get_config()
    assert config["name"] == "mine" and config["dtype"] == metric.dtype
    assert all(config[k] == v for k, v in row.arguments.items())
    copy = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert type(copy) is type(metric) and copy.get_config() == config
    assert_close(copy(y_true, y_pred), host(metric(y_true, y_pred)))
    copy = pickle.loads(pickle.dumps(metric))
    assert_close(copy.result(), host(metric.result()))


def test_names():
    assert keras.metrics.AUC().name == "auc"
    assert keras.metrics.AUC().name == "auc_1"
    assert [v.path for v in keras.metrics.Mean(name="a/b").variables] == [
        "a>b/total",
        "a>b/count",
    ]


@pytest.mark.parametrize(
    ("values", "weights", "mean", "total"),
    [
        ([1.0, 3.0, 5.0, 7.0], None, 4.0, 16.0),
        ([1.0, 3.0, 5.0, 7.0], [1, 1, 0, 0], 2.0, 4.0),
        ([1.0, 3.0, 5.0, 7.0], 2.0, 4.0, 32.0),
        ([[1.0, 3.0], [5.0, 7.0]], [[1, 1], [1, 0]], 3.0, 9.0),
        ([[1.0, 3.0], [5.0, 7.0]], [[1, 0]], 3.0, 6.0),
        ([[1.0, 3.0], [5.0, 7.0]], [3, 1], 3.0, 24.0),
        (5.0, None, 5.0, 5.0),
    ],
)
def test_mean_and_sum(values, weights, mean, total, engine):
    metric = keras.metrics.Mean()
    metric.update_state(values, weights)
    assert float(metric.result()) == pytest.approx(mean)
    metric = keras.metrics.Sum()
    metric.update_state(values, weights)
    assert float(metric.result()) == pytest.approx(total)


def test_mean_of_a_function(engine):
    def miss(y_true, y_pred, scale=1.0):
        return scale * keras.ops.abs(y_true - y_pred)

    metric = keras.metrics.MeanMetricWrapper(miss, name="miss", scale=2.0)
    metric.update_state([1.0, 2.0], [1.0, 4.0], sample_weight=[1.0, 3.0])
    assert float(metric.result()) == pytest.approx(3.0)
    assert not metric.accepts_padding
    config = keras.metrics.MeanMetricWrapper(keras.losses.huber, delta=2.0).get_config()
    copy = keras.metrics.MeanMetricWrapper.from_config(config)
    copy.update_state([0.0], [4.0])
    assert float(copy.result()) == pytest.approx(6.0)


@pytest.mark.parametrize("name", ["MeanSquaredError", "RootMeanSquaredError"])
def test_the_mask_of_the_predictions_is_a_weight(name, engine):
    y_pred = keras.ops.convert_to_tensor(np.array([[1.0], [3.0], [5.0]], "float32"))
    if cannot(engine, "masks on arrays"):
        return
    y_pred._keras_mask = keras.ops.convert_to_tensor(np.array([True, False, True]))
    power = 2 if name[0] == "R" else 1
    metric = getattr(keras.metrics, name)()
    metric.update_state(np.zeros((3, 1)), y_pred)
    assert float(metric.result()) ** power == pytest.approx(13.0)
    metric.reset_state()
    metric.update_state(np.zeros((3, 1)), y_pred, sample_weight=[3.0, 5.0, 1.0])
    assert float(metric.result()) ** power == pytest.approx(7.0)


def test_ignored_class_does_not_count(engine):
    metric = keras.metrics.SparseCategoricalCrossentropy(ignore_class=0)
    y_pred = np.array([[0.8, 0.1, 0.1], [0.05, 0.95, 0], [0.1, 0.8, 0.1]])
    metric.update_state([0, 1, 2], y_pred)
    wanted = -(np.log(0.95) + np.log(0.1)) / 2
    assert float(metric.result()) == pytest.approx(wanted, rel=1e-4)
    metric.reset_state()
    metric.update_state([0, 1, 2], y_pred, sample_weight=[0.5, 1.5, 2.0])
    wanted = -(1.5 * np.log(0.95) + 2 * np.log(0.1)) / 3.5
    assert float(metric.result()) == pytest.approx(wanted, rel=1e-4)


def test_top_k_with_ties_and_nan(engine):
    found = keras.metrics.sparse_top_k_categorical_accuracy(
        [0, 1, 2], np.array([[0.2, 0.2, 0.2]] * 3), k=1
    )
    assert host(found).tolist() == [1, 1, 1]
    y_pred = np.array([[0.2, np.nan, 0.2]] * 3)
    found = keras.metrics.sparse_top_k_categorical_accuracy([0, 1, 2], y_pred, k=1)
    assert host(found).tolist() == [1, 0, 1]
    found = keras.metrics.sparse_top_k_categorical_accuracy(
        [2, 1], np.array([[1, 0, 3], [1, 2, 3]]), k=1, from_sorted_ids=True
    )
    assert host(found).tolist() == [0, 1]


def test_exact_thresholds(engine):
    """A prediction that equals a threshold is not above it, however it is counted."""
    steps = np.linspace(0, 1, 11).astype("float32")
    labels = np.ones(11)
    even = keras.metrics.SensitivityAtSpecificity(0.5, num_thresholds=11)
    even.update_state(labels, steps)
    listed = keras.metrics.TruePositives(thresholds=[0.0, *steps[1:-1].tolist()])
    listed.update_state(labels, steps)
    assert even.true_positives.numpy().tolist() == list(range(10, -1, -1))
    assert listed.accumulator.numpy().tolist() == list(range(10, 0, -1))


def test_predictions_out_of_range_and_nan_do_not_break_counts(engine):
    metric = keras.metrics.AUC(num_thresholds=3)
    metric.update_state([0, 1, 1, 0], [-0.2, 0.5, 1.9, 0.7])
    assert metric.true_positives.numpy().tolist() == [2, 1, 0]
    assert metric.false_negatives.numpy().tolist() == [0, 1, 2]
    with np.errstate(invalid="ignore"):
        metric.update_state([1.0], [np.nan])


def test_interpolated_area_under_precision_recall(engine):
    metric = keras.metrics.AUC(num_thresholds=3, curve="PR")
    found = metric([0, 0, 1, 1], [0, 0.5, 0.3, 0.9], [1, 2, 3, 4])
    # tp = [7, 4, 0], predicted = [10, 4, 0]: slopes 1/2 and 1, intercepts 2 and 0.
    wanted = (0.5 * (3 + 2 * np.log(10 / 4)) + 4) / 7
    assert float(found) == pytest.approx(wanted, rel=1e-5)


def test_gain_curve(engine):
    y = np.array([0, 0, 0, 1, 0, 1, 0, 1, 1, 1])
    p = np.array([0.1, 0.2, 0.3, 0.3, 0.4, 0.4, 0.6, 0.6, 0.8, 0.9])
    # Gains at 0, 1/2, 1: recall 1, 1/3, 0; precision 0, 2/3, 1.
    wanted = 2 / 3 * (0 + 2 / 3) / 2 + 1 / 3 * (2 / 3 + 1) / 2
    metric = keras.metrics.AUC(num_thresholds=3, curve="PRGAIN")
    assert float(at_once(engine, metric, y, p)) == pytest.approx(wanted, rel=1e-5)


def test_weights_of_labels(engine):
    y = np.array([[0, 0], [0, 0], [1, 1], [1, 1]])
    p = np.array([[0, 0.5, 0.3, 0.9], [0.1, 0.2, 0.3, 0.4]]).T
    metric = keras.metrics.AUC(
        num_thresholds=5, multi_label=True, label_weights=[0.75, 0.25]
    )
    wanted = 0.875 * 0.75 + 0.25
    assert float(at_once(engine, metric, y, p)) == pytest.approx(wanted, rel=1e-5)


def test_confusion_matrix_leaves_out_what_is_no_class(engine):
    metric = keras.metrics.MeanIoU(num_classes=2, ignore_class=255)
    metric.update_state([0, 3, -1, 0, 255, 1], [0, 1, 0, 2, 1, 1])
    assert metric.total_cm.numpy().tolist() == [[1, 0], [0, 1]]
    assert float(metric.result()) == 1.0


def test_integer_matrix_counts_exactly_and_keeps_fractions(engine):
    metric = keras.metrics.MeanIoU(num_classes=2)
    metric.total_cm.assign([[2**25, 0], [0, 1]])
    metric.update_state([0], [0])
    assert metric.total_cm.numpy().tolist() == [[2**25 + 1, 0], [0, 1]]
    metric.reset_state()
    for _ in range(4):
        weights = np.array([0.3, 0.3, 0.3, 0.1], "float32")
        metric.update_state([0, 0, 1, 1], [0, 1, 0, 1], sample_weight=weights)
    assert float(metric.result()) == pytest.approx((0.3 / 0.9 + 0.1 / 0.7) / 2)


@rows
@pytest.mark.parametrize("engine", ["numpy"])
def test_an_integer_dtype_cuts_no_weights(row, engine):
    with keras.config.backend_scope(engine):
        y_true, y_pred = data_of(row)
        weights = weights_of(y_true)
        metric = make(row, dtype="int32")
        assert metric.get_config()["dtype"] == "int32"
        metric.update_state(y_true, y_pred, sample_weight=weights)
        assert_close(metric.result(), expected(row, y_true, y_pred, weights))


def test_sum_of_integers_takes_no_fractional_weights(engine):
    metric = keras.metrics.Sum(dtype="int32")
    metric.update_state([1, 2], sample_weight=[2, 3])
    with pytest.raises(ValueError, match="dtype='float32'"):
        metric.update_state([1, 2], sample_weight=np.array([0.5, 1.5]))
    assert int(metric.result()) == 8


def test_r2_of_targets_far_from_zero(engine):
    generator = np.random.default_rng(0)
    y = 2000.0 + generator.normal(size=(64, 1))
    p = y + 0.5 * generator.normal(size=(64, 1))
    y, p = y.astype("float32"), p.astype("float32")
    metric = keras.metrics.R2Score()
    for part in np.split(np.arange(64), 8):
        metric.update_state(y[part], p[part])
    y, p = y.astype("float64"), p.astype("float64")
    wanted = 1 - ((y - p) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert float(metric.result()) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(("offset", "score"), [(0.0, 1.0), (1.0, 0.0)])
def test_r2_of_constant_targets(offset, score, engine):
    metric = keras.metrics.R2Score()
    metric.update_state(np.ones((3, 1)), np.ones((3, 1)) + offset)
    assert float(metric.result()) == score


def test_variables_in_containers_count():
    class Many(keras.metrics.Metric):
        def __init__(self):
            super().__init__()
            self.plain = self.add_weight(name="plain")
            self.listed = [keras.Variable(0.0), {"a": keras.Variable(1.0)}]
            self.inner = keras.metrics.Mean()
            self.again = self.plain

    assert len(Many().variables) == 5


ERRORS = [
    (ValueError, lambda m: m.get("acuracy"), "Did you mean 'accuracy'"),
    (ValueError, lambda m: m.Precision(thresholds=[1.5]), ">= 0 and <= 1.*1.5"),
    (ValueError, lambda m: m.Precision(class_id=1)([0, 1], [0.0, 1.0]), "2D array"),
    (ValueError, lambda m: m.AUC(num_thresholds=1), "integer >= 2"),
    (ValueError, lambda m: m.AUC(curve="RCO"), 'curve value: "RCO".*PRGAIN'),
    (ValueError, lambda m: m.RecallAtPrecision(2), "`precision` of .*>= 0 and <= 1"),
    (ValueError, lambda m: m.F1Score(average="mean"), "'macro'"),
    (ValueError, lambda m: m.FBetaScore(beta=1), "Python float"),
    (ValueError, lambda m: m.F1Score()([0.0, 1.0], [0.0, 1.0]), "2D inputs"),
    (ValueError, lambda m: m.R2Score(num_regressors=-1), "num_regressors"),
    (ValueError, lambda m: m.IoU(2, [5]), "class id 5 is out of range"),
    (ValueError, lambda m: m.BinaryAccuracy(threshold=2), "> 0 and < 1"),
    (
        ValueError,
        lambda m: m.CategoricalAccuracy()([0, 1], np.ones((2, 3))),
        "sparse_categorical_accuracy",
    ),
    (
        ValueError,
        lambda m: m.SparseCategoricalAccuracy()(np.eye(3), np.eye(3)),
        "one class index",
    ),
    (ValueError, lambda m: m.Recall()([0, 1], np.ones((2, 3))), "one_hot"),
    (NotImplementedError, lambda m: m.Metric().result(), "must write `result`"),
]


@pytest.mark.parametrize(("kind", "act", "message"), ERRORS)
def test_errors(kind, act, message):
    with pytest.raises(kind, match=message):
        act(keras.metrics)


def test_a_metric_without_super_init_says_so():
    class Lost(keras.metrics.Metric):
        def __init__(self):
            self.k = 3

    with pytest.raises(RuntimeError, match=r"super\(\).__init__\(\)"):
        Lost()(1, 2)
