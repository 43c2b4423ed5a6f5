"""Functions without a name that pickle finds, such as lambdas: they go by value.

`pickle` stores a function as its module and name. A layer made with a lambda, or with
a function that was defined inside another one, stores its code instead.
"""

from __future__ import annotations

import importlib
import marshal
import types
from typing import Any


def by_value(x: Any) -> Any:
    """Return `x`, or what pickles in its place where it is such a function."""
    if isinstance(x, tuple):
        return tuple(map(by_value, x))
    if type(x) is dict:
        return {k: by_value(v) for k, v in x.items()}
    nameless = isinstance(x, types.FunctionType) and "<" in x.__qualname__
    return _ByValue(x) if nameless else x


def restored(x: Any) -> Any:
    """Undo `by_value`, for what was copied and not pickled."""
    if isinstance(x, tuple):
        return tuple(map(restored, x))
    if type(x) is dict:
        return {k: restored(v) for k, v in x.items()}
    return x.function if isinstance(x, _ByValue) else x


class _ByValue:
    def __init__(self, function):
        self.function = function

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        f = self.function
        cells = tuple(by_value(cell.cell_contents) for cell in f.__closure__ or ())
        code = marshal.dumps(f.__code__)
        defaults = by_value(f.__defaults__)
        named = by_value(f.__kwdefaults__)
        return _function, (code, f.__module__, f.__qualname__, defaults, named, cells)


def _function(code, module, qualname, defaults, named_defaults, cells):
    function = types.FunctionType(
        marshal.loads(code),  # noqa: S302 - pickle would run any code as well
        vars(importlib.import_module(module)),
        argdefs=defaults,
        closure=tuple(map(types.CellType, cells)),
    )
    function.__qualname__ = qualname
    function.__kwdefaults__ = named_defaults
    return function
