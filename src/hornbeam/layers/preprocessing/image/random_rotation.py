"""Random rotations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.layers.preprocessing.image.affine_layer import AffineLayer
from hornbeam.layers.preprocessing.image.image_layer import factor_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.layers.preprocessing.image.affine_layer import FillMode, Interpolation
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomRotation(AffineLayer):
    """Turns each image around its middle by a random angle while training.

    Args:
        factor: the range of the angle in full turns, counter-clockwise: two numbers
            from -1 to 1, or one, `f`, for `(-f, f)`.
        fill_mode: what lies beyond the edges of `a b c d`: `"reflect"` (default)
            `b a | a b c d | d c`, `"constant"`, `"wrap"` `c d | a b c d | a b` or
            `"nearest"` `a a | a b c d | d d`.
        interpolation: `"bilinear"` (default) or `"nearest"`.
        seed: an integer. Default: generated.
        fill_value: what `"constant"` holds beyond the edges. Default: 0.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomRotation((0.25, 0.25))
    >>> image = keras.ops.reshape(keras.ops.arange(4.0), (2, 2, 1))
    >>> keras.ops.round(layer(image)[..., 0]).tolist()
    [[1.0, 3.0], [0.0, 2.0]]
    """

    def __init__(
        self,
        factor: float | tuple[float, float],
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
        self.factor: tuple[float, float] = factor_pair(self, "factor", factor)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return the angles in degrees, and the matrices of the rotations."""
        count, height, width = self._sizes(data)
        low, high = (360 * turns for turns in self.factor)
        angle = random.uniform((count,), low, high, dtype="float32", seed=seed)
        radians = angle * (math.pi / 180)
        cosine, sine = ops.cos(radians), ops.sin(radians)
        x, y = (ops.cast(n - 1, "float32") * 0.5 for n in (width, height))
        zero = ops.zeros_like(angle)
        rows = (cosine, -sine, x - cosine * x + sine * y)
        rows += (sine, cosine, y - sine * x - cosine * y, zero, zero)
        return {
            "angle": angle,
            "rotation_matrix": ops.stack(rows, axis=1),
            "image_height": height,
            "image_width": width,
            "batch_size": count,
        }

    def _size_of(self, transformation):
        return transformation["image_height"], transformation["image_width"]

    def matrix(self, transformation: Any) -> Tensor:
        """Return the rows of the rotations."""
        matrix = ops.convert_to_tensor(transformation["rotation_matrix"])
        return ops.reshape(matrix, (-1, 8))
