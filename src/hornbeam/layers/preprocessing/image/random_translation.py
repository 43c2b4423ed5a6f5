"""Random shifts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.layers.preprocessing.image.affine_layer import TwoFactorLayer

if TYPE_CHECKING:
    from typing import Any

    from hornbeam.typing import Seed, Tensor


class RandomTranslation(TwoFactorLayer):
    """Shifts each image by random distances while training.

    Args:
        height_factor: the range of the shift down, as a fraction of the height: two
            numbers from -1 to 1, or one, `f`, for `(-f, f)`.
        width_factor: the range of the shift to the right, as a fraction of the width.
        fill_mode: what lies beyond the edges of `a b c d`: `"reflect"` (default)
            `b a | a b c d | d c`, `"constant"`, `"wrap"` `c d | a b c d | a b` or
            `"nearest"` `a a | a b c d | d d`.
        interpolation: `"bilinear"` (default) or `"nearest"`.
        seed: an integer. Default: generated.
        fill_value: what `"constant"` holds beyond the edges. Default: 0.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomTranslation(0, (0.5, 0.5), fill_mode="constant")
    >>> image = keras.ops.reshape(keras.ops.arange(1.0, 5.0), (2, 2, 1))
    >>> layer(image)[..., 0].tolist()
    [[0.0, 1.0], [0.0, 3.0]]
    """

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return the shifts to the right and down, in pixels."""
        count, height, width = self._sizes(data)
        ranges = (
            (width, self.width_lower, self.width_upper),
            (height, self.height_lower, self.height_upper),
        )
        shifts = [
            random.uniform((count,), low, high, dtype="float32", seed=seed)
            * ops.cast(size, "float32")
            for size, low, high in ranges
        ]
        return {
            "translations": ops.stack(shifts, axis=1),
            "input_shape": self._input_shape(data),
        }

    def matrix(self, transformation: Any) -> Tensor:
        """Return the rows of the shifts."""
        shifts = ops.convert_to_tensor(transformation["translations"])
        shifts = ops.cast(shifts, "float32")
        zero, one = ops.zeros_like(shifts[:, 0]), ops.ones_like(shifts[:, 0])
        rows = (one, zero, -shifts[:, 0], zero, one, -shifts[:, 1], zero, zero)
        return ops.stack(rows, axis=1)
