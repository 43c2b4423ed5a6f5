"""Comparisons, logic and bits of each element."""

from __future__ import annotations

from hornbeam.ops import rules
from hornbeam.ops.declare import composite, primitive
from hornbeam.typing import Tensor, TensorLike


@primitive("compare")
def equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether two elements are equal.

    >>> import hornbeam as keras
    >>> bool(keras.ops.equal(1, 1))
    True
    """


@primitive("compare")
def not_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether two elements differ.

    >>> import hornbeam as keras
    >>> bool(keras.ops.not_equal(1, 1))
    False
    """


@primitive("compare")
def less(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether `x1` is below `x2`.

    >>> import hornbeam as keras
    >>> bool(keras.ops.less(1, 2))
    True
    """


@primitive("compare")
def less_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether `x1` is not above `x2`.

    >>> import hornbeam as keras
    >>> bool(keras.ops.less_equal(1, 1))
    True
    """


@primitive("compare")
def greater(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether `x1` is above `x2`.

    >>> import hornbeam as keras
    >>> bool(keras.ops.greater(1, 2))
    False
    """


@primitive("compare")
def greater_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether `x1` is not below `x2`.

    >>> import hornbeam as keras
    >>> bool(keras.ops.greater_equal(1, 1))
    True
    """


@primitive("compare")
def logical_and(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether both elements are true.

    >>> import hornbeam as keras
    >>> bool(keras.ops.logical_and(True, False))
    False
    """


@primitive("compare")
def logical_or(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether at least one of two elements is true.

    >>> import hornbeam as keras
    >>> bool(keras.ops.logical_or(True, False))
    True
    """


@primitive("compare")
def logical_xor(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether exactly one of two elements is true.

    >>> import hornbeam as keras
    >>> bool(keras.ops.logical_xor(True, False))
    True
    """


@primitive("bool")
def logical_not(x: TensorLike) -> Tensor:
    """Whether an element is false.

    >>> import hornbeam as keras
    >>> bool(keras.ops.logical_not(True))
    False
    """


@primitive("bool")
def isfinite(x: TensorLike) -> Tensor:
    """Whether an element is neither infinite nor nan.

    >>> import hornbeam as keras
    >>> bool(keras.ops.isfinite(1.0))
    True
    """


@primitive("bool")
def isinf(x: TensorLike) -> Tensor:
    """Whether an element is infinite.

    >>> import hornbeam as keras
    >>> bool(keras.ops.isinf(float("inf")))
    True
    """


@primitive("bool")
def isnan(x: TensorLike) -> Tensor:
    """Whether an element is nan.

    >>> import hornbeam as keras
    >>> bool(keras.ops.isnan(float("nan")))
    True
    """


@primitive("bool")
def signbit(x: TensorLike) -> Tensor:
    """Whether an element has the minus sign.

    >>> import hornbeam as keras
    >>> bool(keras.ops.signbit(-1.0))
    True
    """


@composite(rule="bool")
def isneginf(x: TensorLike) -> Tensor:
    """Whether an element is -inf.

    >>> import hornbeam as keras
    >>> bool(keras.ops.isneginf(float("-inf")))
    True
    """
    return equal(x, -float("inf"))


@composite(rule="bool")
def isposinf(x: TensorLike) -> Tensor:
    """Whether an element is +inf.

    >>> import hornbeam as keras
    >>> bool(keras.ops.isposinf(float("inf")))
    True
    """
    return equal(x, float("inf"))


@primitive(rules.broadcast)
def bitwise_and(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that both integers have.

    >>> import hornbeam as keras
    >>> int(keras.ops.bitwise_and(6, 3))
    2
    """


@primitive(rules.broadcast)
def bitwise_or(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that at least one of two integers has.

    >>> import hornbeam as keras
    >>> int(keras.ops.bitwise_or(6, 3))
    7
    """


@primitive(rules.broadcast)
def bitwise_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that exactly one of two integers has.

    >>> import hornbeam as keras
    >>> int(keras.ops.bitwise_xor(6, 3))
    5
    """


@primitive(rules.broadcast_number)
def left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """`x` with its bits moved up by `y` places.

    >>> import hornbeam as keras
    >>> int(keras.ops.left_shift(3, 2))
    12
    """


@primitive(rules.broadcast_number)
def right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """`x` with its bits moved down by `y` places.

    >>> import hornbeam as keras
    >>> int(keras.ops.right_shift(12, 2))
    3
    """


@composite(rule=rules.broadcast_number)
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """`x` with its bits moved up by `y` places.

    >>> import hornbeam as keras
    >>> int(keras.ops.bitwise_left_shift(3, 2))
    12
    """
    return left_shift(x, y)


@composite(rule=rules.broadcast_number)
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """`x` with its bits moved down by `y` places.

    >>> import hornbeam as keras
    >>> int(keras.ops.bitwise_right_shift(12, 2))
    3
    """
    return right_shift(x, y)


@primitive("same")
def bitwise_not(x: TensorLike) -> Tensor:
    """Every bit inverted.

    >>> import hornbeam as keras
    >>> int(keras.ops.bitwise_not(5))
    -6
    """


@composite(rule="same")
def bitwise_invert(x: TensorLike) -> Tensor:
    """Every bit inverted.

    >>> import hornbeam as keras
    >>> int(keras.ops.bitwise_invert(5))
    -6
    """
    return bitwise_not(x)
