"""Attention of single vectors, as products or as sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.errors import check_choice
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.random import SeedGenerator
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.layers.layer import Layer
from hornbeam.ops.attention import lowest
from hornbeam.random.dropping import keep_factor
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import (
        Config,
        InputShape,
        OptionalVariable,
        Seed,
        Shape,
        Tensor,
    )


class Attention(Layer):
    """Averages values by how well their keys match a query (Luong et al., 2015).

    `softmax(scores) @ value`, where the scores are `query @ key` ("dot"), or
    `sum(tanh(query + key))` over the features ("concat").

    Args:
        use_scale: whether a trained number `scale` multiplies the scores ("dot"), or
            the sums before tanh ("concat"). Default: False.
        score_mode: "dot", the default, or "concat", which has a trained factor of the
            scores.
        dropout: the fraction of the weights to drop while training. Default: 0.
        seed: an integer for the dropout; default: generated.

    Call arguments: `inputs`: a list of query `(batch, targets, width)`, value
    `(batch, sources, width)` and, where it is another tensor, key; `mask`: a list of
    the masks of query and value, `(batch, length)`; masked values get no weight, and
    the outputs of masked queries are 0; `training`; `return_attention_scores`: whether
    to return the weights `(batch, targets, sources)` too; `use_causal_mask`: whether a
    target sees only itself and what is before.

    Output shape: `(batch, targets, width of value)`.

    **Speed.** Where the weights are not asked for and none is dropped, the engine's own
    function computes "dot": see `MultiHeadAttention`. It gives the same numbers.

    >>> import hornbeam as keras
    >>> query, value = keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 4))
    >>> keras.layers.Attention()([query, value]).shape
    (2, 3, 4)
    """

    dropout: float = Hyperparameter(low=0, high=1)
    scale: OptionalVariable
    concat_score_weight: OptionalVariable

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: Seed = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        owner = type(self).__name__
        self.use_scale = use_scale
        self.score_mode: str = check_choice(
            owner, "score_mode", score_mode, ("dot", "concat")
        )
        self.dropout = dropout
        self.seed = seed
        self.supports_masking = True
        if dropout > 0:
            self.seed_generator: SeedGenerator = SeedGenerator(seed)

    def structure_key(self) -> Any:
        """Return what a program depends on beside the arguments."""
        return hasattr(self, "seed_generator")

    def build(self, input_shape: Sequence[InputShape]) -> None:
        """Make the factors, if there are any."""
        self._check_inputs(input_shape)
        self.scale = self.concat_score_weight = None
        if self.use_scale:
            self.scale = self.add_weight(
                name="scale", shape=self._scale_shape(input_shape), initializer="ones"
            )
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight", shape=(), initializer="ones"
            )

    def _scale_shape(self, input_shape):
        return ()

    @overridable
    def call(
        self,
        inputs: Tensor,
        mask: Any = None,
        training: bool | None = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Tensor:
        """Return the averaged values, and the weights if they are asked for."""
        self._check_inputs(inputs, mask)
        query, value, key = _three(inputs)
        query_mask, value_mask, *_ = mask or (None, None)
        drops = training and hasattr(self, "seed_generator")
        keep = _kept(query, value, value_mask, use_causal_mask)
        if self._is_product and len(query.shape) == 3 and not drops:
            if not return_attention_scores:
                outputs = self._fused(query, value, key, keep)
                return _without_masked(outputs, query_mask)
        scores = self._scores(query, key)
        if keep is not None:
            scores = ops.where(keep, scores, lowest(scores.dtype))
        weights = ops.softmax(scores, axis=-1)
        if drops:
            factor = keep_factor(
                self.seed_generator.next(), ops.shape(weights), self.dropout
            )
            weights = weights * ops.cast(factor, weights.dtype)
        outputs = _without_masked(ops.matmul(weights, value), query_mask)
        return (outputs, weights) if return_attention_scores else outputs

    @property
    def _is_product(self):
        return self.score_mode == "dot"

    def _fused(self, query, value, key, keep):
        if self.scale is not None:
            query = query * self.scale
        query, value, key = (x[:, :, None] for x in (query, value, key))
        keep = None if keep is None else keep[:, None]
        outputs = ops.dot_product_attention(query, key, value, mask=keep, scale=1.0)
        return outputs[:, :, 0]

    def _scores(self, query, key):
        if self._is_product:
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else scores * self.scale
        sums = _pairs(query, key)
        sums = sums if self.scale is None else sums * self.scale
        return self.concat_score_weight * ops.sum(ops.tanh(sums), axis=-1)

    def compute_mask(self, inputs: Tensor, mask: Any = None) -> Tensor:
        """Return the mask of the query."""
        self._check_inputs(inputs, mask)
        return None if not mask or mask[0] is None else ops.convert_to_tensor(mask[0])

    def compute_output_shape(self, input_shape: Sequence[InputShape]) -> Shape:
        """Return the query's shape with the width of the value."""
        self._check_inputs(input_shape)
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(
        self,
        inputs: Tensor,
        mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Return the symbols of the outputs."""
        self._check_inputs(inputs, mask)
        query, value, key = _three(inputs)
        shape = (*query.shape[:-1], value.shape[-1])
        outputs = KerasTensor(shape, self.compute_dtype)
        if not return_attention_scores:
            return outputs
        scores = (*query.shape[:-1], key.shape[-2])
        return outputs, KerasTensor(scores, self.compute_dtype)

    def _check_inputs(self, inputs, mask=None):
        owner = f"Layer {self.path!r} ({type(self).__name__})"
        listed = isinstance(inputs, list | tuple)
        # The shape of one tensor is a tuple too.
        listed = listed and not any(x is None or isinstance(x, int) for x in inputs)
        if not listed or len(inputs) not in (2, 3):
            received = f"a list of length {len(inputs)}" if listed else "one input"
            raise ValueError(
                f"{owner} must be called on a list of length 2 or 3, [query, value] or "
                f"[query, value, key]. Received: {received}"
            )
        if mask is None:
            return
        if not isinstance(mask, list | tuple) or len(mask) not in (2, len(inputs)):
            received = str(len(mask) if isinstance(mask, list | tuple) else type(mask))
            raise ValueError(
                f"{owner}: `mask` must be a list of length 2 or 3, the masks of query "
                "and value. "
                f"Received: {received}"
            )


class AdditiveAttention(Attention):
    """Averages values by how well their keys match a query (Bahdanau et al., 2015).

    `softmax(sum(scale * tanh(query + key))) @ value`, the sum over the features.

    Args:
        use_scale: whether there is a trained `scale` for each feature. Default: True.
        dropout: the fraction of the weights to drop while training. Default: 0.
        seed: an integer for the dropout; default: generated.

    Call arguments and shapes: as of `Attention`.

    >>> import hornbeam as keras
    >>> query, value = keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 4))
    >>> keras.layers.AdditiveAttention()([query, value]).shape
    (2, 3, 4)
    """

    _is_product = False

    def __init__(
        self,
        use_scale: bool = True,
        dropout: float = 0.0,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def _scale_shape(self, input_shape):
        return (input_shape[0][-1],)

    def _scores(self, query, key):
        terms = ops.tanh(_pairs(query, key))
        terms = terms if self.scale is None else terms * self.scale
        return ops.sum(terms, axis=-1)

    def get_config(self) -> Config:
        """Return the arguments; `score_mode` of the base class means nothing here."""
        config = super().get_config()
        config.pop("score_mode", None)
        return config


def _three(inputs):
    query, value, *key = inputs
    return query, value, key[0] if key else value


def _pairs(query, key):
    """Return the sums of all queries with all keys: (..., targets, sources, width)."""
    return query[..., :, None, :] + key[..., None, :, :]


def _kept(query, value, value_mask, causal):
    """Return which sources each target may see, or None for all."""
    keep = None
    if value_mask is not None:
        keep = ops.expand_dims(ops.cast(value_mask, "bool"), -2)
    if causal:
        targets, sources = ops.arange(query.shape[-2]), ops.arange(value.shape[-2])
        before = (targets[:, None] >= sources[None, :])[None]
        keep = before if keep is None else ops.logical_and(keep, before)
    return keep


def _without_masked(outputs, query_mask):
    if query_mask is None:
        return outputs
    return outputs * ops.cast(ops.expand_dims(query_mask, -1), outputs.dtype)
