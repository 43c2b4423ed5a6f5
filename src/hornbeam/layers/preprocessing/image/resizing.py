"""Resizing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hornbeam.core.dtypes import is_float_dtype
from hornbeam.core.errors import check_choice, check_number
from hornbeam.layers.preprocessing.image.sized_layer import SizedLayer
from hornbeam.ops.core import dtype as dtype_of

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor

_INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


class Resizing(SizedLayer):
    """Resizes images, also where it is not training.

    Integer images stay integers.

    Args:
        height: the new height.
        width: the new width.
        interpolation: `"bilinear"` (default), `"nearest"`, `"bicubic"`, `"lanczos3"`
            or `"lanczos5"`. Masks are always resized with `"nearest"`.
        crop_to_aspect_ratio: whether what does not fit is cut off, so that nothing is
            distorted. Default: False.
        pad_to_aspect_ratio: whether what is missing is filled up, so that nothing is
            distorted. Default: False.
        fill_mode: `"constant"`.
        fill_value: what the padding holds. Default: 0.
        antialias: whether the kernel widens when the image shrinks. Default: False.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> keras.layers.Resizing(8, 6)(keras.ops.ones((1, 4, 4, 3))).shape
    (1, 8, 6, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: Literal[
            "bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"
        ] = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: Literal["constant"] = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        more: Any = {"data_format": data_format, **kwargs}
        super().__init__(height, width, **more)
        owner = type(self).__name__
        self.interpolation: Any = check_choice(
            owner, "interpolation", interpolation, _INTERPOLATIONS
        )
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError(
                f"{owner}: only one of `crop_to_aspect_ratio` and "
                "`pad_to_aspect_ratio` can be True."
            )
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode: Any = check_choice(owner, "fill_mode", fill_mode, ("constant",))
        self.fill_value: float = check_number(owner, "fill_value", fill_value)
        self.antialias = antialias

    def _output_dtype(self, dtype):
        return self.compute_dtype if is_float_dtype(dtype) else dtype

    def get_random_transformation(
        self, data: Any, training: bool | None = True, seed: Seed = None
    ) -> Any:
        """Return the height and width of the images."""
        return self._sizes(data)[1:]

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images, resized."""
        if is_float_dtype(dtype_of(images)):
            images = self._cast(images)
        return self._resized_part(images, self.interpolation, self.antialias)

    def transform_segmentation_masks(
        self,
        segmentation_masks: Any,
        transformation: Any = None,
        training: bool | None = True,
    ) -> Any:
        """Return the masks, resized as the images are."""
        return self._resized_part(segmentation_masks, "nearest", False)

    def _resized_part(self, x, interpolation, antialias):
        return self._resized(
            x,
            interpolation,
            antialias=antialias,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio,
            pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            fill_value=self.fill_value,
        )

    def transform_labels(
        self, labels: Any, transformation: Any = None, training: bool | None = True
    ) -> Any:
        """Return the labels: as they are."""
        return labels

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the boxes as they are in the resized images."""
        crop, pad = self.crop_to_aspect_ratio, self.pad_to_aspect_ratio
        return self._resized_boxes(bounding_boxes, transformation, crop, pad)
