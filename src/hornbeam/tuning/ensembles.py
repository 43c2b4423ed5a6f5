"""A network trained with several seeds, and the ensemble of these."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.core.naming import own_names
from hornbeam.layers.core.input_layer import Input
from hornbeam.layers.merging.average import Average
from hornbeam.models.functional import Functional
from hornbeam.models.model import Model
from hornbeam.training.concurrent.tasks import MOST_TASKS, TaskGroup
from hornbeam.tuning.trainer import seed_of


class Seeds:
    """A candidate trained with several seeds.

    Attributes:
        scores: the first objective of each.
    """

    def __init__(
        self, trainer: Any, place: Any, training: Any, count: int, seed: int
    ) -> None:
        self._trainer = trainer
        self._trainings = [
            dataclasses.replace(
                training, name=f"seed-{i}", seed=seed_of(seed, "seed", i)
            )
            for i in range(count)
        ]
        with place:
            logs = {one.name: shown for one, shown in place.train(self._trainings)}
        failures = [one for one in logs.values() if isinstance(one, str)]
        if failures:
            raise RuntimeError(f"A training with another seed failed: {failures[0]}")
        self._name = next(iter(trainer.directions))
        sign = trainer.signs[0]
        self.scores: list[float] = [
            sign * trainer.score(logs[one.name].history, training.epochs)[0]
            for one in self._trainings
        ]

    def __getstate__(self) -> dict[str, Any]:
        """Return the scores and the models, without what has trained them."""
        return {"scores": self.scores, "models": self.models, "_name": self._name}

    @property
    def mean(self) -> float:
        """The mean of the scores."""
        return float(np.mean(self.scores))

    @property
    def std(self) -> float:
        """The standard deviation of the scores, of a sample."""
        return float(np.std(self.scores, ddof=1)) if len(self.scores) > 1 else 0.0

    @functools.cached_property
    def models(self) -> list[Model]:
        """The models, each with the weights of its best epoch."""
        return [self._trainer.model(training) for training in self._trainings]

    @functools.cached_property
    def ensemble(self) -> Model:
        """One model whose outputs are the means of the models' outputs."""
        return ensemble_of(self.models)

    def __repr__(self) -> str:
        return (
            f"{len(self.scores)} seeds: {self._name} {self.mean:.4f} ± {self.std:.4f}"
        )


def ensemble_of(models: list[Any]) -> Any:
    """Return one model whose outputs are the means of the models' outputs.

    It is compiled as the first one.
    """
    first = models[0]
    symbols = getattr(first, "inputs", None)
    if not symbols:
        raise ValueError(
            f"An ensemble needs models whose inputs are known, and {first.name!r} was "
            "never called on a symbolic input. Begin it with `keras.Input`, or use "
            "`result.seeds.models`."
        )
    with own_names():
        inputs = tree.map_structure(
            lambda x: Input(batch_shape=x.shape, dtype=x.dtype),
            symbols[0] if len(symbols) == 1 else first.input,
        )
        for number, model in enumerate(models):
            model.name = f"member_{number}"
        outputs = [model(inputs) for model in models]
        means = outputs[0]
        if len(models) > 1:
            means = tree.map_structure(lambda *parts: Average()(list(parts)), *outputs)
        ensemble = Functional(inputs, means, name="ensemble")
    ensemble.compile(**first._compile_arguments)
    return ensemble


def together(functions: list[Any]) -> list[Any]:
    """Call functions as tasks that share programs; return their results in order."""
    group = TaskGroup()
    group.limit = MOST_TASKS
    try:
        futures = [group.submit(function, _ignore) for function in functions]
        with group.retrieving():
            return [future.result() for future in futures]
    except BaseException:
        group.cancel()
        raise
    finally:
        group.finish()


def _ignore(future):
    pass
