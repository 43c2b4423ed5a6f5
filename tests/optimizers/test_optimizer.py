"""What all optimizers share: the rate, gradients, state, errors, the wrappers."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.core import scopes

O = keras.optimizers  # noqa: E741


def variable(values=(1.0, 2.0), **arguments):
    return keras.Variable(np.asarray(values, "float32"), **arguments)


def ones(*shape):
    return keras.ops.ones(shape or (2,))


def test_rate_is_a_variable_that_can_be_set(engine):
    optimizer, w = O.SGD(0.5), variable()
    optimizer.apply([ones()], [w])
    optimizer.learning_rate = 0.25
    optimizer.apply([ones()], [w])
    np.testing.assert_allclose(w.numpy(), [0.25, 1.25])
    assert optimizer.get_config()["learning_rate"] == 0.25


def test_rate_from_a_function(engine):
    rates = [0.5, 0.25]
    optimizer, w = O.SGD(lambda: rates[0]), variable()
    optimizer.apply([ones()], [w])
    del rates[0]
    optimizer.apply([ones()], [w])
    np.testing.assert_allclose(w.numpy(), [0.25, 1.25])
    with pytest.raises(TypeError, match="cannot be set to a number"):
        optimizer.learning_rate = 0.1


def test_schedule_takes_the_place_of_a_rate(engine):
    optimizer = O.Adam(0.5)
    optimizer.learning_rate = O.schedules.ExponentialDecay(0.25, 10, 0.5)
    assert [v.name for v in optimizer.variables] == ["iteration"]
    assert float(optimizer.learning_rate) == 0.25


def test_names_count_up():
    keras.utils.clear_session()
    names = [cls().name for cls in (O.Adam, O.Adam, O.AdamW, O.RMSprop, O.SGD)]
    assert names == ["adam", "adam_1", "adam_w", "rm_sprop", "sgd"]
    optimizer = O.Adam(name="mine")
    w = variable(name="kernel")
    optimizer.build([w])
    paths = [v.path for v in optimizer.variables]
    assert paths[:2] == ["mine/iteration", "mine/learning_rate"]
    assert paths[2:] == ["mine/kernel_momentum", "mine/kernel_velocity"]
    assert not any(v.trainable for v in optimizer.variables)


def test_own_variables_of_a_subclass_are_state(engine):
    class Mine(keras.Optimizer):
        def __init__(self, learning_rate=0.5, **kwargs):
            super().__init__(learning_rate, **kwargs)
            self.count = keras.Variable(0.0, name="count")

        def build(self, variables):
            if self.built:
                return
            super().build(variables)
            self.slots = [
                self.add_variable_from_reference(v, "slot") for v in variables
            ]

        def update_step(self, gradient, variable, learning_rate):
            slot = self.slots[self._get_variable_index(variable)]
            slot.assign_add(gradient)
            self.count.assign_add(1.0)
            self.assign_sub(variable, learning_rate * slot)

    optimizer, w = Mine(), variable(name="w")
    optimizer.apply_gradients([(ones(), w)])
    names = [v.name for v in optimizer.variables]
    assert names == ["iteration", "learning_rate", "count", "w_slot"]
    np.testing.assert_allclose(w.numpy(), [0.5, 1.5])
    assert Mine.from_config(optimizer.get_config()).get_config()["name"] == "mine"


def test_missing_gradients_are_told_and_left_out(engine):
    optimizer, (a, b) = O.SGD(1.0), (variable(name="a"), variable(name="b"))
    with pytest.warns(UserWarning, match=r"do not exist for variables \['a'\]"):
        optimizer.apply([None, ones()], [a, b])
    np.testing.assert_allclose(a.numpy(), [1.0, 2.0])
    np.testing.assert_allclose(b.numpy(), [0.0, 1.0])
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        optimizer.apply([None, None], [a, b])


def test_gradients_take_the_dtype_of_the_variable(engine):
    for dtype in ("float16", "bfloat16", "float32"):
        w = keras.Variable(np.ones(2), dtype=dtype)
        for optimizer in (O.SGD(0.5), O.Adam(0.5), O.Adafactor(0.5, clipnorm=1.0)):
            optimizer.apply([np.ones(2, "float64")], [w])
            assert w.dtype == dtype
            assert keras.backend.standardize_dtype(w.value.dtype) == dtype


def test_constraint_holds_after_the_update(engine):
    w = variable([-1.0, 2.0])
    w.constraint = lambda x: keras.ops.maximum(x, 0.0)
    O.SGD(0.5).apply([ones()], [w])
    np.testing.assert_allclose(w.numpy(), [0.0, 1.5])


def test_variable_that_its_gradient_replaces(engine):
    replaced, w = variable(), variable()
    replaced.overwrite_with_gradient = True
    optimizer = O.SGD(1.0, loss_scale_factor=4.0, weight_decay=0.5)
    optimizer.apply([ones() * 4.0, ones() * 4.0], [replaced, w])
    np.testing.assert_allclose(replaced.numpy(), [4.0, 4.0])
    np.testing.assert_allclose(w.numpy(), [-0.5, 0.0])


def test_average_replaces_the_variables_every_n_updates(engine):
    w = variable([[3.0, 4.0], [5.0, 6.0]])
    optimizer = O.SGD(1.0, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=3)
    for wanted in (2.0, 1.0, 0.9 * 1.9):
        optimizer.apply([ones(2, 2)], [w])
        assert float(w.numpy()[0, 0]) == pytest.approx(wanted)


def test_slots_are_made_on_the_engine_of_the_variables():
    with backends.scope("numpy"):
        optimizer = O.SGD(0.5, momentum=0.5)
    with backends.scope("torch"):
        w = variable()
        optimizer.apply([ones()], [w])
        assert {v.backend.name for v in optimizer.variables} == {"torch"}
        np.testing.assert_allclose(w.numpy(), [0.5, 1.5])


@pytest.mark.parametrize(
    "error, call, message",
    [
        (ValueError, lambda: O.SGD(foo=1), r"not recognized by SGD: \{'foo': 1\}"),
        (
            ValueError,
            lambda: O.SGD("fast"),
            "Expected a finite number",
        ),
        (
            ValueError,
            lambda: O.SGD(momentum=2.0),
            "`momentum` of SGD",
        ),
        (ValueError, lambda: O.SGD(clipnorm=1, clipvalue=1), "Only one of `clipnorm`"),
        (ValueError, lambda: O.SGD(use_ema=True, ema_momentum=2), "`ema_momentum`"),
        (
            ValueError,
            lambda: O.SGD(gradient_accumulation_steps=1),
            "`gradient_accumulation_steps` of SGD.*an integer >= 2",
        ),
        (ValueError, lambda: O.AdamW(weight_decay=None), "use `Adam` to train"),
        (ValueError, lambda: O.Lion(beta_1=0), "`beta_1` of Lion"),
        (ValueError, lambda: O.ScheduleFreeAdamW(beta_1=0), "`beta_1` of Schedule"),
        (
            ValueError,
            lambda: O.Ftrl(learning_rate_power=0.1),
            "`learning_rate_power` of Ftrl. Expected a number <= 0",
        ),
        (ValueError, lambda: O.SGD().apply([ones()]), "is not built"),
        (ValueError, lambda: O.SGD().apply([ones()], [variable()] * 2), "one gradient"),
        (ValueError, lambda: O.SGD().set_weights([1]), "You are calling `set_weights"),
        (ValueError, lambda: O.SGD().stateless_apply([], [], []), "must be built"),
        (
            NotImplementedError,
            lambda: O.Optimizer(0.1).update_step(1, 2, 3),
            "must def",
        ),
        (ValueError, lambda: O.get("adamm"), "Did you mean 'adam'"),
        (ValueError, lambda: O.get(3), "Could not interpret"),
        (ImportError, lambda: O.legacy.Adam(), "is not supported"),
        (TypeError, lambda: O.LossScaleOptimizer("sgd"), "`inner_optimizer` of Loss"),
        (TypeError, lambda: O.MultiOptimizer(3), "`optimizer_map` of Multi"),
        (TypeError, lambda: O.OptimizerMap(3), "must be a Keras Optimizer instance"),
        (ValueError, lambda: O.OptimizerMap(O.SGD(), {"a": 3}), r"optimizer_map\['a'"),
    ],
)
def test_errors_name_what_is_wrong(error, call, message):
    with pytest.raises(error, match=message):
        call()


def test_sparse_gradients_are_made_dense():
    from jax.experimental import sparse

    with backends.scope("jax"):
        w = variable([[1.0, 2.0], [3.0, 4.0]])
        gradient = sparse.BCOO.fromdense(np.array([[0.0, 0.0], [2.0, 4.0]], "float32"))
        O.SGD(0.5).apply([gradient], [w])
        np.testing.assert_allclose(w.numpy(), [[1.0, 2.0], [2.0, 2.0]])


def test_choices_by_name_are_part_of_the_structure(engine):
    kernel, bias = variable(name="kernel"), variable(name="bias")

    def key(optimizer, exclude=()):
        optimizer.exclude_from_weight_decay(var_names=exclude)
        optimizer.build([kernel, bias])
        return optimizer.structure_key()

    assert key(O.AdamW()) == key(O.AdamW())
    assert key(O.AdamW()) != key(O.AdamW(), ["bias"])
    matrix = variable(np.ones((2, 2)), name="matrix")
    muon, without = O.Muon(), O.Muon(exclude_layers=["matrix"])
    for optimizer in (muon, without):
        optimizer.build([matrix])
    assert muon.structure_key() != without.structure_key()
    fast, slow = O.SGD(), O.SGD()
    maps = [O.OptimizerMap(slow, {name: fast}) for name in ("kernel", "bias")]
    first, second = (key(O.MultiOptimizer(m)) for m in maps)
    assert first != second


def test_decay_of_keras_2_is_refused_with_advice():
    with pytest.warns(UserWarning, match="InverseTimeDecay"):
        O.SGD(decay=0.1)


def test_unknown_variable(engine):
    optimizer = O.SGD()
    optimizer.build([variable()])
    with pytest.raises(ValueError, match="Unknown variable: 'other'"):
        optimizer.apply([ones()], [variable(name="other")])


def test_state_of_another_size_is_told(engine):
    optimizer = O.Adam()
    optimizer.build([variable()])
    with pytest.warns(UserWarning, match="has 4 variables whereas .* has 1"):
        optimizer.load_own_variables({"0": np.array(3)})


@pytest.mark.parametrize(
    "make",
    [
        lambda: O.Adam(),
        lambda: O.Adam(O.schedules.CosineDecay(0.1, 10)),
        lambda: O.LossScaleOptimizer(O.Adam()),
        lambda: O.MultiOptimizer(O.OptimizerMap(O.Adam(0.1), {"bias": O.SGD(0.1)})),
    ],
)
def test_state_of_an_unused_optimizer_is_loaded(make, engine):
    store = {}
    make().save_own_variables(store)
    optimizer, other = make(), make()
    optimizer.build([variable()])
    assert len(store) < len(optimizer.variables)
    optimizer.load_own_variables(store)
    # Slots that are missing, though steps were counted, are told.
    other.build([variable()])
    last_counter = max(i for i, v in store.items() if v.dtype == "int32")
    with pytest.warns(UserWarning, match="Skipping variable loading"):
        other.load_own_variables({**store, last_counter: np.array(3)})


@pytest.mark.parametrize(
    "identifier, cls",
    [
        ("sgd", "SGD"),
        ("Adam", "Adam"),
        ("AdamW", "AdamW"),
        ("rmsprop", "RMSprop"),
        ("schedulefreeadamw", "ScheduleFreeAdamW"),
        ({"class_name": "adam", "config": {"beta_1": 0.5}}, "Adam"),
        ({"class_name": "SGD", "config": {}}, "SGD"),
    ],
)
def test_get(identifier, cls):
    optimizer = O.get(identifier)
    assert type(optimizer).__name__ == cls
    assert O.get(optimizer) is optimizer
    assert O.get(None) is None


class TestLossScaleOptimizer:
    """The scale that finds itself."""

    def test_finite_steps_are_those_of_the_inner_optimizer(self, engine):
        inner = O.SGD(0.5, momentum=0.5, loss_scale_factor=100.0)
        optimizer, w = O.LossScaleOptimizer(inner, 16.0), variable()
        assert inner.loss_scale_factor is None
        plain, v = O.SGD(0.5, momentum=0.5), variable()
        for _ in range(3):
            optimizer.apply([ones() * 16.0], [w])
            plain.apply([ones()], [v])
        np.testing.assert_allclose(w.numpy(), v.numpy(), rtol=1e-6)
        assert int(optimizer.iterations) == 3
        names = [v.name for v in optimizer.variables]
        assert names[:6] == [
            "iteration",
            "learning_rate",
            "step_counter",
            "dynamic_scale",
            "iteration",
            "learning_rate",
        ]

    @pytest.mark.parametrize("stateless", [True, False])
    def test_scale_halves_and_doubles(self, stateless, engine):
        optimizer = O.LossScaleOptimizer(O.SGD(0.5), 8.0, dynamic_growth_steps=2)
        w = variable()
        optimizer.build([w])

        def apply(gradient):
            if not stateless:
                optimizer.apply([gradient], [w])
                return
            state = [w, *optimizer.variables]
            run = scopes.pure(lambda g: optimizer.apply([g], [w]), state)
            program = backends.current().jit(lambda values, g: run(values, g)[1])
            values = program([keras.ops.copy(v.value) for v in state], gradient)
            for own, value in zip(state, values, strict=True):
                own.assign(value)

        before = w.numpy()
        apply(ones() * float("inf"))
        np.testing.assert_array_equal(w.numpy(), before)
        assert int(optimizer.iterations) == 0
        scales = []
        for _ in range(4):
            apply(ones())
            scales.append(float(optimizer.scale_loss(1.0)))
        assert scales == [4.0, 8.0, 8.0, 16.0]
        apply(ones() * float("nan"))
        assert float(optimizer.scale_loss(1.0)) == 8.0
        assert np.isfinite(w.numpy()).all()

    def test_config(self):
        optimizer = O.LossScaleOptimizer(O.SGD(0.5), 3.0, 2, name="scaled")
        config = optimizer.get_config()
        assert sorted(config) == [
            "dynamic_growth_steps",
            "initial_scale",
            "inner_optimizer",
            "name",
        ]
        assert O.deserialize(O.serialize(optimizer)).get_config() == config

    def test_arguments_of_the_inner_optimizer_are_refused(self):
        with pytest.raises(ValueError, match="on the `inner_optimizer`"):
            O.LossScaleOptimizer(O.SGD(), clipnorm=1.0)
        with pytest.raises(ValueError, match="set `loss_scale_factor`"):
            O.LossScaleOptimizer(O.SGD(), dynamic=False)
        with pytest.raises(ValueError, match="arguments: `foo`"):
            O.LossScaleOptimizer(O.SGD(), foo=1)


class TestMultiOptimizer:
    """Different optimizers for different variables."""

    def make(self):
        slow = O.SGD(0.25, momentum=0.5, use_ema=True, ema_momentum=0.5)
        optimizers = O.OptimizerMap(O.SGD(0.5), {"^first": slow})
        return O.MultiOptimizer(optimizers, loss_scale_factor=4.0)

    def test_each_variable_has_its_optimizer(self, engine):
        optimizer = self.make()
        first, second = variable(name="first"), variable(name="second")
        for _ in range(2):
            optimizer.apply([ones() * 4.0, ones() * 4.0], [first, second])
        np.testing.assert_allclose(first.numpy(), [0.375, 1.375])
        np.testing.assert_allclose(second.numpy(), [0.0, 1.0])
        assert int(optimizer.iterations) == 2
        assert [int(o.iterations) for o in optimizer.optimizers] == [2, 2]
        optimizer.finalize_variable_values([first, second])
        np.testing.assert_allclose(first.numpy(), [0.5625, 1.5625])
        np.testing.assert_allclose(second.numpy(), [0.0, 1.0])

    def test_stateless_apply_equals_apply(self, engine):
        optimizer = self.make()
        pair = [variable(name="first"), variable(name="second")]
        optimizer.build(pair)
        own = [keras.ops.copy(v.value) for v in optimizer.variables]
        values = [keras.ops.copy(v.value) for v in pair]
        values, own = optimizer.stateless_apply(own, [ones(), ones()], values)
        optimizer.apply([ones(), ones()], pair)
        for found, wanted in zip(
            [*values, *own], [*pair, *optimizer.variables], strict=True
        ):
            found = keras.ops.convert_to_numpy(found)
            np.testing.assert_allclose(found, wanted.numpy(), rtol=1e-6)

    def test_function_in_place_of_a_map(self, engine):
        fast, slow = O.SGD(0.5), O.SGD(0.25)
        optimizer = O.MultiOptimizer(lambda v: fast if v.name == "a" else slow)
        a, b = variable(name="a"), variable(name="b")
        optimizer.apply([ones(), ones()], [a, b])
        assert optimizer.optimizers == [fast, slow]
        np.testing.assert_allclose(a.numpy() - b.numpy(), [-0.25, -0.25])

    def test_config(self):
        optimizer = self.make()
        again = O.deserialize(O.serialize(optimizer))
        assert again.get_config() == optimizer.get_config()
        assert [type(o) for o in again.optimizers] == [O.SGD, O.SGD]

    def test_no_rate_of_its_own(self):
        optimizer = self.make()
        with pytest.raises(AttributeError, match="no learning rate of its own"):
            print(optimizer.learning_rate)
        with pytest.raises(AttributeError, match="no learning rate of its own"):
            optimizer.learning_rate = 0.5

    def test_what_holds_optimizers_is_refused_inside(self, engine):
        scaled = O.LossScaleOptimizer(O.SGD())
        with pytest.raises(ValueError, match="optimizer cannot be LossScaleOptimizer"):
            O.OptimizerMap(O.SGD(), {"a": scaled})
        optimizer = O.MultiOptimizer(lambda v: scaled)
        for _ in range(2):
            with pytest.raises(ValueError, match="cannot be used inside"):
                optimizer.build([variable()])

    def test_one_optimizer_for_all(self, engine):
        optimizer, w = O.MultiOptimizer(O.SGD(0.5)), variable()
        optimizer.apply([ones()], [w])
        np.testing.assert_allclose(w.numpy(), [0.5, 1.5])

    def test_patterns_that_overlap(self):
        optimizers = O.OptimizerMap(O.SGD(), {"a": O.SGD(), "b": O.SGD()})
        with pytest.raises(ValueError, match="fits several patterns"):
            optimizers(variable(name="ab"))
        with pytest.raises(ValueError, match="already has an optimizer"):
            optimizers["a"] = O.SGD()
        del optimizers["a"]
        assert optimizers["a"] is optimizers.default_optimizer
        assert list(optimizers) == ["b"]
