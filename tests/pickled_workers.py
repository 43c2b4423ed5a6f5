"""Workers in this process whose calls get and give pickles, some of which are lost."""

from concurrent.futures import Future
from typing import NamedTuple

import cloudpickle


class Shared(NamedTuple):
    content: bytes


class PickledWorkers:
    """Workers for tests: `fails(call number, arguments)` says which calls are lost."""

    count = 2

    def __init__(self, fails=lambda number, *arguments: False):
        self.fails = fails
        self.shared, self.submitted, self.cancelled = [], [], []

    def share(self, value):
        self.shared.append(value)
        return Shared(cloudpickle.dumps(value))

    def submit(self, function, *arguments):
        self.submitted.append(arguments)
        future = Future()
        if self.fails(len(self.submitted), *arguments):
            future.set_exception(OSError("The worker died"))
            return future
        given = [
            cloudpickle.loads(
                one.content if isinstance(one, Shared) else cloudpickle.dumps(one)
            )
            for one in arguments
        ]
        try:
            future.set_result(cloudpickle.loads(cloudpickle.dumps(function(*given))))
        except Exception as error:
            future.set_exception(cloudpickle.loads(cloudpickle.dumps(error)))
        return future

    def cancel(self, future):
        self.cancelled.append(future)
