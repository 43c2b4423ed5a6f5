"""What belongs to which output: losses, metrics, weights, given as lists and dicts.

Outputs are handled as a flat list. Things that are given for them may be one for all, a
list in their order, a dict by their names, or a nest like the outputs themselves.
"""

from hornbeam.core import tree
from hornbeam.core.errors import did_you_mean


class Outputs:
    """The flat order and the names of a model's outputs.

    Args:
        y_pred: the outputs, a tensor or a nest.
        names: their names, or None.
    """

    def __init__(self, y_pred, names=None):
        self.count = len(tree.flatten(y_pred))
        names = list(names or ())
        self.names = names if len(names) == self.count else []
        is_flat_dict = isinstance(y_pred, dict) and not any(
            tree.is_nested(v) for v in y_pred.values()
        )
        if is_flat_dict and set(y_pred) != set(self.names):
            self.names = sorted(y_pred)
        self.structure = y_pred

    def label(self, index):
        """Return the name of an output, or None."""
        return self.names[index] if self.names else None

    def flatten(self, values):
        """Return the leaves of outputs or targets, in the outputs' order."""
        if isinstance(values, dict) and set(values) == set(self.names):
            return [values[name] for name in self.names]
        return tree.flatten(values)

    def distribute(self, given, what, is_leaf):
        """Return what belongs to each output; None where nothing was given.

        Args:
            given: see the module.
            what: the argument's name in errors.
            is_leaf: `is_leaf(x, single)` says that `x` is not a container with parts
                for several outputs; `single`: it stands for one output only.
        """
        if given is None:
            return [None] * self.count
        if is_leaf(given, self.count == 1):
            return [given] * self.count
        if isinstance(given, dict) and self._are_names(given):
            self._check_names(given, what)
            return [given.get(name) for name in self.names]
        if isinstance(given, list | tuple) and len(given) == self.count:
            if all(x is None or is_leaf(x, True) for x in given):
                return list(given)
        found = [None] * self.count
        positions = iter(range(self.count))
        numbered = tree.map_structure(lambda _: next(positions), self.structure)
        _match(given, numbered, (), found, what, is_leaf)
        return found

    def _are_names(self, given):
        known = [key in self.names for key in given]
        if not self.names or not any(known):
            return False
        return all(known) or not isinstance(self.structure, dict)

    def _check_names(self, given, what):
        for key in given:
            if key not in self.names:
                raise ValueError(
                    f"`{what}` names an output {key!r} that the model does not have. "
                    f"Outputs: {self.names}.{did_you_mean(key, self.names)}"
                )


def _match(given, numbered, path, found, what, is_leaf):
    """Walk `given` along the nest of output numbers and fill in `found`."""
    if given is None:
        return
    if is_leaf(given, isinstance(numbered, int)):
        for index in tree.flatten(numbered):
            found[index] = given
        return
    for key, value in _items(given, numbered, path, what):
        try:
            inner = numbered if key is ... else numbered[key]
        except (KeyError, IndexError, TypeError):
            near = did_you_mean(key, numbered) if isinstance(numbered, dict) else ""
            raise KeyError(
                f"The path {(*path, key)} in `{what}` can't be found in the model's "
                f"output (`y_pred`), which is {_describe(numbered)} there.{near}"
            ) from None
        _match(value, inner, (*path, key), found, what, is_leaf)


def _items(given, numbered, path, what):
    if isinstance(given, dict):
        return given.items()
    size = len(numbered) if isinstance(numbered, list | tuple | dict) else 1
    if len(given) != size:
        where = f" at {path}" if path else ""
        raise ValueError(
            f"`{what}`{where} is a list of {len(given)}, but the model has {size} "
            f"output{'s' if size > 1 else ''} there. Expected one entry an output, "
            f"None for outputs that have none. Received: {what}={given!r}"
        )
    if isinstance(numbered, dict):
        return zip(sorted(numbered), given, strict=True)
    if isinstance(numbered, list | tuple):
        return enumerate(given)
    return [(..., given[0])]


def _describe(numbered):
    if isinstance(numbered, dict):
        return f"a dict of {sorted(numbered)}"
    if isinstance(numbered, list | tuple):
        return f"a list of {len(numbered)}"
    return "one tensor"
