"""The rows that programs read: data that is on the device as a whole."""

from __future__ import annotations

import functools
import threading
from typing import Any

import numpy as np

from hornbeam.backends.memory import aligned_array
from hornbeam.data.sparse import SparseForm, SparseRows, entry_room

# Small data and its orders get this much room, so that data of other row counts, such
# as that of another fold, finds the same program.
_ROOM_BYTES = 1 << 20
ROOM_ROWS = 1 << 15


class DeviceRows:
    """Host arrays of equally many rows, and the same on the device when needed.

    Small arrays get much room, so that their number of rows makes no other program. Of
    sparse rows the parts are on the device: where rows start, columns and values.
    """

    def __init__(self, engine: Any, arrays: Any) -> None:
        self.engine = engine
        self.arrays = arrays
        self.rows: Any = len(arrays[0])
        self.is_sparse: Any = any(isinstance(x, SparseRows) for x in arrays)
        # For programs, which outlive the arrays.
        self.take_rows: RowsTaken = RowsTaken(arrays)
        # Rows that were joined with these, and the result; see `stack`.
        self.joined_with: Any = None
        self._lock = threading.Lock()

    @functools.cached_property
    def tensors(self) -> list[Any]:
        """The arrays on the device, padded."""
        with self._lock:
            return [self._on_device(x, self._room()) for x in self.arrays]

    def _on_device(self, x, room):
        convert, take_over = self.engine.convert, self.engine.take_over
        if isinstance(x, SparseRows):
            return tuple(convert(part) for part in _padded_parts(x, room))
        if len(x) == room or take_over is None:
            return convert(padded(x, room))
        return take_over(padded(x, room))

    @property
    def shapes(self) -> Any:
        """The shapes of the padded arrays, and the room for entries of sparse ones."""
        return self._dense_shapes, tuple(self.take_rows.rooms)

    @functools.cached_property
    def _dense_shapes(self):
        room = self._room()
        return tuple(
            _parts_shapes(x, room)
            if isinstance(x, SparseRows)
            else (room, *x.shape[1:])
            for x in self.arrays
        )

    def row_forms(self) -> Any:
        """Return what a program depends on of each array, but for the rows' number."""
        forms = zip(self.arrays, self.take_rows.forms, strict=True)
        return tuple(
            (x.shape[1:], str(x.dtype), form and form.key()) for x, form in forms
        )

    @functools.cached_property
    def filler(self) -> Any:
        """The row that fills a last batch: a short one."""
        lengths = [x.lengths for x in self.arrays if isinstance(x, SparseRows)]
        return int(np.argmin(sum(lengths))) if lengths else 0

    def make_room(self, order: Any, batch_size: int) -> None:
        """Let the rooms suffice for the batches of this order."""
        rooms = self.take_rows.rooms
        for i, x in enumerate(self.arrays):
            if isinstance(x, SparseRows):
                rooms[i] = entry_room(x.most_entries(order, batch_size), rooms[i])

    @property
    def bytes_per_row(self) -> Any:
        """The bytes of a row of all arrays, at least 1."""
        return max(1, sum(x.nbytes for x in self.arrays) // self.rows)

    def _room(self):
        least = min(_ROOM_BYTES // self.bytes_per_row, ROOM_ROWS)
        room = rounded_up(self.rows)
        return max(room, 1 << (least.bit_length() - 1)) if least > room else room

    def fingerprint(self) -> Any:
        """Return a hashable that is equal for equal rows."""
        some = slice(None, None, max(1, self.rows // 8))
        forms = tuple((x.shape, str(x.dtype)) for x in self.arrays)
        return self.engine.name, forms, tuple(x[some].tobytes() for x in self.arrays)

    def equals(self, other: Any) -> bool:
        """Whether the arrays of the other hold the same bytes."""
        pairs = zip(self.arrays, other.arrays, strict=True)
        return all(a is b or _bytes(a) == _bytes(b) for a, b in pairs)


class RowsTaken:
    """Takes rows inside a program; it knows the forms of the arrays and holds none."""

    def __init__(self, arrays: Any) -> None:
        self.forms: Any = [
            SparseForm(x) if isinstance(x, SparseRows) else None for x in arrays
        ]
        self.rooms: Any = [0] * len(arrays)

    def __call__(self, engine: Any, data: Any, chosen: Any) -> list[Any]:
        """Return the rows `chosen` of each array."""
        return [
            engine.take(x, chosen, axis=0)
            if form is None
            else form.take(engine, x, chosen, room)
            for x, form, room in zip(data, self.forms, self.rooms, strict=True)
        ]


def _padded_parts(x, rows):
    """Return the parts of sparse rows with room for `rows` rows."""
    starts = np.pad(x.starts, (0, rows + 1 - len(x.starts)), mode="edge")
    spare = (0, _entries(x) - len(x.values))
    columns, values = np.pad(x.columns, (spare, (0, 0))), np.pad(x.values, spare)
    return starts.astype(np.int32), columns, values


def _parts_shapes(x, rows):
    entries = _entries(x)
    return (rows + 1,), (entries, x.columns.shape[1]), (entries,)


def _entries(x):
    return max(1, rounded_up(len(x.values)))


def shapes_of(tensors: Any) -> Any:
    """Return the shapes of the tensors."""
    return tuple(x.shape for x in tensors)


def _bytes(array):
    numbers: Any = np.ascontiguousarray(array).view(np.uint8).reshape(-1)
    return memoryview(numbers)


def rounded_up(count: int) -> Any:
    """Return `count` rounded up by at most an eighth, so that few sizes occur."""
    if count <= 16:
        return count
    unit = 1 << max(0, count.bit_length() - 4)
    return -(-count // unit) * unit


def padded(x: Any, rows: Any) -> Any:
    """Return the host array `x` with zeros (copies of row 0) up to `rows` rows."""
    if len(x) == rows:
        return x
    array = aligned_array((rows, *x.shape[1:]), x.dtype)
    array[: len(x)], array[len(x) :] = x, x[:1]
    return array
