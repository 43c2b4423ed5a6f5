"""Sparse data on the host: rows of coordinates, never a dense array.

Programs have fixed sizes, so a batch is padded to a number of entries, a power of two
that grows when a batch needs more: few programs serve all batches, whatever the lengths
of their rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import backends
from hornbeam.core import config
from hornbeam.typing import DTypeLike, Tensor

_LEAST_ROOM = 16
# Batches differ: this multiple of one batch's entries is likely to suffice for others.
_SLACK = 1.25


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse array of SciPy, or a sparse tensor of any engine."""
    if isinstance(x, SparseRows) or backends.is_scipy_sparse(x):
        return True
    engine = backends.of(x)
    return engine is not None and engine.is_sparse(x)


class SparseRows:
    """Rows of a sparse array: `values[starts[i]:starts[i + 1]]` are those of row i.

    Args:
        starts: where the entries of each row begin, and where the last ones end.
        columns: for each entry its place in the row: a matrix with one column per axis.
        values: the entries.
        row_shape: the shape of a row.
        is_dense: whether batches of it are given to models as dense tensors.
    """

    def __init__(
        self,
        starts: np.ndarray,
        columns: np.ndarray,
        values: np.ndarray,
        row_shape: tuple[int, ...],
        is_dense: bool = False,
    ):
        self.starts = starts
        self.columns = columns
        self.values = values
        self.row_shape: tuple[int, ...] = tuple(row_shape)
        self.is_dense = is_dense

    @property
    def sparse(self) -> bool:
        """Whether models see a sparse tensor."""
        return not self.is_dense

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of all rows."""
        return (len(self), *self.row_shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return 1 + len(self.row_shape)

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the entries."""
        return self.values.dtype

    @property
    def nbytes(self) -> int:
        """How many bytes the entries and their places take."""
        return self.starts.nbytes + self.columns.nbytes + self.values.nbytes

    @property
    def lengths(self) -> np.ndarray:
        """How many entries each row has."""
        return np.diff(self.starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, rows: Any) -> SparseRows:
        if isinstance(rows, slice):
            begin, end, step = rows.indices(len(self))
            if step == 1:
                end = max(begin, end)
                entries = slice(self.starts[begin], self.starts[end])
                starts = self.starts[begin : end + 1] - self.starts[begin]
                return self._with(starts, entries)
            rows = np.arange(begin, end, step)
        lengths = self.lengths[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        shift = np.repeat(self.starts[:-1][rows] - starts[:-1], lengths)
        return self._with(starts, shift + np.arange(starts[-1]))

    def _with(self, starts, entries):
        columns, values = self.columns[entries], self.values[entries]
        return SparseRows(starts, columns, values, self.row_shape, self.is_dense)

    def astype(self, dtype: DTypeLike, copy: bool = True) -> SparseRows:
        """Return the same rows with entries of another dtype."""
        values = self.values.astype(dtype, copy=copy)
        return SparseRows(
            self.starts, self.columns, values, self.row_shape, self.is_dense
        )

    def indices(self) -> np.ndarray:
        """Return the place of each entry, its row included."""
        rows = np.repeat(np.arange(len(self), dtype=np.int32), self.lengths)
        return np.concatenate([rows[:, None], self.columns], axis=1)

    def toarray(self) -> np.ndarray:
        """Return the dense array."""
        array = np.zeros(self.shape, self.dtype)
        array[tuple(self.indices().T)] = self.values
        return array

    def tensor(self, engine: Any) -> Tensor:
        """Return the rows as a tensor of the engine."""
        x = engine.sparse_tensor(
            self.indices(), engine.convert(self.values), self.shape, unique=True
        )
        return engine.to_dense(x) if self.is_dense else x

    def most_entries(self, order: np.ndarray, batch_size: int) -> int:
        """Return the number of entries in the fullest batch of the rows `order`."""
        lengths = self.lengths[order]
        return int(np.add.reduceat(lengths, range(0, len(order), batch_size)).max())


def sparse_rows(x: Any, is_dense: bool = False) -> SparseRows:
    """Return a sparse array or tensor of any kind as SparseRows.

    Args:
        x: a sparse array of SciPy or a sparse tensor of an engine.
        is_dense: whether batches of it are given to models as dense tensors.
    """
    if isinstance(x, SparseRows):
        return x
    shape = tuple(x.shape)
    if not shape:
        raise ValueError("A sparse tensor without axes has no rows.")
    indices, values = _coordinates(x)
    if values.dtype.kind == "f" and values.dtype.name != config.floatx():
        values = values.astype(config.floatx())
    starts = np.searchsorted(indices[:, 0], np.arange(shape[0] + 1))
    columns = np.ascontiguousarray(indices[:, 1:], dtype=np.int32)
    return SparseRows(starts, columns, values, shape[1:], is_dense)


def _coordinates(x):
    if backends.is_scipy_sparse(x):
        return backends.scipy_coordinates(x)
    engine = backends.of(x)
    indices, values = map(engine.to_numpy, engine.coordinates(x))
    inside = (indices < np.array(x.shape)).all(axis=1)
    return (indices, values) if inside.all() else (indices[inside], values[inside])


def tensor_of(engine: Any, x: Any) -> Tensor:
    """Return the host array or SparseRows as a tensor of the engine."""
    return x.tensor(engine) if isinstance(x, SparseRows) else engine.convert(x)


def entry_room(entries: int, room: int = 0) -> int:
    """Return the number of entries a program has room for: `room` if it suffices."""
    if entries <= room:
        return room
    return 1 << int(max(_LEAST_ROOM, entries * _SLACK) - 1).bit_length()


class SparseForm:
    """What a program knows of sparse rows: the shape of one, whether it is dense."""

    def __init__(self, rows: SparseRows):
        self.row_shape: tuple[int, ...] = rows.row_shape
        self.is_dense: bool = rows.is_dense

    def key(self) -> tuple[Any, ...]:
        """Return a hashable key of the form."""
        return "sparse", self.row_shape, self.is_dense

    def arguments(self, rows: SparseRows, room: Any) -> Any:
        """Return a batch as arrays of fixed size: places, entries, their number."""
        indices, values, count = rows.indices(), rows.values, len(rows.values)
        spare = ((0, room - count), (0, 0))
        return np.pad(indices, spare), np.pad(values, spare[0]), np.int32(count)

    def batch(self, engine: Any, arguments: Any, size: Any) -> Tensor:
        """Return the batch of `size` rows as a tensor, inside a program."""
        indices, values, count = arguments
        inside = engine.arange(engine.shape_of(values)[0], dtype="int32")
        return self._tensor(engine, indices, values, inside < count, size)

    def take(self, engine: Any, parts: Any, chosen: Any, room: Any) -> Any:
        """Return the rows `chosen` as a tensor, inside a program.

        `parts` are the starts, columns and values of all rows; `room` is the number of
        entries there is room for.
        """
        starts, columns, values = parts
        begin = engine.take(starts, chosen, axis=0)
        lengths = engine.take(starts, chosen + 1, axis=0) - begin
        ends = engine.cumsum(lengths, axis=0)
        position = engine.arange(room, dtype="int32")
        row = engine.cast(engine.searchsorted(ends, position, side="right"), "int32")
        size = engine.shape_of(chosen)[0]
        valid, row = row < size, engine.minimum(row, size - 1)
        shift = engine.take(begin - ends + lengths, row, axis=0)
        last = engine.shape_of(values)[0] - 1
        entry = engine.minimum(engine.maximum(position + shift, 0), last)
        places = engine.take(columns, entry, axis=0)
        row = engine.cast(engine.expand_dims(row, 1), "int32")
        indices = engine.concatenate([row, places], axis=1)
        entries = engine.take(values, entry, axis=0)
        return self._tensor(engine, indices, entries, valid, size)

    def _tensor(self, engine, indices, values, valid, size):
        shape = (size, *self.row_shape)
        x = engine.sparse_tensor(indices, values, shape, valid, unique=True)
        return engine.to_dense(x) if self.is_dense else x
