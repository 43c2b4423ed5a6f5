"""Classes that differ in the number of spatial axes alone, such as Conv1D to Conv3D."""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any

from hornbeam.layers.layer import Layer


class RankFamily(Layer):
    """A base for such a family; `rank` is the number of spatial axes of a class.

    The family documents its arguments once, in the docstring of `__init__`. That of a
    class, with its shapes and its example, is completed by it.
    """

    rank = 0
    # Arguments whose default is repeated for each axis: `strides=(1, 1)` in Conv2D.
    arguments_per_axis: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "rank" in vars(cls):
            if cls.rank > 1 and cls.arguments_per_axis:
                _set_defaults_per_axis(cls)
            if cls.__doc__:
                cls.__doc__ = _with_arguments(cls, cls.__doc__)


def _set_defaults_per_axis(cls: Any) -> None:
    init = cls.__init__
    defaults = tuple(
        (p.default,) * cls.rank if p.name in cls.arguments_per_axis else p.default
        for p in inspect.signature(init).parameters.values()
        if p.default is not p.empty
    )
    copy: Any = types.FunctionType(
        init.__code__, init.__globals__, init.__name__, defaults, init.__closure__
    )
    functools.update_wrapper(copy, init)
    # Else the signature of the original would be shown.
    del copy.__wrapped__
    cls.__init__ = copy


def _with_arguments(cls, doc):
    """Return the docstring with that of `__init__` after its first paragraph."""
    summary, _, rest = inspect.cleandoc(doc).partition("\n\n")
    inits = (vars(base).get("__init__") for base in cls.__mro__)
    arguments = next(filter(None, (getattr(init, "__doc__", "") for init in inits)))
    return "\n\n".join(filter(None, (summary, inspect.cleandoc(arguments), rest)))
