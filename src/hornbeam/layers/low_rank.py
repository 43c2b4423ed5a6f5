"""LoRA: a frozen weight that is trained through two thin matrices beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import backends, initializers, ops
from hornbeam.core import scopes
from hornbeam.layers.arguments import positive_integer
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Config, InitializerLike, Tensor


class AdaptedWeight:
    """The attribute of the weight that LoRA adapts.

    Assigned the variable, it reads as that, or as the adapted sum once LoRA is on.
    """

    def __set_name__(self, owner: Any, name: str) -> None:
        self.name: str = name
        owner.adapted_weight = name

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        if layer is None:
            return self
        if layer.lora_enabled:
            return layer.adapt()
        try:
            return vars(layer)[f"_{self.name}"]
        except KeyError:
            raise AttributeError(
                f"Layer {layer.name!r} has no `{self.name}` before it is built: call "
                "it on data or `build()` it."
            ) from None

    def __set__(self, layer: Any, variable: Any) -> None:
        setattr(layer, f"_{self.name}", variable)


class LowRank(Layer):
    """A layer whose weight W may be replaced by W + (alpha / rank) a b.

    W is then frozen, and training changes a and b, of `rank` columns and rows. A
    subclass names the weight with an `AdaptedWeight`.

    Source: Hu et al., 2021, "LoRA: Low-Rank Adaptation of Large Language Models",
    section 4.1. There a is drawn at random and b is zero, so that nothing changes at
    first.
    """

    adapted_weight = ""
    # The Variables a and b; none without LoRA.
    _lora_factors: tuple[Any, ...] = ()

    def __init__(
        self,
        *,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        if lora_rank is not None:
            lora_rank = positive_integer(self, "lora_rank", lora_rank)
        self.lora_rank: int | None = lora_rank
        self.lora_alpha: Any = lora_rank if lora_alpha is None else lora_alpha

    @property
    def lora_enabled(self) -> bool:
        """Whether the layer is trained through low-rank factors."""
        return bool(self._lora_factors)

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: InitializerLike = "he_uniform",
        b_initializer: InitializerLike = "zeros",
    ) -> None:
        """Freeze the layer's main weight and train two thin matrices beside it.

        Args:
            rank: the columns of the first matrix and rows of the second.
            lora_alpha: the factor of their product, times `rank`. Default: `rank`.
            a_initializer: for the first matrix. Default: "he_uniform".
            b_initializer: for the second matrix. Default: "zeros".

        Compile the model after it. Saved weights hold the sum.

        Source: Hu et al., 2021, "LoRA: Low-Rank Adaptation of Large Language Models".

        >>> import hornbeam as keras
        >>> layer = keras.layers.Dense(16)
        >>> layer.build((None, 8))
        >>> layer.enable_lora(rank=2)
        >>> [weight.shape for weight in layer.trainable_weights]
        [(16,), (8, 2), (2, 16)]
        """
        rank = positive_integer(self, "rank", rank)
        self._reject_constraint()
        if not self.built:
            raise ValueError(
                f"Cannot enable lora on a layer that isn't yet built: {self.path!r}. "
                "Call it on data or `build()` it before."
            )
        if self.lora_enabled:
            raise ValueError(
                f"lora is already enabled on layer {self.path!r}, with rank "
                f"{self.lora_rank}. This can only be done once per layer."
            )
        self._add_lora_factors(rank, a_initializer, b_initializer)
        self.lora_rank = rank
        self.lora_alpha = rank if lora_alpha is None else lora_alpha

    def _mark_built(self):
        if self.lora_rank is not None:
            self._reject_constraint()
        super()._mark_built()
        if self.lora_rank is not None and not self.lora_enabled:
            self._add_lora_factors(self.lora_rank, "he_uniform", "zeros")

    def _reject_constraint(self):
        name = self.adapted_weight
        if getattr(self, f"{name}_constraint") is not None:
            raise ValueError(
                f"Lora is incompatible with {name} constraints, which hold for the "
                f"weight and not for its change. Layer {self.path!r} has "
                f"`{name}_constraint`: leave one of the two out."
            )

    def _add_lora_factors(self, rank, a_initializer, b_initializer):
        name = self.adapted_weight
        weight = getattr(self, name)
        regularizer = getattr(self, f"{name}_regularizer")
        shapes = (*weight.shape[:-1], rank), (rank, weight.shape[-1])
        chosen = initializers.get(a_initializer), initializers.get(b_initializer)
        around = self.path.rpartition("/")[0]
        engine = backends.scope(self._backend_name)
        place = scopes.name_scope(self.name, caller=self, override_parent=around)
        self._is_locked = False
        try:
            with engine, place:
                factors = [
                    self.add_weight(
                        name=f"lora_{name}_{letter}",
                        shape=shape,
                        initializer=initializer,
                        regularizer=regularizer,
                    )
                    for letter, shape, initializer in zip(
                        "ab", shapes, chosen, strict=True
                    )
                ]
        finally:
            self._is_locked = True
        for letter, factor in zip("ab", factors, strict=True):
            setattr(self, f"lora_{name}_{letter}", factor)
        weight.trainable = weight._created_trainable = False
        self._lora_factors = tuple(factors)
        self.trainable = self.trainable

    def adapt(self, part: Callable[..., Any] | None = None) -> Tensor:
        """Return the weight as the layer uses it.

        Args:
            part: a function of an array that selects along the leading axes; what it
                selects of the sum is returned. Default: all of it.
        """
        weight = vars(self)[f"_{self.adapted_weight}"]
        if not self.lora_enabled:
            return weight if part is None else part(weight)
        a, b = self._lora_factors
        if part is not None:
            weight, a = part(weight), part(a)
        return weight + (self.lora_alpha / a.shape[-1]) * ops.matmul(a, b)

    def _saved_weights(self):
        weights = super()._saved_weights()
        if not self.lora_enabled:
            return weights
        weight = vars(self)[f"_{self.adapted_weight}"]
        apart = {id(v) for v in (weight, *self._lora_factors)}
        return [weight, *(v for v in weights if id(v) not in apart)]

    def save_own_variables(self, store: Any) -> None:
        """Put the layer's own weights into `store`; of an adapted one, the sum."""
        super().save_own_variables(store)
        if self.lora_enabled:
            store["0"] = self.adapt()

    def load_own_variables(self, store: Any) -> None:
        """Set the layer's own weights from `store`; what LoRA adds starts anew."""
        super().load_own_variables(store)
        if self.lora_enabled:
            b = self._lora_factors[1]
            b.assign(ops.zeros_like(b))

    def get_config(self) -> Config:
        """Return the arguments that make an equal layer, as plain data."""
        config = super().get_config()
        # Configs of layers without LoRA leave it out.
        if self.lora_rank is None:
            del config["lora_rank"], config["lora_alpha"]
        return config
