"""The layer that turns integer categories into vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.dtypes import is_float_dtype
from hornbeam.core.errors import check_choice
from hornbeam.layers.arguments import positive_integer
from hornbeam.layers.preprocessing import encoding
from hornbeam.layers.preprocessing.data_layer import DataLayer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.graph.keras_tensor import KerasTensor
    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Tensor, TensorLike


class CategoryEncoding(DataLayer):
    """Turns integers below `num_tokens` into vectors of that size.

    An integer outside `[0, num_tokens)` counts nowhere.

    Args:
        num_tokens: the number of categories.
        output_mode: "one_hot": a vector for each integer, with a one at its index, in
            place of a last axis of size 1 or after the others; "multi_hot" (default): a
            vector for each sample, which the last axis lists, with ones for all that
            occur in it; "count": a vector for each sample with how often each occurs.
        sparse: whether the vectors are a sparse tensor, on engines that have them.
            Defaults to False.

    Call arguments: `inputs`: integers; `count_weights`: what each of them adds, with
    the shape of `inputs`, in the mode "count". Default: 1.

    >>> import hornbeam as keras
    >>> layer = keras.layers.CategoryEncoding(num_tokens=4, output_mode="count")
    >>> [float(v) for v in layer([[3, 1, 3]])[0]]
    [0.0, 1.0, 0.0, 2.0]
    """

    _is_stateless = True

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        # Integers given as floats would be rounded in a short dtype.
        self.autocast = False
        if num_tokens is None:
            raise ValueError(
                "CategoryEncoding needs `num_tokens`, the number of categories. Where "
                "it is not known, `keras.layers.IntegerLookup` learns the categories."
            )
        self.num_tokens: int = positive_integer(self, "num_tokens", num_tokens)
        self.output_mode: str = check_choice(
            "CategoryEncoding", "output_mode", output_mode, encoding.VECTOR_MODES
        )
        self.sparse = sparse

    def call(self, inputs: Tensor, count_weights: TensorLike | None = None) -> Tensor:
        """Return the vectors of the inputs."""
        if count_weights is not None:
            self._check_weights(inputs, count_weights)
        indices = ops.cast(inputs, "int32")
        if is_float_dtype(inputs.dtype):
            # A fraction is no category.
            indices = ops.where(ops.cast(indices, inputs.dtype) == inputs, indices, -1)
        return encoding.encode(
            indices,
            self.num_tokens,
            self.output_mode,
            self.compute_dtype,
            self.sparse,
            count_weights,
        )

    def _check_weights(self, inputs, weights):
        if self.output_mode != "count":
            raise ValueError(
                f"Layer {self.path!r} (CategoryEncoding) takes `count_weights` with "
                f"output_mode='count' only. Received: output_mode={self.output_mode!r}"
            )
        if tuple(weights.shape) != tuple(inputs.shape):
            raise ValueError(
                f"Layer {self.path!r} (CategoryEncoding): `count_weights` must have "
                f"the shape of the inputs, {tuple(inputs.shape)}. Received: "
                f"count_weights.shape={tuple(weights.shape)}"
            )

    def compute_output_shape(
        self, input_shape: InputShape, count_weights_shape: Any = None
    ) -> Any:
        """Return the shape of the vectors for inputs of a shape."""
        return encoding.encoded_shape(input_shape, self.num_tokens, self.output_mode)

    def compute_output_spec(
        self, inputs: Any, count_weights: Any = None
    ) -> KerasTensor:
        """Return the symbol of the vectors."""
        return encoding.encoded_spec(
            inputs, self.num_tokens, self.output_mode, self.compute_dtype, self.sparse
        )
