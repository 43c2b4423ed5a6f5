"""Attention of several heads that share keys and values in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.layers.arguments import positive_integer
from hornbeam.layers.attention.heads import HeadsAttention

if TYPE_CHECKING:
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import NamedArguments
    from hornbeam.typing import (
        ConstraintLike,
        InitializerLike,
        InputShape,
        RegularizerLike,
        Seed,
        Shape,
    )


class GroupedQueryAttention(HeadsAttention):
    """Attention in which groups of query heads share a key and value head.

    Source: Ainslie et al., "GQA: training generalized multi-query transformer models
    from multi-head checkpoints" (2023). With one key and value head it is multi-query
    attention, with as many as query heads it is multi-head attention.

    Args:
        head_dim: the width of a head.
        num_query_heads: the number of query heads.
        num_key_value_heads: the number of key and value heads; it divides
            `num_query_heads`.
        dropout: the fraction of the weights to drop while training. Default: 0.
        use_bias: whether the projections have biases. Default: True.
        sliding_window: a target sees the sources less than this far away. Default: all.
        flash_attention: whether a flash kernel must be used. Default: None, as the
            engine sees fit.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            kernel_constraint, bias_constraint: of the projections.
        use_gate: whether `sigmoid` of one more projection of the query multiplies the
            heads' results. Default: False.
        seed: an integer for the dropout; default: generated.

    Call arguments, shapes and the use of fused kernels: as of `MultiHeadAttention`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GroupQueryAttention(8, 4, 2)
    >>> x = keras.ops.ones((3, 5, 16))
    >>> layer(x, x).shape
    (3, 5, 16)
    """

    def compute_output_shape(
        self,
        query_shape: InputShape,
        value_shape: InputShape,
        key_shape: InputShape | None = None,
    ) -> Shape:
        """Return the query's shape, whose width must be that of the value."""
        if query_shape[-1] != value_shape[-1]:
            raise ValueError(
                f"Layer {self.path!r} ({type(self).__name__}): `query` and `value` of "
                "a model's graph must have the same width, their last size. Received: "
                f"{query_shape[-1]} and {value_shape[-1]}"
            )
        return super().compute_output_shape(query_shape, value_shape, key_shape)

    # Layers are named after the class, and so are groups in files of weights; the class
    # itself has this name in configs.
    _public_name = "GroupQueryAttention"

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        use_gate: bool = False,
        seed: Seed = None,
        **kwargs: Unpack[NamedArguments],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.head_dim: int = positive_integer(self, "head_dim", head_dim)
        self.num_query_heads: int = positive_integer(
            self, "num_query_heads", num_query_heads
        )
        self.num_key_value_heads: int = positive_integer(
            self, "num_key_value_heads", num_key_value_heads
        )
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                "GroupQueryAttention: `num_query_heads` must be divisible by "
                f"`num_key_value_heads`. Received: num_query_heads={num_query_heads}, "
                f"num_key_value_heads={num_key_value_heads}"
            )
        self._keep_arguments(
            dropout=dropout,
            use_bias=use_bias,
            use_gate=use_gate,
            seed=seed,
            flash_attention=flash_attention,
            sliding_window=sliding_window,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self._query_heads = self.num_query_heads
        self._key_heads = self.num_key_value_heads
        self._key_width = self._value_width = self.head_dim


# The name in the API; files call the class by its own.
GroupQueryAttention = GroupedQueryAttention
