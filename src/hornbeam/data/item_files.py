"""The items of a dataset, each in a file of its own: `Dataset.cache(filename)`."""

from __future__ import annotations

import json
import os
import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.core.errors import damage_of, shown

_STRUCTURE = "structure"


class ItemFiles:
    """Items by number in a folder; `stages.Cached` keeps them here or in a dict.

    A file is an `.npz` archive of the arrays of an item, which is a nest of tuples,
    lists and dicts. It is written beside its place and then moved there, so that an
    interrupted run leaves none that is cut off.

    Args:
        folder: the folder, made where there is none.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def _file(self, index):
        return self._folder / f"{index}.npz"

    def __contains__(self, index: int) -> bool:
        return self._file(index).exists()

    def __getitem__(self, index: int) -> Any:
        file = self._file(index)
        kinds = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
        with damage_of(f"{file}, an item that `cache` has kept,", *kinds):
            with file.open("rb") as opened, np.load(opened) as arrays:
                return _decoded(json.loads(str(arrays[_STRUCTURE])), arrays)

    def setdefault(self, index: int, item: Any) -> None:
        """Keep an item."""
        arrays: dict[str, Any] = {}
        structure = _encoded(item, arrays)
        arrays[_STRUCTURE] = np.array(json.dumps(structure))
        beside = self._folder / f"{index}.{os.getpid()}.{threading.get_ident()}.part"
        with beside.open("wb") as file:
            np.savez(file, **arrays)
        os.replace(beside, self._file(index))


def _encoded(item, arrays):
    """Return the structure of an item for JSON, and put its leaves in `arrays`."""
    if item is None:
        return None
    if isinstance(item, dict):
        return ["dict", [[key, _encoded(x, arrays)] for key, x in item.items()]]
    if isinstance(item, list | tuple):
        kind = "list" if isinstance(item, list) else "tuple"
        return [kind, [_encoded(x, arrays) for x in item]]
    array, name = np.asarray(item), f"leaf{len(arrays)}"
    is_object = array.dtype.kind == "O"
    if is_object:
        kinds = {type(x) for x in array.flat}
        if kinds not in ({str}, {bytes}):
            raise TypeError(
                "`cache(filename)` keeps arrays, numbers and strings. Received an item "
                f"that holds: {shown(item)}"
            )
        array = array.astype(kinds.pop())
    arrays[name] = array
    return ["object" if is_object else "array", name]


def _decoded(structure, arrays):
    if structure is None:
        return None
    kind, parts = structure
    if kind == "dict":
        return {key: _decoded(x, arrays) for key, x in parts}
    if kind in ("list", "tuple"):
        made = [_decoded(x, arrays) for x in parts]
        return made if kind == "list" else tuple(made)
    array = arrays[parts]
    return array.astype(object) if kind == "object" else array[()]
