"""How a candidate is trained: from its hyperparameters to the logs of its epochs."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hornbeam.callbacks.early_stopping import EarlyStopping
from hornbeam.callbacks.monitor import direction_of
from hornbeam.core import scopes
from hornbeam.core.errors import did_you_mean
from hornbeam.core.naming import own_names
from hornbeam.core.random import seed_scope
from hornbeam.models.model import Model
from hornbeam.training.concurrent.scheduler import fit_slot
from hornbeam.tuning.arguments import callbacks_of
from hornbeam.tuning.copies import OwnParts, own_copy
from hornbeam.tuning.splits import Split
from hornbeam.tuning.states import Continuation
from hornbeam.tuning.watching import (
    PreparedError,
    Watch,
    check_objectives,
    names_in_logs,
)

_FOREVER = 10**9
_OF_FIT = ("batch_size", "class_weight", "shuffle", "steps_per_epoch")


@dataclass(frozen=True)
class Training:
    """A training of a candidate: what it is and how far it goes.

    Attributes:
        name: the name of its state.
        params: the hyperparameters.
        epochs: the epoch up to which it goes.
        fold: which of the splits it is trained on.
        seed: the seed of all that is drawn.
        own_numbers: whether it goes on from the state of another one, with its own
            rates. Default: False
    """

    name: str
    params: dict[str, Any] = field(hash=False)
    epochs: int
    fold: int = 0
    seed: int = 0
    own_numbers: bool = False


@dataclass
class Logs:
    """What a training has shown so far.

    Attributes:
        history: the logs of all its epochs, by name.
        seconds: how long this part of it took, without what it waited for others.
    """

    history: dict[str, list[float]]
    seconds: float


class Trainer:
    """Trains candidates, each from its start or from where its state was kept.

    Args:
        build: the function that makes a model of hyperparameters.
        splits: what is trained on and measured on.
        directions: `{name in the logs: "max" or "min"}` of the objectives; a candidate
            ends with the weights of the epoch at which the first was best.
        states: where states are kept.
        patience: epochs without improvement after which a training ends, or None.
        callbacks: callbacks, of which each training gets copies, or a function that
            makes them.
        fit_arguments: further arguments of `fit`.
        owner: the name of the function, for errors. Default: "search()"

    Attributes:
        loss: what loss all models must have, in words; None: any.
    """

    def __init__(
        self,
        build: Callable[..., Any],
        splits: list[Split],
        directions: Mapping[str, Any],
        states: Any,
        patience: int | None = None,
        callbacks: Any = None,
        fit_arguments: Mapping[str, Any] | None = None,
        owner: str = "search()",
    ) -> None:
        self.owner = owner
        self.splits = splits
        self.directions: dict[str, Any] = dict(directions)
        self.loss: str | None = None
        self.states = states
        self._build = build
        self._patience = patience
        self._callbacks = callbacks
        self._fit_arguments = dict(fit_arguments or {})
        self._accepted, self._required = _arguments_of(build)
        self._parts = OwnParts()

    def share_parts_with(self, other: Trainer) -> None:
        """Give no model an optimizer, metric or layer that models of `other` have."""
        self._parts = other._parts

    def __getstate__(self) -> dict[str, Any]:
        """Return what goes to other processes: all but the states."""
        return self.__dict__ | {"states": None}

    def train(self, training: Training) -> Logs:
        """Train up to the epoch that is asked for; return the logs."""
        with fit_slot():
            started, waited = time.perf_counter(), _seconds_waited()
            model = self._trained(training)
            seconds = time.perf_counter() - started - (_seconds_waited() - waited)
        return Logs(dict(model.history.history), seconds)

    def model(self, training: Training) -> Any:
        """Return the model of a training that is over, with its best weights."""
        return self._trained(training)

    def trained_on(self, split: Split, candidate: Any, seed: int) -> Any:
        """Return a candidate's model trained on other rows, as long as was best."""
        name = next(iter(self.directions))
        best = [
            np.nanargmax(self.signs[0] * np.array(history[name])) + 1
            for history in candidate.histories
        ]
        (x, y, weight), _ = split
        with seed_scope(seed_of(seed, "whole")), own_names():
            model, of_fit = self._made(candidate.params)
            arguments = self._fit_arguments | of_fit
            epochs = max(1, round(float(np.mean(best))))
            model.fit(x, y, sample_weight=weight, verbose=0, epochs=epochs, **arguments)
        return model

    def prepared(self, params: dict[str, Any], seed: int) -> Any:
        """Return a model that is about to be trained, all of it built.

        What is wrong with the arguments of `fit`, with the data, or with the objectives
        is raised.
        """
        model = None
        with contextlib.suppress(PreparedError), seed_scope(seed), own_names():
            model, of_fit = self._made(params, is_probe=True)
            self._fit(model, of_fit, self.splits[0], 1, [self._watch(is_probe=True)])
        if not callbacks_of(self.owner, self._callbacks):
            known = names_in_logs(model, self.splits[0][1] is not None)
            if known is not None:
                check_objectives(self.owner, self.directions, known)
        return model

    def look(self, training: Training) -> None:
        """Learn, in another process, which parts of models are made outside of `build`.

        The candidate's own training says what is wrong with it.
        """
        with contextlib.suppress(Exception), seed_scope(training.seed), own_names():
            self._made(training.params, is_probe=True)

    def direction(self, model: Any, name: str) -> str:
        """Return "max" or "min" for an objective, as the model's metrics say."""
        direction = direction_of(model, name.removeprefix("val_"))
        if direction is None:
            raise ValueError(
                f"{self.owner} cannot know whether small or large is good for the "
                f"objective {name!r}. Pass `objective={{{name!r}: 'max'}}` or `'min'`."
            )
        return direction

    @property
    def signs(self) -> list[int]:
        """1 for each objective of which much is good, else -1."""
        return [1 if one == "max" else -1 for one in self.directions.values()]

    def score(
        self, history: Mapping[str, list[float]], epochs: int
    ) -> tuple[float, ...]:
        """Return the objectives at the best epoch so far; greater is better."""
        return scores_of(history, list(self.directions), self.signs, epochs)

    def last_score(self, history: Mapping[str, list[float]]) -> tuple[float, ...]:
        """Return the objectives at the last epoch; greater is better."""
        values = [history[name][-1] for name in self.directions]
        return tuple(s * x for s, x in zip(self.signs, values, strict=True))

    def failure(self, history: Mapping[str, list[float]]) -> str | None:
        """Return why a training has failed, or None."""
        losses = history.get("loss") or [0.0]
        if np.isfinite(losses[-1]):
            return None
        return f"The loss became {losses[-1]} in epoch {len(losses)}."

    def _trained(self, training):
        with seed_scope(training.seed), own_names():
            model, of_fit = self._made(training.params)
            split, callbacks = self.splits[training.fold], self._callbacks_of(training)
            self._fit(model, of_fit, split, training.epochs, callbacks)
        return model

    def _fit(self, model, of_fit, split, epochs, callbacks):
        (x, y, weight), valid = split
        model.fit(
            x, y, sample_weight=weight, validation_data=valid, verbose=0,
            epochs=epochs, callbacks=callbacks, **self._fit_arguments | of_fit,
        )  # fmt: skip

    def _watch(self, is_probe=False):
        return Watch(self.owner, self.directions, is_probe, self.loss)

    def _callbacks_of(self, training):
        own = callbacks_of(self.owner, self._callbacks)
        own = own if callable(self._callbacks) else copy.deepcopy(own)
        patience = _FOREVER if self._patience is None else self._patience
        name, mode = next(iter(self.directions.items()))
        stop = EarlyStopping(
            name, patience=patience, mode=mode, restore_best_weights=True
        )
        return [
            self._watch(),
            *own,
            stop,
            Continuation(self.states, training.name, training.own_numbers),
        ]

    def _made(self, params, is_probe=False):
        """Call `build` with the hyperparameters that it takes; place the others."""
        accepted = self._accepted
        of_build = {
            k: v for k, v in params.items() if accepted is None or k in accepted
        }
        rest = {k: v for k, v in params.items() if k not in of_build}
        missing = [name for name in self._required if name not in of_build]
        if missing:
            raise TypeError(
                f"{self._build!r} needs {', '.join(map(repr, missing))}: without a "
                "default, and in no `space`. Give a default, or a range. Received: "
                f"{sorted(of_build)}"
            )
        model = self._build(**{name: own_copy(x) for name, x in of_build.items()})
        if not isinstance(model, Model):
            raise TypeError(
                f"{self.owner} expects of {self._build!r} a model. Received: {model!r}"
                + (". Does it lack a `return`?" if model is None else "")
            )
        if not model.compiled:
            raise ValueError(
                f"The model of {self._build!r} is not compiled. Call "
                "`model.compile(optimizer, loss, metrics)` in it."
            )
        model = self._parts.separate(model, is_probe)
        of_fit = {name: rest.pop(name) for name in _OF_FIT if name in rest}
        for name, value in rest.items():
            if not hasattr(model.optimizer, name):
                raise ValueError(_no_place(self._build, name, accepted))
            setattr(model.optimizer, name, own_copy(value))
        return model, of_fit


def _seconds_waited():
    """Return how long this task has waited for others and for compilation."""
    worker = scopes.worker()
    return 0.0 if worker is None else worker.waited


def _arguments_of(build):
    """Return the arguments of `build`, None if it takes all, and those without default.

    Of what has no signature to read, such as some builtins, all are accepted.
    """
    try:
        parameters = inspect.signature(build).parameters.values()
    except ValueError:
        return None, []
    named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    accepts_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
    required = [p.name for p in named if p.default is p.empty]
    return None if accepts_all else {p.name for p in named}, required


def _no_place(build, name, accepted):
    known = [*(accepted or ()), *_OF_FIT]
    return (
        f"The hyperparameter {name!r} is no argument of {build!r}, none of `fit` "
        f"({', '.join(_OF_FIT)}), and no attribute of the optimizer. Arguments: "
        f"{sorted(accepted or ())}.{did_you_mean(name, known)}"
    )


def seed_of(*parts: Any) -> int:
    """Return a seed that follows from its parts."""
    text = " ".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "little")


def scores_of(
    history: Mapping[str, list[float]],
    objectives: Sequence[str],
    signs: Sequence[float],
    epochs: int,
) -> tuple[float, ...]:
    """Return the objectives at the best epoch so far; greater is better.

    Args:
        history: the logs.
        objectives: their names in the logs.
        signs: 1 for an objective of which much is good, else -1.
        epochs: the last epoch that counts.
    """
    columns = [
        sign * np.array(history[name][:epochs], float)
        for name, sign in zip(objectives, signs, strict=True)
    ]
    table = np.stack(columns, axis=1)
    is_number = np.isfinite(table).all(axis=1)
    best = np.argmax(np.where(is_number, table[:, 0], -np.inf))
    return tuple(table[best].tolist())
