"""What subclasses of MultiHeadAttention with a `call` or `build` of their own use.

Such subclasses exist in libraries that are written for Keras: caches of keys and values
for generation, projections without a bias. They know the parts by these names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.layers.attention.heads import HeadsAttention
from hornbeam.layers.attention.masks import attention_keep, merged_batch

if TYPE_CHECKING:
    from typing import Any

    from hornbeam.typing import Tensor


class _SameAs:
    """An attribute that stands for the one of this name without the underscore."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name.removeprefix("_")

    def __get__(self, layer: Any, owner: type | None = None) -> Any:
        return self if layer is None else getattr(layer, self.name)

    def __set__(self, layer: Any, value: Any) -> None:
        setattr(layer, self.name, value)


class SubclassableAttention(HeadsAttention):
    """The base of MultiHeadAttention: parts of `build` and `call` for subclasses."""

    _num_heads = _SameAs()
    _key_dim = _SameAs()
    _value_dim = _SameAs()
    _use_bias = _SameAs()
    _output_shape = _SameAs()
    _attention_axes = _SameAs()
    _dropout = _SameAs()

    def _get_common_kwargs_for_sublayer(self):
        """Return the arguments of the projections that do not depend on shapes."""
        return self._arguments_of_projections()

    def _build_attention(self, rank):
        """Settle the axes of attention for projected inputs with `rank` axes."""
        if self._attention_axes is None:
            self._attention_axes = tuple(range(1, rank - 2))

    def _compute_attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Return the attended values of projected inputs, and the weights or None."""
        axes, rank = self.attention_axes, len(query.shape) - 1
        batch = [query.shape[i] for i in range(rank - 1) if i not in axes]
        targets = [query.shape[i] for i in axes]
        heads = self._flat(query), self._flat(key), self._flat(value)
        keep = None
        if attention_mask is not None:
            lengths = heads[0].shape[1], heads[1].shape[1]
            masks = None, None, None, attention_mask
            keep = attention_keep(*masks, *lengths, len(axes), False, None)
            keep = merged_batch(keep, batch)
        outputs, weights = self._attend(
            *heads, keep, False, training, return_attention_scores
        )
        return self._unflat(outputs, batch, targets), weights
