"""What `search` and `compare` refuse before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hornbeam.core import tree
from hornbeam.data.py_dataset import PyDataset

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


def check_fit_arguments(owner: str, arguments: Mapping[str, Any]) -> None:
    """Refuse arguments of `fit` in whose place the search has its own.

    Args:
        owner: the name of the function, for errors.
        arguments: the further arguments that it was given.
    """
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


def check_sources(owner: str, **sources: Any) -> None:
    """Refuse iterators: all candidates would share one, each with what others left.

    Args:
        owner: the name of the function, for errors.
        **sources: the data, by the names of the arguments.
    """
    for name, source in sources.items():
        for part in tree.flatten(source):
            if hasattr(part, "__next__") and not isinstance(part, PyDataset):
                raise ValueError(
                    f"Argument `{name}` of {owner} is read once for each candidate, "
                    "and an iterator can be read a single time. Expected arrays, a "
                    "Dataset, a PyDataset, or an object whose `__iter__` begins "
                    f"anew. Received: a {type(part).__name__}."
                )
