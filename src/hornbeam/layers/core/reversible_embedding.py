"""An embedding that also maps vectors back to scores of integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.dtypes import is_float_dtype
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.layers.core.embedding import Embedding
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.core.variable import Variable
    from hornbeam.layers.keyword_arguments import LowRankEmbeddingArguments
    from hornbeam.typing import (
        ConstraintLike,
        InitializerLike,
        InputShape,
        RegularizerLike,
        Shape,
        Tensor,
    )


class ReversibleEmbedding(Embedding):
    """An embedding whose table, transposed, also gives the scores of all integers.

    Called with `reverse=True` it returns `inputs @ embeddings.T`, as the last layer of
    a language model does.

    Args:
        input_dim: number of different integers.
        output_dim: size of each vector.
        tie_weights: whether both ways share one table. Defaults to True.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: for
            the tables.
        mask_zero: whether 0 is padding. Defaults to False.
        reverse_dtype: dtype of the scores; None: the layer's compute dtype.
        logit_soft_cap: limits the scores smoothly to `cap * tanh(scores / cap)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.ReversibleEmbedding(10, 4)
    >>> vectors = layer(keras.ops.array([[1, 2, 3]]))
    >>> layer(vectors, reverse=True).shape
    (1, 3, 10)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: InitializerLike = "uniform",
        embeddings_regularizer: RegularizerLike = None,
        embeddings_constraint: ConstraintLike = None,
        mask_zero: bool = False,
        reverse_dtype: str | None = None,
        logit_soft_cap: float | None = None,
        **kwargs: Unpack[LowRankEmbeddingArguments],
    ) -> None:
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            mask_zero=mask_zero,
            **kwargs,
        )
        self.tie_weights = tie_weights
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape: InputShape | None = None) -> None:
        """Make the table, and a second one if the two ways do not share it."""
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings: Variable = self.add_weight(
                name="reverse_embeddings",
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
                regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint,
            )

    @overridable
    def call(self, inputs: Tensor, reverse: bool = False) -> Tensor:
        """Return vectors of integers, or with `reverse` scores of integers."""
        if not reverse:
            return super().call(inputs)
        if self.tie_weights:
            kernel = ops.transpose(self.embeddings)
        else:
            kernel = self.reverse_embeddings
        dtype = self.reverse_dtype or self.compute_dtype
        scores = ops.matmul(ops.cast(inputs, dtype), ops.cast(kernel, dtype))
        if self.logit_soft_cap is not None:
            scores = ops.tanh(scores / self.logit_soft_cap) * self.logit_soft_cap
        return scores

    def compute_output_shape(
        self, input_shape: InputShape, reverse: bool = False
    ) -> Shape:
        """Return the shape of the vectors, or of the scores."""
        if reverse:
            return (*input_shape[:-1], self.input_dim)
        return super().compute_output_shape(input_shape)

    def compute_output_spec(self, inputs: Tensor, reverse: bool = False) -> Any:
        """Return the symbolic vectors or scores."""
        dtype = self.reverse_dtype if reverse else None
        shape = self.compute_output_shape(inputs.shape, reverse=reverse)
        return KerasTensor(shape, dtype=dtype or self.compute_dtype)

    def compute_mask(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        """Return the mask of integers; vectors, on their way back, keep theirs."""
        if is_float_dtype(inputs.dtype):
            return mask
        return super().compute_mask(inputs, mask)
