"""The base of normalisations with a trained scale and offset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hornbeam import ops
from hornbeam.layers.arguments import keep_weight_arguments
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from hornbeam.typing import OptionalVariable, Shape, Tensor

HALF_PRECISION = ("float16", "bfloat16")


class Affine(Layer):
    """A base for layers that end with `gamma * x + beta`."""

    center: bool
    scale: bool
    beta_initializer: Any
    beta_regularizer: Any
    beta_constraint: Any
    gamma_initializer: Any
    gamma_regularizer: Any
    gamma_constraint: Any
    gamma: OptionalVariable
    beta: OptionalVariable

    def keep_affine_arguments(
        self, center: bool, scale: bool, **identifiers: Any
    ) -> None:
        """Store the arguments of the scale `gamma` and the offset `beta`."""
        self.center = center
        self.scale = scale
        keep_weight_arguments(self, **identifiers)

    def add_affine_weights(self, shape: Shape, offset: bool = True) -> None:
        """Make `gamma` if the layer scales, and `beta` if it centers."""
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center and offset:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )


def in_full_precision(x: Tensor) -> Tensor:
    """Return `x`, or `x` as float32 where sums over it would lose too much."""
    if x is not None and x.dtype in HALF_PRECISION:
        return ops.cast(x, "float32")
    return x
