"""A wrapper that applies a layer to each step of a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.scopes import batch_mask, batch_mask_scope
from hornbeam.layers.call import call_info
from hornbeam.layers.core.wrapper import Wrapper
from hornbeam.layers.input_spec import InputSpec
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.layers.layer import Layer
    from hornbeam.typing import InputShape, Shape, Tensor


class TimeDistributed(Wrapper):
    """Applies a layer to each step: all steps of all samples form one large batch.

    Args:
        layer: the layer.

    Input shape: `(batch, steps, ...)`. Output shape: `(batch, steps, ...)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.TimeDistributed(keras.layers.Conv2D(2, 3))
    >>> layer(keras.ops.ones((4, 10, 8, 8, 3))).shape
    (4, 10, 6, 6, 2)
    """

    _uses_masks = False

    def __init__(self, layer: Layer, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: InputShape) -> None:
        """Build the layer for one step."""
        self._check_rank(input_shape)
        super().build((input_shape[0], *input_shape[2:]))
        self.input_spec = InputSpec(ndim=len(input_shape))

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the layer's output shape for one step, with the steps in it."""
        self._check_rank(input_shape)
        shape = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (shape[0], input_shape[1], *shape[1:])

    @overridable
    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor = None
    ) -> Tensor:
        """Return the layer's outputs for each step."""
        batch, steps = ops.shape(inputs)[:2]
        info = call_info(type(self.layer).call)
        kwargs = {"training": training} if info.has_training else {}
        if mask is not None:
            if tuple(mask.shape[:2]) != tuple(inputs.shape[:2]):
                raise ValueError(
                    "The `mask` passed to the `TimeDistributed` layer has a shape "
                    f"{tuple(mask.shape)} that does not begin with the batch and the "
                    f"steps of the inputs, {tuple(inputs.shape[:2])}."
                )
            if "mask" in info.all_names:
                kwargs["mask"] = _folded(mask)
        rows = batch_mask()
        if rows is not None:
            rows = ops.repeat(rows, steps)
        with batch_mask_scope(rows):
            outputs = self.layer(_folded(inputs), **kwargs)
        outputs = ops.reshape(outputs, (batch, steps, *ops.shape(outputs)[1:]))
        return ops.cast(outputs, self.compute_dtype)

    def _check_rank(self, input_shape):
        if len(input_shape) < 3:
            raise ValueError(
                f"Layer {self.path!r} (TimeDistributed) expects inputs of rank at "
                f"least 3: (batch, steps, ...). Received: "
                f"input_shape={tuple(input_shape)}"
            )


def _folded(x):
    """Return `x` with batch and steps as one axis."""
    batch, steps, *rest = ops.shape(x)
    return ops.reshape(x, (batch * steps, *rest))
