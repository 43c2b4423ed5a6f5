"""The state of a fit: all that it needs to go on as if nothing had happened.

| part | what it is | who has it |
|---|---|---|
| `position` | epoch, steps done in it and their logs, whether to stop | the loop |
| `values` | weights, slots, rates, loss scale, seeds, sums of metrics | Variables |
| `numbers` | dropout rates, decays ... | Hyperparameters |
| `data` | the order of rows or batches, and how many were used | the data |
| `batches` | what tells them from those of other data, only compared | the data |
| `random` | the random states of Python, NumPy and torch | the process |
| `callbacks` | best values, epochs waited, history ... | the callbacks |

Data and callbacks say in `state_attributes` what their state is, by name and type:
nothing else of them is set.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from hornbeam.callbacks.backup_file import plain_array
from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from hornbeam.core.random_states import random_states, set_random_states
from hornbeam.core.warning import warn
from hornbeam.typing import PathLike

_POSITION = {"epoch": int, "step": int, "logs": dict, "stop": bool}


class Position(NamedTuple):
    """Where a fit is.

    Attributes:
        epoch: the epoch, counted from 0.
        step: how many of its steps are done.
        logs: the logs of the last of them.
        stop: whether the training is to end.
    """

    epoch: int
    step: int = 0
    logs: dict[str, Any] = {}
    stop: bool = False


class FitState:
    """Reads and restores the state of a fit.

    Args:
        model: the model.
        callbacks: the callbacks.
        data: the training data, or None.
    """

    def __init__(self, model: Any, callbacks: list[Any], data: Any):
        self._model = model
        self._callbacks = callbacks
        self._data = data
        self._variables, self._numbers = model._state_of_steps()

    def read(self, position: Position) -> dict[str, Any]:
        """Return the state: dicts and lists of plain data, arrays and Variables."""
        within = position.step > 0
        return {
            "position": position._asdict(),
            "values": list(self._variables),
            "paths": [variable.path for variable in self._variables],
            "numbers": [getattr(owner, name) for owner, name in self._numbers],
            "data": self._data.state(within) if self._data is not None else {},
            "batches": getattr(self._data, "batches", {}),
            "random": random_states(),
            "callbacks": {
                key: {name: getattr(callback, name) for name in declared}
                for key, callback, declared in self._with_state()
            },
        }

    def check(self, state: dict[str, Any], folder: PathLike) -> None:
        """Raise unless all of `state`, from the backup in `folder`, fits."""
        folder = os.fspath(folder)
        source = f"The backup in {folder!r}"
        fix = f"Remove the folder {folder!r} to start anew, or pass another folder."
        try:
            self._check(state, source)
            self._check_batches(state, source, fix)
        except (KeyError, TypeError, AttributeError) as error:
            raise DamagedFileError(f"{source} is damaged: {error!r}. {fix}") from error
        except _OtherTrainingError as error:
            raise ValueError(f"{error} {fix}") from None

    def _check(self, state, source):
        _check(state["position"], _POSITION, "the training", source, whole=True)
        for key, _, declared in self._with_state():
            _check(state["callbacks"].get(key, {}), declared, repr(key), source)
        if self._data is not None:
            declared = self._data.state_attributes
            _check(state["data"], declared, "the data", source, whole=True)
        values, variables = state["values"], self._variables
        if list(map(_form, values)) != [
            _form(plain_array(variable)) for variable in variables
        ]:
            raise _OtherTrainingError(
                f"{source} is of another model: it holds {len(values)} variables, "
                f"{state['paths'][:5]} ..., and this model and its optimizer have "
                f"{len(variables)}, {[one.path for one in variables[:5]]} ...."
            )
        numbers = state["numbers"]
        if len(numbers) != len(self._numbers) or not all(map(_is_finite, numbers)):
            raise _OtherTrainingError(
                f"{source} is of another model: it holds the numbers "
                f"{numbers[:5]} ..., and this model has "
                f"{[name for _, name in self._numbers][:5]} ...."
            )

    def _check_batches(self, state, source, fix):
        """Raise within an epoch, and warn between two, if the batches are others."""
        old, new = state["batches"], getattr(self._data, "batches", {})
        if all(old.get(name) in (None, value) for name, value in new.items()):
            return
        message = (
            f"{source} was made with other batches: {_listed(old)}. Received: "
            f"{_listed(new)}."
        )
        if state["position"]["step"]:
            raise ValueError(
                f"{message} It is in the middle of an epoch, which can only go on with "
                f"the data and arguments of before. {fix}"
            )
        warn(f"{message} The training goes on with those. {fix}")

    def resume_data(self, state: dict[str, Any]) -> None:
        """Put the data where it was, before the first epoch begins."""
        set_random_states(state["random"])
        if self._data is not None:
            self._data.resume(state["data"], state["position"]["epoch"])

    def restore(self, state: dict[str, Any]) -> None:
        """Set all but the data; a resumed epoch does so once more when it has begun."""
        set_random_states(state["random"])
        for variable, array in zip(self._variables, state["values"], strict=True):
            kind = variable.numpy().dtype
            variable.assign(array.view(kind) if kind.kind == "V" else array)
        for (owner, name), number in zip(self._numbers, state["numbers"], strict=True):
            if getattr(owner, name) != number:
                setattr(owner, name, number)
        for key, callback, _ in self._with_state():
            for name, value in state["callbacks"].get(key, {}).items():
                setattr(callback, name, value)
        self._model.stop_training = state["position"]["stop"]

    def _with_state(self) -> Iterator[tuple[str, Any, dict[str, Any]]]:
        """Yield the callbacks with state: `class and number`, callback, declaration."""
        seen: dict[str, int] = {}
        for callback in self._callbacks:
            name = type(callback).__name__
            seen[name] = seen.get(name, -1) + 1
            declared = getattr(callback, "state_attributes", ())
            if declared:
                if not isinstance(declared, dict):
                    declared = dict.fromkeys(declared, object)
                yield f"{name} {seen[name]}", callback, declared


class _OtherTrainingError(ValueError):
    """The backup is of another training."""


def _listed(batches):
    return ", ".join(f"{name}={value!r}" for name, value in batches.items())


def _check(state, declared, owner, source, whole=False):
    """Refuse what the owner does not declare as its state; None is always allowed."""
    if whole and set(state) != set(declared):
        raise _OtherTrainingError(
            f"{source} has the state {sorted(state)} of {owner}, which has the state "
            f"{sorted(declared)}: it is of another training."
        )
    for name, value in state.items():
        kind = declared.get(name)
        kind = (int, float) if kind is float else kind
        if kind is None or not (value is None or isinstance(value, kind)):
            raise UnsafeFileError(
                f"{source} sets {name!r} of {owner} to {str(value)[:50]!r}, which is "
                f"no state of it: {', '.join(declared)}."
            )


def _is_finite(number):
    return isinstance(number, int | float) and math.isfinite(number)


def _form(array):
    return array.shape, array.dtype
