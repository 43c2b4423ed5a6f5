"""The joblib backend: threads, nesting, errors, contexts, limits."""

import contextvars
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import joblib
import numpy as np
import pytest
import sklearn
import threadpoolctl
from joblib import Parallel, delayed

import hornbeam.wrappers  # noqa: F401 (it makes the backend known)
from hornbeam.training.concurrent import tasks
from hornbeam.training.concurrent.scheduler import Scheduler, fit_slot
from hornbeam.training.concurrent.stack_width import cores
from hornbeam.wrappers import joblib_backend


@pytest.fixture(autouse=True)
def no_thread_left():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


@pytest.fixture
def together():
    with joblib.parallel_config(backend="hornbeam"):
        yield


class Peak:
    """Counts how many calls run at a time."""

    def __init__(self, barrier=None):
        self._barrier = barrier
        self._lock = threading.Lock()
        self.now = self.most = self.calls = 0

    def __call__(self, seconds=0.01):
        with self._lock:
            self.now += 1
            self.calls += 1
            self.most = max(self.most, self.now)
        if self._barrier is not None:
            self._barrier.wait(20)
        time.sleep(seconds)
        with self._lock:
            self.now -= 1


def fail():
    raise ZeroDivisionError("as asked")


def test_all_tasks_are_in_flight_at_once(together):
    barrier = threading.Barrier(150)
    places = Parallel()(delayed(barrier.wait)(20) for _ in range(150))
    assert sorted(places) == list(range(150))


@pytest.mark.parametrize("n_jobs, most", [(3, 3), (None, 256), (-1, 256), (999, 256)])
def test_no_more_tasks_are_in_flight_than_allowed(together, n_jobs, most):
    peak = Peak(threading.Barrier(most))
    Parallel(n_jobs=n_jobs)(delayed(peak)() for _ in range(2 * most))
    assert peak.most == most


def test_no_jobs_have_no_meaning(together):
    with pytest.raises(ValueError, match="n_jobs == 0"):
        Parallel(n_jobs=0)(delayed(abs)(i) for i in range(3))


@pytest.mark.parametrize("return_as", ["list", "generator", "generator_unordered"])
def test_results(together, return_as):
    results = Parallel(return_as=return_as)(delayed(abs)(-i) for i in range(300))
    results = sorted(results) if return_as == "generator_unordered" else list(results)
    assert results == list(range(300))


def test_two_generators_at_a_time(together):
    first = Parallel(return_as="generator")(delayed(abs)(-i) for i in range(600))
    second = Parallel(return_as="generator")(delayed(abs)(i) for i in range(600))
    assert [*zip(first, second, strict=True)] == [(i, i) for i in range(600)]


def test_a_generator_that_is_dropped_ends_its_tasks(together):
    peak = Peak()
    results = Parallel(return_as="generator", n_jobs=2, pre_dispatch="all")(
        delayed(peak)() for _ in range(100)
    )
    next(results)
    with pytest.warns(UserWarning, match="cancelled"):
        results.close()
    assert peak.calls < 100


def test_an_error_ends_the_call(together):
    peak = Peak()
    tasks = [delayed(fail)(), *[delayed(peak)() for _ in range(200)]]
    with pytest.raises(ZeroDivisionError, match="as asked"):
        Parallel(n_jobs=2, pre_dispatch="all")(tasks)
    assert peak.calls < 200


def test_an_error_releases_who_waits_for_the_scheduler(together):
    def wait_for_ever():
        scheduler = Scheduler.current()
        while True:
            time.sleep(0.01)
            scheduler._check()

    tasks = [*[delayed(wait_for_ever)() for _ in range(5)], delayed(fail)()]
    with pytest.raises(ZeroDivisionError):
        Parallel()(tasks)


def test_few_fits_are_under_way_on_one_cpu(together):
    peak = Peak()

    def fit():
        with fit_slot():
            peak(0.01)

    Parallel()(delayed(fit)() for _ in range(40))
    assert peak.calls == 40
    assert 1 < peak.most <= cores() + 1


def test_fits_inside_a_fit_have_their_turn(together):
    def fit(depth):
        with fit_slot():
            if depth:
                Parallel()(delayed(fit)(depth - 1) for _ in range(6))
            return depth

    assert Parallel(timeout=30)(delayed(fit)(2) for _ in range(8)) == [2] * 8


def test_an_error_releases_who_waits_for_a_turn(together):
    def wait():
        with fit_slot():
            time.sleep(0.2)
            fail()

    started = time.perf_counter()
    with pytest.raises(ZeroDivisionError):
        Parallel()(delayed(wait)() for _ in range(60))
    assert time.perf_counter() - started < 3


@pytest.fixture
def interruptible():
    """A process that was started in the background may ignore interruptions."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


def test_an_interruption_ends_the_call(together, interruptible):
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    peak = Peak()
    with pytest.raises(KeyboardInterrupt):
        Parallel(n_jobs=4)(delayed(peak)(0.1) for _ in range(1000))
    timer.join()
    assert peak.calls < 100


def test_a_call_may_time_out(together):
    with pytest.raises(multiprocessing.TimeoutError):
        Parallel(timeout=0.1)(delayed(time.sleep)(0.5) for _ in range(3))


def in_calls_of(widths, n_jobs):
    """Call `Parallel` inside tasks of `Parallel`; return the meeting points met."""
    if not widths:
        return {Scheduler.current()}
    return set().union(
        *Parallel(n_jobs=n_jobs)(
            delayed(in_calls_of)(widths[1:], n_jobs) for _ in range(widths[0])
        )
    )


@pytest.mark.parametrize("n_jobs", [2, None])
def test_nested_calls_share_one_scheduler(together, n_jobs):
    met = in_calls_of([5, 4, 3], n_jobs)
    assert len(met) == 1
    assert isinstance(met.pop(), Scheduler)
    assert Scheduler.current() is None


def test_nested_calls_do_not_multiply_threads(together):
    counts = Peak()

    def outer():
        Parallel()(delayed(counts)() for _ in range(100))

    Parallel()(delayed(outer)() for _ in range(8))
    assert counts.calls == 800
    assert counts.most <= tasks.MOST_TASKS


def test_a_nested_error_that_is_caught_harms_no_other(together):
    def outer(i):
        try:
            Parallel()(delayed(fail)() if i == 1 else delayed(abs)(3) for _ in "ab")
        except ZeroDivisionError:
            return "caught"
        Scheduler.current()._check()
        return "fine"

    found = Parallel()(delayed(outer)(i) for i in range(4))
    assert found == ["fine", "caught", "fine", "fine"]


def test_tasks_see_the_context_of_the_caller(together):
    variable = contextvars.ContextVar("variable", default="outside")

    def look():
        seen = variable.get()
        variable.set("changed")
        return seen

    token = variable.set("inside")
    assert set(Parallel()(delayed(look)() for _ in range(300))) == {"inside"}
    variable.reset(token)


def test_the_engine_of_the_caller_holds_inside(together):
    from hornbeam import backends

    with backends.scope("numpy"):
        engines = Parallel()(delayed(backends.current)() for _ in range(3))
    assert {engine.name for engine in engines} == {"numpy"}


def test_the_configuration_of_scikit_learn_holds_inside(together):
    from sklearn.utils.parallel import Parallel as SklearnParallel
    from sklearn.utils.parallel import delayed as sklearn_delayed

    with sklearn.config_context(working_memory=7):
        found = SklearnParallel()(sklearn_delayed(sklearn.get_config)() for _ in "ab")
    assert [config["working_memory"] for config in found] == [7, 7]


def test_nobody_starts_before_all_have_come():
    """The caller counts as running until it waits for its tasks."""
    call, gate = tasks.TaskGroup(), threading.Event()
    meeting, call.limit = call.pool.scheduler, 8
    assert meeting._busy == 1
    future = call.submit(lambda: [gate.wait(20)], lambda future: None)
    assert meeting._busy == 2
    with call.retrieving():
        assert meeting._busy == 1
        gate.set()
        assert future.result() == [True]
    call.finish()
    assert meeting._busy == 0


def test_big_data_means_fewer_tasks_at_a_time(together, monkeypatch):
    monkeypatch.setattr(joblib_backend, "bytes_of_host", lambda: 8 * 3 * 10**6)
    peak = Peak()
    data = np.zeros(10**6, np.uint8)
    Parallel()(delayed(lambda _: peak())(data) for _ in range(30))
    assert peak.most == 3


def blas_threads():
    found = threadpoolctl.threadpool_info()
    return {pool["num_threads"] for pool in found if pool["user_api"] == "blas"}


@pytest.mark.parametrize("given, expected", [(None, {1}), (2, {2})])
def test_linear_algebra_does_not_use_all_cores_in_each_task(given, expected):
    with threadpoolctl.threadpool_limits(4, user_api="blas"):
        before = blas_threads()
        with joblib.parallel_config(backend="hornbeam", inner_max_num_threads=given):
            inside = Parallel()(delayed(blas_threads)() for _ in "ab")
        assert blas_threads() == before
    assert inside == [expected & before or expected] * 2


def test_waiting_for_others_is_not_in_the_times(together):
    def fit():
        time.sleep(0.1)
        return {"fit_time": 0.1, "score_time": 0.0, "other": 0.1}

    def run(waited):
        task = tasks.Task(tasks.TaskGroup(hold=False), lambda: [fit()])
        task.enter()
        task._worker = type("Worker", (), {"waited": waited})
        task.run()
        task.leave()
        return task.future.result()[0]

    assert run(0.0) == pytest.approx({"fit_time": 0.1, "score_time": 0, "other": 0.1})
    assert run(0.05)["fit_time"] == pytest.approx(0.05, rel=0.2)
    assert run(0.05)["other"] == 0.1


def test_the_backend_is_known_before_anything_of_scikit_learn_is():
    code = (
        "import sys, hornbeam.wrappers, joblib\n"
        "print({'sklearn', 'jax'} & sys.modules.keys())\n"
        "with joblib.parallel_config(backend='hornbeam'):\n"
        "    print(joblib.Parallel()(map(joblib.delayed(abs), [-1])))"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, text=True, timeout=60) == "set()\n[1]\n"
