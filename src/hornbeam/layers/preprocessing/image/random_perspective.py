"""Random changes of perspective."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.core.errors import check_choice, check_number
from hornbeam.layers.preprocessing.image.affine_layer import (
    INTERPOLATIONS,
    ProjectionLayer,
)
from hornbeam.layers.preprocessing.image.image_layer import factor_pair
from hornbeam.ops.image.transforms import projection_between

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.layers.preprocessing.image.affine_layer import Interpolation
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomPerspective(ProjectionLayer):
    """Shows images from other points of view, at random while training.

    The upper left corner stays, and the coordinates of the others are multiplied by
    factors between `1 - scale / 2` and `1 + scale / 2`.

    Args:
        factor: how likely an image is changed: one number `f` from 0 to 1 for a
            probability drawn for each image between 0 and `f`, or two, the ends of that
            range. Default: 1.
        scale: how far corners go, from 0 to 1. Default: 1.
        interpolation: `"bilinear"` (default) or `"nearest"`.
        fill_value: what lies beyond the edges. Default: 0.
        seed: an integer. Default: generated.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomPerspective(scale=0.5, seed=1)
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: float | tuple[float, float] = 1.0,
        scale: float = 1.0,
        interpolation: Interpolation = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        owner = type(self).__name__
        self.factor: tuple[float, float] = factor_pair(self, "factor", factor, 0.0)
        self.scale: float = check_number(owner, "scale", scale, low=0, high=1)
        self.interpolation: Any = check_choice(
            owner, "interpolation", interpolation, INTERPOLATIONS
        )
        self.fill_value: float = check_number(owner, "fill_value", fill_value)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return which images are changed, their corners, and where these go."""
        count, height, width = self._sizes(data)
        zero = ops.zeros((), "float32")
        right, low = (ops.cast(n - 1, "float32") for n in (width, height))
        corners = [ops.stack(c) for c in ((zero, zero), (right, zero))]
        corners += [ops.stack(c) for c in ((zero, low), (right, low))]
        start = ops.broadcast_to(ops.stack(corners), (count, 4, 2))
        half = self.scale / 2
        change = random.uniform(
            (count, 4, 2), 1 - half, 1 + half, dtype="float32", seed=seed
        )
        return {
            "apply_perspective": chosen(self, count, seed),
            "start_points": start,
            "end_points": start * change,
            "input_shape": self._input_shape(data),
        }

    def matrix(self, transformation: Any) -> Tensor:
        """Return the rows of the projections; those that change nothing are exact."""
        names = "start_points", "end_points"
        rows = projection_between(*(transformation[name] for name in names))
        rows = rows[:, :8] / rows[:, 8:]
        applies = ops.reshape(transformation["apply_perspective"], (-1, 1))
        unchanged = ops.array([[1, 0, 0, 0, 1, 0, 0, 0]], dtype=rows.dtype)
        return ops.where(applies, rows, unchanged)


def chosen(layer: Any, count: Any, seed: Seed) -> Tensor:
    """Draw which of `count` images are changed, each with a probability of its own.

    Args:
        layer: its `factor` is the range of the probabilities.
        count: how many images there are.
        seed: the seed.
    """
    low, high = layer.factor
    probability = random.uniform((count,), low, high, dtype="float32", seed=seed)
    return random.uniform((count,), dtype="float32", seed=seed) < probability
