"""What the loss of a model is, in words: equal ones for losses that are comparable."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from hornbeam import losses
from hornbeam.core import tree
from hornbeam.core.naming import to_snake_case
from hornbeam.tuning.copies import SearchError

# The same number comes from probabilities and from logits.
_NO_DIFFERENCE = ("name", "dtype", "from_logits")


class DifferentLossesError(SearchError):
    """Models are to be ranked by losses that are not comparable."""


def is_loss(objective: str) -> bool:
    """Whether an objective is the loss, on whatever rows."""
    return objective.removeprefix("val_") == "loss"


def check_losses(
    owner: str, objectives: Iterable[str], losses: Mapping[str, str]
) -> None:
    """Raise DifferentLossesError where models are ranked by losses that differ.

    Args:
        owner: the name of the function.
        objectives: the names of the objectives in the logs.
        losses: the models' losses in words, by what the models are called.
    """
    objective = next(filter(is_loss, objectives), None)
    (first, loss), *others = losses.items()
    for name, other in others if objective is not None else ():
        if other != loss:
            raise DifferentLossesError(
                f"{owner} cannot compare the {objective!r} of networks whose losses "
                f"differ: {first} has {loss}, {name} has {other}. Pass as `objective` "
                "a metric that all of them have, such as 'val_accuracy'."
            )


def loss_of(model: Any) -> str:
    """Return the loss of a compiled model, its weights and penalties in words.

    Penalties are what layers add to the loss: those of regularizers.

    Args:
        model: a model that is built.
    """
    given = model._compile_arguments
    words = tree.map_structure(_in_words, given["loss"])
    if isinstance(words, list | tuple) and len(words) == 1:
        (words,) = words
    parts = [words if isinstance(words, str) else str(words)]
    if given["loss_weights"] is not None:
        parts.append(f"with the weights {given['loss_weights']}")
    penalties = sorted({_in_words(one) for one in _regularizers(model)})
    if penalties:
        parts.append(f"and penalties of {', '.join(penalties)}")
    return " ".join(parts)


def _regularizers(model):
    for variable in model.trainable_variables:
        if variable.regularizer is not None:
            yield variable.regularizer
    for layer in model._flatten_layers():
        if getattr(layer, "activity_regularizer", None) is not None:
            yield layer.activity_regularizer


def _in_words(part):
    """Return a loss or a regularizer as a call, with the numbers that are not usual."""
    if part is None:
        return "no loss"
    part = losses.get(part) if isinstance(part, str) else part
    # Classes and functions of one loss have one name in two ways of writing.
    name = getattr(part, "__qualname__", to_snake_case(type(part).__qualname__))
    config = part.get_config() if hasattr(part, "get_config") else {}
    usual = inspect.signature(type(part)).parameters if config else {}
    numbers = [
        f"{key}={value!r}"
        for key, value in config.items()
        if key not in _NO_DIFFERENCE
        and repr(value) != repr(getattr(usual.get(key), "default", None))
    ]
    return f"{name}({', '.join(numbers)})" if numbers else name
