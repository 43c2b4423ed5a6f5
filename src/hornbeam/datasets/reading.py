"""Files of data sets as arrays, without running what a pickle says.

The lists of words of IMDB and Reuters, and the batches of CIFAR, are pickles. They are
read by an unpickler that knows four names, those with which NumPy writes an array. What
it puts in their place only collects: arrays are made afterwards, of numbers and of
lists of integers alone.
"""

from __future__ import annotations

import contextlib
import math
import pickle
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from hornbeam.core.errors import DamagedFileError, UnsafeFileError, damage_of
from hornbeam.core.zip_reader import check_list

_MAX_HEADER = 10_000
# What a file of a data set takes at most in memory.
_MAX_BYTES = 8 << 30
_NUMBERS = "biuf"


@contextlib.contextmanager
def of_file(path: Path) -> Iterator[None]:
    """Inside, errors of reading name the file."""
    try:
        with damage_of(str(path), Exception):
            yield
    except UnsafeFileError as error:
        raise UnsafeFileError(f"{path}: {error}") from error


def read_arrays(path: Path, *names: str) -> list[Any]:
    """Return arrays of an `.npz` file; those of objects hold lists of integers.

    Args:
        path: the file.
        *names: the names of the arrays.
    """
    with of_file(path), open(path, "rb") as file:
        check_list(file, file.seek(0, 2))
        with zipfile.ZipFile(file) as archive:
            arrays = []
            for name in names:
                info = archive.getinfo(f"{name}.npy")
                with archive.open(info) as member:
                    arrays.append(_read_array(member, info.file_size, name))
    return arrays


def _read_array(file: IO[bytes], size, name):
    """Return the array of an `.npy` file of so many bytes."""
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, is_fortran, dtype = read_header(file, _MAX_HEADER)
    left = size - file.tell()
    if left > _MAX_BYTES:
        raise UnsafeFileError(f"{name!r} declares {left} bytes.")
    if dtype.hasobject:
        return _lists(read_pickle(file), name)
    if dtype.kind not in _NUMBERS or math.prod(shape) * dtype.itemsize != left:
        raise DamagedFileError(
            f"{name!r} should have {math.prod(shape)} numbers, in {left} bytes of "
            f"{dtype}."
        )
    flat = np.frombuffer(bytearray(file.read(left)), dtype)
    return flat.reshape(shape, order="F" if is_fortran else "C")


def read_pickle(file: IO[bytes]) -> Any:
    """Return what a pickle holds: dicts, lists, numbers, bytes and arrays of numbers.

    Text of Python 2 is bytes.
    """
    with damage_of("The pickle", Exception):
        return _built(_Unpickler(file, encoding="bytes").load())


class _Part:
    """Stands for an array, or a dtype, whose state is read."""

    __slots__ = ("arguments", "state")

    def __init__(self, *arguments: Any):
        self.arguments, self.state = arguments, None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Name:
    """Stands for a name in a pickle; calling it makes a part, or bytes.

    An instance, and none of our functions or classes: a pickle may set attributes of
    what it names.
    """

    __slots__ = ("_is_text",)

    def __init__(self, is_text: bool):
        self._is_text = is_text

    def __call__(self, *arguments: Any) -> Any:
        if not self._is_text:
            return _Part(*arguments)
        text, encoding = arguments  # how Python 3 writes bytes for Python 2
        if encoding not in ("latin1", b"latin1") or not isinstance(text, str):
            raise UnsafeFileError(f"A pickle encodes text in {encoding!r}.")
        return text.encode("latin1")

    def __setstate__(self, state: Any) -> None:
        raise UnsafeFileError("A pickle sets attributes of what it names.")


class _Unpickler(pickle.Unpickler):
    """Knows the names of arrays, and makes parts of them."""

    def find_class(self, module: str, name: str) -> Any:
        place = re.sub(r"^numpy\._core\b", "numpy.core", module)
        known = {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("_codecs", "encode"),
        }
        if (place, name) not in known:
            raise UnsafeFileError(
                f"It names `{module}.{name}`; a data set holds lists, numbers and "
                "arrays alone."
            )
        return _Name(is_text=name == "encode")


def _built(value):
    """Return what was read, with arrays in the places of their parts."""
    if isinstance(value, _Part):
        return _array(value)
    if type(value) is dict:
        return {key: _built(inner) for key, inner in value.items()}
    if type(value) is list and any(isinstance(inner, _Part) for inner in value):
        return [_built(inner) for inner in value]
    if isinstance(value, _Name):
        raise UnsafeFileError("A pickle holds a name as a value.")
    return value


def _array(part):
    """Return the array that NumPy's state of one describes."""
    _, shape, dtype, is_fortran, data = part.state
    name = dtype.arguments[0]
    name = name.decode("ascii") if isinstance(name, bytes) else name
    if name in ("O", "O8", "O4"):
        if type(data) is not list:
            raise UnsafeFileError("An array of objects has no list of them.")
        array = np.empty(len(data), object)
        array[:] = [_built(item) for item in data]
        return array.reshape(shape)
    order = dtype.state[1]
    order = order.decode("ascii") if isinstance(order, bytes) else order
    byte_order: Any = order if order in ("<", ">") else "="
    kind = np.dtype(name).newbyteorder(byte_order)
    if kind.kind not in _NUMBERS or type(data) is not bytes:
        raise UnsafeFileError(f"A pickle holds an array of {name[:50]!r}.")
    flat = np.frombuffer(bytearray(data), kind)
    return flat.reshape(shape, order="F" if is_fortran else "C")


def _lists(array, name):
    """Return an array of objects, whose items are lists of integers, or raise."""
    good = isinstance(array, np.ndarray) and array.ndim == 1
    if not (good and all(type(row) is list for row in array)):
        raise UnsafeFileError(f"{name!r} is no array of lists.")
    if not all(_are_integers(row) for row in array):
        raise UnsafeFileError(f"A list of {name!r} holds something but integers.")
    return array


def _are_integers(row: Iterable[Any]) -> bool:
    return set(map(type, row)) <= {int}
