"""What belongs to which output: losses, metrics, weights, in lists and dicts.

Outputs are handled as a flat list. The entries for them may be one for all, a list in
their order, a dict by their names, or a nest like the outputs themselves.
"""

from __future__ import annotations

from typing import Any

from hornbeam.core import tree
from hornbeam.core.errors import did_you_mean


class OutputStructure:
    """The flat order and the names of a model's outputs.

    Args:
        y_pred: the outputs, a tensor or a nest.
        names: their names, or None.
    """

    def __init__(self, y_pred: Any, names: Any = None) -> None:
        self.count: Any = len(tree.flatten(y_pred))
        names = list(names or ())
        self.names: Any = names if len(names) == self.count else []
        is_flat_dict = isinstance(y_pred, dict) and not any(
            tree.is_nested(v) for v in y_pred.values()
        )
        if is_flat_dict and set(y_pred) != set(self.names):
            self.names = sorted(y_pred)
        self.structure: Any = y_pred
        self.numbered: Any = self._number()
        # What the logs of losses call the outputs: their keys or names, by path.
        self.labels: Any = [None] * self.count
        _label(self.numbered, "", self.names, self.labels)

    def _number(self):
        """Return the nest of the outputs, with their numbers in the flat order."""
        if isinstance(self.structure, dict) and set(self.structure) == set(self.names):
            return {name: number for number, name in enumerate(self.names)}
        numbers = iter(range(self.count))
        return tree.map_structure(lambda _: next(numbers), self.structure)

    def name(self, index: int) -> Any:
        """Return the name of an output, or None."""
        return self.names[index] if self.names else None

    def label_of(self, place: Any, path: Any) -> Any:
        """Return what logs call the outputs `place` at a path, or None."""
        if path:
            return "/".join(str(key) for key in path)
        labels = [self.labels[number] for number in tree.flatten(place)]
        return None if None in labels else "_".join(labels)

    def flatten(self, values: Any) -> Any:
        """Return the leaves of outputs or targets, in the outputs' order."""
        if isinstance(values, dict) and set(values) == set(self.names):
            return [values[name] for name in self.names]
        return tree.flatten(values)

    def distribute(self, entries: Any, what: str, is_leaf: Any) -> Any:
        """Return what belongs to each output; None where there is nothing.

        Args:
            entries: see the module.
            what: the argument's name in errors.
            is_leaf: `is_leaf(x, single)` says that `x` is not a container with parts
                for several outputs; `single`: it stands for one output only.
        """
        if entries is None:
            return [None] * self.count
        if is_leaf(entries, self.count == 1):
            return [entries] * self.count
        if isinstance(entries, dict) and self.are_named_by(entries):
            self.check_names(entries, what)
            return [entries.get(name) for name in self.names]
        if isinstance(entries, list | tuple) and len(entries) == self.count:
            if all(x is None or is_leaf(x, True) for x in entries):
                return list(entries)
        by_number = [None] * self.count
        self._match(entries, self.numbered, (), by_number, what, is_leaf)
        return by_number

    def _match(self, entries, place, path, by_number, what, is_leaf):
        """Walk `entries` along the nest of output numbers and fill in `by_number`."""
        if entries is None:
            return
        if is_leaf(entries, isinstance(place, int)):
            for index in tree.flatten(place):
                by_number[index] = entries
            return
        for one, inner, inner_path in self.parts(entries, place, path, what):
            self._match(one, inner, inner_path, by_number, what, is_leaf)

    def parts(self, entries: Any, place: Any, path: Any, what: str) -> Any:
        """Return `(part of entries, part of place, its path)`, in the outputs' order.

        Args:
            entries: a list or dict.
            place: the nest of output numbers that it is for.
            path: where that is.
            what: the argument's name in errors.
        """
        if not isinstance(entries, dict):
            return _parts_of_list(entries, place, path, what)
        if not path and self.are_named_by(entries):
            self.check_names(entries, what)
            place = {name: number for number, name in enumerate(self.names)}
        places = place if isinstance(place, dict) else {}
        for key in entries:
            if key not in places:
                raise self._unknown(key, path, place, what)
        return [
            (entries[key], place[key], (*path, key)) for key in place if key in entries
        ]

    def _unknown(self, key, path, place, what):
        """Return the error for a key that names nothing at this place."""
        names = list(place) if isinstance(place, dict) else [] if path else self.names
        received = f"`{what}` has the key {key!r}" + (f" at {path}" if path else "")
        if names:
            return UnknownOutputError(
                f"{received}, which names no output of the model. Outputs: {names}."
                f"{did_you_mean(key, names)}"
            )
        return UnknownOutputError(
            f"{received}, but the model's output there is {_describe(place)}: give "
            "the entries in a list, in the order of the outputs."
        )

    def are_named_by(self, entries: Any) -> bool:
        """Whether the keys of a dict are meant as names of the outputs."""
        are_names = [key in self.names for key in entries]
        if not self.names or not any(are_names):
            return False
        is_nest = isinstance(self.structure, dict) and set(self.structure) != set(
            self.names
        )
        return all(are_names) or not is_nest

    def check_names(self, entries: Any, what: str) -> None:
        """Raise if a key is no output's name; `what` names the argument."""
        for key in entries:
            if key not in self.names:
                raise self._unknown(key, (), None, what)


class UnknownOutputError(ValueError, KeyError):
    """A dict of entries for the outputs names one that the model does not have."""

    __str__: Any = Exception.__str__


def _label(place, path, names, labels):
    """Fill in the labels: keys, and names in lists, with the path before them."""
    if isinstance(place, int):
        labels[place] = path or (names[place] if names else None)
        return
    is_dict = isinstance(place, dict)
    for key, inner in place.items() if is_dict else enumerate(place):
        last = key
        if not is_dict and isinstance(inner, int):
            last = names[inner] if names else (key if path else None)
        if last is None:
            continue
        _label(inner, f"{path}/{last}" if path else str(last), names, labels)


def _parts_of_list(entries, place, path, what):
    size = len(place) if isinstance(place, list | tuple | dict) else 1
    if len(entries) != size:
        raise ValueError(
            f"`{what}`{_at(path)} is a list of {len(entries)}, but the model has "
            f"{size} output{'s' if size > 1 else ''} there. Expected one entry per "
            f"output, None for outputs that have none. Received: {what}={entries!r}"
        )
    if isinstance(place, int):
        return [(entries[0], place, path)]
    keys = list(place) if isinstance(place, dict) else range(size)
    return [
        (one, place[key], (*path, key)) for key, one in zip(keys, entries, strict=True)
    ]


def _at(path):
    return f" at {path}" if path else ""


def _describe(numbered):
    if isinstance(numbered, dict):
        return f"a dict of {sorted(numbered)}"
    if isinstance(numbered, list | tuple):
        return f"a list of {len(numbered)}"
    return "one tensor"
