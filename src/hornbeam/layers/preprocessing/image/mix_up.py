"""Weighted means of two samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.core.errors import check_number
from hornbeam.layers.preprocessing.image.image_layer import RandomImageLayer
from hornbeam.layers.preprocessing.image.mixing import (
    check_mixable,
    mixed_labels,
    order_of,
)

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class MixUp(RandomImageLayer):
    """Mixes each sample of a batch with another one while training.

    Images, labels and masks become `w x + (1 - w) y`, with w drawn from the beta
    distribution with both parameters `alpha`. Boxes of both are kept. Labels of classes
    must be one-hot. Sources: Zhang et al., "mixup: Beyond empirical risk minimization"
    (2017); Zhang et al., "Bag of freebies for training object detection neural
    networks" (2019).

    Args:
        alpha: the smaller, the more one of two samples prevails. Defaults to 0.2.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        seed: an integer. Default: generated.

    >>> import hornbeam as keras
    >>> data = {"images": keras.ops.ones((2, 4, 4, 3)), "labels": keras.ops.eye(2)}
    >>> mixed = keras.layers.MixUp(seed=1)(data)["labels"]
    >>> [round(float(s), 4) for s in keras.ops.sum(mixed, axis=1)]
    [1.0, 1.0]
    """

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: DataFormat | None = None,
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.alpha: float = check_number("MixUp", "alpha", alpha, above=0)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return with what each sample is mixed, and its own weight."""
        count = self._sizes(data)[0]
        weight = random.beta(
            (count,), self.alpha, self.alpha, dtype="float32", seed=seed
        )
        return {"mix_weight": weight, "permutation_order": order_of(count, seed)}

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images, mixed."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        return mixed_labels(images, transformation)

    def transform_labels(
        self, labels: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the labels, mixed."""
        if not training or transformation is None:
            return labels
        check_mixable(self, labels)
        return mixed_labels(labels, transformation)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the boxes of both samples."""
        if not training or transformation is None:
            return bounding_boxes
        order = transformation["permutation_order"]
        return {
            name: ops.concatenate([part, ops.take(part, order, axis=0)], axis=1)
            for name, part in bounding_boxes.items()
        }

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the masks, mixed."""
        if not training or transformation is None:
            return segmentation_masks
        return mixed_labels(segmentation_masks, transformation)
