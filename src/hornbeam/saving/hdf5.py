"""HDF5 files of weights: writing them, and reading those of unknown origin.

HDF5 can link to other files, declare petabytes in a kilobyte, and hold cycles. So a
file is first walked from its root: only plain groups and plain arrays are accepted, and
the bytes that all arrays declare are compared with the size of the file. Arrays are
read only after that.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np

from hornbeam import backends
from hornbeam.backends.memory import aligned_array
from hornbeam.core import budget
from hornbeam.core.errors import DamagedFileError, UnsafeFileError, damage_of
from hornbeam.core.other_kinds import HEAD_SIZE, check_kind
from hornbeam.core.unread import Unread
from hornbeam.core.variable import Variable
from hornbeam.typing import PathLike

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAX_DEPTH = 64
# A chunk is decompressed whole; it may be larger than its array up to this size.
_SMALL_CHUNK = 1 << 20
_LARGE = 64 << 10
_MAX_OBJECTS = 50_000
_MAX_CHUNKS = 100_000
_MAX_ATTRIBUTE = 64 << 10
_FILTERS = frozenset(
    {
        h5py.h5z.FILTER_DEFLATE,
        h5py.h5z.FILTER_SHUFFLE,
        h5py.h5z.FILTER_FLETCHER32,
        h5py.h5z.FILTER_LZF,
    }
)
_LAYOUTS = frozenset({h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED})
_KINDS = frozenset("fiubVS")
_LINKS = {h5py.h5l.TYPE_SOFT: "a SoftLink", h5py.h5l.TYPE_EXTERNAL: "an ExternalLink"}
_MAX_NAME = 200


class Group(Mapping[str, Any]):
    """A checked group of a file: `group[name]` is a Group or an array.

    A large array is a StoredArray, which is read when it is needed.
    """

    def __init__(self, path: str, file: h5py.File | None = None, what: str = ""):
        self.path = path
        self._what = what
        self._children: dict[str, Any] = {}
        self._file = file

    def __getitem__(self, name: str) -> Any:
        child = self._children[name]
        keeps = isinstance(child, Group) or child.is_late()
        return child if keeps else child.read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._children)

    def __len__(self) -> int:
        return len(self._children)

    def group(self, name: str) -> Group | None:
        """Return the group of that name, or None."""
        child = self._children.get(name)
        return child if isinstance(child, Group) else None

    def child(self, name: str) -> Group | StoredArray:
        """Return the group or array of that name; an array is not read."""
        return self._children[name]

    def at(self, path: str) -> np.ndarray:
        """Return the array at a path below, such as "dense/kernel:0"."""
        *groups, name = path.split("/")
        group: Group | None = self
        for part in groups:
            group = group and group.group(part)
        if not group or not isinstance(group._children.get(name), StoredArray):
            raise DamagedFileError(
                f"{self.path!r} has no array {path!r}: it is damaged."
            )
        return group[name]

    def has(self, attribute: str) -> bool:
        """Whether the group has the attribute, or its first part."""
        with self._damage(attribute):
            names = () if self._file is None else self._file[self.path].attrs
            return attribute in names or f"{attribute}0" in names

    def text(self, attribute: str) -> str | None:
        """Return the attribute as a text, or None."""
        texts = self._attribute(attribute)
        return texts[0] if texts else None

    def texts(self, attribute: str) -> list[str]:
        """Return the attribute as a list of texts; a long one comes in parts."""
        texts = self._attribute(attribute)
        if texts is not None:
            return texts
        texts, i = [], 0
        while (part := self._attribute(f"{attribute}{i}")) is not None:
            texts += part
            i += 1
        return texts

    def _attribute(self, name):
        with self._damage(name):
            return self._read_attribute(name)

    def _damage(self, attribute):
        return damage_of(f"{self._what}: {self.path!r} ({attribute})", Exception)

    def _read_attribute(self, name):
        if self._file is None:
            return None
        handle = self._file[self.path]
        if name not in handle.attrs:
            return None
        attribute = h5py.h5a.open(handle.id, name.encode())
        is_text = attribute.get_type().get_class() == h5py.h5t.STRING
        if attribute.shape is None or math.prod(attribute.shape) == 0:
            return []
        if not is_text or math.prod(attribute.shape) > _MAX_OBJECTS:
            raise UnsafeFileError(
                f"The attribute {name!r} of {self.path!r} is no text."
            )
        value = np.asarray(handle.attrs[name], object).ravel()
        return [v.decode("utf-8") if isinstance(v, bytes) else str(v) for v in value]

    def merge(self, other: Group) -> None:
        """Add what the group `other` of another file has."""
        for name, child in other._children.items():
            mine = self.group(name)
            if mine is not None and isinstance(child, Group):
                mine.merge(child)
            else:
                self._children.setdefault(name, child)

    def array_size(self) -> int:
        """Return the bytes of all arrays in the group and below."""
        return sum(
            child.array_size() if isinstance(child, Group) else child.nbytes
            for child in self._children.values()
        )


class StoredArray(Unread):
    """A checked array of a file, whose numbers are read when they are asked for."""

    def __init__(self, path: str, file: h5py.File, what: str, shape: Any, dtype: Any):
        super().__init__(shape, dtype)
        self.path = path
        self._what = what
        self._file = file

    @property
    def nbytes(self) -> int:
        """The size in bytes."""
        return math.prod(self.shape or ()) * self.dtype.itemsize

    def read(self) -> np.ndarray:
        """Return the array."""
        with damage_of(f"{self._what}: {self.path!r}", Exception):
            dataset = self._file[self.path]
            return _read_aligned(dataset) if self.is_late() else _read(dataset)

    def is_late(self) -> bool:
        """Whether it is worth reading late, and nothing but the disk can fail then."""
        if self.nbytes < _LARGE or self.dtype.kind not in "fiub":
            return False
        dataset = self._file[self.path].id
        is_contiguous = dataset.get_create_plist().get_layout() == h5py.h5d.CONTIGUOUS
        return is_contiguous and dataset.get_storage_size() == self.nbytes


@contextlib.contextmanager
def reading(source: Path | io.IOBase, what: str) -> Iterator[Group]:
    """Open a file for reading: yields the checked root Group.

    `source` is a path or a file object; `what` names it in errors.
    """
    opened: Any = source
    with contextlib.ExitStack() as stack, damage_of(what, Exception):
        start: Any = source
        if isinstance(source, Path):
            start = stack.enter_context(source.open("rb"))
        size = start.seek(0, io.SEEK_END)
        start.seek(0)
        check_kind(start.read(HEAD_SIZE), what, SIGNATURE)
        file = h5py.File(opened, "r")
    with file:
        with damage_of(what, Exception):
            root = _Walk(size, what).root(file)
        yield root


class _Walk:
    """The walk through a file that checks all of it."""

    def __init__(self, file_size, what):
        self.what = what
        self.left = budget.declared_limit(file_size)
        self.objects = 0
        self.seen = set()

    def root(self, file):
        self.file = file
        return self.group(h5py.h5g.open(file.id, b"/"), Group("/", file, self.what), 0)

    def refuse(self, path, reason):
        raise UnsafeFileError(f"{self.what}: {path[:_MAX_NAME]!r} {reason}")

    def group(self, handle, group, depth):
        if depth > _MAX_DEPTH:
            self.refuse(group.path, "is nested too deeply.")
        address = h5py.h5o.get_info(handle).addr
        if address in self.seen:
            self.refuse(group.path, "is linked to from two places.")
        self.seen.add(address)
        self.objects += handle.get_num_objs()
        if self.objects > _MAX_OBJECTS:
            self.refuse(group.path, f"holds one of more than {_MAX_OBJECTS} objects.")
        names = list(handle)
        for link in names:
            kind = handle.links.get_info(link).type
            if kind != h5py.h5l.TYPE_HARD:
                kind = _LINKS.get(kind, "a user-defined link")
                self.refuse(
                    link.decode(errors="replace"), f"is no part of the file but {kind}."
                )
        for link in names:
            name = link.decode("utf-8")
            path = f"{group.path.rstrip('/')}/{name}"
            child = h5py.h5o.open(handle, link)
            if isinstance(child, h5py.h5g.GroupID):
                group._children[name] = self.group(
                    child, Group(path, self.file, self.what), depth + 1
                )
            elif isinstance(child, h5py.h5d.DatasetID):
                group._children[name] = self.array(child, path)
            else:
                self.refuse(path, f"is a {type(child).__name__}, no group or array.")
        return group

    def array(self, array, path):
        plist = array.get_create_plist()
        layout = plist.get_layout()
        if layout not in _LAYOUTS or plist.get_external_count():
            self.refuse(path, "keeps its data in another file (virtual or external).")
        kind = array.get_type().get_class()
        if kind in (h5py.h5t.VLEN, h5py.h5t.COMPOUND, h5py.h5t.REFERENCE):
            self.refuse(path, "is no array of numbers.")
        dtype, shape = array.dtype, array.shape
        if dtype.kind not in _KINDS or dtype.hasobject:
            self.refuse(path, f"is no array of numbers ({dtype}).")
        size = math.prod(shape or ()) * dtype.itemsize
        if layout == h5py.h5d.CHUNKED:
            self.check_chunks(plist, shape, dtype, path)
        if layout == h5py.h5d.CONTIGUOUS and size > array.get_storage_size() > 0:
            self.refuse(path, "declares more data than is stored.")
        self.left -= size
        if self.left < 0:
            self.refuse(
                path,
                f"is a shape bomb: with its shape {shape} the arrays declare more "
                "bytes than the file can hold.",
            )
        return StoredArray(path, self.file, self.what, shape, dtype)

    def check_chunks(self, plist, shape, dtype, path):
        filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
        if not _FILTERS.issuperset(filters):
            self.refuse(path, f"needs the filters {filters}.")
        if len(set(filters)) < len(filters):
            self.refuse(path, "is filtered twice by one filter.")
        size = math.prod(shape) * dtype.itemsize
        chunk = math.prod(plist.get_chunk()) * dtype.itemsize
        if chunk > max(size, _SMALL_CHUNK):
            self.refuse(path, f"has chunks of {chunk} bytes for {size} bytes.")
        sizes = zip(shape, plist.get_chunk(), strict=True)
        if math.prod(-(-n // chunk) for n, chunk in sizes) > _MAX_CHUNKS:
            self.refuse(path, f"has more than {_MAX_CHUNKS} chunks.")


def _read_aligned(dataset):
    """Return an array in memory that an engine can take over."""
    array = aligned_array(dataset.shape, dataset.dtype, small_pages=True)
    dataset.read_direct(array)
    return array


def _read(dataset):
    array = np.asarray(dataset[()])
    if array.dtype.kind != "V":
        return array
    name = _text_attribute(dataset, "dtype")
    if name is None and array.dtype.itemsize == 2:
        name = "bfloat16"  # Keras leaves the name out of legacy files
    if name not in _EXTENDED_DTYPES:
        raise UnsafeFileError(f"{dataset.name!r} has the unknown dtype {name!r}.")
    return array.view(_extended_dtype(name))


_EXTENDED_DTYPES = frozenset(
    "bfloat16 float8_e4m3fn float8_e5m2 float8_e4m3b11fnuz float8_e4m3fnuz "
    "float8_e5m2fnuz int4 uint4".split()
)


def _extended_dtype(name):
    import ml_dtypes

    return getattr(ml_dtypes, name)


def _text_attribute(handle, name):
    if name not in handle.attrs:
        return None
    attribute = h5py.h5a.open(handle.id, name.encode())
    if attribute.get_storage_size() > _MAX_ATTRIBUTE or attribute.shape != ():
        raise UnsafeFileError(
            f"The attribute {name!r} of {handle.name!r} is too large."
        )
    value = handle.attrs[name]
    return value.decode() if isinstance(value, bytes) else value


class Arrays(MutableMapping[str, Any]):
    """A group that is being written: `arrays["0"] = value` stores an array."""

    def __init__(self, group: Any):
        self._group = group

    def __setitem__(self, key: str, value: Any) -> None:
        array = as_array(value)
        if key in self._group:
            del self._group[key]
        if array.dtype.name in _EXTENDED_DTYPES:
            raw = array.view(f"V{array.dtype.itemsize}")
            dataset = self._group.create_dataset(key, data=raw)
            dataset.attrs["dtype"] = array.dtype.name
        else:
            self._group.create_dataset(key, data=array)

    def __getitem__(self, key: str) -> np.ndarray:
        return _read(self._group[key])

    def __delitem__(self, key: str) -> None:
        del self._group[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._group)

    def __len__(self) -> int:
        return len(self._group)


def as_array(value: Any) -> np.ndarray:
    """Return a variable, a tensor, numbers or a text as an array to be stored."""
    if isinstance(value, Variable):
        return np.asarray(value.backend.to_numpy(value.value))  # not copied
    engine = backends.of(value)
    array = np.asarray(value if engine is None else engine.to_numpy(value))
    if array.dtype.kind == "U":
        array = np.char.encode(array, "utf-8")
    if array.dtype.hasobject:
        raise ValueError(
            f"Only arrays of numbers can be saved as weights. Received: {value!r}"
        )
    return array


class _Disk(io.FileIO):
    """A file that HDF5 writes to through Python, so that a full disk is an OSError.

    HDF5's own driver ends the process where the last bytes cannot be written. After an
    error nothing more is written, and closing succeeds.
    """

    error: OSError | None = None

    def write(self, data: Any) -> int:
        view = memoryview(data)
        size = len(view)
        while len(view) and self.error is None:
            try:
                view = view[super().write(view) :]
            except OSError as error:
                self.error = error
                raise
        return size

    def flush(self) -> None:
        """Nothing is held back."""


@contextlib.contextmanager
def creating(path: PathLike) -> Iterator[h5py.File]:
    """Make an HDF5 file; raises an OSError where it cannot be written whole."""
    with _Disk(path, "w+") as disk:
        try:
            with h5py.File(disk, "w") as file:
                yield file
        finally:
            if disk.error is not None:
                raise disk.error


class Writer:
    """Writes the groups of a weights file.

    Args:
        path: where the file is made.
    """

    def __init__(self, path: PathLike):
        self._context = creating(path)
        self._file = self._context.__enter__()

    def make(self, path: str, name: str | None = None) -> Any:
        """Make the group of arrays at `path`; `name` is that of its owner."""
        group = self._file.require_group(path)
        if name is not None:
            group.attrs["name"] = name
        return Arrays(group)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        self._context.__exit__(*exception)
