"""Solarisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.value_range import BYTES, mapped, value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Seed, Tensor


class Solarization(RandomImageLayer):
    """Inverts the values of images from a threshold on, while training.

    In the range from 0 to 255, an addition and a threshold are drawn for each image. A
    value x becomes `y = x + addition`, clipped to that range, and then `255 - y` unless
    y is below the threshold.

    Args:
        addition_factor: a pair of the lowest and the highest addition, from 0 to 1
            (255), or a number `f` for `(0, f)`. Defaults to 0.
        threshold_factor: a pair of the lowest and the highest threshold, from 0 to 1
            (255), or a number `f` for `(0, f)`. Defaults to 0.
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        seed: an integer. Default: generated.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Solarization(threshold_factor=(0.5, 0.5))
    >>> x = keras.ops.reshape(keras.ops.array([100.0, 200.0]), (1, 1, 2, 1))
    >>> [float(v) for v in layer(x)[0, 0, :, 0]]
    [100.0, 55.0]
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, **kwargs)
        self.addition_factor: tuple[float, float] = factor_pair(
            self, "addition_factor", addition_factor, 0, 1
        )
        self.threshold_factor: tuple[float, float] = factor_pair(
            self, "threshold_factor", threshold_factor, 0, 1
        )
        self.value_range: tuple[float, float] = value_pair(self, value_range)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return the addition and the threshold of each image."""
        shape = (self._sizes(data)[0], 1, 1, 1)
        drawn = [
            random.uniform(shape, *factor, dtype="float32", seed=seed) * BYTES[1]
            for factor in (self.addition_factor, self.threshold_factor)
        ]
        return {"additions": drawn[0], "thresholds": drawn[1]}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return the images, solarised."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        x = mapped(images, self.value_range, BYTES)
        x = ops.clip(x + self._cast(transformation["additions"]), *BYTES)
        below = x < self._cast(transformation["thresholds"])
        return mapped(ops.where(below, x, BYTES[1] - x), BYTES, self.value_range)
