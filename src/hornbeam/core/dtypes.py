"""Names of dtypes, and which dtype a result has.

Promotion is the one of JAX and Keras: any float wins over any integer, two floats or
two integers give the smallest type that holds both, and Python scalars are weak: they
choose the kind (bool, int, float) but never the width. 64 bits come only out of
64 bits: unlike in JAX, `uint32` with a signed integer stays at 32.
"""

from __future__ import annotations

import functools
from typing import Any

from hornbeam.core.config import floatx
from hornbeam.typing import DTypeLike

_UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
_SIGNED = ("int8", "int16", "int32", "int64")
_FLOAT8 = ("float8_e4m3fn", "float8_e5m2")
_FLOAT = ("bfloat16", "float16", "float32", "float64")
_COMPLEX = ("complex64", "complex128")

ALLOWED = frozenset(
    ("bool", "string", *_UNSIGNED, *_SIGNED, *_FLOAT8, *_FLOAT, *_COMPLEX)
)
_FLOATS = frozenset(_FLOAT + _FLOAT8)
_INTS = frozenset(_UNSIGNED + _SIGNED)
_COMPLEXES = frozenset(_COMPLEX)

_PYTHON = {bool: "bool", int: "int32", str: "string", complex: "complex64"}


def standardize_dtype(dtype: DTypeLike) -> str:
    """Return the name of a dtype given as a name, a Python type or an engine's dtype.

    None and `float` are `floatx()`, `int` is "int32".

    >>> import hornbeam as keras
    >>> import numpy as np
    >>> keras.backend.standardize_dtype(np.float32)
    'float32'
    """
    if isinstance(dtype, str) and dtype in ALLOWED:
        return dtype
    if dtype is None or dtype is float:
        return floatx()
    # TensorFlow's dtypes are equal to integers.
    key = (type(dtype), dtype)
    try:
        return _names[key]
    except (KeyError, TypeError):
        name = _name_of(dtype)
    # NumPy puts a dtype's name together each time that it is asked.
    _names[key] = name
    return name


_names: dict[tuple[type, Any], str] = {}


def _name_of(dtype):
    name = dtype
    if isinstance(dtype, type):
        name = _PYTHON.get(dtype) or getattr(dtype, "__name__", None)
    if not isinstance(name, str):
        name = getattr(dtype, "name", None) or str(dtype).rpartition(".")[2]
    if name == "int":
        return "int32"
    if name not in ALLOWED:
        # jax.numpy.float32 is neither a type nor a dtype but holds one.
        name = getattr(getattr(dtype, "dtype", None), "name", name)
    if name not in ALLOWED:
        raise ValueError(f"Invalid dtype: {dtype}")
    return name


def is_float_dtype(dtype: DTypeLike) -> bool:
    """Whether `dtype` is a real floating-point type."""
    return standardize_dtype(dtype) in _FLOATS


def is_int_dtype(dtype: DTypeLike) -> bool:
    """Whether `dtype` is an integer type, signed or not; bool is none."""
    return standardize_dtype(dtype) in _INTS


def is_unsigned_dtype(dtype: DTypeLike) -> bool:
    """Whether `dtype` is an integer type without sign."""
    return standardize_dtype(dtype) in _UNSIGNED


def is_bool_dtype(dtype: DTypeLike) -> bool:
    """Whether `dtype` is bool."""
    return standardize_dtype(dtype) == "bool"


def is_complex_dtype(dtype: DTypeLike) -> bool:
    """Whether `dtype` is a complex type."""
    return standardize_dtype(dtype) in _COMPLEXES


def is_inexact_dtype(dtype: DTypeLike) -> bool:
    """Whether `dtype` is a floating-point or complex type."""
    name = standardize_dtype(dtype)
    return name in _FLOATS or name in _COMPLEXES


def result_type(*args: DTypeLike) -> str:
    """Return the dtype of a result whose operands have the dtypes `args`.

    The Python types `bool`, `int` and `float` stand for scalars, which are weak.

    >>> import hornbeam as keras
    >>> keras.backend.result_type("int32", "bfloat16"), keras.backend.result_type(
    ...     "int8", int
    ... )
    ('bfloat16', 'int8')
    """
    return _result_type(floatx(), *args)


@functools.lru_cache(maxsize=4096)
def _result_type(default_float, *args) -> str:
    if not args:
        return default_float
    # By identity: numpy.dtype("int64") == int.
    weak = {a for a in args if a is int or a is float}
    names = {standardize_dtype(a) for a in args if not (a is int or a is float)}
    for name in names:
        if name in _FLOAT8 or name == "string":
            raise ValueError(
                f"There is no implicit promotion of {name!r}. Cast the tensor first. "
                f"Received: dtypes={args}"
            )
    if names & _COMPLEXES:
        wide = names & {"complex128", "float64"}
        return "complex128" if wide else "complex64"
    floats = names & _FLOATS
    if floats:
        return _join_floats(floats)
    if float in weak:
        return default_float
    names.discard("bool")
    if names:
        return _join_ints(names, default_float)
    return "int32" if int in weak else "bool"


def _join_floats(names: set) -> str:
    if len(names) == 1:
        return next(iter(names))
    return "float64" if "float64" in names else "float32"


def _join_ints(names: set, default_float: str) -> str:
    unsigned = [n for n in _UNSIGNED if n in names]
    signed = [n for n in _SIGNED if n in names]
    if not signed:
        return unsigned[-1]
    if not unsigned:
        return signed[-1]
    if unsigned[-1] == "uint64":
        return default_float
    # The signed type twice as wide holds the unsigned one.
    needed = min(_UNSIGNED.index(unsigned[-1]) + 1, _SIGNED.index("int32"))
    return _SIGNED[max(needed, _SIGNED.index(signed[-1]))]
