"""Processes on this machine or on others that train groups of tasks: Dask's and Ray's.

Workers run functions and hold values that are shared: each value is sent once to each
process that needs it. A function must depend on its arguments alone, since it is called
again elsewhere when a process dies: by Dask and by Ray themselves, a few times.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import math
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from hornbeam import backends
from hornbeam.core import config, scopes
from hornbeam.core.errors import shown
from hornbeam.dtype_policies.policy import dtype_policy, set_dtype_policy
from hornbeam.training.concurrent.scheduler import Scheduler, Worker

# As many items at most are lost, and worked on again, when a worker dies.
_MOST_IN_A_GROUP = 32
# So that a worker that has ended a group finds another one.
_GROUPS_OF_A_WORKER = 2


def workers_of(owner: str, workers: Any) -> Any:
    """Return workers for what the caller of `owner` has given as `workers`.

    Args:
        owner: the name of what has the argument, for errors.
        workers: a Client of dask.distributed, "ray", or an object with the members of
            these classes.
    """
    if hasattr(workers, "share") and hasattr(workers, "submit"):
        return workers
    if workers == "ray":
        return RayWorkers()
    if hasattr(workers, "scatter") and hasattr(workers, "get_executor"):
        return DaskWorkers(workers)
    raise TypeError(
        f"Argument `workers` of {owner} must be a Client of dask.distributed or "
        f"'ray'. Received: {shown(workers)}"
    )


class DaskWorkers:
    """The workers of a Dask cluster.

    Args:
        client: a Client of dask.distributed.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)

    @property
    def count(self) -> int:
        """How many there are now, at least 1."""
        return max(1, len(self._client.ncores()))

    def share(self, value: Any) -> Any:
        """Send a value to each worker; return what stands for it in arguments."""
        return self._client.scatter([value], broadcast=True, hash=False)[0]

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call a function on a worker; return the future of its result."""
        with warnings.catch_warnings():
            # What is sent with each group are the states of its trainings.
            warnings.filterwarnings("ignore", "Sending large graph")
            return self._executor.submit(function, *arguments)

    def cancel(self, future: Future[Any]) -> None:
        """Give up a call, if it is not done."""
        future.cancel()


class RayWorkers:
    """The processes of a Ray cluster: one for each of its GPUs, else for each CPU.

    Ray is started, or joined as `RAY_ADDRESS` says, if this process has not done so.
    """

    def __init__(self) -> None:
        try:
            self._ray: Any = importlib.import_module("ray")
        except ModuleNotFoundError:
            raise ImportError(
                "`workers='ray'` needs the library 'ray': `pip install ray`."
            ) from None
        if not self._ray.is_initialized():
            self._ray.init()
        gpus = int(self._ray.cluster_resources().get("GPU", 0))
        self._kind = "GPU" if gpus else "CPU"
        self._call = self._ray.remote(num_gpus=1 if gpus else 0)(_call)
        self._references: dict[Future[Any], Any] = {}

    @property
    def count(self) -> int:
        """How many there are now, at least 1."""
        return max(1, int(self._ray.cluster_resources().get(self._kind, 0)))

    def share(self, value: Any) -> Any:
        """Put a value where each process finds it; return what stands for it."""
        return self._ray.put(value)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call a function in a process; return the future of its result."""
        reference = self._call.remote(function, *arguments)
        future = reference.future()
        self._references[future] = reference
        future.add_done_callback(self._references.pop)
        return future

    def cancel(self, future: Future[Any]) -> None:
        """Give up a call, if it is not done."""
        reference = self._references.get(future)
        if reference is not None:
            self._ray.cancel(reference)


def _call(function, *arguments):
    return function(*arguments)


class Groups:
    """Items that workers work on in groups, and that are never lost.

    Dask and Ray call a group again where a worker died. If they give up, or have lost
    what was shared, each item of the group is sent once more, alone.

    Args:
        workers: DaskWorkers or RayWorkers.
        send: a function that sends a list of items, and returns the future of the list
            of their outcomes.
        share: called before items of a group that was lost are sent again.
        fatal: kinds of errors that end the iteration. Default: none
    """

    def __init__(
        self,
        workers: Any,
        send: Callable[[list[Any]], Future[Any]],
        share: Callable[[], None],
        fatal: tuple[type[Exception], ...] = (),
    ) -> None:
        self._workers = workers
        self._send = send
        self._share = share
        self._fatal = fatal
        self._running: dict[Future[Any], tuple[list[Any], bool]] = {}
        self._is_cancelled = False

    def add(self, items: Sequence[Any], params_of: Callable[[Any], Any]) -> None:
        """Send items in groups, whose models probably have one structure.

        Floats are what programs of one structure share: items that differ in something
        else are in different groups.

        Args:
            items: the items.
            params_of: a function from an item to a dict of its hyperparameters.
        """
        for group in groups_of(items, params_of, self._workers.count):
            self._start(group, is_again=False)

    def _start(self, group, is_again):
        try:
            future = self._send(group)
        except Exception as error:  # an outcome as others
            future = Future()
            future.set_exception(error)
        self._running[future] = group, is_again

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Yield each item with its outcome, or its error, until there are no more."""
        while self._running and not self._is_cancelled:
            done, _ = wait(self._running, return_when=FIRST_COMPLETED)
            for future in done:
                group, is_again = self._running.pop(future)
                try:
                    outcomes = future.result()
                except self._fatal:
                    raise
                except Exception as error:
                    if not is_again and not self._is_cancelled:
                        self._send_again(group)
                        continue
                    outcomes = [error] * len(group)
                yield from zip(group, outcomes, strict=True)

    def _send_again(self, group):
        self._share()
        for item in group:
            self._start([item], is_again=True)

    def cancel(self) -> None:
        """Give up what is not done."""
        self._is_cancelled = True
        for future in list(self._running):
            self._workers.cancel(future)


def groups_of(
    items: Sequence[Any], params_of: Callable[[Any], Any], workers: int
) -> list[list[Any]]:
    """Return the items in groups: see `Groups.add`."""
    alike: dict[Any, list[Any]] = defaultdict(list)
    for item in items:
        params = sorted((params_of(item) or {}).items())
        key = [(k, "" if isinstance(v, float) else repr(v)) for k, v in params]
        alike[tuple(key)].append(item)
    most = math.ceil(len(items) / (workers * _GROUPS_OF_A_WORKER))
    most = min(most, _MOST_IN_A_GROUP)
    return [
        members[first : first + most]
        for members in alike.values()
        for first in range(0, len(members), most)
    ]


def settings_here() -> dict[str, Any]:
    """Return what a process must know to train as this one does."""
    return {
        "engine": backends.current().name,
        "settings": config.settings(),
        "policy": dtype_policy(),
    }


@contextlib.contextmanager
def training_as(settings: dict[str, Any]) -> Iterator[None]:
    """A block that trains as the process does that has given its settings.

    Groups that a process trains at the same time share a scheduler.
    """
    config.set_settings(settings["settings"])
    set_dtype_policy(settings["policy"])
    worker = Worker(_scheduler_of_process())
    with backends.scope(settings["engine"]), scopes.worker_scope(worker):
        yield


@functools.cache
def _scheduler_of_process():
    return Scheduler()
