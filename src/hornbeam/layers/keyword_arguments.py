"""The arguments that layers take as `**kwargs` and hand on to `Layer`, for checkers.

`**kwargs: Unpack[LayerArguments]` lets an editor complete them, and report one that is
misspelt. A layer that names one of them itself uses a dict without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from hornbeam.typing import DTypePolicyLike, RegularizerLike, ShapeLike


class _Common(TypedDict, total=False):
    trainable: bool
    dtype: DTypePolicyLike
    autocast: bool


class _Name(TypedDict, total=False):
    name: str | None


class _ActivityRegularizer(TypedDict, total=False):
    activity_regularizer: RegularizerLike


class _LowRank(TypedDict, total=False):
    lora_rank: int | None
    lora_alpha: float | None


class InputArguments(TypedDict, total=False):
    """The shape of the input, which `Sequential` makes an `Input` of."""

    input_shape: ShapeLike
    input_dim: int


class NamedArguments(_Common, _Name, InputArguments):
    """All but `activity_regularizer`."""


class RegularizedArguments(_Common, _ActivityRegularizer, InputArguments):
    """All but `name`."""


class LayerArguments(NamedArguments, _ActivityRegularizer):
    """All arguments of `Layer`."""


class LowRankArguments(LayerArguments, _LowRank):
    """All arguments of a layer with low-rank factors."""


class ConvArguments(NamedArguments, _LowRank):
    """All arguments of a convolution but `activity_regularizer`."""


class EmbeddingArguments(_Common, _Name, _ActivityRegularizer, total=False):
    """All but `input_dim`, which is another argument of `Embedding`."""

    input_shape: ShapeLike
    input_length: int | None


class LowRankEmbeddingArguments(EmbeddingArguments, _LowRank):
    """All arguments that `ReversibleEmbedding` hands on."""


class CellArguments(LayerArguments, total=False):
    """All arguments of a recurrent cell."""

    implementation: Literal[1, 2]


class RecurrentArguments(NamedArguments, total=False):
    """All arguments of a recurrent layer but `activity_regularizer`."""

    implementation: Literal[1, 2]
    zero_output_for_mask: bool
