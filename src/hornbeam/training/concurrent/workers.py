"""Processes on this machine or on others that train groups of tasks: Dask's and Ray's.

Workers run functions and hold values that are shared: each value is sent once to each
process that needs it. A function must depend on its arguments alone, since it is called
again elsewhere when a process dies: by Dask and by Ray themselves, a few times.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

from hornbeam import backends
from hornbeam.core import config, scopes
from hornbeam.core.errors import shown
from hornbeam.dtype_policies import policy
from hornbeam.training.concurrent.scheduler import Scheduler, Worker


def workers_of(owner: str, workers: Any) -> Any:
    """Return workers for what the caller of `owner` has given as `workers`.

    Args:
        owner: the name of what has the argument, for errors.
        workers: a Client of dask.distributed, or "ray".
    """
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


def settings_here() -> dict[str, Any]:
    """Return what a process must know to train as this one does."""
    return {
        "engine": backends.current().name,
        "settings": dict(config._settings),
        "policy": policy._default,
    }


@contextlib.contextmanager
def training_as(settings: dict[str, Any]) -> Iterator[None]:
    """A block that trains as the process does that has given its settings.

    Groups that a process trains at the same time share a scheduler.
    """
    config._settings.update(settings["settings"])
    policy._default = settings["policy"]
    worker = Worker(_scheduler_of_process())
    with backends.scope(settings["engine"]), scopes.worker_scope(worker):
        yield


@functools.cache
def _scheduler_of_process():
    return Scheduler()
