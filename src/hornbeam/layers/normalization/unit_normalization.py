"""Normalisation to length 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Tensor


class UnitNormalization(Layer):
    """Gives each sample the Euclidean length 1 along `axis`: `x / sqrt(sum(x**2))`.

    Args:
        axis: the axis, or list of axes, along which lengths are taken. Defaults to -1.

    >>> import hornbeam as keras
    >>> y = keras.layers.UnitNormalization()(keras.ops.array([[3.0, 4.0]]))
    >>> [round(float(v), 2) for v in y[0]]
    [0.6, 0.8]
    """

    _is_stateless = True

    def __init__(
        self, axis: int | Sequence[int] = -1, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(axis, int | list | tuple):
            raise TypeError(
                "Argument `axis` of UnitNormalization must be an integer or a list of "
                f"integers. Received: axis={axis!r}"
            )
        self.axis: Any = list(axis) if isinstance(axis, list | tuple) else axis
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs, each sample divided by its length."""
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        return ops.normalize(inputs, axis=axis, order=2, epsilon=1e-12)

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape
