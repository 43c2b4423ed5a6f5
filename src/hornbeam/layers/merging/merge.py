"""The base of layers that combine several inputs element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import any_sparse
from hornbeam.layers.layer import Layer
from hornbeam.ops.declare import broadcast_shapes
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Shape, Tensor


class Merge(Layer):
    """Combines a list of inputs, broadcasting them beyond the batch.

    An input of lower rank gets axes of size 1 after the batch.
    """

    exact_inputs: int | None = None
    _uses_masks = False

    def __init__(self, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def merge(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the combination of two inputs."""
        raise NotImplementedError

    def build(self, input_shape: Sequence[InputShape]) -> None:
        """Check that there is a list of inputs that can be combined."""
        self.compute_output_shape(input_shape)

    @overridable
    def call(self, inputs: Sequence[Any], mask: Any = None) -> Tensor:
        """Return the combination of all inputs."""
        inputs = aligned(inputs)
        outputs = inputs[0]
        for x in inputs[1:]:
            outputs = self.merge(outputs, x)
        return outputs

    def compute_output_shape(self, input_shape: Sequence[InputShape]) -> Shape:
        """Return the shape of all inputs broadcast together."""
        shapes = check_shapes(self, input_shape, exact=self.exact_inputs)
        batches = {shape[0] for shape in shapes if shape} - {None}
        if len(batches) > 1:
            raise ValueError(
                f"Layer {self.path!r} ({type(self).__name__}) cannot merge inputs of "
                f"different batch sizes. Received: shapes {shapes}."
            )
        merged = shapes[0][1:]
        for shape in shapes[1:]:
            try:
                merged = broadcast_shapes(merged, shape[1:])
            except ValueError as error:
                raise ValueError(
                    f"Layer {self.path!r} ({type(self).__name__}) got inputs whose "
                    f"shapes do not broadcast. Received: shapes {shapes}. {error}"
                ) from error
        unknown = any(shape[0] is None for shape in shapes)
        batch = None if unknown or not batches else batches.pop()
        return (batch, *merged)

    def compute_output_spec(self, inputs: Sequence[Any], mask: Any = None) -> Any:
        """Return the symbolic output."""
        shape = self.compute_output_shape([tuple(x.shape) for x in inputs])
        if any_sparse(inputs):
            return super().compute_output_spec(inputs)
        return KerasTensor(shape, dtype=self.compute_dtype)

    def compute_mask(self, inputs: Sequence[Any], mask: Any = None) -> Tensor:
        """Return where any input is valid; None if an input has no mask."""
        masks = check_masks(inputs, mask)
        if masks is None or any(m is None for m in masks):
            return None
        merged = ops.cast(masks[0], "bool")
        for m in masks[1:]:
            merged = ops.logical_or(merged, ops.cast(m, "bool"))
        return merged


class MaskedMerge(Merge):
    """A Merge in which a step that is masked in one input takes the other's value."""

    @overridable
    def call(self, inputs: Sequence[Any], mask: Any = None) -> Tensor:
        """Return the combination of what the masks leave in."""
        if mask is None or all(m is None for m in mask):
            return super().call(inputs)
        masks = [
            ops.ones_like(x[..., :1], dtype="bool") if m is None else like(m, x)
            for x, m in zip(inputs, mask, strict=True)
        ]
        inputs, masks = aligned(inputs), aligned(masks)
        outputs, valid = inputs[0], masks[0]
        for x, m in zip(inputs[1:], masks[1:], strict=True):
            merged = self.merge(outputs, x)
            only_x = ops.logical_and(m, ops.logical_not(valid))
            only_outputs = ops.logical_and(valid, ops.logical_not(m))
            outputs = ops.where(only_outputs, outputs, ops.where(only_x, x, merged))
            valid = ops.logical_or(valid, m)
        return outputs


def like(mask: Tensor, x: Tensor) -> Tensor:
    """Return the mask as booleans that broadcast to `x`."""
    mask = ops.cast(mask, "bool")
    for _ in range(len(x.shape) - len(mask.shape)):
        mask = ops.expand_dims(mask, -1)
    return mask


def aligned(inputs: Sequence[Any]) -> list[Tensor]:
    """Return the inputs with one rank: axes of size 1 after the batch fill it up."""
    rank = max(len(x.shape) for x in inputs)
    return [
        x
        if len(x.shape) == rank
        else ops.expand_dims(x, tuple(range(1, 1 + rank - len(x.shape))))
        for x in inputs
    ]


def check_shapes(
    layer: Layer,
    input_shape: Sequence[InputShape],
    exact: int | None = None,
    least: int = 1,
) -> list[Shape]:
    """Return the list of shapes, if it is one of the right length."""
    name = type(layer).__name__
    listed = isinstance(input_shape, list | tuple) and all(
        isinstance(shape, list | tuple) for shape in input_shape
    )
    wanted = f"exactly {exact} inputs" if exact else f"a list of at least {least} input"
    if not listed or len(input_shape) != (exact or max(len(input_shape), least)):
        raise ValueError(
            f"A `{name}` layer should be called on {wanted}. Received: input_shape="
            f"{input_shape}. Put the inputs in a list: `layer([x1, x2])`."
        )
    return [tuple(shape) for shape in input_shape]


def check_masks(inputs: Sequence[Any], mask: Any) -> list[Any] | None:
    """Return the list of masks that belongs to the list of inputs, or None."""
    if mask is None:
        return None
    for name, value in (("mask", mask), ("inputs", inputs)):
        if not isinstance(value, list | tuple):
            raise ValueError(
                f"Argument `{name}` should be a list. Received: {type(value).__name__}."
            )
    if len(mask) != len(inputs):
        raise ValueError(
            "The lists `inputs` and `mask` should have the same length. Received: "
            f"{len(inputs)} inputs and {len(mask)} masks."
        )
    return None if all(m is None for m in mask) else list(mask)
