"""The space of a search: a range of values for each hyperparameter.

| what is written | what it means |
|---|---|
| `(0.0, 0.5)`, `(1, 8)` | numbers between the two, with both; integers if both are |
| `Log(1e-4, 1e-1)` | the same, evenly spread over the powers of ten |
| `range(16, 129, 16)` | its integers |
| `[32, 64]` | one of these |
| `scipy.stats.norm(0, 1)` | a distribution with `ppf`; integers if it is of them |
| `FloatDistribution(...)` | a distribution of Optuna |
| `64`, `"relu"` | always this |
| a function of a trial | calls `trial.suggest_float("rate", 0.0, 0.5)` and the like |
"""

from __future__ import annotations

import inspect
import math
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hornbeam.tuning.points import check_limits
from hornbeam.visualization.results import text

# The ends of a distribution whose ends may be infinite.
_LEAST_QUANTILE = 2.0**-20
_PLAIN = bool | int | float | str | None


@dataclass(frozen=True)
class Log:
    """Numbers between `low` and `high`, evenly spread over their powers of ten.

    Args:
        low: the least number, above 0.
        high: the largest number. Integers if both are.

    >>> import hornbeam as keras
    >>> keras.tuning.Log(1e-4, 1e-1)
    Log(low=0.0001, high=0.1)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        check_limits("Log", self.low, self.high, log=True)


def space_of(build: Callable[..., Any], space: Any) -> Callable[[Any], dict[str, Any]]:
    """Return a function from a trial to the hyperparameters of its candidate.

    Args:
        build: the function that makes a model. Where `space` is None its annotations
            and defaults are the ranges.
        space: `{name: range}`, or a function of a trial, or None.
    """
    if callable(space):
        return lambda trial: _returned(space, trial)
    if space is None:
        space = _ranges_of(build)
    if not isinstance(space, Mapping):
        raise TypeError(
            "Argument `space` of search() must be a dict of ranges, or a function of a "
            f"trial. Received: space={space!r}"
        )
    if not space:
        raise ValueError(
            "Argument `space` of search() is empty: all candidates would be equal. "
            "Pass `{name: range}`; keras.tuning.compare() trains networks as they are."
        )
    for name in space:
        if not isinstance(name, str):
            raise TypeError(
                "The names in argument `space` of search() must be strings. Received: "
                f"{name!r}"
            )
    suggesters = {name: _suggester(name, written) for name, written in space.items()}
    return lambda trial: {name: one(trial) for name, one in suggesters.items()}


def _returned(space, trial):
    params = space(trial)
    if params is None:
        return dict(trial.params)
    if not isinstance(params, Mapping):
        raise TypeError(
            "The function `space` must return a dict of hyperparameters, or None for "
            f"all that it has asked the trial for. Received: {params!r}"
        )
    return dict(params)


def _ranges_of(build):
    """Return the ranges that the annotations and the defaults of a function say."""
    ranges = {}
    for parameter in inspect.signature(build, eval_str=True).parameters.values():
        for written in (parameter.annotation, parameter.default):
            found = _range_in(written)
            if found is not None:
                ranges[parameter.name] = found
                break
    if not ranges:
        raise ValueError(
            f"search() was given no `space`, and {build!r} has no ranges in its "
            "annotations or defaults. Expected such as "
            "`def create_model(rate: (0.0, 0.5) = 0.2, units: [32, 64] = 32)`."
        )
    return ranges


def _range_in(written):
    if typing.get_origin(written) is typing.Literal:
        return list(typing.get_args(written))
    if typing.get_origin(written) is typing.Annotated:
        return next(filter(_is_range, typing.get_args(written)[1:]), None)
    if written is bool:
        return [False, True]
    return written if _is_range(written) else None


def _is_range(value):
    return (
        isinstance(value, Log | range | list)
        or _are_limits(value)
        or _is_optuna(value)
        or (hasattr(value, "ppf") and not isinstance(value, type))
    )


def _are_limits(value):
    return isinstance(value, tuple) and len(value) == 2 and all(map(_is_number, value))


def _is_number(value):
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _is_optuna(value):
    return type(value).__module__.partition(".")[0] == "optuna"


def _suggester(name, written):
    """Return the function that asks a trial for a hyperparameter's value."""
    if isinstance(written, Log):
        return _numbers(name, written.low, written.high, log=True)
    if isinstance(written, range):
        _check_not_empty(name, written)
        written = written if written.step > 0 else written[::-1]
        return _numbers(name, written[0], written[-1], step=written.step)
    if _are_limits(written):
        return _numbers(name, *written)
    if isinstance(written, tuple):
        raise ValueError(
            f"The range of {name!r} must be a pair of numbers; choices go into a list. "
            f"Received: {written!r}"
        )
    if _is_optuna(written):
        return _of_optuna(name, written)
    if hasattr(written, "ppf"):
        return _quantiles(name, written)
    if isinstance(written, np.ndarray):
        written = written.tolist()
    if isinstance(written, Sequence) and not isinstance(written, str | bytes):
        _check_not_empty(name, written)
        return _choices(name, list(written))
    if isinstance(written, set | frozenset) or hasattr(written, "__next__"):
        raise TypeError(
            f"The range of {name!r} must be a list of choices. Received: a "
            f"{type(written).__name__}, which has no order or can be read only once."
        )
    return lambda trial: written


def _check_not_empty(name, written):
    if not len(written):
        raise ValueError(f"The range of {name!r} is empty: {written!r}")


def _numbers(name, low, high, step=None, log=False):
    check_limits(f"The range of {name!r}", low, high, log)
    if isinstance(low, int | np.integer) and isinstance(high, int | np.integer):
        low, high, step = int(low), int(high), int(step or 1)
        return lambda trial: trial.suggest_int(name, low, high, step=step, log=log)
    low, high = float(low), float(high)
    return lambda trial: trial.suggest_float(name, low, high, step=step, log=log)


def _choices(name, values):
    """Choices that storages cannot hold, such as objects, are asked for by a text."""
    if any(isinstance(value, float) and math.isnan(value) for value in values):
        raise ValueError(f"The range of {name!r} has NaN among its choices: {values!r}")
    if all(isinstance(value, _PLAIN) for value in values):
        return lambda trial: trial.suggest_categorical(name, values)
    labels = [text(value) for value in values]
    if len(set(labels)) < len(labels):
        labels = [f"{label} ({i})" for i, label in enumerate(labels)]
    table = dict(zip(labels, values, strict=True))
    return lambda trial: table[trial.suggest_categorical(name, labels)]


def _quantiles(name, distribution):
    least = _LEAST_QUANTILE

    def suggest(trial):
        value = distribution.ppf(trial.suggest_float(name, least, 1 - least)).item()
        is_integer = hasattr(distribution, "pmf") and value.is_integer()
        return int(value) if is_integer else value

    return suggest


def _of_optuna(name, distribution):
    choices = getattr(distribution, "choices", None)
    if choices is not None:
        return _choices(name, list(choices))
    limits = distribution.low, distribution.high, distribution.step, distribution.log
    return _numbers(name, *limits)
