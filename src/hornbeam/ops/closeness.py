"""Whether values are nearly equal, or among others."""

from __future__ import annotations

from hornbeam.core import dtypes
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.arithmetic import add, as_result_type, multiply, subtract
from hornbeam.ops.comparison import (
    equal,
    isfinite,
    isnan,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
)
from hornbeam.ops.core import convert_to_tensor
from hornbeam.ops.declare import composite
from hornbeam.ops.elementwise import absolute
from hornbeam.ops.reductions import all, any
from hornbeam.ops.shaping import expand_dims, ravel
from hornbeam.typing import Tensor, TensorLike


@composite(rule="compare")
def isclose(
    x1: TensorLike,
    x2: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """Whether |x1 - x2| <= atol + rtol |x2| for each element.

    Args:
        x1: a tensor.
        x2: a tensor.
        rtol: tolerance relative to `x2`. Default: 1e-5.
        atol: absolute tolerance; default 1e-8.
        equal_nan: whether nan is close to nan. Default: False.

    >>> import hornbeam as keras
    >>> bool(keras.ops.isclose(1.0, 1.000001))
    True
    """
    x1, x2 = as_result_type(x1, x2, least=(float,))
    allowed = add(atol, multiply(rtol, absolute(x2)))
    near = less_equal(absolute(subtract(x1, x2)), allowed)
    result = logical_or(logical_and(near, isfinite(x2)), equal(x1, x2))
    if equal_nan:
        result = logical_or(result, logical_and(isnan(x1), isnan(x2)))
    return result


@composite(rule=lambda a: KerasTensor((), "bool"))
def allclose(
    x1: TensorLike,
    x2: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """Whether `isclose` holds for all elements.

    >>> import hornbeam as keras
    >>> bool(keras.ops.allclose([1.0], [1.1]))
    False
    """
    return all(isclose(x1, x2, rtol, atol, equal_nan))


@composite(rule=lambda a: KerasTensor(rules.shape_of(a["x1"]), "bool"))
def isin(
    x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Whether each element of `x1` occurs in `x2`.

    Args:
        x1: a tensor.
        x2: a tensor of any shape.
        assume_unique: whether no element occurs twice; changes nothing here.
        invert: whether to ask for the opposite. Default: False.

    >>> import hornbeam as keras
    >>> bool(keras.ops.isin(2, [1, 2]))
    True
    """
    dtype = dtypes.result_type(rules.weak_dtype(x1), rules.weak_dtype(x2))
    x1, x2 = convert_to_tensor(x1, dtype), ravel(convert_to_tensor(x2, dtype))
    member = any(equal(expand_dims(x1, -1), x2), -1)
    return logical_not(member) if invert else member
