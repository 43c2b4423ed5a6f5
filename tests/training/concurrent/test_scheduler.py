"""Calls of one program that meet: stacked they give what they give alone."""

import os
import pathlib
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.training.concurrent import scheduler
from hornbeam.training.concurrent.scheduler import CancelledError, Scheduler
from hornbeam.training.concurrent.stack_width import StackWidth, stack_widths
from hornbeam.training.execution.programs import cache

# In one process: the tests share programs.
pytestmark = pytest.mark.xdist_group("scheduler")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(37, 4)).astype("float32")
Y = (X[:, 0] + X[:, 1] > 0).astype("int32")


def fit(rate=0.3, learning_rate=0.01, rows=37, epochs=3, units=5, **arguments):
    """Train a small network; return its weights and its losses."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(units, activation="relu", kernel_initializer="ones"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(rate, seed=3),
            keras.layers.Dense(1, activation="sigmoid", kernel_initializer="ones"),
        ]
    )
    optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=1.0)
    model.compile(optimizer, "binary_crossentropy")
    given = {"batch_size": 10, "shuffle": False, "verbose": 0} | arguments
    history = model.fit(X[:rows], Y[:rows], epochs=epochs, **given).history
    return [*model.get_weights(), np.array(history["loss"])]


def at_once(members, meeting=None):
    """Fit all members at the same time with one scheduler; return what each gives."""
    meeting = meeting or Scheduler()
    results = [None] * len(members)

    def work(i, member):
        with meeting.task():
            started.wait()
            try:
                results[i] = fit(**member)
            except Exception as error:
                results[i] = error

    started = threading.Barrier(len(members))
    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(members)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def stacks(monkeypatch):
    """All programs run in stacks of this many members; those that ran are counted."""
    ran = []
    run = scheduler.Stack.execute

    def counted(stack):
        ran.append((stack.width, len(stack.calls)))
        return run(stack)

    def set_width(most):
        width = StackWidth(devices=1)
        width.most, width.decided = most, True
        monkeypatch.setattr(stack_widths, "of", lambda call: width)
        return ran

    monkeypatch.setattr(scheduler.Stack, "execute", counted)
    monkeypatch.setattr(scheduler, "_SECONDS_TO_JOIN", 5.0)
    return set_width


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)


MEMBERS = {
    "rates": [{"rate": r} for r in (0.0, 0.2, 0.5, 0.9)],
    "learning rates": [{"learning_rate": r} for r in (1e-4, 1e-2, 0.1)],
    "folds of several sizes": [{"rows": n} for n in (33, 35, 37)],
    "epochs": [{"epochs": n} for n in (1, 2, 5)],
    "structures": [{"units": n} for n in (3, 5, 3, 5)],
}


@pytest.mark.parametrize("kind", MEMBERS)
def test_members_of_a_stack_are_as_alone(stacks, kind):
    ran = stacks(4)
    found = at_once(MEMBERS[kind])
    assert max(members for _, members in ran) > 1
    for member, result in zip(MEMBERS[kind], found, strict=True):
        assert_same(result, fit(**member))


def test_compilation_is_not_a_task_s_own_time(monkeypatch):
    engine, slept = backends.current(), []
    compile_program = engine.compile

    def slow(*args, **kwargs):
        slept.append(time.sleep(0.3))
        return compile_program(*args, **kwargs)

    monkeypatch.setattr(engine, "compile", slow)
    with Scheduler().task() as worker:
        fit(units=9, epochs=1)
        trained = worker.waited
        assert trained >= 0.3 * len(slept) > 0
        count = len(slept)
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(9)]).predict(
            X, verbose=0
        )
    assert worker.waited - trained >= 0.3 * (len(slept) - count) > 0


def test_a_member_that_turns_nan_harms_no_other(stacks):
    stacks(4)
    members = [{}, {"learning_rate": 1e38}, {"rate": 0.1}]
    with pytest.warns(RuntimeWarning, match="NaN"):
        found = at_once(members)
    assert np.isnan(found[1][0]).all()
    assert_same(found[0], fit())
    assert_same(found[2], fit(rate=0.1))


def test_a_member_that_stops_early_leaves_the_others(stacks):
    stacks(4)
    stop = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=10.0)
    found = at_once([{"epochs": 6, "callbacks": [stop]}, {"epochs": 6}])
    assert len(found[0][-1]) == 2
    assert_same(found[1], fit(epochs=6))


def test_one_program_serves_all_members(stacks):
    stacks(4)
    at_once(MEMBERS["rates"])
    before = cache.compilations
    at_once([{"rate": r, "learning_rate": 0.2 * r} for r in (0.1, 0.3, 0.6, 0.7)])
    assert cache.compilations == before


def test_out_of_memory_halves_the_width_and_goes_on(stacks, monkeypatch):
    ran = stacks(4)
    run = scheduler.Stack.execute

    def limited(stack):
        if stack.width > 2:
            raise MemoryError("RESOURCE_EXHAUSTED")
        return run(stack)

    monkeypatch.setattr(scheduler.Stack, "execute", limited)
    found = at_once(MEMBERS["rates"])
    assert {width for width, _ in ran} == {2}
    for member, result in zip(MEMBERS["rates"], found, strict=True):
        assert_same(result, fit(**member))


def test_a_stack_that_fails_leaves_its_members_to_run_alone(stacks, monkeypatch):
    def fails(stack):
        raise ValueError("no kernel for this")

    stacks(4)
    monkeypatch.setattr(scheduler.Stack, "compile", fails)
    with pytest.warns(UserWarning, match="no kernel for this"):
        found = at_once(MEMBERS["rates"])
    for member, result in zip(MEMBERS["rates"], found, strict=True):
        assert_same(result, fit(**member))


def test_equal_data_is_on_the_device_once():
    rows = []

    class Looks(Scheduler):
        def shared(self, data):
            rows.append(super().shared(data))
            return rows[-1]

    at_once([{"rate": 0.1}, {"rate": 0.2}, {"rows": 30}], Looks())
    assert len({id(data) for data in rows}) == 2


def test_cancelled_calls_end_with_an_error():
    meeting = Scheduler()
    meeting.cancel()
    (found,) = at_once([{}], meeting)
    assert isinstance(found, CancelledError)


def test_on_one_cpu_calls_run_alone():
    class Call:
        class steps:
            seconds_per_step = 1.0

        steps_left = 10_000_000

    width = StackWidth(devices=1, is_one_cpu=True)
    width.consider(Call(), 100)
    assert width.most == 1


def test_the_width_is_the_one_that_was_fastest():
    class Steps:
        seconds_per_step = 4e-4

    class Call:
        steps, steps_left = Steps(), 10_000_000

    class Program:
        seconds_per_step = None

    class Stack:
        program = Program()

    width = StackWidth(devices=1)
    width.consider(Call(), 1)
    assert width.most == 1  # nobody to be stacked with
    width.consider(Call(), 100)
    tried = []
    while not width.decided:
        stack = Stack()
        stack.width = width.most
        tried.append(width.most)
        Program.seconds_per_step = 1e-5 + 1e-6 * width.most + 1e-9 * width.most**2
        width.record(stack)
    assert tried == [16, 64, 256]
    assert width.most == 64


def test_members_are_spread_over_all_devices():
    """Four devices that a process of its own is made to see."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import numpy as np, jax, test_scheduler as here\n"
        "from hornbeam.training.concurrent import scheduler\n"
        "places, run = [], scheduler.Stack.execute\n"
        "def look(stack):\n"
        "    outputs = stack.program.executable(*stack.arguments)\n"
        "    places.append(len(outputs[0][0].sharding.device_set))\n"
        "    return run(stack)\n"
        "scheduler.Stack.execute = look\n"
        "members = [{'rate': r} for r in (0.0, 0.2, 0.4, 0.5, 0.7)]\n"
        "found = here.at_once(members)\n"
        "print(len(jax.devices()), set(places))\n"
        "for member, result in zip(members, found):\n"
        "    here.assert_same(result, here.fit(**member))\n"
    )
    flags = os.environ["XLA_FLAGS"] + " --xla_force_host_platform_device_count=4"
    done = subprocess.run(
        [sys.executable, "-c", code, str(pathlib.Path(__file__).parent)],
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=200,
    )
    assert done.stdout == "4 {4}\n"
