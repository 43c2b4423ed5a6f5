"""KerasTensor: shape and dtype of a tensor whose value is not known yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple, NoReturn, TypeGuard

from hornbeam.core import dtypes
from hornbeam.core.naming import auto_name
from hornbeam.core.operators import Operators, op
from hornbeam.core.variable import standardize_shape
from hornbeam.typing import Axes, DTypeLike, ShapeLike, Tensor


class KerasHistory(NamedTuple):
    """Where a symbol comes from: the operation, which of its calls, which output."""

    operation: Any
    node_index: int
    tensor_index: int


class KerasTensor(Operators):
    """The symbol of a tensor, from which a Functional model is drawn.

    Args:
        shape: a tuple of sizes; None is a size that is not known.
        dtype: default "float32".
        sparse: whether the tensor is sparse.
        ragged: whether the tensor is ragged.
        ragged_rank: number of ragged dimensions.
        record_history: whether calls on it are recorded.
        name: default: generated.

    >>> import hornbeam as keras
    >>> x = keras.KerasTensor((None, 3))
    >>> (x * 2).shape
    (None, 3)
    """

    _keras_history: KerasHistory | None = None
    _keras_mask: Any = None
    # Symbols are looked for in lists: equal means the same, as in Keras.
    __eq__: ClassVar[Any] = object.__eq__
    __hash__: ClassVar[Any] = object.__hash__

    def __init__(
        self,
        shape: ShapeLike | int,
        dtype: DTypeLike = "float32",
        sparse: bool = False,
        ragged: bool = False,
        ragged_rank: int | None = None,
        record_history: bool = True,
        name: str | None = None,
    ):
        self._shape = standardize_shape(shape)
        self._dtype = dtypes.standardize_dtype(dtype)
        self._sparse = bool(sparse)
        self._ragged = bool(ragged)
        self._ragged_rank = ragged_rank
        self.record_history = record_history
        self._name = name

    @property
    def name(self) -> str:
        """The tensor's name."""
        if self._name is None:
            self._name = auto_name(type(self).__name__)
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def shape(self) -> Any:
        """The shape; unknown sizes are None."""
        return self._shape

    @property
    def dtype(self) -> str:
        """The dtype's name."""
        return self._dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._shape)

    @property
    def sparse(self) -> bool:
        """Whether the tensor is sparse."""
        return self._sparse

    @property
    def ragged(self) -> bool:
        """Whether the tensor is ragged."""
        return self._ragged

    @property
    def ragged_rank(self) -> int | None:
        """The number of ragged dimensions."""
        return self._ragged_rank

    def reshape(self, newshape: ShapeLike | int) -> Tensor:
        """Return the tensor in another shape."""
        return op("reshape")(self, newshape)

    def squeeze(self, axis: Axes = None) -> Tensor:
        """Return the tensor without axes of size 1."""
        return op("squeeze")(self, axis)

    @staticmethod
    def _no_value(use: str) -> NoReturn:
        raise ValueError(
            f"A KerasTensor has no value, so it cannot be {use}. It is the symbol of "
            "a layer's input or output in a Functional model. Functions of it must be "
            "`keras.ops` functions or layers; other code goes into a layer: "
            "`class MyLayer(keras.Layer): def call(self, x): ...`, then "
            "`y = MyLayer()(x)`."
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        self._no_value("turned into a NumPy array")

    def __jax_array__(self) -> NoReturn:
        self._no_value("given to a JAX function")

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> NoReturn:
        self._no_value("given to a TensorFlow function")

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> NoReturn:
        cls._no_value("given to a torch function")

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(
            "Iterating over a symbolic KerasTensor is not supported. Index it, "
            "`x[0]`, or take it apart with `keras.ops.unstack(x, num)`."
        )

    def __bool__(self) -> bool:
        raise TypeError("A symbolic KerasTensor cannot be used as a boolean.")

    def __float__(self) -> float:
        self._no_value("turned into a number")

    def __int__(self) -> int:
        self._no_value("turned into a number")

    __index__ = __int__

    def __repr__(self) -> str:
        return (
            f"<KerasTensor shape={self.shape}, dtype={self.dtype}, "
            f"sparse={self.sparse}, ragged={self.ragged}, name={self.name}>"
        )


def is_keras_tensor(x: Any) -> TypeGuard[KerasTensor]:
    """Whether `x` is a KerasTensor."""
    return isinstance(x, KerasTensor)
