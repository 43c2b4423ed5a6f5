"""Weights in several files of limited size, with an index.

`model.weights.json` lists the groups and the files `model_00000.weights.h5`,
`model_00001.weights.h5` ... beside it that hold their arrays.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, Self

from hornbeam.core import strict_json
from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from hornbeam.core.replacing import replacing
from hornbeam.saving import hdf5

SUFFIX = ".weights.json"
_MOST_SHARDS = 100_000


class ShardedWriter:
    """Writes groups as `hdf5.Writer` does, to several files of limited size.

    Args:
        path: the path of the list, which ends in `.weights.json`.
        max_shard_size: the maximum size of a file, in GiB.
    """

    def __init__(self, path: Path, max_shard_size: float):
        self._path = path = Path(os.path.realpath(path))
        self._limit = int(max_shard_size * 1024**3)
        self._shards: list[tuple[str, hdf5.Writer]] = []
        self._used = 0
        self._total = 0
        self._map: dict[str, list[str]] = {}
        self._stack = contextlib.ExitStack()
        # The files of the last save stay until the list names the new ones.
        self._old = _numbers(path)
        self._first = max(self._old, default=-1) + 1
        if self._first > _MOST_SHARDS // 2:
            self._first = 0

    def __enter__(self) -> Self:
        self._next_shard()
        return self

    def __exit__(self, *exception: Any) -> None:
        # Every file gets its final name only if all went well, the index last.
        self._stack.__exit__(*exception)
        if exception[0] is not None:
            return
        content = {
            "metadata": {"total_size": float(self._total)},
            "weight_map": self._map,
        }
        with replacing(self._path, _stem(self._path)) as temporary:
            temporary.write_text(
                strict_json.dumps(content, self._path.name, indent=4), "utf-8"
            )
        new = range(self._first, self._first + len(self._shards))
        for number in set(self._old).difference(new):
            _shard_path(self._path, number).unlink(missing_ok=True)

    def _next_shard(self):
        path = _shard_path(self._path, self._first + len(self._shards))
        group = _stem(self._path)
        temporary = self._stack.enter_context(replacing(path, group))
        writer = self._stack.enter_context(hdf5.Writer(temporary))
        if self._old:
            shutil.copymode(_shard_path(self._path, max(self._old)), temporary)
        self._shards.append((path.name, writer))
        self._used = 0

    def make(self, path: str, name: str | None = None) -> Any:
        """Make the group of arrays at `path`; `name` is that of its owner."""
        return _ShardedArrays(self, path, name)

    def place(self, path: str, name: str | None, size: int) -> Any:
        """Return the group of arrays in the file where the next one has room."""
        if size > self._limit:
            raise ValueError(
                f"An array of {path!r} has {size} bytes, which exceeds the maximum "
                f"shard size of {self._limit}. Increase `max_shard_size`."
            )
        if self._used + size > self._limit:
            self._next_shard()
        self._used += size
        self._total += size
        shard, writer = self._shards[-1]
        shards = self._map.setdefault(f"/{path}", [])
        if shard not in shards:
            shards.append(shard)
        return writer.make(path, name=name)


class _ShardedArrays(MutableMapping):
    def __init__(self, writer, path, name):
        self._writer, self._path, self._name = writer, path, name
        self._places = {}
        writer._shards[-1][1].make(path, name=name)

    def __setitem__(self, key, value):
        array = hdf5.as_array(value)
        place = self._writer.place(self._path, self._name, array.nbytes)
        place[key] = array
        self._places[key] = place

    def __getitem__(self, key):
        return self._places[key][key]

    def __delitem__(self, key):
        del self._places.pop(key)[key]

    def __iter__(self):
        return iter(self._places)

    def __len__(self):
        return len(self._places)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[hdf5.Group]:
    """Open the files of a list for reading: yields one root `hdf5.Group` for all."""
    path = Path(os.path.realpath(path))
    content = strict_json.read(path)
    with contextlib.ExitStack() as stack:
        root = hdf5.Group("/")
        for name in _shard_names(path, content):
            shard = path.with_name(name)
            if not shard.is_file() or shard.is_symlink():
                raise DamagedFileError(f"{path.name} is damaged: {name!r} is missing.")
            root.merge(stack.enter_context(hdf5.reading(shard, name)))
        yield root


def _shard_names(path, content):
    try:
        # A group whose arrays are in one file may name it without a list.
        values = list(content["weight_map"].values())
        lists = [[value] if isinstance(value, str) else value for value in values]
        names = {name for names in lists for name in names}
    except (TypeError, KeyError, AttributeError):
        raise DamagedFileError(f"{path.name} is damaged: it lists no files.") from None
    pattern = re.escape(_stem(path)) + r"_\d{5}\.weights\.h5"
    for name in names:
        if not isinstance(name, str) or not re.fullmatch(pattern, name):
            raise UnsafeFileError(
                f"{path.name} lists {name!r}, which is none of its own files."
            )
    return sorted(names)


def _shard_path(path, number):
    return path.with_name(f"{_stem(path)}_{number:05}.weights.h5")


def _numbers(path):
    """Return the numbers of the files beside the list that have its name."""
    pattern = re.escape(_stem(path)) + r"_(\d{5})\.weights\.h5"
    names = os.listdir(path.parent) if path.parent.is_dir() else ()
    return [int(m[1]) for m in (re.fullmatch(pattern, n) for n in names) if m]


def _stem(path):
    return os.path.basename(path).removesuffix(SUFFIX)
