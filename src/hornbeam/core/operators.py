"""Python's operators for objects that stand for tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from hornbeam.core.lazy import public
from hornbeam.typing import Tensor, TensorLike


@functools.cache
def op(name: str) -> Callable[..., Tensor]:
    """Return the op of that public name, imported when it is first asked for."""
    return public("ops", name)


def _forward(name: str) -> Callable[[Any, TensorLike], Tensor]:
    def method(self: Any, other: TensorLike) -> Tensor:
        return op(name)(self, other)

    return method


def _reflected(name: str) -> Callable[[Any, TensorLike], Tensor]:
    def method(self: Any, other: TensorLike) -> Tensor:
        return op(name)(other, self)

    return method


def _unary(name: str) -> Callable[[Any], Tensor]:
    def method(self: Any) -> Tensor:
        return op(name)(self)

    return method


class Operators:
    """A base that gives operators, indexing and rounding through `hornbeam.ops`."""

    __hash__ = object.__hash__
    # NumPy arrays and engine tensors on the left leave the operation to us.
    __array_priority__ = 100

    __add__, __radd__ = _forward("add"), _reflected("add")
    __sub__, __rsub__ = _forward("subtract"), _reflected("subtract")
    __mul__, __rmul__ = _forward("multiply"), _reflected("multiply")
    __truediv__, __rtruediv__ = _forward("true_divide"), _reflected("true_divide")
    __floordiv__, __rfloordiv__ = _forward("floor_divide"), _reflected("floor_divide")
    __mod__, __rmod__ = _forward("mod"), _reflected("mod")
    __pow__, __rpow__ = _forward("power"), _reflected("power")
    __matmul__, __rmatmul__ = _forward("matmul"), _reflected("matmul")
    __and__, __rand__ = _forward("logical_and"), _reflected("logical_and")
    __or__, __ror__ = _forward("logical_or"), _reflected("logical_or")
    __xor__, __rxor__ = _forward("logical_xor"), _reflected("logical_xor")

    __lt__, __le__ = _forward("less"), _forward("less_equal")
    __gt__, __ge__ = _forward("greater"), _forward("greater_equal")

    __neg__, __abs__ = _unary("negative"), _unary("absolute")
    __invert__ = _unary("logical_not")

    def __eq__(self, other: Any) -> Tensor:
        return op("equal")(self, other)

    def __ne__(self, other: Any) -> Tensor:
        return op("not_equal")(self, other)

    def __pos__(self) -> Tensor:
        return self

    def __getitem__(self, key: Any) -> Tensor:
        return op("get_item")(self, key)

    def __round__(self, ndigits: int | None = None) -> Tensor:
        return op("round")(self, decimals=ndigits or 0)
