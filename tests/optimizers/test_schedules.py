"""Every schedule, against its formula, on each engine, and in an optimizer."""

import math

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.core import hyperparameter
from hornbeam.core.lazy import names_of

S = keras.optimizers.schedules


def cosine(p, alpha=0.0):
    return (1 - alpha) * (1 + math.cos(math.pi * min(p, 1.0))) / 2 + alpha


def piecewise(step):
    return 0.5 if step <= 3 else 0.25 if step <= 7 else 0.125


def warm(step):
    if step < 5:
        return 0.1 + (0.4 - 0.1) * step / 5
    return 0.4 * cosine((step - 5) / 10, 0.25)


def restarts(step, t_mul, m_mul, alpha):
    length, top = 10.0, 1.0
    while step >= length:
        step, length, top = step - length, length * t_mul, top * m_mul
    return 0.5 * ((1 - alpha) * top * cosine(step / length) + alpha)


def cycle(step):
    length = 10 * max(1, math.ceil(step / 10))
    return (0.5 - 0.1) * (1 - step / length) ** 2 + 0.1


ROWS = [
    (S.ExponentialDecay(0.5, 10, 0.75), lambda s: 0.5 * 0.75 ** (s / 10)),
    (S.ExponentialDecay(0.5, 10, 0.75, True), lambda s: 0.5 * 0.75 ** (s // 10)),
    (S.InverseTimeDecay(0.5, 10, 0.75), lambda s: 0.5 / (1 + 0.75 * s / 10)),
    (S.InverseTimeDecay(0.5, 10, 0.75, True), lambda s: 0.5 / (1 + 0.75 * (s // 10))),
    (
        S.PolynomialDecay(0.5, 10, 0.1, 2.0),
        lambda s: (0.5 - 0.1) * (1 - min(s, 10) / 10) ** 2 + 0.1,
    ),
    (S.PolynomialDecay(0.5, 10, 0.1, 2.0, cycle=True), cycle),
    (S.PiecewiseConstantDecay([3, 7], [0.5, 0.25, 0.125]), piecewise),
    (S.CosineDecay(0.5, 10), lambda s: 0.5 * cosine(s / 10)),
    (S.CosineDecay(0.1, 10, 0.25, warmup_target=0.4, warmup_steps=5), warm),
    (S.CosineDecayRestarts(0.5, 10), lambda s: restarts(s, 2.0, 1.0, 0.0)),
    (
        S.CosineDecayRestarts(0.5, 10, 1.0, 0.75, 0.25),
        lambda s: restarts(s, 1.0, 0.75, 0.25),
    ),
    (
        S.CosineDecayRestarts(0.5, 10, 3.0, 0.75, 0.25),
        lambda s: restarts(s, 3.0, 0.75, 0.25),
    ),
]
rows = pytest.mark.parametrize(
    "schedule, formula",
    ROWS,
    ids=[f"{type(s).__name__}-{i}" for i, (s, _) in enumerate(ROWS)],
)


def test_every_schedule_has_a_row():
    public = {n for n in names_of("hornbeam.optimizers.schedules") if n[0].isupper()}
    assert public - {"LearningRateSchedule"} == {type(s).__name__ for s, _ in ROWS}


@rows
def test_values_follow_the_formula(schedule, formula, engine):
    for step in (0, 1, 3, 4, 5, 7, 9, 10, 15, 20, 29, 30, 31, 130):
        wanted = pytest.approx(formula(step), rel=1e-5, abs=1e-6)
        assert float(schedule(step)) == wanted, step
        tensor = keras.ops.convert_to_tensor(np.int32(step))
        assert float(schedule(tensor)) == wanted, step


@rows
def test_numbers_are_inputs_of_a_program(schedule, formula, engine):
    current = backends.current()
    owners = [
        (schedule, name)
        for name in hyperparameter.hyperparameter_names(type(schedule))
        if hyperparameter.is_lifted(getattr(schedule, name))
    ]

    def rate(numbers, step):
        with hyperparameter.hyperparameter_inputs(owners, numbers):
            return schedule(step)

    numbers = [current.convert(np.float32(getattr(s, n))) for s, n in owners]
    program = current.jit(rate)
    for step in (0, 4, 13):
        found = program(numbers, current.convert(np.int32(step)))
        assert float(found) == pytest.approx(formula(step), rel=1e-5, abs=1e-6)


@rows
def test_config_round_trip(schedule, formula):
    config = S.serialize(schedule)
    assert config["module"] == "keras.optimizers.schedules"
    again = S.deserialize(config)
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()


@rows
def test_optimizer_takes_the_rate_of_its_step(schedule, formula, engine):
    variable = keras.Variable(np.zeros(1, "float32"))
    optimizer = keras.optimizers.SGD(schedule)
    assert [v.name for v in optimizer.variables] == ["iteration"]
    total = 0.0
    for step in range(6):
        assert float(optimizer.learning_rate) == pytest.approx(formula(step), rel=1e-5)
        optimizer.apply([keras.ops.ones((1,))], [variable])
        total -= formula(step)
        assert float(variable.numpy()[0]) == pytest.approx(total, rel=1e-5)
    again = keras.optimizers.SGD.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()


def test_large_boundaries_are_exact(engine):
    schedule = S.PiecewiseConstantDecay([2**24 + 1], [0.5, 0.25])
    assert float(schedule(2**24 + 1)) == 0.5
    assert float(schedule(2**24 + 2)) == 0.25


@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda: S.ExponentialDecay(0.1, 0, 0.5),
            "`decay_steps` .* a number > 0",
        ),
        (
            lambda: S.InverseTimeDecay(0.1, -1, 0.5),
            "`decay_steps` .* a number > 0",
        ),
        (lambda: S.PolynomialDecay(0.1, 0), "`decay_steps` .* a number > 0"),
        (lambda: S.CosineDecay(0.1, 0), "`decay_steps` .* a number > 0"),
        (
            lambda: S.CosineDecayRestarts(0.1, 0),
            "`first_decay_steps` .* > 0",
        ),
        (lambda: S.PiecewiseConstantDecay([1], [0.1]), "1 less than the length"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_base_asks_for_the_call():
    with pytest.raises(NotImplementedError, match="must define `__call__"):
        S.LearningRateSchedule()(0)
