"""Where candidates are trained: in this process, or in groups by workers elsewhere.

A place is a context manager with one method, `train`. What it runs is the same: a
`Trainer`, with tasks that share programs.
"""

from __future__ import annotations

import copy
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, as_completed, wait
from typing import Any, Self

from hornbeam.training.concurrent.tasks import MOST_TASKS, TaskGroup
from hornbeam.training.concurrent.workers import (
    settings_here,
    training_as,
    workers_of,
)
from hornbeam.tuning.copies import SearchError
from hornbeam.tuning.states import StatesInMemory
from hornbeam.tuning.trainer import Logs, Trainer, Training

# As many candidates at most are lost, and trained again, when a worker dies.
_MOST_IN_A_GROUP = 32
# So that a worker that has ended a group finds another one.
_GROUPS_OF_A_WORKER = 2

Outcome = Logs | str


def place_of(trainer: Trainer, workers: Any) -> Any:
    """Return the place that the argument `workers` of `search` means."""
    if workers is None:
        return Here(trainer)
    return Elsewhere(trainer, workers_of("search()", workers))


class Here:
    """Trains in this process, up to 256 candidates at a time.

    Args:
        trainer: a Trainer.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def __enter__(self) -> Self:
        self._group = TaskGroup()
        self._group.limit = MOST_TASKS
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is not None:
            self._group.cancel()
        self._group.finish()

    def train(
        self, trainings: Sequence[Training]
    ) -> Iterator[tuple[Training, Outcome]]:
        """Train; yield each training when it is done, with its Logs or its error."""
        futures = {
            self._group.submit(_attempt(self._trainer, training), _ignore): training
            for training in trainings
        }
        with self._group.retrieving():
            for future in as_completed(futures):
                yield futures.pop(future), future.result()


class Elsewhere:
    """Sends groups of trainings to workers; their states are kept here.

    Each worker gets the trainer, with the data, once, and with each group the states
    from which it goes on; it sends back what the group has shown, and its new states. A
    group that a worker could not train is trained one by one, so that one candidate
    that ends processes is found.

    Args:
        trainer: a Trainer.
        workers: DaskWorkers or RayWorkers.
    """

    def __init__(self, trainer: Trainer, workers: Any) -> None:
        self._trainer = trainer
        self._workers = workers
        self._groups: dict[Future[Any], list[Training]] = {}

    def __enter__(self) -> Self:
        self._share()
        return self

    def __exit__(self, *_: Any) -> None:
        for future in self._groups:
            self._workers.cancel(future)
        self._shared = None

    def train(
        self, trainings: Sequence[Training]
    ) -> Iterator[tuple[Training, Outcome]]:
        """Train; yield each training when it is done, with its Logs or its error."""
        for group in groups_of(trainings, self._workers.count):
            self._submit(group)
        is_again: set[str] = set()
        while self._groups:
            done, _ = wait(self._groups, return_when=FIRST_COMPLETED)
            for future in done:
                group = self._groups.pop(future)
                try:
                    outcomes, states = future.result()
                except SearchError:
                    raise
                except Exception as error:
                    if group[0].name in is_again:
                        yield group[0], _message(error)
                        continue
                    is_again.update(training.name for training in group)
                    self._share()
                    for training in group:
                        self._submit([training])
                else:
                    for name, state in states.items():
                        self._trainer.states.save(name, state)
                    yield from zip(group, outcomes, strict=True)

    def _share(self):
        try:
            self._shared = self._workers.share((self._trainer, settings_here()))
        except Exception as error:
            error.add_note(
                "search(workers=...) sends the function that makes models, the data, "
                "the callbacks and the arguments of `fit` to the workers: all of them "
                "must be picklable."
            )
            raise

    def _submit(self, group):
        states = self._trainer.states
        held = {training.name: states.load(training.name) for training in group}
        held = {name: state for name, state in held.items() if state is not None}
        future = self._workers.submit(train_group, self._shared, group, held)
        self._groups[future] = group


def train_group(
    shared: tuple[Trainer, dict[str, Any]],
    group: list[Training],
    states: dict[str, Any],
) -> tuple[list[Outcome], dict[str, Any]]:
    """Train a group in this process, a worker's.

    Args:
        shared: the trainer, and settings of the process that has sent it.
        group: the trainings.
        states: the states from which they go on, by name.

    Returns:
        The outcome of each, and the states by name.
    """
    trainer, settings = shared
    trainer = copy.copy(trainer)
    trainer.states = StatesInMemory(states)
    trainer.look(group[0])
    with training_as(settings), Here(trainer) as here:
        outcomes = {training.name: outcome for training, outcome in here.train(group)}
    return [outcomes[training.name] for training in group], trainer.states.all()


def groups_of(trainings: Sequence[Training], workers: int) -> list[list[Training]]:
    """Return the trainings in groups whose models probably have one structure.

    Floats are what programs of one structure share: candidates that differ in something
    else are in different groups.

    Args:
        trainings: the trainings.
        workers: how many workers there are.
    """
    alike: dict[Any, list[Training]] = defaultdict(list)
    for training in trainings:
        params = sorted(training.params.items())
        key = [(k, "" if isinstance(v, float) else repr(v)) for k, v in params]
        alike[tuple(key)].append(training)
    most = math.ceil(len(trainings) / (workers * _GROUPS_OF_A_WORKER))
    most = min(most, _MOST_IN_A_GROUP)
    return [
        members[first : first + most]
        for members in alike.values()
        for first in range(0, len(members), most)
    ]


def _attempt(trainer, training):
    """Return a function that trains, and returns the Logs or why it has failed."""

    def attempt():
        try:
            return trainer.train(training)
        except SearchError:
            raise
        except Exception as error:
            return _message(error)

    return attempt


def _message(error):
    return f"{type(error).__name__}: {error}"


def _ignore(future):
    pass
