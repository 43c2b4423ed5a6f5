"""Random shears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.layers.preprocessing.image.affine_layer import AffineLayer
from hornbeam.layers.preprocessing.image.image_layer import factor_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.layers.preprocessing.image.affine_layer import FillMode, Interpolation
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomShear(AffineLayer):
    """Slants each image by random factors while training.

    What is at `(x, y)` comes from `(x + s y, y + t x)`, where the factors `s` and `t`
    are both turned around in half of the images.

    Args:
        x_factor: the range of `s`: two numbers from 0 to 1, or one, `f`, for `(-f, f)`.
            Default: 0.
        y_factor: the range of `t`. Default: 0.
        interpolation: `"bilinear"` (default) or `"nearest"`.
        fill_mode: what lies beyond the edges of `a b c d`: `"reflect"` (default)
            `b a | a b c d | d c`, `"constant"`, `"wrap"` `c d | a b c d | a b` or
            `"nearest"` `a a | a b c d | d d`.
        fill_value: what `"constant"` holds beyond the edges. Default: 0.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        seed: an integer. Default: generated.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomShear(x_factor=0.3, seed=1)
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        x_factor: float | tuple[float, float] = 0.0,
        y_factor: float | tuple[float, float] = 0.0,
        interpolation: Interpolation = "bilinear",
        fill_mode: FillMode = "reflect",
        fill_value: float = 0.0,
        data_format: DataFormat | None = None,
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(
            fill_mode, interpolation, seed, fill_value, data_format, **kwargs
        )
        self.x_factor: tuple[float, float] = self._range("x_factor", x_factor)
        self.y_factor: tuple[float, float] = self._range("y_factor", y_factor)

    def _range(self, argument, value):
        pair = isinstance(value, list | tuple)
        if pair and len(value) == 2 and value[0] == -value[1]:
            # So a config holds the range of a number.
            pair, value = False, value[1]
        low, high = factor_pair(self, argument, value, 0.0, 1.0)
        return (low, high) if pair else (-high, high)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return the factors along x and along y."""
        count = self._sizes(data)[0]
        factors = [
            random.uniform((count, 1), low, high, dtype="float32", seed=seed)
            for low, high in (self.x_factor, self.y_factor)
        ]
        turned = random.uniform((count, 1), dtype="float32", seed=seed) < 0.5
        return {
            "shear_factor": ops.concatenate(factors, axis=1)
            * ops.where(turned, -1.0, 1.0),
            "input_shape": self._input_shape(data),
        }

    def matrix(self, transformation: Any) -> Tensor:
        """Return the rows of the shears."""
        factors = ops.convert_to_tensor(transformation["shear_factor"])
        factors = ops.cast(factors, "float32")
        zero, one = ops.zeros_like(factors[:, 0]), ops.ones_like(factors[:, 0])
        rows = (one, factors[:, 0], zero, factors[:, 1], one, zero, zero, zero)
        return ops.stack(rows, axis=1)
