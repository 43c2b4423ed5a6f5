"""Random changes of size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.layers.preprocessing.image.affine_layer import TwoFactorLayer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.layers.preprocessing.image.affine_layer import FillMode, Interpolation
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomZoom(TwoFactorLayer):
    """Makes what is on each image smaller or larger by a random factor while training.

    Args:
        height_factor: the range of the zoom along the height: two numbers from -1 to 1,
            or one, `f`, for `(-f, f)`. By `0.2` more of the height comes into the
            image, which zooms out; with `-0.2` less, which zooms in.
        width_factor: the same for the width. Default: the zoom of the height.
        fill_mode: what lies beyond the edges of `a b c d`: `"reflect"` (default)
            `b a | a b c d | d c`, `"constant"`, `"wrap"` `c d | a b c d | a b` or
            `"nearest"` `a a | a b c d | d d`.
        interpolation: `"bilinear"` (default) or `"nearest"`.
        seed: an integer. Default: generated.
        fill_value: what `"constant"` holds beyond the edges. Default: 0.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomZoom((-0.5, -0.5), interpolation="nearest")
    >>> row = keras.ops.reshape(keras.ops.arange(5.0), (1, 5, 1))
    >>> layer(row)[0, :, 0].tolist()
    [1.0, 2.0, 2.0, 3.0, 3.0]
    """

    def __init__(
        self,
        height_factor: float | tuple[float, float],
        width_factor: float | tuple[float, float] | None = None,
        fill_mode: FillMode = "reflect",
        interpolation: Interpolation = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(
            height_factor,
            height_factor if width_factor is None else width_factor,
            fill_mode,
            interpolation,
            seed,
            fill_value,
            data_format,
            **kwargs,
        )
        self.width_factor = width_factor

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return how much of the height and of the width comes into the image."""
        count = self._sizes(data)[0]

        def zoom(low, high):
            return random.uniform(
                (count, 1), 1 + low, 1 + high, dtype="float32", seed=seed
            )

        height = width = zoom(self.height_lower, self.height_upper)
        if self.width_factor is not None:
            width = zoom(self.width_lower, self.width_upper)
        return {
            "height_zoom": height,
            "width_zoom": width,
            "input_shape": self._input_shape(data),
        }

    def matrix(self, transformation: Any) -> Tensor:
        """Return the rows of the zooms around the middle."""
        names = ("width_zoom", "height_zoom")
        zooms = (ops.convert_to_tensor(transformation[name]) for name in names)
        x, y = (ops.reshape(ops.cast(zoom, "float32"), (-1,)) for zoom in zooms)
        height, width = self._size_of(transformation)
        middle_x, middle_y = (ops.cast(n - 1, "float32") * 0.5 for n in (width, height))
        zero = ops.zeros_like(x)
        rows = (x, zero, middle_x - middle_x * x, zero, y, middle_y - middle_y * y)
        rows += (zero, zero)
        return ops.stack(rows, axis=1)

    def get_clipped_bbox(
        self,
        bounding_boxes: Any,
        h_end: Tensor,
        h_start: Tensor,
        w_end: Tensor,
        w_start: Tensor,
    ) -> Any:
        """Return boxes as they are in a part that is cut out of the image.

        Args:
            bounding_boxes: a dict of `"boxes"` (left, top, right, bottom) and
                `"labels"`.
            h_end: where the part ends below.
            h_start: where it begins at the top.
            w_end: where it ends on the right.
            w_start: where it begins on the left.
        """
        boxes = ops.convert_to_tensor(bounding_boxes["boxes"])
        ranges = [(w_start, w_end), (h_start, h_end)] * 2
        sides = [
            ops.minimum(ops.maximum(boxes[..., i], start), end) - start
            for i, (start, end) in enumerate(ranges)
        ]
        return {**bounding_boxes, "boxes": ops.stack(sides, axis=-1)}
