"""Where candidates are trained: in this process, or in groups by workers elsewhere.

A place is a context manager with one method, `train`. What it runs is the same: a
`Trainer`, with tasks that share programs.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from typing import Any, Self

from hornbeam.training.concurrent.tasks import MOST_TASKS, TaskGroup
from hornbeam.training.concurrent.workers import (
    Groups,
    settings_here,
    training_as,
    workers_of,
)
from hornbeam.tuning.copies import SearchError
from hornbeam.tuning.states import StatesInMemory
from hornbeam.tuning.trainer import Logs, Trainer, Training

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
    from which it goes on; it sends back what the group has shown, and its new states.

    Args:
        trainer: a Trainer.
        workers: DaskWorkers or RayWorkers.
    """

    def __init__(self, trainer: Trainer, workers: Any) -> None:
        self._trainer = trainer
        self._workers = workers

    def __enter__(self) -> Self:
        fatal = (SearchError,)
        self._groups = Groups(self._workers, self._send, self._share, fatal)
        self._share()
        return self

    def __exit__(self, *_: Any) -> None:
        self._groups.cancel()
        self._shared = None

    def train(
        self, trainings: Sequence[Training]
    ) -> Iterator[tuple[Training, Outcome]]:
        """Train; yield each training when it is done, with its Logs or its error."""
        self._groups.add(trainings, lambda training: training.params)
        for training, outcome in self._groups:
            if isinstance(outcome, Exception):
                yield training, _message(outcome)
                continue
            shown, state = outcome
            if state is not None:
                self._trainer.states.save(training.name, state)
            yield training, shown

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

    def _send(self, group):
        states = self._trainer.states
        held = {training.name: states.load(training.name) for training in group}
        held = {name: state for name, state in held.items() if state is not None}
        return self._workers.submit(train_group, self._shared, group, held)


def train_group(
    shared: tuple[Trainer, dict[str, Any]],
    group: list[Training],
    states: dict[str, Any],
) -> list[tuple[Outcome, Any]]:
    """Train a group in this process, a worker's.

    Args:
        shared: the trainer, and settings of the process that has sent it.
        group: the trainings.
        states: the states from which they go on, by name.

    Returns:
        For each training its outcome and its state.
    """
    trainer, settings = shared
    trainer = copy.copy(trainer)
    trainer.states = StatesInMemory(states)
    trainer.look(group[0])
    with training_as(settings), Here(trainer) as here:
        outcomes = {training.name: outcome for training, outcome in here.train(group)}
    return [(outcomes[one.name], trainer.states.load(one.name)) for one in group]


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
