"""Random blurs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.layers.arguments import integer_tuple
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.neighbours import weighted_neighbours
from hornbeam.layers.preprocessing.image.value_range import clipped, value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor


class RandomGaussianBlur(RandomImageLayer):
    """Blurs some images with a Gaussian kernel while training.

    The weight of a neighbour at the distance d is `exp(-d^2 / 2 sigma^2)`, divided by
    the sum of all; there are zeros around an image.

    Args:
        factor: the probability that an image is blurred, from 0 to 1: a pair of the
            lowest and the highest, or a number `f` for `(0, f)`. Defaults to 1.
        kernel_size: how many neighbours count, an odd number, or a pair of them for the
            width and the height. Defaults to 3.
        sigma: the standard deviation in pixels, from 0 to 1: a pair of the lowest and
            the highest, or a number `s` for `(0, s)`; drawn for each image and
            direction. Defaults to 1.
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        seed: an integer. Default: generated.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomGaussianBlur(kernel_size=5)
    >>> layer(keras.ops.ones((1, 8, 8, 3))).shape
    (1, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: DataFormat | None = None,
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor: tuple[float, float] = factor_pair(self, "factor", factor, 0, 1)
        self.kernel_size: tuple[int, ...] = integer_tuple(
            self, "kernel_size", kernel_size, 2
        )
        if any(size % 2 == 0 for size in self.kernel_size):
            raise ValueError(
                "Argument `kernel_size` of RandomGaussianBlur must hold odd numbers. "
                f"Received: kernel_size={kernel_size}"
            )
        self.sigma: tuple[float, float] = factor_pair(self, "sigma", sigma, 0, 1)
        self.value_range: tuple[float, float] = value_pair(self, value_range)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return which images are blurred, and their sigmas across and down."""
        count = self._sizes(data)[0]
        likely = random.uniform((count,), *self.factor, dtype="float32", seed=seed)
        blurs = random.uniform((count,), dtype="float32", seed=seed) < likely
        sigma = random.uniform((count, 2), *self.sigma, dtype="float32", seed=seed)
        return {"should_apply_blur": blurs, "blur_factor": sigma}

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images, some of them blurred."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        sigma = ops.reshape(transformation["blur_factor"], (-1, 2))
        x = images
        height, width = self._axes(images)
        for i, axis in enumerate((width, height)):
            weights = _gaussian(self.kernel_size[i], sigma[:, i, None, None, None])
            x = weighted_neighbours(x, axis, [self._cast(w) for w in weights])
        blurs = ops.reshape(transformation["should_apply_blur"], (-1, 1, 1, 1))
        return ops.where(blurs, clipped(x, self.value_range), images)


def _gaussian(size, sigma):
    """Return the weights of neighbours, the first one first."""
    scale = -0.5 / ops.maximum(sigma * sigma, 1e-10)
    weights = [ops.exp(scale * (k - size // 2) ** 2) for k in range(size)]
    total = sum(weights[1:], start=weights[0])
    return [weight / total for weight in weights]
