"""What `search` and `compare` refuse before anything is trained."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from hornbeam.callbacks.callback import Callback
from hornbeam.core import tree
from hornbeam.core.errors import check_choice, check_number, did_you_mean, shown
from hornbeam.data.host import host_tree, is_array_like
from hornbeam.data.make import in_memory
from hornbeam.data.pack import NAMES, count_rows, unpack_x_y_sample_weight
from hornbeam.data.py_dataset import PyDataset
from hornbeam.models.model import Model

_PLACES = {
    "x": "`data=(x, y)`",
    "y": "`data=(x, y)`",
    "sample_weight": "`data=(x, y, sample_weight)`",
    "validation_split": "`validation=0.2`, a fraction of the rows",
    "validation_data": "`validation=(x, y)`",
}
_OWN = {
    "initial_epoch": "a candidate goes on where its state was kept",
    "resume": "`directory=` of search() keeps a search",
    "validation_freq": "candidates are measured after each epoch",
    "verbose": "it shows nothing while it runs",
}


def _check_fit_arguments(owner, arguments):
    """Refuse arguments of `fit` in whose place the search has its own."""
    for name in arguments:
        if name in _PLACES:
            raise TypeError(
                f"{owner} gives `fit` its argument `{name}` itself. Pass "
                f"{_PLACES[name]} instead."
            )
        if name in _OWN:
            raise TypeError(
                f"{owner} takes no argument `{name}`: {_OWN[name]}. Leave it out."
            )


def check_names(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Refuse a misspelt name of a function's argument among those that go to `fit`.

    Args:
        function: the function that received them.
        arguments: what it received.
    """
    known = inspect.signature(function).parameters
    of_fit = inspect.signature(Model.fit).parameters
    for name in arguments:
        hint = "" if name in of_fit else did_you_mean(name, {**known, **of_fit})
        # The others go to `fit`, which a model may have changed.
        if any(repr(one) in hint for one in known):
            raise TypeError(
                f"{function.__name__}() got an unexpected keyword argument {name!r}."
                f"{hint}"
            )


def whole(owner: str, name: str, value: Any, least: int, optional: bool = False) -> Any:
    """Return a whole number as an int; None stays if it may be None.

    Args:
        owner: the name of the function, for errors.
        name: that of the argument.
        value: what was received.
        least: the least that it may be.
        optional: whether None may be given. Default: False
    """
    if optional and value is None:
        return None
    return int(check_number(owner, name, value, least, integer=True))


def check_build(owner: str, name: str, build: Any) -> None:
    """Refuse a model, or what is no function, where a function makes models.

    Args:
        owner: the name of the function, for errors.
        name: that of the argument.
        build: what was received.
    """
    if callable(build) and not isinstance(build, Model):
        return
    fix = ""
    if isinstance(build, Model):
        fix = " Each candidate needs a model of its own: make it in the function."
    raise TypeError(
        f"Argument `{name}` of {owner} must be a function that makes a compiled model. "
        f"Received: {shown(build)}.{fix}"
    )


def callbacks_of(owner: str, callbacks: Any) -> list[Callback]:
    """Return callbacks as a list: one, several, none, or those that a function makes.

    Args:
        owner: the name of the function, for errors.
        callbacks: what was received.
    """
    is_function = callable(callbacks) and not isinstance(callbacks, type)
    given = callbacks() if is_function else callbacks
    found = [] if given is None else tree.flatten(given)
    for one in found:
        if not isinstance(one, Callback):
            is_class = isinstance(one, type) and issubclass(one, Callback)
            fix = f" Make an object of it: {one.__name__}(...)." if is_class else ""
            raise TypeError(
                f"Argument `callbacks` of {owner} must be a callback, a list of "
                f"callbacks, or a function that returns them. Received: {shown(one)}."
                f"{fix}"
            )
    return found


def check_sampler(owner: str, sampler: Any, names: Any, objectives: Any) -> None:
    """Refuse a sampler that is unknown, or that does not seek so many objectives.

    Args:
        owner: the name of the function, for errors.
        sampler: what was received.
        names: those that are known.
        objectives: the names of the objectives.
    """
    if isinstance(sampler, str):
        check_choice(owner, "sampler", sampler, names)
        if sampler == "cma" and len(objectives) > 1:
            raise ValueError(
                f"The sampler 'cma' of {owner} seeks one objective; of several use "
                f"'tpe', 'gp', 'random' or 'sobol'. Received: objective="
                f"{sorted(objectives)}"
            )
    elif isinstance(sampler, type) or not hasattr(sampler, "sample_relative"):
        raise TypeError(
            f"Argument `sampler` of {owner} must be one of {sorted(names)}, or an "
            "object such as `optuna.samplers.TPESampler(seed=1)`. Received: "
            f"{shown(sampler)}"
        )


def check_training(
    owner: str,
    data: Any,
    validation: Any,
    callbacks: Any,
    fit_arguments: Mapping[str, Any],
) -> None:
    """Refuse what no candidate could be trained with or measured on.

    Args:
        owner: the name of the function, for errors.
        data: what was received.
        validation: the same.
        callbacks: the same.
        fit_arguments: the same.
    """
    _check_fit_arguments(owner, fit_arguments)
    callbacks_of(owner, callbacks)
    if data is None:
        raise ValueError(f"Argument `data` of {owner} is missing: pass `(x, y)`.")
    _check_source(owner, "data", data)
    is_plain = validation is None or isinstance(validation, bool | int | float)
    is_splitter = hasattr(validation, "split") and not isinstance(validation, str)
    if is_splitter and isinstance(validation, type):
        raise TypeError(
            f"Argument `validation` of {owner} is a class. Make an object of it: "
            f"{validation.__name__}(...)."
        )
    if is_plain or (is_splitter and not is_array_like(validation)):
        return
    is_alone = is_array_like(validation) or isinstance(validation, str | dict)
    if is_alone or (isinstance(validation, list | tuple) and len(validation) < 2):
        raise ValueError(
            f"Argument `validation` of {owner} must be a fraction of the rows, a "
            "number of folds, a splitter, `(x, y)`, a source of batches, or None. "
            f"Received: {shown(validation)}"
        )
    _check_source(owner, "validation", validation)


def _check_source(owner, name, source):
    """Refuse iterators: all candidates would share one, each with what others left."""
    for part in tree.flatten(source):
        if hasattr(part, "__next__") and not isinstance(part, PyDataset):
            raise ValueError(
                f"Argument `{name}` of {owner} is read once for each candidate, "
                "and an iterator can be read a single time. Expected arrays, a "
                "Dataset, a PyDataset, or an object whose `__iter__` begins "
                f"anew. Received: a {type(part).__name__}."
            )
    try:
        parts = unpack_x_y_sample_weight(source)
        if in_memory(parts[0]):
            count_rows([host_tree(x, n) for x, n in zip(parts, NAMES, strict=True)])
    except ValueError as error:
        raise ValueError(f"Argument `{name}` of {owner}: {error}") from None
