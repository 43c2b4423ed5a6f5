"""The state of a model: a walk over its objects, to a store and back.

The groups of a weights file follow the attributes of the objects:
`layers/dense/vars/0`, `encoder/query_dense/vars/1`, `optimizer/vars/3`. An object that
is reached twice is written once, where it is reached first.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hornbeam.core import scopes
from hornbeam.core.errors import (
    SLIPS,
    DamagedFileError,
    UnsafeFileError,
    is_from_users_code,
)
from hornbeam.core.lazy import public
from hornbeam.core.naming import to_snake_case
from hornbeam.core.turns import between_steps
from hornbeam.core.unread import Unread
from hornbeam.core.warning import warn
from hornbeam.layers.layer import Layer
from hornbeam.optimizers.optimizer import Optimizer

_CONTAINERS = (list, tuple, dict)
# Attributes of the base classes that are walked into nevertheless.
_WALKED = frozenset({"layers", "optimizer"})


@functools.cache
def _saveable_classes():
    return Layer, Optimizer


def graph_models() -> tuple[Any, Any]:
    """Return the classes of models whose layers are listed: Functional, Sequential."""
    return public("models", "Functional"), public("models", "Sequential")


@functools.cache
def _base_attributes():
    """Return the names that the base classes use."""
    functional, sequential = graph_models()
    names = set(vars(sequential(name="names"))) | set(
        vars(Optimizer(0.0, name="names"))
    )
    for cls in (functional, sequential, Optimizer):
        names.update(dir(cls))
    return frozenset(names - _WALKED)


def _is_saveable(value):
    return isinstance(value, _saveable_classes())


def children(obj: Any) -> Iterator[tuple[str, Any]]:
    """Yield `(name, value)` of the attributes that may hold state.

    In the order of the file format: by name, those with an underscore last.
    """
    names = set(vars(obj))
    for cls in type(obj).__mro__:
        names.update(n for n, v in vars(cls).items() if isinstance(v, property))
    for name in sorted(names - _base_attributes(), key=lambda n: (n[0] == "_", n)):
        try:
            value = getattr(obj, name)
        except Exception:  # noqa: S112 - a property of the user's, not defined yet
            continue
        if _is_saveable(value) or isinstance(value, _CONTAINERS):
            yield name, value


def _items(container):
    """Yield `(name, value)` of a container: the name is made from the class."""
    counts: dict[str, int] = {}
    for value in list(container.values() if isinstance(container, dict) else container):
        if _is_saveable(value):
            name = to_snake_case(type(value).__name__)
        elif isinstance(value, _CONTAINERS):
            name = "container"
        else:
            continue
        number = counts[name] = counts.get(name, -1) + 1
        yield f"{name}_{number}" if number else name, value


def _join(path, name):
    return f"{path}/{name}" if path else name


def saved_objects(root: Any, skip: Iterable[Any] = ()) -> Iterator[tuple[str, Any]]:
    """Yield `(path, object)` of `root` and of all in it that has state.

    Args:
        root: a layer, a model or an optimizer.
        skip: objects that are left out.
    """
    # By identity. The values are kept alive: the identity of a list that a property
    # creates on each call could be reused by the next one.
    visited = {id(obj): obj for obj in skip}

    def visit(value, path):
        if id(value) in visited:
            return
        visited[id(value)] = value
        if not _is_saveable(value):
            for name, item in _items(value):
                yield from visit(item, _join(path, name))
            return
        yield path, value
        for name, child in children(value):
            yield from visit(child, _join(path, name))

    yield from visit(root, "")


def save_state(
    root: Any, writer: Any, assets_folder: Path | None = None, skip: Iterable[Any] = ()
) -> None:
    """Write the state of `root` and of all in it.

    Args:
        root: a layer, a model or an optimizer.
        writer: a `hdf5.Writer`, or another object with its `make`.
        assets_folder: where objects with `save_assets` put their files.
        skip: objects that are left out.
    """
    with between_steps(root.variables):
        for path, value in saved_objects(root, skip):
            store = writer.make(_join(path, "vars"), name=value.name)
            value.save_own_variables(store)
            if assets_folder is not None and hasattr(value, "save_assets"):
                folder = assets_folder / path
                folder.mkdir(parents=True, exist_ok=True)
                value.save_assets(str(folder))


def load_state(
    root: Any,
    group: Any,
    assets_folder: Path | None = None,
    skip_mismatch: bool = False,
    skip: Iterable[Any] = (),
) -> None:
    """Read the state of `root` and of all in it; all fits, or no variable changes.

    Args:
        root: a layer, a model or an optimizer.
        group: the root `hdf5.Group` of a weights file.
        assets_folder: the folder of the assets, None where there are none.
        skip_mismatch: leave out what does not fit, with a warning.
        skip: objects that are left out.
    """
    loader = _Loader(assets_folder, skip_mismatch, skip)
    with scopes.StatelessScope() as scope:
        loader.visit(root, group, "")
        loader.check_missing()
    for variable, value in scope.updates:
        variable.assign(value)


def _store_for(value, store):
    """Return the arrays of an object; a method of the user's gets them read."""
    if type(value).load_own_variables.__module__.startswith("hornbeam."):
        return store
    return {
        name: item.read() if isinstance(item, Unread) else item
        for name, item in store.items()
    }


class _Loader:
    def __init__(self, assets_folder, skip_mismatch, skip):
        self.assets_folder = assets_folder
        self.skip_mismatch = skip_mismatch
        self.loaded = {id(obj) for obj in skip}
        self.missing = {}
        # Kept alive, as in `save_state`.
        self.containers = {}

    def visit(self, value, group, path):
        """Load `value` from `group`; None where the file has nothing at this path.

        What is missing here may be found under another attribute.
        """
        if id(value) in self.loaded:
            return
        if not _is_saveable(value):
            key = (id(value), group is None)
            if key in self.containers:
                return
            self.containers[key] = value
            for name, item in _items(value):
                self.visit(item, group and group.group(name), _join(path, name))
            return
        if group is None:
            if id(value) in self.missing:
                return
            self.missing[id(value)] = (value, path)
        else:
            self.loaded.add(id(value))
            self.missing.pop(id(value), None)
            self.load_own(value, group.group("vars") or {}, path)
        for name, child in children(value):
            below = None if group is None else group.group(name)
            self.visit(child, below, _join(path, name))

    def load_own(self, value, store, path):
        try:
            value.load_own_variables(_store_for(value, store))
            self.load_assets(value, path)
        except (UnsafeFileError, DamagedFileError):
            raise
        except (ValueError, *SLIPS) as error:
            if is_from_users_code(error) and not self.skip_mismatch:
                raise
            self.mismatch(value, path, error, store)

    def load_assets(self, value, path):
        if self.assets_folder is not None and hasattr(value, "load_assets"):
            folder = self.assets_folder / path
            if folder.is_dir():
                value.load_assets(str(folder))

    def mismatch(self, value, path, error, store):
        if not store:
            error = f"{error} It received 0 variables: the file has none at this path."
        where = f"{type(value).__name__} {value.name!r} (at {path or 'the top'!r})"
        if self.skip_mismatch:
            warn(f"The weights of {where} are skipped: {error}")
            return
        raise ValueError(
            f"The weights of {where} cannot be loaded: the model and the file must "
            f"match. {error}"
        )

    def check_missing(self):
        """Raise if objects have weights that the file lacks."""
        _, optimizer = _saveable_classes()
        for value, path in self.missing.values():
            if id(value) not in self.loaded and not isinstance(value, optimizer):
                self.load_own(value, {}, path)
