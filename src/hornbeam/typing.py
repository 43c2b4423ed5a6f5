"""Names for types that many signatures share.

Tensors are the engines' own (`jax.Array`, `torch.Tensor`, `tf.Tensor`,
`numpy.ndarray`), or symbols (`keras.KerasTensor`), so a result is `Tensor`, which
checks as Any: it can be computed with, and given to functions of its engine. What a
function takes is `TensorLike`, which leaves out what is plainly no tensor, a string
among others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    Protocol,
    SupportsIndex,
    TypeAlias,
    TypeVar,
)

if TYPE_CHECKING:
    from hornbeam.constraints import Constraint
    from hornbeam.core.variable import Variable
    from hornbeam.dtype_policies import DTypePolicy
    from hornbeam.initializers import Initializer
    from hornbeam.losses import Loss
    from hornbeam.metrics import Metric
    from hornbeam.models import Model
    from hornbeam.optimizers import Optimizer
    from hornbeam.regularizers import Regularizer

    class AnyModel(Model):
        """A model whose class is unknown: attributes that `Model` lacks are Any."""

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    class LoadedModel(AnyModel, Any):
        """A model of a file: it may stand where one of a known class is expected."""
else:
    AnyModel = LoadedModel = Any


__all__ = [
    "ActivationLike",
    "AnyModel",
    "Axes",
    "Config",
    "ConstraintLike",
    "CustomObjects",
    "DTypeLike",
    "DTypePolicyLike",
    "DataFormat",
    "InitializerLike",
    "InputShape",
    "IntOrInts",
    "LoadedModel",
    "Logs",
    "LossLike",
    "MetricLike",
    "Number",
    "OptimizerLike",
    "OptionalVariable",
    "Padding",
    "PerOutput",
    "PathLike",
    "Reduction",
    "RegularizerLike",
    "Seed",
    "Shape",
    "ShapeLike",
    "Tensor",
    "TensorLike",
    "Tree",
    "Verbosity",
    "overridable",
]


class _HasShapeAndDtype(Protocol):
    @property
    def shape(self) -> Any: ...
    @property
    def dtype(self) -> Any: ...


class _MakesAnArray(Protocol):
    def __array__(self) -> Any: ...


Tensor: TypeAlias = Any
"""A tensor of the engine in use, or a symbol: what ops and layers return."""

Number: TypeAlias = bool | int | float | complex

TensorLike: TypeAlias = (
    "_HasShapeAndDtype | _MakesAnArray | Number | list[Any] | tuple[Any, ...]"
)
"""What ops take: tensors, Variables, symbols, NumPy arrays, numbers, lists of them."""

OptionalVariable: TypeAlias = "Variable | Any"
"""A weight that some arguments leave out; it is None then."""

Tree: TypeAlias = Any
"""Lists, tuples and dicts of leaves, nested in any way, or one leaf."""

Shape: TypeAlias = tuple[int | None, ...]
"""Sizes, one per axis; None is an unknown size."""

InputShape: TypeAlias = Sequence[int | None]
"""A shape that a layer is built for, the batch included."""

ShapeLike: TypeAlias = Sequence[SupportsIndex | None]
IntOrInts: TypeAlias = int | Sequence[int]
"""One number for all axes, or one per axis."""

Axes: TypeAlias = int | Sequence[int] | None
"""One axis, several, or None for all."""

DTypeLike: TypeAlias = Any
"""A dtype's name ("float32"), or NumPy's or an engine's own dtype."""

DTypePolicyLike: TypeAlias = "str | DTypePolicy | Config | Any | None"
Config: TypeAlias = dict[str, Any]
"""Plain data that JSON can hold, from which an object is made again."""

PathLike: TypeAlias = str | os.PathLike[str]
Seed: TypeAlias = Any
"""An integer, a `keras.random.SeedGenerator`, or None."""

DataFormat: TypeAlias = Literal["channels_last", "channels_first"]
Padding: TypeAlias = Literal["valid", "same"]
Verbosity: TypeAlias = Literal["auto"] | int

ActivationLike: TypeAlias = str | Callable[..., Any] | Config | None
_NamedOrMade: TypeAlias = str | Callable[..., Any] | Config | None
InitializerLike: TypeAlias = (
    "_NamedOrMade | Initializer | type[Initializer] | TensorLike"
)
RegularizerLike: TypeAlias = (
    "str | Regularizer | type[Regularizer] | Callable[..., Any] | Config | None"
)
ConstraintLike: TypeAlias = (
    "str | Constraint | type[Constraint] | Callable[..., Any] | Config | None"
)
OptimizerLike: TypeAlias = "str | Optimizer | type[Optimizer] | Config"
LossLike: TypeAlias = "str | Loss | type[Loss] | Callable[..., Any] | Config"
PerOutput: TypeAlias = list[Any] | tuple[Any, ...] | dict[Any, Any]
"""One thing for each of a model's outputs: in their order, by name, or nested."""

MetricLike: TypeAlias = "str | Metric | type[Metric] | Callable[..., Any] | Config"
Reduction: TypeAlias = (
    Literal["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"]
    | None
)
CustomObjects: TypeAlias = Mapping[str, Any] | None
"""The classes and functions of a user's that a config names, by name."""

Logs: TypeAlias = dict[str, Any] | Any
"""The loss and the metrics so far, by name, as callbacks get them; or None."""

Result = TypeVar("Result")


def overridable(method: Callable[..., Result]) -> Callable[..., Result]:
    """Mark a method that subclasses override with arguments of their own.

    Checkers then accept any arguments in the override, and in calls.
    """
    return method
