"""Attention of several heads, each with keys and values of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hornbeam.layers.arguments import positive_integer
from hornbeam.layers.attention.subclassing import SubclassableAttention

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.core.einsum_dense import EinsumDense
    from hornbeam.layers.keyword_arguments import NamedArguments
    from hornbeam.typing import (
        ConstraintLike,
        InitializerLike,
        IntOrInts,
        RegularizerLike,
        Seed,
    )


class MultiHeadAttention(SubclassableAttention):
    """Attention between projections of the inputs (Vaswani et al., 2017).

    For each head `softmax(query @ key / sqrt(key_dim)) @ value`, where all three are
    projected to the head; the heads' results are projected to the output.

    Args:
        num_heads: the number of heads.
        key_dim: the width of a head's query and key.
        value_dim: the width of a head's value. Default: `key_dim`.
        dropout: the fraction of the weights to drop while training. Default: 0.
        use_bias: whether the projections have biases. Default: True.
        output_shape: the size of the output, or a tuple of sizes. Default: the query's.
        attention_axes: the axes over which to attend. Default: all but the first and
            the last.
        sliding_window: a target sees the sources less than this far away. Default: all.
        flash_attention: whether a flash kernel must be used. Default: None, as the
            engine sees fit.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            kernel_constraint, bias_constraint: of the projections.
        use_gate: whether `sigmoid` of one more projection of the query multiplies the
            heads' results. Default: False.
        seed: an integer for the dropout; default: generated.

    Call arguments: `query`: `(batch, targets, width)`; `value`:
    `(batch, sources, width)`; `key`: like `value`, which is its default; `query_mask`,
    `value_mask`, `key_mask`: booleans `(batch, length)`; `attention_mask`:
    booleans `(batch, targets, sources)`;
    `return_attention_scores`: whether to return the weights
    `(batch, heads, targets, sources)` too; `training`; `use_causal_mask`: whether a
    target sees only itself and what is before. A target that sees no source gets 0 from
    all heads.

    Output shape: `(batch, targets, output size)`.

    **Speed.** Where the weights are not asked for and none is dropped, the engine's own
    function attends: `scaled_dot_product_attention` on PyTorch, which picks a fused
    kernel, and `jax.nn.dot_product_attention` on JAX, with cuDNN's flash kernel if
    `flash_attention=True`. It gives the same numbers. TensorFlow and NumPy have none,
    and compute the formula.

    >>> import hornbeam as keras
    >>> layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=8)
    >>> x = keras.ops.ones((3, 5, 16))
    >>> layer(x, x, use_causal_mask=True).shape
    (3, 5, 16)
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: IntOrInts | None = None,
        attention_axes: IntOrInts | None = None,
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
        self.num_heads: int = positive_integer(self, "num_heads", num_heads)
        self.key_dim: int = positive_integer(self, "key_dim", key_dim)
        if value_dim is not None:
            value_dim = positive_integer(self, "value_dim", value_dim)
        self.value_dim: int = value_dim or self.key_dim
        self.output_shape: Any = _sizes(output_shape)
        if isinstance(attention_axes, int):
            attention_axes = (attention_axes,)
        self.attention_axes: Any = attention_axes and tuple(attention_axes)
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
        self._query_heads = self._key_heads = self.num_heads
        self._key_width, self._value_width = self.key_dim, self.value_dim

    @property
    def query_dense(self) -> EinsumDense:
        """The projection of the query."""
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        """The projection of the key."""
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        """The projection of the value."""
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        """The projection of the heads' results."""
        return self._output_dense


def _sizes(output_shape):
    """Return the output's sizes as a tuple, or None."""
    if output_shape is None:
        return None
    if isinstance(output_shape, int):
        return (output_shape,)
    if isinstance(output_shape, Sequence) and not isinstance(output_shape, str):
        return tuple(output_shape)
    raise ValueError(
        "Argument `output_shape` of MultiHeadAttention must be an integer, or a tuple "
        f"or list of them. Received: output_shape={output_shape!r}"
    )
