"""Input: the start of a Functional model."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING

from hornbeam.core.arguments import checks_keywords
from hornbeam.core.config import floatx
from hornbeam.core.configurable import init_arguments
from hornbeam.core.dtypes import standardize_dtype
from hornbeam.core.errors import did_you_mean
from hornbeam.core.naming import auto_name
from hornbeam.core.variable import standardize_shape
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.node import Node
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from hornbeam.typing import Config, DTypeLike, Shape, ShapeLike

    class _OldNames(TypedDict, total=False):
        input_shape: ShapeLike
        batch_input_shape: ShapeLike


class InputLayer(Layer):
    """The layer that stands for an input of a model.

    Args:
        shape: shape of one sample, without the batch; None is an unknown size.
        batch_size: default: unknown.
        dtype: default: `keras.config.floatx()`.
        sparse: whether the input is sparse.
        ragged: whether the input is ragged.
        batch_shape: shape with the batch, instead of `shape` and `batch_size`.
        input_tensor: a KerasTensor to use.
        optional: whether the input may be None.
        name: default: generated.

    >>> import hornbeam as keras
    >>> keras.layers.InputLayer((3,)).output.shape
    (None, 3)
    """

    def __init__(
        self,
        shape: ShapeLike | None = None,
        batch_size: int | None = None,
        dtype: DTypeLike = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: ShapeLike | None = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Unpack[_OldNames],
    ) -> None:
        super().__init__(name=name)
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        if "batch_input_shape" in kwargs:
            batch_shape = kwargs.pop("batch_input_shape")
        if kwargs:
            names = init_arguments(InputLayer)
            raise ValueError(
                "Unrecognized keyword arguments passed to InputLayer: "
                f"{sorted(kwargs)}.{did_you_mean(next(iter(kwargs)), names)}"
            )
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise ValueError(
                    "Argument `input_tensor` of InputLayer must be a KerasTensor. "
                    f"Received: {input_tensor!r}"
                )
            batch_shape, shape = input_tensor.shape, None
            dtype = dtype or input_tensor.dtype
        if sparse and ragged:
            raise ValueError("Cannot set both `sparse=True` and `ragged=True`.")
        self._batch_shape = _whole_shape(shape, batch_size, batch_shape)
        self._dtype = standardize_dtype(dtype or floatx())
        self.sparse: bool = bool(sparse)
        self.ragged: bool = bool(ragged)
        self.optional: bool = bool(optional)
        self.built = True
        output = input_tensor
        if output is None:
            output = KerasTensor(
                self._batch_shape,
                dtype=self._dtype,
                sparse=self.sparse,
                ragged=self.ragged,
                name=self.name,
            )
        Node(self, (), {}, output)

    def call(self) -> None:
        """Nothing is computed."""
        return None

    @property
    def dtype(self) -> str:
        """The dtype of the input."""
        return self._dtype

    @property
    def batch_shape(self) -> Shape:
        """The shape of the input, the batch included."""
        return self._batch_shape

    def get_config(self) -> Config:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


@checks_keywords
def Input(  # noqa: N802 - the API's name
    shape: ShapeLike | None = None,
    batch_size: int | None = None,
    dtype: DTypeLike = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: ShapeLike | None = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """Return a symbolic input, from which layers draw a Functional model.

    Args:
        shape: shape of one sample, without the batch; None is an unknown size.
        batch_size: default: unknown.
        dtype: default: `keras.config.floatx()`.
        sparse: whether the input is sparse.
        ragged: whether the input is ragged.
        batch_shape: shape with the batch, instead of `shape` and `batch_size`.
        name: default: generated.
        tensor: a KerasTensor to use.
        optional: whether the input may be None.

    >>> import hornbeam as keras
    >>> x = keras.Input((3,))
    >>> keras.Model(x, keras.layers.Dense(2)(x)).output_shape
    (None, 2)
    """
    layer = InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        input_tensor=tensor,
        optional=optional,
        name=name
        or (None if tensor is None else tensor.name)
        or auto_name("input_layer"),
    )
    return layer.output


def _whole_shape(shape, batch_size, batch_shape):
    """Return the shape with the batch, of which the arguments say the parts."""
    if shape is not None and batch_shape is not None:
        raise ValueError("You cannot pass both `shape` and `batch_shape`.")
    if batch_size is not None and batch_shape is not None:
        raise ValueError("You cannot pass both `batch_size` and `batch_shape`.")
    if shape is None and batch_shape is None:
        raise ValueError("You must pass a `shape` argument.")
    for argument, value in (("shape", shape), ("batch_shape", batch_shape)):
        if isinstance(value, numbers.Number):
            raise ValueError(
                f"Argument `{argument}` of Input must be a tuple of sizes, such as "
                f"({value},). Received: {argument}={value!r}"
            )
    if batch_shape is None:
        batch_shape = (batch_size, *standardize_shape(shape))
    return standardize_shape(batch_shape)
