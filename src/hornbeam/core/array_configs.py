"""Arrays in configs: their values as nested lists, with the dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core import allowlist, budget
from hornbeam.core.errors import UnsafeFileError

_BYTES_OF_CHARACTER = 4


def written(class_name: str, array: Any) -> dict[str, Any]:
    """Return the config of an array.

    Args:
        class_name: "__numpy__" or "__tensor__".
        array: the array.
    """
    return {
        "class_name": class_name,
        "config": {"value": array.tolist(), "dtype": array.dtype.name},
    }


def read(inner: dict[str, Any]) -> np.ndarray:
    """Return the array that the inner part of a config describes."""
    dtype = inner.get("dtype", "float32")
    if not isinstance(dtype, str) or not allowlist.is_array_dtype(dtype):
        raise UnsafeFileError(f"A config holds an array of the dtype {dtype!r}.")
    if dtype == "str":
        return _texts(np.array(inner["value"], object))
    if dtype == "bfloat16":
        import ml_dtypes

        return np.array(inner["value"], ml_dtypes.bfloat16)
    return np.array(inner["value"], dtype)


def _texts(values):
    """Return an array of texts, in which each has the room of the longest."""
    longest = max((len(str(value)) for value in values.ravel()), default=0)
    budget.take(_BYTES_OF_CHARACTER * longest * values.size, "An array of texts")
    return values.astype(str)
