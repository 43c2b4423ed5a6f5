"""KerasFileEditor: looks into a file of weights and changes it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from hornbeam.core import strict_json
from hornbeam.core.errors import SLIPS, check_path, damage_of, did_you_mean
from hornbeam.core.replacing import replacing
from hornbeam.saving import archive, hdf5
from hornbeam.saving.state import save_state
from hornbeam.typing import Config, PathLike
from hornbeam.utils.printing import print_message

if TYPE_CHECKING:
    from hornbeam.models.model import Model

_VARS = "vars"


class Comparison(TypedDict):
    """What `compare` returns."""

    status: str
    error_count: int
    match_count: int


class KerasFileEditor:
    """Shows what a `.keras` or `.weights.h5` file holds, compares and changes it.

    An object is called by its path, such as "layers/dense_1", or by the last part of it
    where only one object has that name. Changes are made in memory; `save` writes them.
    The file is checked and read as by `load_weights`; nothing in it is run.

    Args:
        filepath: a path that ends in `.keras` or `.weights.h5`.

    >>> import hornbeam as keras, pathlib, tempfile
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save_weights(pathlib.Path(folder) / "model.weights.h5")
    ...     editor = keras.saving.KerasFileEditor(
    ...         pathlib.Path(folder) / "model.weights.h5")
    >>> editor.rename_object("dense", "output")
    >>> editor.summary()
    layers
        output
            0: shape=(3, 2), dtype=float32
            1: shape=(2,), dtype=float32
    """

    def __init__(self, filepath: PathLike) -> None:
        path = check_path("KerasFileEditor()", "filepath", filepath)
        self.filepath: str = str(filepath)
        self.metadata: Config | None = None
        self.config: Config | None = None
        # By path, what the file says of an object.
        self.object_metadata: dict[str, dict[str, str]] = {}
        if path.suffix != ".keras" and not path.name.endswith(".weights.h5"):
            raise ValueError(
                "Invalid filename: expected a `.keras` or `.weights.h5` extension. "
                f"Received: filepath={self.filepath}"
            )
        if not path.exists():
            raise FileNotFoundError(f"File not found: filepath={self.filepath!r}.")
        with contextlib.ExitStack() as stack:
            stack.enter_context(damage_of(repr(path.name), *SLIPS, TypeError))
            source: Path | io.IOBase = path
            if path.suffix == ".keras":
                reader = stack.enter_context(archive.opened(path))
                self.metadata = _json(reader, archive.METADATA)
                self.config = _json(reader, archive.CONFIG)
                source = reader.source(archive.WEIGHTS)
            root = stack.enter_context(hdf5.reading(source, path.name))
            self.weights_dict: dict[str, Any] = self._read(root, "")

    def _read(self, group, path):
        tree: dict[str, Any] = {}
        for name in group:
            child = group.child(name)
            if name == _VARS and isinstance(child, hdf5.Group):
                tree.update((key, np.asarray(child[key])) for key in child)
                title = child.text("name")
                if title is not None:
                    self.object_metadata[path] = {"name": title}
            elif isinstance(child, hdf5.Group):
                tree[name] = self._read(child, f"{path}/{name}")
            else:
                tree[name] = np.asarray(group[name])
        return tree

    def summary(self) -> None:
        """Print the objects and their weights."""
        for line in _lines(self.weights_dict, ""):
            print_message(line)

    def compare(self, reference_model: Model) -> Comparison:
        """Print how the file differs from a model, and return the numbers.

        Args:
            reference_model: a built model.

        Returns:
            "status": "success" or "error"; "error_count"; and "match_count", how many
            weights are in both with the same shape.
        """
        reference = _Recorder()
        save_state(reference_model, reference)
        errors: list[str] = []
        matches = _compare(self.weights_dict, reference.tree, "", errors)
        for error in errors:
            print_message(error)
        print_message(
            f"Weights that fit the model {reference_model.name!r}: {matches}. "
            f"Differences: {len(errors)}."
        )
        return {
            "status": "error" if errors else "success",
            "error_count": len(errors),
            "match_count": matches,
        }

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give an object another name.

        Args:
            object_name: its path, or its name where that is the only one.
            new_name: the new last part of the path.
        """
        path, parent, name = self._find(object_name)
        if "/" in new_name or new_name in parent:
            raise ValueError(
                f"`new_name` must be a name that is free beside {path!r}, without '/'. "
                f"Received: new_name={new_name!r}"
            )
        items = list(parent.items())
        parent.clear()
        parent.update((new_name if key == name else key, v) for key, v in items)
        new_path = f"{path.rpartition('/')[0]}/{new_name}".lstrip("/")
        self._move_metadata(path, new_path)

    def delete_object(self, object_name: str) -> None:
        """Remove an object with all that is in it.

        Args:
            object_name: its path, or its name where that is the only one.
        """
        path, parent, name = self._find(object_name)
        del parent[name]
        self._move_metadata(path, None)

    def _move_metadata(self, path, new_path):
        moved = {}
        for key, value in self.object_metadata.items():
            if key == f"/{path}" or key.startswith(f"/{path}/"):
                if new_path is None:
                    continue
                key = f"/{new_path}{key[len(path) + 1 :]}"
            moved[key] = value
        self.object_metadata = moved

    def add_object(self, object_path: str, weights: Mapping[str, Any]) -> None:
        """Add an object.

        Args:
            object_path: its full path, such as "layers/dense_3".
            weights: its weights, `{"0": array}`.
        """
        parent_path, _, name = object_path.strip("/").rpartition("/")
        parent = self._find(parent_path)[1:] if parent_path else None
        objects = self.weights_dict if parent is None else parent[0][parent[1]]
        if name in objects:
            raise ValueError(f"There is an object {object_path!r} already.")
        objects[name] = _arrays(weights)

    def add_weights(self, object_name: str, weights: Mapping[str, Any]) -> None:
        """Add weights to an object, or replace its weights of the same names.

        Args:
            object_name: its path, or its name where that is the only one.
            weights: `{"0": array}`.
        """
        _, parent, name = self._find(object_name)
        parent[name].update(_arrays(weights))

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Remove a weight of an object.

        Args:
            object_name: its path, or its name where that is the only one.
            weight_name: such as "0".
        """
        path, parent, name = self._find(object_name)
        weights = {k for k, v in parent[name].items() if not isinstance(v, dict)}
        if weight_name not in weights:
            raise ValueError(
                f"Weight {weight_name} not found in object {path!r}. Weights found: "
                f"{sorted(weights)}"
            )
        del parent[name][weight_name]

    def save(self, filepath: PathLike) -> None:
        """Write the weights, as they are now, to a `.weights.h5` file.

        Args:
            filepath: a path that ends in `.weights.h5`.
        """
        path = check_path("save()", "filepath", filepath)
        if not path.name.endswith(".weights.h5"):
            raise ValueError(
                "Invalid `filepath` argument: expected a `.weights.h5` extension. "
                f"Received: filepath={str(filepath)}"
            )
        with replacing(path) as temporary, hdf5.Writer(temporary) as writer:
            self._write(writer, self.weights_dict, "")

    def resave_weights(self, filepath: PathLike) -> None:
        """Write the weights to a file; the same as `save`.

        Args:
            filepath: a path that ends in `.weights.h5`.
        """
        self.save(filepath)

    def _write(self, writer, tree, path):
        title = self.object_metadata.get(path, {}).get("name")
        arrays = {k: v for k, v in tree.items() if not isinstance(v, dict)}
        if arrays or title is not None:
            writer.make(f"{path}/{_VARS}".lstrip("/"), title).update(arrays)
        for name, child in tree.items():
            if isinstance(child, dict):
                self._write(writer, child, f"{path}/{name}")

    def _find(self, name):
        """Return the path of an object, what holds it, and its key there."""
        name = name.strip("/")
        objects = list(_objects(self.weights_dict, ""))
        matches = [x for x in objects if x[0] == name]
        if not matches and "/" not in name:
            matches = [x for x in objects if x[2] == name]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise ValueError(
                f"Several objects have the name {name!r}: {[x[0] for x in matches]}. "
                "Give the path of one."
            )
        known = [x[0] for x in objects]
        raise ValueError(
            f"Object {name!r} is not in {self.filepath}. `editor.summary()` lists all "
            f"objects.{did_you_mean(name, [*known, *(x[2] for x in objects)])}"
        )


class _Recorder:
    """Takes the state of a model in the place of a file."""

    def __init__(self):
        self.tree: dict[str, Any] = {}

    def make(self, path, name=None):
        objects = self.tree
        for part in path.split("/")[:-1]:
            objects = objects.setdefault(part, {})
        return objects


def _json(reader, name):
    if name not in reader.names():
        return None
    return strict_json.loads(reader.read(name, strict_json.MAX_BYTES), name)


def _arrays(weights):
    return {str(name): np.asarray(value) for name, value in weights.items()}


def _objects(
    tree: dict[str, Any], path: str
) -> Iterator[tuple[str, dict[str, Any], str]]:
    for name, child in tree.items():
        if isinstance(child, dict):
            inner = f"{path}/{name}".lstrip("/")
            yield inner, tree, name
            yield from _objects(child, inner)


def _lines(tree, indent):
    for name, child in tree.items():
        if not isinstance(child, dict):
            yield f"{indent}{name}: shape={child.shape}, dtype={child.dtype}"
        elif _has_weights(child):
            yield f"{indent}{name}"
            yield from _lines(child, f"{indent}    ")


def _compare(tree, reference, path, errors):
    """Collect the differences; return the number of weights that fit."""
    matches = 0
    weights = [
        {k: v.shape for k, v in x.items() if not isinstance(v, dict)}
        for x in (tree, reference)
    ]
    where = path or "the top"
    if set(weights[0]) != set(weights[1]):
        errors.append(
            f"{where}: the file has the weights {sorted(weights[0])}, the model "
            f"{sorted(weights[1])}."
        )
    for name in weights[0].keys() & weights[1].keys():
        shapes = tuple(weights[0][name]), tuple(weights[1][name])
        if shapes[0] == shapes[1]:
            matches += 1
        else:
            errors.append(
                f"{path}/{name}: shape {shapes[0]} in the file, {shapes[1]} in the "
                "model."
            )
    for name in {**tree, **reference}:
        mine, theirs = tree.get(name), reference.get(name)
        inner = f"{path}/{name}".lstrip("/")
        if isinstance(mine, dict) and isinstance(theirs, dict):
            matches += _compare(mine, theirs, inner, errors)
        elif isinstance(mine, dict) and _has_weights(mine):
            errors.append(f"{inner}: in the file, not in the model.")
        elif isinstance(theirs, dict) and _has_weights(theirs):
            errors.append(f"{inner}: in the model, not in the file.")
    return matches


def _has_weights(tree):
    return any(not isinstance(x, dict) or _has_weights(x) for x in tree.values())
