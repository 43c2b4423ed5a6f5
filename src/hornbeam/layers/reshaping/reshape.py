"""The layer that gives samples another shape."""

import math

from hornbeam import ops
from hornbeam.layers.reshaping.reshaping import Reshaping


class Reshape(Reshaping):
    """Gives each sample the shape `target_shape`.

    Args:
        target_shape: sizes without the batch; one may be -1: what is left over.

    >>> import hornbeam as keras
    >>> keras.layers.Reshape((2, -1))(keras.ops.ones((5, 6))).shape == (5, 2, 3)
    True
    """

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        target_shape = tuple(-1 if size is None else size for size in target_shape)
        if target_shape.count(-1) > 1:
            raise ValueError(
                "Argument `target_shape` of Reshape may have at most one unknown "
                f"dimension (-1). Received: target_shape={target_shape}"
            )
        if any(not isinstance(size, int) or size < -1 for size in target_shape):
            raise ValueError(
                "Each size in `target_shape` of Reshape must be a non-negative integer "
                f"or -1. Received: target_shape={target_shape}"
            )
        self.target_shape = target_shape

    def call(self, inputs):
        """Return the inputs in the new shape."""
        sizes = self.compute_output_shape(inputs.shape)[1:]
        sizes = [-1 if size is None else size for size in sizes]
        return ops.reshape(inputs, (ops.shape(inputs)[0], *sizes))

    def compute_output_shape(self, input_shape):
        """Return the batch and `target_shape`, -1 replaced."""
        sizes, target = tuple(input_shape[1:]), self.target_shape
        known = math.prod(size for size in target if size != -1)
        if None in sizes:
            rest = None
        elif -1 not in target:
            rest = 1
            if math.prod(sizes) != known:
                self._raise_mismatch(input_shape)
        elif not known or math.prod(sizes) % known:
            self._raise_mismatch(input_shape)
        else:
            rest = math.prod(sizes) // known
        return (input_shape[0], *(rest if size == -1 else size for size in target))

    def _raise_mismatch(self, input_shape):
        raise ValueError(
            f"Layer {self.path!r} (Reshape) cannot give samples of shape "
            f"{tuple(input_shape[1:])}, which have {math.prod(input_shape[1:])} "
            f"values, the shape target_shape={self.target_shape}: the number of values "
            f"must stay the same. Received: input_shape={tuple(input_shape)}"
        )
