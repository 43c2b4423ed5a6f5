"""A fixed number of bounding boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.errors import check_number
from hornbeam.layers.arguments import positive_integer
from hornbeam.layers.preprocessing.image.image_layer import ImageLayer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Tensor


class MaxNumBoundingBoxes(ImageLayer):
    """Gives every image the same number of bounding boxes.

    Boxes beyond that number are left out, and missing ones filled up.

    Args:
        max_number: the number of boxes.
        fill_value: what the coordinates and labels of missing boxes are. Default: -1.

    >>> import hornbeam as keras
    >>> layer = keras.layers.MaxNumBoundingBoxes(3, bounding_box_format="xyxy")
    >>> boxes = {"boxes": [[[0.0, 0.0, 2.0, 2.0]]], "labels": [[5]]}
    >>> data = {"images": keras.ops.ones((1, 4, 4, 3)), "bounding_boxes": boxes}
    >>> layer(data)["bounding_boxes"]["labels"].tolist()
    [[5, -1, -1]]
    """

    def __init__(
        self, max_number: int, fill_value: float = -1, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.max_number: int = positive_integer(self, "max_number", max_number)
        self.fill_value: float = check_number(
            type(self).__name__, "fill_value", fill_value
        )

    def _output_dtype(self, dtype):
        return dtype

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images: as they are."""
        return images

    def transform_labels(
        self, labels: Any, transformation: Any = None, training: bool | None = True
    ) -> Any:
        """Return the labels: as they are."""
        return labels

    def transform_segmentation_masks(
        self,
        segmentation_masks: Any,
        transformation: Any = None,
        training: bool | None = True,
    ) -> Any:
        """Return the masks: as they are."""
        return segmentation_masks

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the boxes in the number that is wanted."""
        names = ("boxes", "labels")
        filled = {name: self._filled(bounding_boxes[name]) for name in names}
        return {**bounding_boxes, **filled}

    def _filled(self, x):
        x = ops.convert_to_tensor(x)
        batch, _, *rest = ops.shape(x)
        more = ops.full((batch, self.max_number, *rest), self.fill_value, x.dtype)
        return ops.concatenate([x, more], axis=1)[:, : self.max_number]
