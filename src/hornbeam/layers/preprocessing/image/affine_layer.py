"""The bases of layers that project images: turn, shift, stretch, shear or tilt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from hornbeam import ops
from hornbeam.core.errors import check_choice, check_number
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.moved_boxes import move_boxes, projected

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Tensor

FillMode: TypeAlias = Literal["constant", "reflect", "wrap", "nearest"]
Interpolation: TypeAlias = Literal["nearest", "bilinear"]
FILL_MODES = ("constant", "reflect", "wrap", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")


class ProjectionLayer(RandomImageLayer):
    """A base for layers that project each image, with its boxes and masks.

    A subclass writes `draw`, and `matrix(transformation)`: the rows `(batch, 8)` of
    `[a0, a1, a2, b0, b1, b2, c0, c1]` that `keras.ops.image.affine_transform` takes.
    """

    fill_mode: FillMode = "constant"
    fill_value: float = 0.0
    interpolation: Interpolation = "bilinear"

    def matrix(self, transformation: Any) -> Tensor:
        """Return the projection of each image as a row of a matrix."""
        raise self._not_written("matrix")

    def _moved(self, images, transformation, interpolation):
        return ops.image.affine_transform(
            images,
            self.matrix(transformation),
            interpolation,
            self.fill_mode,
            self.fill_value,
            self.data_format,
        )

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return the images, moved."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        return self._moved(images, transformation, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the masks, moved as the images are."""
        if not training or transformation is None:
            return segmentation_masks
        return self._moved(segmentation_masks, transformation, "nearest")

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the boxes around what was in the boxes before."""
        if not training or transformation is None:
            return bounding_boxes
        rows = self.matrix(transformation)
        rows = ops.concatenate([rows, ops.ones_like(rows[:, :1])], axis=1)
        size = self._size_of(transformation)
        return move_boxes(self, bounding_boxes, lambda x: projected(x, rows), size)


class AffineLayer(ProjectionLayer):
    """A base for layers that give each image an affine transformation.

    Args:
        fill_mode: what lies beyond the edges of `a b c d`: `"reflect"` (default)
            `b a | a b c d | d c`, `"constant"`, `"wrap"` `c d | a b c d | a b` or
            `"nearest"` `a a | a b c d | d d`.
        interpolation: `"bilinear"` (default) or `"nearest"`. Masks are always
            transformed with `"nearest"`.
        seed: an integer. Default: generated.
        fill_value: what `"constant"` holds beyond the edges. Default: 0.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        bounding_box_format: how boxes are given.
    """

    def __init__(
        self,
        fill_mode: FillMode = "reflect",
        interpolation: Interpolation = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: DataFormat | None = None,
        bounding_box_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, bounding_box_format, **kwargs)
        owner = type(self).__name__
        self.fill_mode: Any = check_choice(owner, "fill_mode", fill_mode, FILL_MODES)
        self.interpolation: Any = check_choice(
            owner, "interpolation", interpolation, INTERPOLATIONS
        )
        self.fill_value: float = check_number(owner, "fill_value", fill_value)

    def get_transformed_x_y(
        self, x: Tensor, y: Tensor, transform: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return where an affine transformation maps the points `(x, y)`.

        Args:
            x: coordinates from the left.
            y: coordinates from the top.
            transform: `[a0, a1, a2, b0, b1, b2, ...]`, or rows of that.
        """
        transform = ops.convert_to_tensor(transform)
        a0, a1, a2, b0, b1, b2 = (transform[..., i : i + 1] for i in range(6))
        return a0 * x + a1 * y + a2, b0 * x + b1 * y + b2

    def get_shifted_bbox(
        self, bounding_boxes: Any, w_shift_factor: Tensor, h_shift_factor: Tensor
    ) -> Any:
        """Return boxes shifted to the left and up.

        Args:
            bounding_boxes: a dict of `"boxes"` (left, top, right, bottom) and
                `"labels"`.
            w_shift_factor: the distance to the left.
            h_shift_factor: the distance up.
        """
        boxes = ops.convert_to_tensor(bounding_boxes["boxes"])
        distance = [w_shift_factor, h_shift_factor] * 2
        sides = (boxes[..., i] - distance[i] for i in range(4))
        return {**bounding_boxes, "boxes": ops.stack(list(sides), axis=-1)}


class TwoFactorLayer(AffineLayer):
    """A base for affine layers of a factor for the height and one for the width.

    Args:
        height_factor: two numbers from -1 to 1, or one, `f`, for `(-f, f)`.
        width_factor: the same for the width.

    The other arguments are those of `AffineLayer`.
    """

    height_lower: float
    height_upper: float
    width_lower: float
    width_upper: float

    def __init__(
        self,
        height_factor: float | tuple[float, float],
        width_factor: float | tuple[float, float],
        fill_mode: FillMode = "reflect",
        interpolation: Interpolation = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(
            fill_mode, interpolation, seed, fill_value, data_format, **kwargs
        )
        self.height_factor = height_factor
        self.height_lower, self.height_upper = factor_pair(
            self, "height_factor", height_factor
        )
        self.width_factor: Any = width_factor
        self.width_lower, self.width_upper = factor_pair(
            self, "width_factor", width_factor
        )
