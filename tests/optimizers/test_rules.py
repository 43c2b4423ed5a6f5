"""Every optimizer, against its formula and the laws that all of them obey."""

import copy
import functools
import pickle

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.core import hyperparameter, scopes
from hornbeam.core.lazy import names_of
from tests.conftest import ENGINES
from tests.engine_exceptions import cannot
from tests.optimizers.table import ROWS, Row

SHAPES = [(4, 3), (3,), (2, 3, 4)]
rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
# What rules share is tested with each of them on NumPy and on torch, which has updates
# of its own, and with these on every engine.
ON_EVERY_ENGINE = ("SGD", "Adam", "Adafactor", "Muon")


def shared_laws(rows):
    return pytest.mark.parametrize(
        ("row", "engine"),
        [
            pytest.param(row, engine, id=f"{engine}-{row.id}")
            for row in rows
            for engine in ENGINES
            if engine in ("numpy", "torch") or row.name in ON_EVERY_ENGINE
        ],
        indirect=["engine"],
    )


shared = shared_laws(ROWS)
shared_plain = shared_laws([r for r in ROWS if "weight_decay" not in r.arguments])


def start(shapes, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=shape) for shape in shapes]


def gradients_of(steps, shapes, seed=1):
    """Gradients that shrink, so that a maximum differs from a mean."""
    return [[0.9**t * g for g in start(shapes, seed + t)] for t in range(steps)]


def make(row, **more):
    cls = getattr(keras.optimizers, row.name)
    return cls(**{"learning_rate": row.rate, **row.arguments, **more})


def variables_of(values, dtype="float32"):
    return [
        keras.Variable(np.asarray(x, dtype), dtype=dtype, name=f"w{i}")
        for i, x in enumerate(values)
    ]


def tensors_of(arrays, dtype="float32"):
    return [keras.ops.convert_to_tensor(np.asarray(x, dtype)) for x in arrays]


def values_of(variables):
    return [np.array(v.numpy(), dtype="float64") for v in variables]


def run(optimizer, variables, gradients):
    for step in gradients:
        optimizer.apply(tensors_of(step, variables[0].dtype), variables)
    return values_of(variables)


def assert_close(found, wanted, rtol=1e-5, atol=1e-6):
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol, atol)


def test_every_optimizer_has_a_row():
    wrappers = {"Optimizer", "OptimizerMap", "LossScaleOptimizer", "MultiOptimizer"}
    public = {n for n in names_of(keras.optimizers.__name__) if n[0].isupper()}
    assert public - wrappers == {row.name for row in ROWS}


def program_of(optimizer, variables):
    """Return a program that steps with numbers as inputs, and their names.

    The program is a function `(state, gradients) -> new state`.
    """
    optimizer.build(variables)
    owners = [
        (optimizer, name)
        for name in hyperparameter.hyperparameter_names(type(optimizer))
        if hyperparameter.is_lifted(getattr(optimizer, name))
    ]
    current = backends.current()
    numbers = [
        current.convert(np.float32(getattr(optimizer, name))) for _, name in owners
    ]
    state = [*variables, *optimizer.variables]

    def step(values, numbers, gradients):
        with hyperparameter.hyperparameter_inputs(owners, numbers):
            return scopes.pure(lambda: optimizer.apply(gradients), state)(values)[1]

    program = current.jit(step)
    return lambda values, gradients: program(values, numbers, gradients), owners


def run_as_program(optimizer, variables):
    """Return `run` for these, as a function of gradients, with the step a program."""
    program, _ = program_of(optimizer, variables)
    state = [*variables, *optimizer.variables]

    def go(gradients):
        values = [v.value for v in state]
        for step in gradients:
            values = program(values, tensors_of(step, variables[0].dtype))
        for variable, value in zip(state, values, strict=True):
            variable.assign(value)
        return values_of(variables)

    return go


@rows
def test_steps_follow_the_formula(row, engine):
    """On JAX as a program; that its ops alone give the same is a law below."""
    # float64 tells more.
    exact = not cannot(engine, "64 bits")
    dtype = "float64" if exact else "float32"
    variables, gradients = variables_of(start(SHAPES), dtype), gradients_of(12, SHAPES)
    optimizer = make(row)
    if engine.name == "jax":
        go = run_as_program(optimizer, variables)
    else:
        go = functools.partial(run, optimizer, variables)
    done = 0
    for steps in (1, 12):
        found = go(gradients[done:steps])
        done = steps
        wanted = [
            row.reference(w, [g[i] for g in gradients[:done]])[-1]
            for i, w in enumerate(start(SHAPES))
        ]
        tolerance = 1e-6 if exact else 2e-5
        assert_close(found, wanted, rtol=tolerance, atol=tolerance)


@rows
def test_quadratic_reaches_its_optimum(row):
    if not row.descent_rate:
        pytest.skip("the optimum of the regularised rule is another one")
    with backends.scope("numpy"):
        target = np.array([[1.0, -2.0], [0.5, 3.0]])
        variable = variables_of([np.ones((2, 2))])[0]
        arguments = {k: v for k, v in row.arguments.items() if k != "weight_decay"}
        fixed = {"weight_decay": 0.0} if row.name in ("AdamW", "Muon") else {}
        optimizer = make(
            Row(row.name, row.rule, arguments), **fixed, learning_rate=row.descent_rate
        )
        for _ in range(400):
            optimizer.apply(tensors_of([variable.numpy() - target]), [variable])
            done = int(optimizer.iterations)
            optimizer.learning_rate = row.descent_rate * row.descent_decay**done
        np.testing.assert_allclose(variable.numpy(), target, atol=0.05)


@rows
def test_config_round_trip(row, python_only):
    optimizer = make(row, clipnorm=0.5, use_ema=True)
    again = type(optimizer).from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    config = keras.optimizers.serialize(optimizer)
    assert config["module"] == "keras.optimizers"
    restored = keras.optimizers.deserialize(config)
    assert type(restored) is type(optimizer)
    assert restored.get_config() == optimizer.get_config()


@shared
@pytest.mark.parametrize("copied", [pickle, copy], ids=["pickle", "deepcopy"])
def test_copies_go_on_alike(row, copied, engine):
    variables, gradients = variables_of(start(row.shapes)), gradients_of(4, row.shapes)
    optimizer = make(row)
    run(optimizer, variables, gradients[:2])
    pair = (optimizer, variables)
    other, others = (
        copy.deepcopy(pair) if copied is copy else pickle.loads(pickle.dumps(pair))
    )
    wanted = run(optimizer, variables, gradients[2:])
    assert_close(run(other, others, gradients[2:]), wanted, rtol=0, atol=0)


@shared
def test_stateless_apply_equals_apply(row, engine):
    variables, gradients = variables_of(start(row.shapes)), gradients_of(3, row.shapes)
    optimizer = make(row)
    optimizer.build(variables)
    before = values_of(variables)
    values = tensors_of(before)
    own = [keras.ops.copy(v.value) for v in optimizer.variables]
    for step in gradients:
        values, own = optimizer.stateless_apply(own, tensors_of(step), values)
    assert_close(values_of(variables), before, rtol=0, atol=0)
    wanted = run(optimizer, variables, gradients)
    to_numpy = keras.ops.convert_to_numpy
    assert_close([to_numpy(v) for v in values], wanted)
    assert_close([to_numpy(v) for v in own], values_of(optimizer.variables))


ALL_TOGETHER = {
    "global_clipnorm": 0.5,
    "use_ema": True,
    "ema_momentum": 0.75,
    "ema_overwrite_frequency": 2,
    "gradient_accumulation_steps": 2,
    "loss_scale_factor": 2.0,
}


@pytest.mark.parametrize(
    ("row", "more"),
    [
        *(pytest.param(row, ALL_TOGETHER, id=row.id) for row in ROWS),
        *(
            pytest.param(row, more, id=f"{row.id}-{'+'.join(more) or 'plain'}")
            for row in (ROWS[1], ROWS[3])
            for more in ({}, {"clipnorm": 0.5}, {"clipvalue": 0.25})
        ),
    ],
)
def test_program_with_numbers_as_inputs_equals_eager(row, more, engine):
    """Each rule with all that optimizers share; SGD and Adam also with less."""
    shapes = row.shapes[:2]
    variables, gradients = variables_of(start(shapes)), gradients_of(4, shapes)
    if row.name != "AdamW" and "weight_decay" not in row.arguments:
        more = {**more, "weight_decay": 0.125}
    optimizer = make(row, **more)
    program, owners = program_of(optimizer, variables)
    assert len(owners) >= 2
    state = [*variables, *optimizer.variables]
    values = [keras.ops.copy(v.value) for v in state]
    for gradient in gradients:
        values = program(values, tensors_of(gradient))
    run(optimizer, variables, gradients)
    found = [keras.ops.convert_to_numpy(v) for v in values]
    assert_close(found, values_of(state), rtol=1e-4, atol=1e-5)


@shared_plain
def test_accumulation_updates_with_the_mean(row, engine):
    one, three = variables_of(start(row.shapes)), variables_of(start(row.shapes))
    once, thrice = make(row), make(row, gradient_accumulation_steps=3)
    for t in range(3):
        parts = gradients_of(3, row.shapes, seed=10 * t)
        before = values_of(three)
        for k, part in enumerate(parts):
            assert_close(values_of(three), before, rtol=0, atol=0)
            assert int(thrice.iterations) == t, k
            thrice.apply(tensors_of(part), three)
        mean = [sum(p[i] for p in parts) / 3 for i in range(3)]
        once.apply(tensors_of(mean), one)
        assert_close(values_of(three), values_of(one))


@shared_plain
def test_clipping_changes_the_gradients_alone(row, engine):
    def norm(arrays):
        return np.sqrt(sum(np.sum(a * a) for a in arrays))

    laws = {
        "clipnorm": lambda gs, c: [g * min(1.0, c / norm([g])) for g in gs],
        "global_clipnorm": lambda gs, c: [g * min(1.0, c / norm(gs)) for g in gs],
        "clipvalue": lambda gs, c: [np.clip(g, -c, c) for g in gs],
    }
    for name, law in laws.items():
        clipped, plain = (
            variables_of(start(row.shapes)),
            variables_of(start(row.shapes)),
        )
        gradients = gradients_of(3, row.shapes)
        found = run(make(row, **{name: 1.5}), clipped, gradients)
        wanted = run(make(row), plain, [law(g, 1.5) for g in gradients])
        assert_close(found, wanted)
        assert name == "clipvalue" or norm(gradients[0]) > 1.5


@shared_plain
def test_decay_shrinks_first_except_what_is_excluded(row, engine):
    muon = {"adam_weight_decay": 0.5} if row.name == "Muon" else {}
    none = {"weight_decay": 0.0, **dict.fromkeys(muon, 0.0)}
    decayed, plain = variables_of(start(row.shapes)), variables_of(start(row.shapes))
    optimizer = make(row, weight_decay=0.5, **muon)
    optimizer.exclude_from_weight_decay(var_list=[decayed[2]], var_names=["^w1"])
    step = gradients_of(1, row.shapes)
    other = make(row, **none)
    other.build(plain)
    plain[0].assign(plain[0].value * (1 - row.rate * 0.5))
    wanted = run(other, plain, step)
    assert_close(run(optimizer, decayed, step), wanted)


@shared_plain
def test_average_of_the_variables(row, engine):
    b, gradients = 0.75, gradients_of(4, row.shapes)
    kept, plain = variables_of(start(row.shapes)), variables_of(start(row.shapes))
    optimizer, other = make(row, use_ema=True, ema_momentum=b), make(row)
    averages = None
    for step in gradients:
        optimizer.apply(tensors_of(step), kept)
        now = run(other, plain, [step])
        assert_close(values_of(kept), now, rtol=0, atol=0)
        averages = averages or now
        averages = [b * a + (1 - b) * w for a, w in zip(averages, now, strict=True)]
    optimizer.finalize_variable_values(kept)
    assert_close(values_of(kept), averages)


@shared_plain
def test_loss_scale_leaves_the_steps_alone(row, engine):
    scaled, plain = variables_of(start(row.shapes)), variables_of(start(row.shapes))
    optimizer = make(row, loss_scale_factor=8.0)
    assert optimizer.scale_loss(3.0) == 24.0
    gradients = gradients_of(3, row.shapes)
    large = [[8.0 * g for g in step] for step in gradients]
    found = run(optimizer, scaled, large)
    assert_close(found, run(make(row), plain, gradients))


@shared
def test_state_is_saved_and_loaded(row, engine):
    variables, gradients = variables_of(start(row.shapes)), gradients_of(4, row.shapes)
    optimizer = make(row)
    run(optimizer, variables, gradients[:2])
    store = {}
    optimizer.save_own_variables(store)
    assert list(store) == [str(i) for i in range(len(optimizer.variables))]
    others = variables_of(values_of(variables))
    other = make(row)
    other.build(others)
    other.load_own_variables(store)
    wanted = run(optimizer, variables, gradients[2:])
    assert_close(run(other, others, gradients[2:]), wanted, rtol=0, atol=0)
