"""Arrays that stay where they are stored: in files, and read by rows.

What is small is read as a whole. Of the rest, the rows of a batch are read when their
turn comes: memory-mapped arrays row by row, chunked storage block by block, with the
blocks of a window of rows kept, in which a shuffle moves rows.
"""

from __future__ import annotations

import functools
import mmap
import threading
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from hornbeam.core import config
from hornbeam.core.errors import DamagedFileError
from hornbeam.data.missing_values import refuse_nulls

# Up to so many bytes an array is read as a whole.
_SMALL_BYTES = 1 << 26
_BLOCK_BYTES = 1 << 20
_WINDOW_BYTES = 1 << 26
# Rows of so many bytes are read one by one, smaller ones in blocks.
_LARGE_ROW_BYTES = 512


class StoredRows:
    """Rows that are read from storage.

    Args:
        length: how many rows there are.
        row: an array of the shape and dtype of a row.
        read: a function of `start` and `stop` that returns these rows, or of an array
            of row numbers where `block` is 1.
        block: how many neighbouring rows are read together.
        first: the number of the first row, in the storage. Default: 0
    """

    def __init__(
        self,
        length: int,
        row: np.ndarray,
        read: Callable[..., np.ndarray],
        block: int,
        first: int = 0,
    ):
        self.shape: tuple[int, ...] = (length, *row.shape)
        is_float = row.dtype.kind == "f"
        self.dtype: np.dtype = np.dtype(config.floatx()) if is_float else row.dtype
        self.block = block
        self._row, self._read, self._first = row, read, first
        self.window: int = max(block, _WINDOW_BYTES // max(1, row.nbytes))
        kept = self.window // block + 2
        self._block = functools.lru_cache(maxsize=kept)(self._read_block)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes all rows take."""
        return len(self) * self._row.nbytes

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Self:
        start, stop, _ = rows.indices(len(self))
        first = self._first + start
        return type(self)(stop - start, self._row, self._read, self.block, first)

    def astype(self, dtype: Any, copy: bool = True) -> Self:
        """Return the rows, which are given as floatx where they are floats."""
        return self

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows of these numbers."""
        rows = np.asarray(rows) + self._first
        if self.block == 1:
            return self._read(rows).astype(self.dtype, copy=False)
        made = np.empty((len(rows), *self.shape[1:]), self.dtype)
        blocks, places = np.divmod(rows, self.block)
        for number in np.unique(blocks):
            chosen = blocks == number
            made[chosen] = self._block(int(number))[places[chosen]]
        return made

    def _read_block(self, number):
        start = number * self.block
        stop = min(start + self.block, self._first + len(self))
        return self._read(start, stop).astype(self.dtype, copy=False)


def is_stored(x: Any) -> bool:
    """Whether `x` is a kind of storage that is no array by itself."""
    return isinstance(x, StoredRows) or _reader_of(x) is not None


def stored_rows(x: Any) -> Any:
    """Return what is stored as StoredRows, or as an array where it is small.

    Returns None for all that is in memory, and for mapped arrays that are small.
    """
    if isinstance(x, StoredRows):
        return x
    mapping = _mapping_of(x)
    if mapping is not None:
        return _mapped_rows(x, mapping)
    reader = _reader_of(x)
    return None if reader is None else reader(x)


def _mapping_of(x):
    """Return the `numpy.memmap` of a file that an array lies in, or None."""
    while isinstance(x, np.ndarray):
        if isinstance(x, np.memmap) and isinstance(x.base, mmap.mmap):
            return x
        x = x.base
    return None


def _mapped_rows(array, mapping):
    """Read rows from the file: pages that are mapped would count as the process's."""
    if (
        array.nbytes <= _SMALL_BYTES
        or array.ndim == 0
        or array.dtype.kind not in "biuf"
    ):
        return None
    row = np.array(array[0])
    is_plain = array[0].flags.c_contiguous and array.strides[0] >= row.nbytes
    if not is_plain or mapping.filename is None or mapping.mode == "c":
        return StoredRows(len(array), row, lambda rows: np.asarray(array)[rows], 1)
    stride = array.strides[0]
    begin = mapping.offset + array.ctypes.data - mapping.ctypes.data

    def read_rows(rows):
        made = np.empty((len(rows), *row.shape), row.dtype)
        _fill(mapping.filename, made, [begin + int(i) * stride for i in rows])
        return made

    def read_block(start, stop):
        made = np.empty((stop - start, stride), np.uint8)
        # The last row may end where the file does.
        flat = made.reshape(-1)[: (stop - start - 1) * stride + row.nbytes]
        _fill(mapping.filename, [flat], [begin + start * stride])
        return made[:, : row.nbytes].copy().view(row.dtype).reshape(-1, *row.shape)

    if row.nbytes >= _LARGE_ROW_BYTES:
        return StoredRows(len(array), row, read_rows, block=1)
    return StoredRows(len(array), row, read_block, block=_BLOCK_BYTES // stride or 2)


def _fill(path, parts, positions):
    """Read the bytes at the positions of a file into the arrays."""
    with open(path, "rb", buffering=0) as file:
        for part, position in zip(parts, positions, strict=True):
            file.seek(position)
            if file.readinto(memoryview(part.reshape(-1)).cast("B")) < part.nbytes:
                raise DamagedFileError(
                    f"{path} ends before byte {position + part.nbytes}, which it had "
                    "when it was opened."
                )


def _reader_of(x):
    module = type(x).__module__.partition(".")[0]
    name = type(x).__name__
    if isinstance(x, StoredTable):
        return StoredTable.rows
    if module in ("h5py", "zarr") and hasattr(x, "chunks") and hasattr(x, "shape"):
        return _chunked_rows
    if module == "datasets" and name in ("Dataset", "Column"):
        return _rows_of_hugging_face
    if module == "pyarrow" and (name == "ParquetFile" or name.endswith("Dataset")):
        return lambda x: StoredTable(x).rows()
    return None


def _of(length, read, block):
    """Return rows of a block reader, read as a whole where they are small."""
    if length == 0:
        return read(0, 0)
    first = read(0, 1)
    # An array of a fixed width would cut longer strings.
    dtype = object if first.dtype.kind in "US" else first.dtype
    row = np.asarray(first[0], dtype)
    if length * row.nbytes <= _SMALL_BYTES:
        return read(0, length)
    return StoredRows(length, row, read, max(2, block))


def _chunked_rows(x):
    if not x.shape:
        return np.asarray(x)
    row_bytes = max(1, int(np.prod(x.shape[1:])) * x.dtype.itemsize)
    block = max(_BLOCK_BYTES // row_bytes, 2)
    if x.chunks:  # whole chunks
        block = -(-block // x.chunks[0]) * x.chunks[0]
    return _of(x.shape[0], lambda start, stop: np.asarray(x[start:stop]), block)


def _rows_of_hugging_face(x):
    if type(x).__name__ == "Column":

        def read(start, stop):
            return np.asarray(x[start:stop])

        return _of(len(x), read, 1024)
    table = x.with_format("numpy")

    def column(name):
        only = table.select_columns([name])
        return _of(len(x), lambda start, stop: np.asarray(only[start:stop][name]), 1024)

    columns = {name: column(name) for name in x.column_names}
    return columns if len(columns) > 1 else next(iter(columns.values()))


class StoredTable:
    """Columns of Parquet files, or of a dataset of Arrow, as rows of an array.

    Args:
        source: a `pyarrow.parquet.ParquetFile` or a `pyarrow.dataset.Dataset`.
        columns: the names of the columns. Default: None (all)
    """

    def __init__(self, source: Any, columns: list[str] | None = None):
        self.source = source
        schema = getattr(source, "schema_arrow", None) or source.schema
        self.names: list[str] = columns or list(schema.names)

    def rows(self) -> Any:
        """Return the rows."""
        counts, tables = _groups_of(self.source)
        ends = np.cumsum([0, *counts])
        names, lock = self.names, threading.Lock()

        @functools.lru_cache(maxsize=2)
        def group(number):
            return _values(tables(number, names))

        def read(start, stop):
            # A file reads for one thread at a time.
            with lock:
                return read_alone(start, stop)

        def read_alone(start, stop):
            first = int(np.searchsorted(ends, start, "right")) - 1
            parts = [group(first)[start - ends[first] : stop - ends[first]]]
            while ends[first + 1] < stop:
                first += 1
                parts.append(group(first)[: stop - ends[first]])
            return parts[0] if len(parts) == 1 else np.concatenate(parts)

        return _of(int(ends[-1]), read, max(counts, default=0))


def _groups_of(source):
    """Return the numbers of rows of the groups, and a function that reads one."""
    if hasattr(source, "read_row_group"):
        metadata = source.metadata
        counts = [
            metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)
        ]
        return counts, lambda number, names: source.read_row_group(number, names)
    fragments, counts = [], []
    for fragment in source.get_fragments():
        if hasattr(fragment, "split_by_row_group"):
            for part in fragment.split_by_row_group():
                fragments.append(part)
                counts.append(sum(group.num_rows for group in part.row_groups))
        else:
            fragments.append(fragment)
            counts.append(fragment.count_rows())

    def read(number, names):
        return fragments[number].to_table(schema=source.schema, columns=names)

    return counts, read


def _values(table):
    """Return the columns of an Arrow table as one array."""
    refuse_nulls(table, "x")
    columns = [_column(table.column(name)) for name in table.column_names]
    return columns[0] if len(columns) == 1 else np.column_stack(columns)


def _column(column):
    values = column.to_numpy()
    if values.dtype == object and len(values) and isinstance(values[0], np.ndarray):
        return np.stack(values)
    return values


def split_columns(x: Any, y: str) -> tuple[Any, Any]:
    """Return a table without a column, and that column."""
    is_file = is_stored(x) and not hasattr(x, "select_columns")
    if not (is_file or hasattr(x, "column_names") or hasattr(x, "columns")):
        raise ValueError(
            f"`y` is a string, {y!r}. Expected arrays, or the name of a column where "
            f"`x` is a table. Received: x of type {type(x).__name__}"
        )
    if is_file and _reader_of(x) is not _chunked_rows:
        names = StoredTable(x).names
    else:
        listed: Any = getattr(x, "column_names", None)
        names = list(x.columns if listed is None else listed)
    if y not in names:
        raise ValueError(
            f"`y` is a string, {y!r}, which names no column of `x`. Its columns: "
            f"{names}"
        )
    if is_file:
        others = [name for name in names if name != y]
        return StoredTable(x, others), StoredTable(x, [y])
    if is_stored(x):  # of Hugging Face
        return x.remove_columns([y]), x.select_columns([y])
    if hasattr(x, "drop_columns"):  # of Arrow
        return x.drop_columns([y]), x[y]
    return x.drop(columns=y) if hasattr(x, "iloc") else x.drop(y), x[y]
