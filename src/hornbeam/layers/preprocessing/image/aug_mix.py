"""AugMix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.core import tree
from hornbeam.core.errors import check_number
from hornbeam.layers.arguments import positive_integer
from hornbeam.layers.preprocessing.image.augmentations import Augmentation

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor

_COLORS = (
    "random_brightness",
    "random_color_degeneration",
    "random_contrast",
    "random_sharpness",
)


class AugMix(Augmentation):
    """Mixes images with what chains of random transformations make of them.

    An image x becomes `v x + (1 - v) (w_1 c_1 + ... + w_k c_k)`, where c_i is x after a
    chain of 1 to `chain_depth` of the transformations that `RandAugment` has. v is
    drawn from the distribution Beta(alpha, alpha) and w from Dirichlet(alpha). These,
    and what is chosen, hold for a batch; strengths are drawn for each image. Masks are
    mixed like images, boxes stay. It does so while training. Source: Hendrycks et al.,
    "AugMix: A simple data processing method to improve robustness and uncertainty"
    (2019).

    Args:
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        num_chains: the number of chains, k. Defaults to 3.
        chain_depth: the most transformations in a chain. Defaults to 3.
        factor: how strong they are, from 0 to 1: a pair of the weakest and the
            strongest, or a number `f` for `(0, f)`. Defaults to 0.3.
        alpha: the parameter of both distributions. Defaults to 1.
        all_ops: whether changes of brightness, colour, contrast and sharpness are among
            them. Defaults to True.
        interpolation: `"nearest"` or `"bilinear"` (default), where pixels move.
        seed: an integer. Default: generated.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> keras.layers.AugMix()(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        self._left_out = () if all_ops else _COLORS
        super().__init__(
            value_range, factor, interpolation, seed, data_format, **kwargs
        )
        self.num_chains: int = positive_integer(self, "num_chains", num_chains)
        self.chain_depth: int = positive_integer(self, "chain_depth", chain_depth)
        self.alpha: float = check_number("AugMix", "alpha", alpha, above=0)
        self.all_ops = all_ops

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return the weights, and for each step a layer and what all layers draw."""
        steps = self.num_chains * self.chain_depth
        chosen = random.randint((steps,), 0, len(self._names), seed=seed)
        length = random.randint((self.num_chains,), 1, self.chain_depth + 1, seed=seed)
        place = ops.arange(steps, dtype="int32") % self.chain_depth
        unused = place >= ops.repeat(length, self.chain_depth)
        shares = random.gamma((self.num_chains,), self.alpha, "float32", seed=seed)
        shares = ops.maximum(shares, 1e-12)
        return {
            "chain_mixing_weights": shares / ops.sum(shares),
            "weight_sample": random.beta((), self.alpha, self.alpha, "float32", seed),
            "layer_idxes": ops.where(unused, len(self._names), chosen),
            "transforms": [self._drawn(data, seed) for _ in range(steps)],
        }

    def _mixed(self, method, x, transformation):
        """Return the mixture; the steps of all chains are one loop."""
        drawn, fixed = _stacked(transformation["transforms"])
        index, depth = transformation["layer_idxes"], self.chain_depth
        weights = ops.cast(transformation["chain_mixing_weights"], x.dtype)

        def step(k, state):
            current, total = state
            place = k % depth
            current = ops.where(place == 0, x, current)
            own = fixed([ops.take(part, k, axis=0) for part in drawn])
            current = self._chosen(ops.take(index, k), method, current, own)
            current = ops.cast(current, x.dtype)
            weight = ops.where(place == depth - 1, ops.take(weights, k // depth), 0)
            return current, total + ops.cast(weight, x.dtype) * current

        steps = self.num_chains * depth
        _, total = ops.fori_loop(0, steps, step, (x, ops.zeros_like(x)))
        own = ops.cast(transformation["weight_sample"], x.dtype)
        return total + own * (x - total)

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return the images, mixed."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        return self._mixed("transform_images", images, transformation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the masks, mixed."""
        if not training or transformation is None:
            return segmentation_masks
        masks = self._cast(segmentation_masks)
        return self._mixed("transform_segmentation_masks", masks, transformation)


def _stacked(transformations):
    """Return the tensors of equal nests, stacked, and what puts such into a nest.

    What is not drawn, such as the sizes of the images, stays in the nest.
    """
    nests = [tree.flatten(nest) for nest in transformations]
    is_drawn = [getattr(leaf, "shape", ()) != () for leaf in nests[0]]
    stacked = [
        ops.stack(parts)
        for drawn, *parts in zip(is_drawn, *nests, strict=True)
        if drawn
    ]

    def nest_of(parts):
        parts = iter(parts)
        leaves = [
            next(parts) if drawn else leaf
            for drawn, leaf in zip(is_drawn, nests[0], strict=True)
        ]
        return tree.pack_like(transformations[0], leaves)

    return stacked, nest_of
