"""Patches of other images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.mixing import (
    check_mixable,
    mixed_labels,
    order_of,
)
from hornbeam.layers.preprocessing.image.patches import patch_masks

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class CutMix(RandomImageLayer):
    """Pastes a patch of another image of the batch into each image while training.

    The patch takes a part `1 - w` of the image, and the labels become
    `w x + (1 - w) y`; w is drawn from the beta distribution with both parameters equal
    to a factor. Masks are pasted like images. Labels of classes must be one-hot.
    Source: Yun et al., "CutMix: Regularization strategy to train strong classifiers
    with localizable features" (2019).

    Args:
        factor: a pair of the lowest and the highest factor, from 0 to 1, or a number
            `f` for `(0, f)`. The smaller, the more one of two images prevails. Defaults
            to 1.
        seed: an integer. Default: generated.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> data = {"images": keras.ops.ones((2, 4, 4, 3)), "labels": keras.ops.eye(2)}
    >>> mixed = keras.layers.CutMix(seed=1)(data)["labels"]
    >>> [round(float(s), 4) for s in keras.ops.sum(mixed, axis=1)]
    [1.0, 1.0]
    """

    def __init__(
        self,
        factor: Any = 1.0,
        seed: int | None = None,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor: tuple[float, float] = factor_pair(self, "factor", factor, 0, 1)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return with what each image is mixed, its own weight, and the patches."""
        count, height, width = self._sizes(data)
        factor = random.uniform((count,), *self.factor, dtype="float32", seed=seed)
        factor = ops.maximum(factor, 1e-3)
        weight = random.beta((count,), factor, factor, dtype="float32", seed=seed)
        side = ops.sqrt(1 - weight)
        masks = patch_masks(
            (height, width), (side, side), seed, self.data_format == "channels_last"
        )
        return {
            "permutation_order": order_of(count, seed),
            "mix_weight": ops.reshape(weight, (-1, 1, 1, 1)),
            "batch_masks": masks,
        }

    def _pasted(self, x, transformation):
        other = ops.take(x, transformation["permutation_order"], axis=0)
        return ops.where(transformation["batch_masks"], other, x)

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images, each with a patch of another one."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        return self._pasted(images, transformation)

    def transform_labels(
        self, labels: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the labels, mixed by the parts of the images."""
        if not training or transformation is None:
            return labels
        check_mixable(self, labels)
        return mixed_labels(labels, transformation)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Not available: a patch may hold a part of a box."""
        raise NotImplementedError(
            f"Layer {self.path!r} (CutMix) cannot transform 'bounding_boxes': a patch "
            "may cut an object in two. Leave them out, or use `keras.layers.MixUp`."
        )

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the masks, each with a patch of another one."""
        if not training or transformation is None:
            return segmentation_masks
        masks = transformation["batch_masks"]
        channels = -1 if self.data_format == "channels_last" else -3
        if masks.shape[channels] not in (1, segmentation_masks.shape[channels]):
            masks = ops.any(masks, axis=channels, keepdims=True)
        return self._pasted(
            segmentation_masks, {**transformation, "batch_masks": masks}
        )
