"""Python's operators for objects that stand for tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

from hornbeam.core.lazy import public
from hornbeam.typing import Tensor, TensorLike


@functools.cache
def op(name: str) -> Callable[..., Tensor]:
    """Return the op of that public name, imported when it is first asked for."""
    return public("ops", name)


class Operators:
    """A base that gives operators, indexing and rounding through `hornbeam.ops`."""

    __hash__: ClassVar[Any] = object.__hash__
    # NumPy arrays and engine tensors on the left leave the operation to us.
    __array_priority__: ClassVar[int] = 100

    def __add__(self, other: TensorLike) -> Tensor:
        return op("add")(self, other)

    def __radd__(self, other: TensorLike) -> Tensor:
        return op("add")(other, self)

    def __sub__(self, other: TensorLike) -> Tensor:
        return op("subtract")(self, other)

    def __rsub__(self, other: TensorLike) -> Tensor:
        return op("subtract")(other, self)

    def __mul__(self, other: TensorLike) -> Tensor:
        return op("multiply")(self, other)

    def __rmul__(self, other: TensorLike) -> Tensor:
        return op("multiply")(other, self)

    def __truediv__(self, other: TensorLike) -> Tensor:
        return op("true_divide")(self, other)

    def __rtruediv__(self, other: TensorLike) -> Tensor:
        return op("true_divide")(other, self)

    def __floordiv__(self, other: TensorLike) -> Tensor:
        return op("floor_divide")(self, other)

    def __rfloordiv__(self, other: TensorLike) -> Tensor:
        return op("floor_divide")(other, self)

    def __mod__(self, other: TensorLike) -> Tensor:
        return op("mod")(self, other)

    def __rmod__(self, other: TensorLike) -> Tensor:
        return op("mod")(other, self)

    def __pow__(self, other: TensorLike) -> Tensor:
        return op("power")(self, other)

    def __rpow__(self, other: TensorLike) -> Tensor:
        return op("power")(other, self)

    def __matmul__(self, other: TensorLike) -> Tensor:
        return op("matmul")(self, other)

    def __rmatmul__(self, other: TensorLike) -> Tensor:
        return op("matmul")(other, self)

    def __and__(self, other: TensorLike) -> Tensor:
        return op("logical_and")(self, other)

    def __rand__(self, other: TensorLike) -> Tensor:
        return op("logical_and")(other, self)

    def __or__(self, other: TensorLike) -> Tensor:
        return op("logical_or")(self, other)

    def __ror__(self, other: TensorLike) -> Tensor:
        return op("logical_or")(other, self)

    def __xor__(self, other: TensorLike) -> Tensor:
        return op("logical_xor")(self, other)

    def __rxor__(self, other: TensorLike) -> Tensor:
        return op("logical_xor")(other, self)

    def __lt__(self, other: TensorLike) -> Tensor:
        return op("less")(self, other)

    def __le__(self, other: TensorLike) -> Tensor:
        return op("less_equal")(self, other)

    def __gt__(self, other: TensorLike) -> Tensor:
        return op("greater")(self, other)

    def __ge__(self, other: TensorLike) -> Tensor:
        return op("greater_equal")(self, other)

    def __neg__(self) -> Tensor:
        return op("negative")(self)

    def __abs__(self) -> Tensor:
        return op("absolute")(self)

    def __invert__(self) -> Tensor:
        return op("logical_not")(self)

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
