"""CompileLoss and CompileMetrics: which loss and metric belongs to which output."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core import scopes, tree
from hornbeam.training.compiling.containers import CompileLoss, CompileMetrics
from hornbeam.training.compiling.resolve import class_for_targets

ZERO, ONE = np.zeros((4, 2), "float32"), np.ones((4, 2), "float32")
THREE = 3 * ONE
MSE_3, MAE_3 = 9.0, 3.0


def loss_of(loss, y_true, y_pred, names=None, weights=None, sample_weight=None):
    container = CompileLoss(loss, loss_weights=weights, output_names=names)
    return float(container(y_true, y_pred, sample_weight))


NEST_TRUE = {"a": {"c": ZERO, "d": ZERO}, "b": ZERO}
NEST_PRED = {"a": {"c": THREE, "d": THREE}, "b": THREE}


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "names", "wanted"),
    [
        ("mse", ZERO, THREE, None, 9),
        (["mse"], ZERO, THREE, ["x"], 9),
        ({"x": "mse"}, ZERO, THREE, ["x"], 9),
        ("mse", [ZERO, ZERO], [THREE, ONE], None, 10),
        (["mse", "mae"], [ZERO, ZERO], [THREE, THREE], None, 12),
        (["mse", None], [ZERO, ZERO], [THREE, THREE], None, 9),
        ([None, "mae"], ZERO, [THREE, THREE], None, 3),
        ({"b": "mae", "a": "mse"}, [ZERO, ZERO], [THREE, ONE], ["a", "b"], 10),
        ({"b": "mae"}, [ZERO, ZERO], [THREE, ONE], ["a", "b"], 1),
        ({"b": "mae"}, {"b": ZERO}, [THREE, ONE], ["a", "b"], 1),
        # Names of operations that differ from the keys of the outputs.
        ({"b": "mae"}, {"a": ZERO, "b": ZERO}, {"a": THREE, "b": ONE}, ["p", "q"], 1),
        # A list is in the order of the names, also for outputs in a dict.
        (
            ["mse", "mae"],
            {"a": ZERO, "b": ZERO},
            {"a": ONE, "b": THREE},
            ["b", "a"],
            10,
        ),
        ({"a": {"c": "mse", "d": "mae"}}, NEST_TRUE, NEST_PRED, ["c", "d", "b"], 12),
        ({"a": {"c": "mse"}, "b": "mae"}, NEST_TRUE, NEST_PRED, None, 12),
        ({"a": {"c": "mse"}, "b": "mae"}, NEST_TRUE, NEST_PRED, ["c", "d", "b"], 12),
        ({"a": "mse"}, NEST_TRUE, NEST_PRED, None, 18),
        ({"a": ["mse", "mae"]}, {"a": (ZERO, ZERO)}, {"a": (THREE, ONE)}, None, 10),
        ("mse", ([{"a": ZERO}, ZERO],), [({"a": THREE}, ONE)], None, 10),
    ],
)
def test_losses_find_their_outputs(loss, y_true, y_pred, names, wanted, engine):
    assert loss_of(loss, y_true, y_pred, names) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("weights", "wanted"),
    [
        (None, 12),
        ([2.0, 0.5], 19.5),
        ({"b": 0.5}, 10.5),
        (2.0, 24),
        ({"a": np.float32(0), "b": 1}, 3),
    ],
)
def test_loss_weights(weights, wanted, engine):
    found = loss_of(["mse", "mae"], [ZERO, ZERO], [THREE, THREE], ["a", "b"], weights)
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize(
    "sample_weight",
    [
        np.array([1.0, 1.0, 0.0, 0.0]),
        [np.array([1.0, 1.0, 0.0, 0.0])] * 2,
        {"a": np.array([1.0, 1.0, 0.0, 0.0]), "b": np.array([0.5] * 4)},
    ],
)
def test_sample_weights_for_all_or_each(sample_weight, engine):
    found = loss_of(
        ["mse", "mae"], [ZERO, ZERO], [THREE, THREE], ["a", "b"], None, sample_weight
    )
    assert found == pytest.approx(6.0)


def test_weights_of_one_output(engine):
    for sample_weight in ([None, np.zeros(4)], {"b": np.zeros(4)}):
        found = loss_of(
            "mse", [ZERO, ZERO], [THREE, THREE], ["a", "b"], None, sample_weight
        )
        assert found == pytest.approx(9.0)


def test_means_of_several_losses_are_reported(engine):
    container = CompileLoss(
        ["mse", "mae"], loss_weights=[2, 2], output_names=["a", "b"]
    )
    container([ZERO, ZERO], [THREE, THREE])
    container([ZERO[:1], ZERO[:1]], [ZERO[:1], ZERO[:1]])
    found = {m.name: float(m.result()) for m in container.metrics}
    assert found == pytest.approx({"a_loss": 9 * 4 / 5, "b_loss": 3 * 4 / 5})
    assert len(container.variables) == 4
    for loss in ("mse", ["mse"]):
        container = CompileLoss(loss, output_names=["a"])
        container(ZERO, THREE)
        assert container.metrics == []
    container = CompileLoss(["mse", None], output_names=["a", "b"])
    container([ZERO, ZERO], [THREE, THREE])
    assert container.metrics == []


def test_padded_rows_do_not_count(engine):
    mask = keras.ops.convert_to_tensor(np.array([1.0, 1.0, 0.0, 0.0], "float32"))
    y_pred = np.array([[3.0, 3.0], [3.0, 3.0], [9.0, 9.0], [9.0, 9.0]], "float32")
    container = CompileLoss(["mse", "mae"])
    metrics = CompileMetrics([["mae"], None], [["mae"], None])
    with scopes.batch_mask_scope(mask):
        assert float(container([ZERO, ZERO], [y_pred, y_pred])) == pytest.approx(12)
        w = np.array([3.0, 1.0, 1.0, 1.0], "float32")
        metrics.update_state([ZERO, ZERO], [y_pred, y_pred], sample_weight=w)
    assert [float(m.count.numpy()) for m in container.metrics] == [2.0, 2.0]
    plain, weighted = metrics.metrics
    assert (float(plain.count), float(weighted.count)) == (2.0, 4.0)
    assert float(plain.result()) == float(weighted.result()) == 3.0


@pytest.mark.parametrize(
    ("kind", "loss", "names", "weights", "message"),
    [
        (ValueError, "mes", None, None, "Did you mean 'mse'"),
        (ValueError, 5, None, None, "Could not interpret the loss 5"),
        (
            ValueError,
            ["mse"],
            ["a", "b"],
            None,
            "list of 1, but the model has 2 outputs",
        ),
        (ValueError, {"a": "mse", "bb": "mse"}, ["a", "b"], None, "Did you mean 'b'"),
        (
            KeyError,
            {"x": "mse"},
            ["a", "b"],
            None,
            "names no output of the model",
        ),
        (ValueError, "mse", ["a", "b"], [1.0], "must match the number of losses"),
        (ValueError, "mse", ["a", "b"], {"a": 1, "c": 2}, "`loss_weights` has.*'c'"),
    ],
)
def test_wrong_losses(kind, loss, names, weights, message):
    with pytest.raises(kind, match=message):
        loss_of(loss, [ZERO, ZERO], [THREE, THREE], names, weights)


@pytest.mark.parametrize("loss", [["mse"], ("mse",), [keras.losses.MeanSquaredError()]])
def test_a_list_for_a_dict_of_outputs_has_one_loss_each(loss):
    targets, outputs = {"a": ZERO, "b": ZERO}, {"a": THREE, "b": THREE}
    with pytest.raises(ValueError, match="list of 1, but the model has 2 outputs"):
        loss_of(loss, targets, outputs, ["a", "b"])


def test_a_path_that_the_outputs_do_not_have():
    loss = {"a": {"c": "mse"}, "b": {"d": "mae"}}
    with pytest.raises(KeyError, match="'d' at .*'b',.* is one tensor"):
        loss_of(loss, NEST_TRUE, NEST_PRED, ["c", "d", "b"])
    with pytest.raises(KeyError, match="Did you mean 'd'"):
        loss_of({"a": {"dd": "mse"}}, NEST_TRUE, {"a": {"d": ZERO}})


def absolute(y_true, y_pred):
    """The sum over all tensors of the mean absolute errors."""
    pairs = zip(tree.flatten(y_true), tree.flatten(y_pred), strict=True)
    return sum(keras.ops.mean(keras.ops.abs(a - b), axis=-1) for a, b in pairs)


NAMES = ["y1", "y2"]
LIST_PRED, TUPLE_PRED = [THREE, ONE], (THREE, ONE)
DICT_PRED = {"a": THREE, "b": ONE}
DEEP_PRED = {"a": (THREE, ONE), "b": {"c": THREE, "d": ONE}}


@pytest.mark.parametrize(
    ("loss", "weights", "y_pred", "names", "wanted", "logs"),
    [
        (
            (absolute, ["mse", "mae"]), None, LIST_PRED, NAMES,
            4 + 9 + 1, {"y1_y2_loss": 4, "y1_loss": 9, "y2_loss": 1},
        ),
        (
            (absolute, ["mse", "mae"]), (2.0, [3.0, 4.0]), LIST_PRED, NAMES,
            8 + 27 + 4, {"y1_y2_loss": 4, "y1_loss": 9, "y2_loss": 1},
        ),
        (
            [absolute, ("mse", "mae")], None, TUPLE_PRED, NAMES,
            4 + 9 + 1, {"y1_y2_loss": 4, "y1_loss": 9, "y2_loss": 1},
        ),
        (
            [absolute, {"a": "mse", "b": "mae"}], [2.0, {"a": 3.0, "b": 4.0}],
            DICT_PRED, NAMES, 8 + 27 + 4, {"a_b_loss": 4, "a_loss": 9, "b_loss": 1},
        ),
        ((absolute,), None, LIST_PRED, NAMES, 4, {}),
        (absolute, None, LIST_PRED, NAMES, 4, {"y1_loss": 3, "y2_loss": 1}),
        (
            {"a": [absolute, (None, "mse")], "b": {"c": "mse"}}, None,
            DEEP_PRED, ["p", "q", "r", "s"],
            4 + 1 + 9, {"a_loss": 4, "a/q_loss": 1, "b/c_loss": 9},
        ),
        (
            "mse", None, DEEP_PRED, ["p", "q", "r", "s"], 20,
            {"a/p_loss": 9, "a/q_loss": 1, "b/c_loss": 9, "b/d_loss": 1},
        ),
        # Several losses of one output count together.
        (
            ["mse", ["mse", "mae"]], [1.0, [10.0, 100.0]], LIST_PRED, NAMES,
            9 + 10 + 100, {"y1_loss": 9, "y2_loss": 2},
        ),
        (["mse", "mae"], None, THREE, ["y"], 12, {"y_loss": 12}),
        # Without names of outputs, those of the losses.
        (["mse", "mae"], None, LIST_PRED, None, 10, {"mse_loss": 9, "mae_loss": 1}),
        (
            ["mse", "mse"], None, LIST_PRED, None, 10,
            {"output_0_loss": 9, "output_1_loss": 1},
        ),
    ],
)  # fmt: skip
def test_losses_of_parts_and_wholes(loss, weights, y_pred, names, wanted, logs, engine):
    container = CompileLoss(loss, loss_weights=weights, output_names=names)
    y_true = tree.map_structure(np.zeros_like, y_pred)
    assert float(container(y_true, y_pred)) == pytest.approx(wanted)
    found = {metric.name: float(metric.result()) for metric in container.metrics}
    assert found == pytest.approx(logs)


def test_a_loss_of_two_outputs_takes_their_common_weights():
    container = CompileLoss((absolute, ["mse", "mae"]), output_names=NAMES)
    weight = np.array([1.0, 0, 0, 0], "float32")
    zeros = [ZERO, ZERO]
    found = float(container(zeros, LIST_PRED, weight))
    assert found == pytest.approx((4 + 9 + 1) / 4)
    with pytest.raises(ValueError, match="'y1_y2' together.*one `sample_weight`"):
        container(zeros, LIST_PRED, [weight, 2 * weight])


def test_a_compute_loss_that_makes_two_outputs_of_one():
    class Twice(keras.Model):
        def compute_loss(self, x, y, y_pred, **kwargs):
            return super().compute_loss(x=x, y=y, y_pred=[y_pred, y_pred], **kwargs)

    inputs = keras.Input((2,))
    model = Twice(inputs, keras.layers.Dense(2, kernel_initializer="ones")(inputs))
    model.compile(keras.optimizers.SGD(0.0), loss=["mse", "mae"])
    history = model.fit(ONE, [ZERO, ZERO], verbose=0).history
    assert {name: value[0] for name, value in history.items()} == pytest.approx(
        {"loss": 6.0, "mse_loss": 4.0, "mae_loss": 2.0}
    )


def test_two_targets_for_one_output():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", loss=["mse", "mae"])
    with pytest.raises(ValueError, match="has 1 outputs.*2 targets"):
        model.fit(ONE, [ZERO, ZERO], verbose=0)


def test_targets_that_are_missing():
    with pytest.raises(ValueError, match="different structures.*2 outputs.*1 targets"):
        loss_of("mse", [ZERO], [THREE, THREE], ["a", "b"])


@pytest.mark.parametrize(
    ("target", "output", "kind"),
    [
        ((4,), (4, 1), "Binary"),
        ((4, 1), (4, 1), "Binary"),
        ((4,), (4,), "Binary"),
        ((4,), (4, 3), "SparseCategorical"),
        ((4, 1), (4, 3), "SparseCategorical"),
        ((4, 5), (4, 5, 3), "SparseCategorical"),
        ((4, 3), (4, 3), "Categorical"),
    ],
)
def test_what_accuracy_and_crossentropy_mean(target, output, kind):
    y_true, y_pred = np.zeros(target), np.zeros(output)
    assert class_for_targets("accuracy", y_true, y_pred) == f"{kind}Accuracy"
    metrics = CompileMetrics(["acc", "ce", "Accuracy"], None)
    metrics.build(y_true, y_pred)
    found = [type(m).__name__ for m in metrics.metrics]
    assert found == [f"{kind}Accuracy", f"{kind}Crossentropy", f"{kind}Accuracy"]
    assert list(metrics.result()) == ["acc", "ce", "Accuracy"]
    loss = CompileLoss("crossentropy")
    loss.build(y_true, y_pred)
    assert type(loss._terms[0].loss).__name__ == f"{kind}Crossentropy"


def names_of(metrics, weighted=None, y_pred=THREE, names=None):
    container = CompileMetrics(metrics, weighted, output_names=names)
    y_true = keras.tree.map_structure(np.zeros_like, y_pred)
    container.update_state(y_true, y_pred)
    return list(container.result())


def quality(y_true, y_pred):
    return keras.ops.mean(y_pred, axis=-1)


class Two(keras.metrics.Mean):
    """A metric with two values."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_pred)

    def result(self):
        return {"low": super().result(), "high": super().result()}


PAIR = [THREE, THREE]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((["mse", "MAE", quality],), ["mse", "MAE", "quality"]),
        (([keras.metrics.MeanSquaredError(name="x")],), ["x"]),
        (([["mse", "mae"]],), ["mse", "mae"]),
        ((("mse",), ["mse"]), ["mse", "weighted_mse"]),
        ((None, ["mse"]), ["mse"]),
        ((["mse", "mse"],), ["mse", "mse_1"]),
        (([lambda y, p: p[:, 0]],), ["lambda"]),
        (([keras.losses.Huber()],), ["huber_loss"]),
        (([Two()],), ["low", "high"]),
        ((["mse", "mae"], None, PAIR, ["a", "b"]), ["a_mse", "b_mae"]),
        (
            ([["mse", "mae"], ["mae"]], [["mse"], None], PAIR, ["a", "b"]),
            ["a_mse", "a_mae", "a_weighted_mse", "b_mae"],
        ),
        (({"b": "mae"}, {"b": ["mae"]}, PAIR, ["a", "b"]), ["b_mae", "b_weighted_mae"]),
        (({"x": ["mse"]}, None, {"x": THREE}, ["dense"]), ["mse"]),
        (
            ({"y": "mse", "x": "mae"}, None, {"x": THREE, "y": THREE}, ["p", "q"]),
            ["x_mae", "y_mse"],
        ),
        (
            ({"a": "mse", "b": "mae"}, None, {"a": THREE, "b": THREE}, ["b", "a"]),
            ["b_mae", "a_mse"],
        ),
        (
            ({"a": "mse", "b": {"c": ["mae"]}}, None, {"a": THREE, "b": {"c": THREE}}),
            ["mse", "mae"],
        ),
        (
            ({"b": [["mse", "mae"], "mae"]}, None, {"a": THREE, "b": PAIR}),
            ["mse", "mae", "mae_1"],
        ),
        (([], None), []),
    ],
)
def test_names_in_the_logs(arguments, wanted):
    assert names_of(*arguments) == wanted


@pytest.mark.parametrize(
    ("kind", "metrics", "names", "message"),
    [
        (ValueError, "mse", None, r"list, tuple, or dict, such as metrics=\['mse'\]"),
        (ValueError, keras.metrics.Mean(), None, "list, tuple, or dict"),
        (ValueError, ["mse"], ["a", "b"], "list of 1, but the model has 2 outputs"),
        (
            ValueError,
            {"a": "mse", "c": "mse"},
            ["a", "b"],
            "'c', which names no output",
        ),
        (KeyError, {"c": "mse"}, ["a", "b"], "names no output"),
        (ValueError, [["mze"], None], ["a", "b"], "Did you mean 'mse'"),
    ],
)
def test_wrong_metrics(kind, metrics, names, message):
    with pytest.raises(kind, match=message):
        names_of(metrics, None, PAIR, names)


def test_none_in_a_list_of_metrics():
    with pytest.raises(ValueError, match="is None"):
        names_of([None, "mse"])


def test_values_weights_and_reset(engine):
    container = CompileMetrics(["mse"], ["mse"])
    assert container.result() == {}
    y_pred = np.array([[3.0], [1.0]], "float32")
    container.update_state(np.zeros((2, 1)), y_pred, sample_weight=np.array([1.0, 3.0]))
    found = {k: float(v) for k, v in container.result().items()}
    assert found == pytest.approx({"mse": 5.0, "weighted_mse": 3.0})
    assert len(container.variables) == 4
    container.reset_state()
    assert all(float(v) == 0 for v in container.result().values())


def test_state_that_depends_on_shapes_is_made_by_build():
    container = CompileMetrics([keras.metrics.F1Score(), keras.metrics.R2Score()], None)
    container.build(keras.KerasTensor((None, 2)), keras.KerasTensor((None, 2)))
    assert len(container.variables) == 9


def test_padding_is_accepted_by_our_own_only():
    def accepts(loss, metrics):
        containers = CompileLoss(loss), CompileMetrics(metrics, None)
        for container in containers:
            container.build(ZERO, THREE)
        return tuple(container.accepts_padding for container in containers)

    assert accepts("mse", ["mae"]) == (True, True)
    assert accepts(quality, [quality]) == (False, False)
    along = keras.metrics.CosineSimilarity(axis=0)
    assert accepts(keras.losses.CosineSimilarity(axis=0), [along]) == (False, False)
