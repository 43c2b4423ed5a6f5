"""Searches over several machines: each dask worker schedules its part of the fits."""

from __future__ import annotations

from typing import Any

from hornbeam.training.concurrent.scheduler import Scheduler

try:
    from distributed import WorkerPlugin
except ModuleNotFoundError:  # then there is no client to register it with
    WorkerPlugin = object  # type: ignore[assignment, misc]


class RendezvousPlugin(WorkerPlugin):
    """Trains the tasks together that run on a dask worker at the same time.

    A worker runs as many tasks at a time as it has threads: give it many. Without the
    plugin its tasks share compiled programs, but nothing else.

        client = Client(LocalCluster(n_workers=2, threads_per_worker=64))
        client.register_plugin(keras.wrappers.RendezvousPlugin())
        with joblib.parallel_config(backend="dask"):
            GridSearchCV(KerasClassifier(create_model), param_grid).fit(X, y)
    """

    name = "hornbeam-rendezvous"

    def setup(self, worker: Any) -> None:
        """Let the worker's tasks share one scheduler."""
        scheduler, execute = Scheduler(), worker.execute

        async def execute_as_task(*args: Any, **kwargs: Any) -> Any:
            # dask runs the task in a thread, in a copy of the context of this block.
            with scheduler.task():
                return await execute(*args, **kwargs)

        worker.execute = execute_as_task
