"""Searches over several machines: each dask worker is one rendezvous for its share."""

import contextlib
from contextvars import copy_context

from distributed import WorkerPlugin
from distributed.threadpoolexecutor import ThreadPoolExecutor

from hornbeam.training.rendezvous import Rendezvous


class RendezvousPlugin(WorkerPlugin):
    """Trains the tasks together that run on a dask worker at the same time.

    Without it each task trains on its own, with the worker's programs shared. A worker
    runs as many tasks at a time as it has threads: give it many.

        client = Client(LocalCluster(n_workers=2, threads_per_worker=64))
        client.register_plugin(keras.wrappers.RendezvousPlugin())
        with joblib.parallel_config(backend="dask"):
            GridSearchCV(KerasClassifier(create_model), param_grid).fit(X, y)
    """

    name = "hornbeam-rendezvous"

    def setup(self, worker):
        """Let the worker's tasks run in one rendezvous."""
        worker.executors["default"].shutdown(wait=False)
        worker.executors["default"] = _RendezvousThreadPoolExecutor(
            worker.state.nthreads
        )


class _RendezvousThreadPoolExecutor(ThreadPoolExecutor):
    def __init__(self, threads):
        super().__init__(threads, thread_name_prefix="hornbeam-task")
        self._rendezvous = Rendezvous()

    def submit(self, function, *args, **kwargs):
        """Count the task from now on, so that those before it wait for it."""
        context, stack = copy_context(), contextlib.ExitStack()
        context.run(stack.enter_context, self._rendezvous.task())

        def run():
            try:
                return context.run(function, *args, **kwargs)
            finally:
                context.run(stack.close)

        return super().submit(run)
