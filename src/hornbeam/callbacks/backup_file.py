"""The file of a backup: a zip archive of NumPy arrays and of JSON that names them."""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.core import strict_json, zip_reader
from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from hornbeam.core.replacing import replacing

_JSON = "state.json"
_ARRAY = "__array__"
_MOST_BYTES_OF_HEADER = 10_000


def write(path: str, state: dict[str, Any]) -> None:
    """Write plain data with arrays in it; the old file or the new one is there.

    Args:
        path: the path of the file.
        state: dicts, lists, strings, numbers, None, arrays and Variables.
    """
    arrays: list[Any] = []
    text = json.dumps(_encoded(state, arrays))
    reason = strict_json.refusal(text, path)
    if reason is not None:
        raise ValueError(
            f"The backup was not written, for it could not be read again: {reason} "
            "Keep less in the `state_attributes` of your callbacks, or keep arrays."
        )
    with replacing(Path(path)) as temporary, open(temporary, "wb") as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(_JSON, text)
            for number, array in enumerate(arrays):
                with archive.open(f"{number}.npy", "w", force_zip64=True) as member:
                    plain = plain_array(array)
                    np.lib.format.write_array(member, plain, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())


def read(path: str) -> dict[str, Any]:
    """Return what `write` wrote; it never takes more memory than the file."""
    with open(path, "rb") as file:
        try:
            return _read(zip_reader.ZipReader(file, "It"), path)
        except (MemoryError, UnsafeFileError):
            raise
        except Exception as error:
            raise DamagedFileError(
                f"The backup {path!r} is damaged and cannot be resumed from: {error} "
                f"Remove the folder {os.path.dirname(path)!r} to start anew."
            ) from error


def _read(archive, path):
    names = archive.names()
    if sum(map(archive.member_size, names)) > archive.size:
        raise UnsafeFileError(f"{path!r} holds more than its size allows.")
    state = strict_json.loads(archive.read(_JSON, strict_json.MAX_BYTES), path)
    return _decoded(state, lambda i: _array(archive.read(f"{i}.npy")))


def plain_array(value: Any) -> np.ndarray:
    """Return an array; one of bfloat16 and its like, unknown to NumPy, as integers."""
    array = np.asarray(value)
    return array.view(f"u{array.dtype.itemsize}") if array.dtype.kind == "V" else array


def _array(content):
    """Return the array in the bytes of a `.npy` file, without a copy."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"NumPy format {version} is not what backups have.")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(
        file, max_header_size=_MOST_BYTES_OF_HEADER
    )
    start = file.tell()
    if dtype.kind in "OV" or math.prod(shape) * dtype.itemsize != len(content) - start:
        raise ValueError(f"No array of shape {shape} and dtype {dtype}.")
    array = np.frombuffer(content, dtype, offset=start)
    return array.reshape(shape, order="F" if is_fortran else "C")


def _encoded(value, arrays, path=""):
    """Return plain data; arrays are appended to `arrays` and named by number."""
    if isinstance(value, dict):
        return {
            str(key): _encoded(item, arrays, f"{path}/{key}")
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_encoded(item, arrays, path) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "__array__"):
        if isinstance(value, np.ndarray) and value.dtype.kind == "V":
            value = value.astype("float32")  # bfloat16 and its like fit exactly
        arrays.append(value)
        return {_ARRAY: len(arrays) - 1}
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(
        f"A backup holds numbers, strings, arrays, lists and dicts of these. Received "
        f"a {type(value).__name__} as {path!r}: {value!r}"
    )


def _decoded(value, array_of):
    if isinstance(value, dict):
        if list(value) == [_ARRAY]:
            return array_of(value[_ARRAY])
        return {key: _decoded(item, array_of) for key, item in value.items()}
    if isinstance(value, list):
        return [_decoded(item, array_of) for item in value]
    return value
