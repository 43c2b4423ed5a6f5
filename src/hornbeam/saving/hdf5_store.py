"""A file of named groups of arrays, as libraries keep parts of models."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Literal

from hornbeam.core.errors import check_choice
from hornbeam.saving.hdf5 import Group, Writer, reading
from hornbeam.typing import PathLike


class H5IOStore:
    """An HDF5 file whose groups hold arrays by name.

    Args:
        path_or_io: the file.
        mode: "r" to read it, "w" to write it. Default: "r"
    """

    def __init__(self, path_or_io: PathLike, mode: Literal["r", "w"] = "r"):
        check_choice("H5IOStore", "mode", mode, ("r", "w"))
        self.mode = mode
        self._open = contextlib.ExitStack()
        path = Path(path_or_io)
        entered = reading(path, str(path)) if mode == "r" else Writer(path)
        self._file: Any = self._open.enter_context(entered)

    def make(self, path: str) -> Any:
        """Make the group of `path` and return it: a mapping that takes arrays."""
        return self._file.make(_arrays(path))

    def get(self, path: str) -> Any:
        """Return the arrays of the group of `path` by name; none if it is not there."""
        group: Group | None = self._file
        for part in _arrays(path).split("/"):
            group = group and group.group(part)
        return {} if group is None else {name: group.at(name) for name in group}

    def close(self) -> None:
        """Close the file."""
        self._open.close()


def _arrays(path):
    return f"{path}/vars".lstrip("/")
