"""The base of attention layers with several heads."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.random import SeedGenerator
from hornbeam.core.scopes import note_road
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.layers.arguments import keep_weight_arguments, positive_integer
from hornbeam.layers.attention.masks import attention_keep, merged_batch
from hornbeam.layers.core.einsum_dense import EinsumDense
from hornbeam.layers.layer import Layer
from hornbeam.ops.attention import attention_weights, weighted_values
from hornbeam.random.dropping import keep_factor
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from typing import Any

    from hornbeam.typing import InputShape, Seed, Shape, Tensor


class HeadsAttention(Layer):
    """A base for attention of several heads between projections of the inputs.

    A subclass says in its `__init__` how many heads there are, in `_query_heads` and
    `_key_heads`, and how wide they are, in `_key_width` and `_value_width`.
    """

    dropout: float = Hyperparameter(low=0, high=1)
    attention_axes: Any = (1,)
    output_shape: tuple[int, ...] | None = None
    use_bias: bool
    use_gate: bool
    seed: Seed
    flash_attention: bool | None
    sliding_window: int | None
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    _query_heads: int
    _key_heads: int
    _key_width: int
    _value_width: int

    def _keep_arguments(
        self,
        *,
        dropout,
        use_bias,
        use_gate,
        seed,
        flash_attention,
        sliding_window,
        **of_projections,
    ):
        """Store the arguments that the subclasses have in common."""
        self.dropout = dropout
        self.use_bias = use_bias
        self.use_gate = use_gate
        self.seed = seed
        self.flash_attention = flash_attention
        self.sliding_window = sliding_window
        if sliding_window is not None:
            positive_integer(self, "sliding_window", sliding_window)
        keep_weight_arguments(self, **of_projections)
        if self.flash_attention and self.dropout > 0:
            raise ValueError(
                f"{type(self).__name__}: a flash kernel drops no weights. Set "
                f"`dropout` to 0, or leave `flash_attention` out. Received: dropout="
                f"{self.dropout}, flash_attention={self.flash_attention}"
            )
        self.supports_masking = True
        if self.dropout > 0:
            self.seed_generator: SeedGenerator = SeedGenerator(self.seed)

    def structure_key(self) -> Any:
        """Return what a program depends on beside the arguments."""
        return hasattr(self, "seed_generator")

    @overridable
    def build(
        self,
        query_shape: InputShape,
        value_shape: InputShape,
        key_shape: InputShape | None = None,
    ) -> None:
        """Make the projections."""
        if value_shape is None:
            raise TypeError(
                f"Layer {self.path!r} ({type(self).__name__}) attends from a `query` "
                "to a `value`, and received no `value`: call `layer(x, x)` for "
                "self-attention."
            )
        key_shape = key_shape or value_shape
        rank = len(query_shape)
        if self.attention_axes is None:
            self.attention_axes = tuple(range(1, rank - 1))
        self.attention_axes = tuple(axis % rank for axis in self.attention_axes)
        queries = (self._query_heads, self._key_width)
        self._query_dense = self._projection("query", query_shape, queries)
        keys = (self._key_heads, self._key_width)
        self._key_dense = self._projection("key", key_shape, keys)
        values = (self._query_heads, self._value_width)
        if self.use_gate:
            self._gate_dense = self._projection("gate", query_shape, values)
        values = (self._key_heads, self._value_width)
        self._value_dense = self._projection("value", value_shape, values)
        heads = (*query_shape[:-1], self._query_heads, self._value_width)
        self._output_dense = self._projection(
            "attention_output", heads, self._output_sizes(query_shape), consumed=2
        )

    def _output_sizes(self, query_shape):
        return self.output_shape or (query_shape[-1],)

    def _projection(self, name, shape, sizes, consumed=1):
        """Return a built dense layer that makes `sizes` of the last axes."""
        letters = string.ascii_lowercase
        kept = letters[: len(shape) - consumed]
        inner = letters[len(kept) : len(shape)]
        new = letters[len(shape) : len(shape) + len(sizes)]
        dense = EinsumDense(
            f"{kept}{inner},{inner}{new}->{kept}{new}",
            output_shape=(*(None for _ in kept[1:]), *sizes),
            bias_axes=new if self.use_bias else None,
            name=name,
            **self._arguments_of_projections(),
        )
        dense.build(shape)
        return dense

    def _arguments_of_projections(self):
        """Return the arguments that all projections have in common."""
        return {
            "kernel_initializer": self.kernel_initializer.clone(),
            "bias_initializer": self.bias_initializer.clone(),
            "kernel_regularizer": self.kernel_regularizer,
            "bias_regularizer": self.bias_regularizer,
            "kernel_constraint": self.kernel_constraint,
            "bias_constraint": self.bias_constraint,
            "dtype": self.dtype_policy,
        }

    @overridable
    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor = None,
        query_mask: Tensor = None,
        value_mask: Tensor = None,
        key_mask: Tensor = None,
        attention_mask: Tensor = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Tensor:
        """Return the outputs, and the attention's weights if they are asked for."""
        self._check_scores(return_attention_scores)
        key = value if key is None else key
        self._check_key(value.shape, key.shape)
        axes, rank = self.attention_axes, len(query.shape)
        batch = [query.shape[i] for i in range(rank - 1) if i not in axes]
        targets = [query.shape[i] for i in axes]
        sources = [value.shape[i] for i in axes]
        heads = (
            self._flat(self._query_dense(query)),
            self._flat(self._key_dense(key)),
            self._flat(self._value_dense(value)),
        )
        masks = query_mask, value_mask, key_mask, attention_mask
        only_causal = use_causal_mask and not self.sliding_window
        only_causal = only_causal and all(mask is None for mask in masks)
        keep = None
        if not only_causal:
            keep = attention_keep(
                *masks,
                heads[0].shape[1],
                heads[1].shape[1],
                len(axes),
                use_causal_mask,
                self.sliding_window,
            )
            keep = None if keep is None else merged_batch(keep, batch)
        outputs, weights = self._attend(
            *heads, keep, only_causal, training, return_attention_scores
        )
        outputs = self._unflat(outputs, batch, targets)
        if self.use_gate:
            outputs = outputs * ops.sigmoid(self._gate_dense(query))
        outputs = self._output_dense(outputs)
        if not return_attention_scores:
            return outputs
        shape = (*batch, self._query_heads, *targets, *sources)
        return outputs, ops.reshape(weights, shape)

    def _check_key(self, value_shape, key_shape):
        values, keys = value_shape[1:-1], key_shape[1:-1]
        sizes = zip(values, keys, strict=False)
        if len(values) != len(keys) or any(
            None not in p and p[0] != p[1] for p in sizes
        ):
            raise ValueError(
                f"Layer {self.path!r} ({type(self).__name__}): all sizes of `value` "
                "and `key` except the last must be equal. Received: value_shape="
                f"{tuple(value_shape)}, key_shape={tuple(key_shape)}"
            )

    def _check_scores(self, return_attention_scores):
        if return_attention_scores and self.flash_attention:
            raise ValueError(
                f"Layer {self.path!r} ({type(self).__name__}): a flash kernel does not "
                "give the attention's weights. Set `flash_attention=None`, or leave "
                "out `return_attention_scores=True`."
            )

    def _attend(self, query, key, value, keep, causal, training, scores):
        """Return the attended values of flat heads, and the weights or None."""
        drops = training and hasattr(self, "seed_generator")
        if drops or scores:
            what = "dropped" if drops else "returned"
            note_road(f"by its formula, as its weights are {what}")
            return self._plain(query, key, value, keep, causal, drops)
        return self._fused(query, key, value, keep, causal), None

    def _fused(self, query, key, value, keep, causal):
        """Return the attention by the engine's kernel."""
        outputs = ops.dot_product_attention(
            query,
            key,
            value,
            mask=keep,
            scale=self._key_width**-0.5,
            is_causal=causal,
            flash_attention=self.flash_attention,
        )
        if keep is None:
            return outputs
        seen = ops.swapaxes(ops.any(keep, axis=-1), 1, 2)[..., None]
        return ops.where(seen, outputs, ops.zeros_like(outputs))

    def _plain(self, query, key, value, keep, causal, drops):
        """Return the attention by its formula, and its weights."""
        bias = None
        if keep is not None:
            bias = ops.where(keep, 0.0, -1e9)
        weights = attention_weights(query, key, bias, self._key_width**-0.5, causal)
        if keep is not None:
            weights = ops.where(keep, weights, ops.zeros_like(weights))
        dropped = weights
        if drops:
            number = self.seed_generator.next()
            factor = keep_factor(number, ops.shape(weights), self.dropout)
            dropped = weights * ops.cast(factor, weights.dtype)
        return weighted_values(dropped, value), weights

    def _order(self, rank):
        """Return the axes of projected inputs: batch, attention, heads and width."""
        attended = self.attention_axes
        batch = [i for i in range(rank - 2) if i not in attended]
        return [*batch, *attended, rank - 2, rank - 1]

    def _flat(self, x):
        """Return projected inputs as (batch, length, heads, width)."""
        if len(x.shape) == 4 and self.attention_axes == (1,):
            return x
        x = ops.transpose(x, self._order(len(x.shape)))
        count = len(self.attention_axes)
        attended = x.shape[-2 - count : -2]
        return ops.reshape(x, (-1, _product(attended), *x.shape[-2:]))

    def _unflat(self, x, batch, targets):
        """Return attended values in the axes' order of the query."""
        if len(batch) == 1 and self.attention_axes == (1,):
            return x
        x = ops.reshape(x, (*batch, *targets, *x.shape[-2:]))
        order = self._order(len(x.shape))
        return ops.transpose(x, sorted(range(len(order)), key=order.__getitem__))

    @overridable
    def compute_output_shape(
        self,
        query_shape: InputShape,
        value_shape: InputShape,
        key_shape: InputShape | None = None,
    ) -> Shape:
        """Return the query's shape with the sizes of the output."""
        self._check_key(value_shape, key_shape or value_shape)
        return (*query_shape[:-1], *self._output_sizes(query_shape))

    def compute_output_spec(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor = None,
        query_mask: Tensor = None,
        value_mask: Tensor = None,
        key_mask: Tensor = None,
        attention_mask: Tensor = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Return the symbols of the outputs."""
        self._check_scores(return_attention_scores)
        shape = self.compute_output_shape(
            query.shape, value.shape, None if key is None else key.shape
        )
        outputs = KerasTensor(shape, self.compute_dtype)
        if not return_attention_scores:
            return outputs
        axes = self.attention_axes
        batch = [s for i, s in enumerate(query.shape[:-1]) if i not in axes]
        lengths = [x.shape[i] for x in (query, value) for i in axes]
        scores = (*batch, self._query_heads, *lengths)
        return outputs, KerasTensor(scores, self.compute_dtype)


def _product(sizes):
    result = 1
    for size in sizes:
        result = result * size
    return result
