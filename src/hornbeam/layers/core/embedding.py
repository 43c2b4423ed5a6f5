"""The table of vectors that stand for integers."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.warning import warn
from hornbeam.layers.arguments import (
    keep_weight_arguments,
    positive_integer,
    reject_unsupported,
)
from hornbeam.layers.low_rank import AdaptedWeight, LowRank
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import EmbeddingArguments
    from hornbeam.typing import (
        ConstraintLike,
        InitializerLike,
        InputShape,
        RegularizerLike,
        Shape,
        Tensor,
    )


_lookups: ContextVar[list[Any] | None] = ContextVar("hornbeam_lookups", default=None)


@contextlib.contextmanager
def recorded_lookups() -> Iterator[list[tuple[Any, Embedding]]]:
    """Yield a list, to which each Embedding in the block adds its inputs and itself."""
    seen: list[Any] = []
    token = _lookups.set(seen)
    try:
        yield seen
    finally:
        _lookups.reset(token)


class Embedding(LowRank):
    """Looks up a trained vector for each integer: `embeddings[inputs]`.

    `fit`, `evaluate` and `predict` refuse data that goes into an Embedding as it is and
    holds other integers than `0 ... input_dim - 1`; of a generator they look at the
    first batch. Integers that are computed on the device are not checked: on JAX one
    that is too large gives NaN, and a negative one counts from the end.

    Args:
        input_dim: number of different integers, `0 ... input_dim - 1`.
        output_dim: size of each vector.
        embeddings_initializer: for the `(input_dim, output_dim)` table.
        embeddings_regularizer: penalty on the table.
        embeddings_constraint: projection of the table after each update.
        mask_zero: whether 0 is padding, which later layers skip. Defaults to False.
        weights: the initial table. Default: from `embeddings_initializer`.
        lora_rank: rank of the factors that are trained in place of the table; see
            `enable_lora`. Default: none, the table itself is trained.
        lora_alpha: factor of their product, times the rank. Default: the rank.
        quantization_config: not supported; only None.

    Input shape: `(batch, ...)`. Output shape: `(batch, ..., output_dim)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Embedding(input_dim=10, output_dim=4)
    >>> layer(keras.ops.array([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    state_arguments: tuple[str, ...] = ("weights",)

    embeddings: AdaptedWeight = AdaptedWeight()
    embeddings_initializer: Any
    embeddings_regularizer: Any
    embeddings_constraint: Any

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: InitializerLike = "uniform",
        embeddings_regularizer: RegularizerLike = None,
        embeddings_constraint: ConstraintLike = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: None = None,
        **kwargs: Unpack[EmbeddingArguments],
    ) -> None:
        if kwargs.pop("input_length", None) is not None:
            warn(
                "Argument `input_length` of Embedding does nothing: remove it.",
                DeprecationWarning,
            )
        # A float input holds whole numbers that half precision would round.
        kwargs.setdefault("autocast", False)
        others: Any = kwargs
        super().__init__(lora_rank=lora_rank, lora_alpha=lora_alpha, **others)
        reject_unsupported(self, quantization_config=quantization_config)
        self.input_dim: int = positive_integer(self, "input_dim", input_dim)
        self.output_dim: int = positive_integer(self, "output_dim", output_dim)
        keep_weight_arguments(
            self,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
        )
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: InputShape | None = None) -> None:
        """Make the table."""
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )
        self.built = True

    @overridable
    def call(self, inputs: Tensor) -> Tensor:
        """Return the vector of each integer in `inputs`."""
        seen = _lookups.get()
        if seen is not None:
            seen.append((inputs, self))
        rows = ops.cast(inputs, "int32")
        vectors = self.adapt(lambda table: ops.take(table, rows, axis=0))
        return ops.cast(vectors, self.compute_dtype)

    def compute_mask(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        """Return which integers are not 0, if 0 is padding."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    @overridable
    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the input's shape with `output_dim` appended."""
        return (*input_shape, self.output_dim)
