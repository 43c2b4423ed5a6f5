"""Contrast over the whole range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.preprocessing.image.folding import folded
from hornbeam.layers.preprocessing.image.image_layer import ImageLayer
from hornbeam.layers.preprocessing.image.value_range import value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Tensor


class AutoContrast(ImageLayer):
    """Stretches the values of each channel of an image over the whole `value_range`.

    The lowest value of a channel becomes the low end, the highest one the high end. A
    channel of one value stays as it is. It does so in training and in inference.

    Args:
        value_range: the lowest and highest value of images. Defaults to (0, 255).

    >>> import hornbeam as keras
    >>> x = keras.ops.reshape(keras.ops.array([10.0, 20.0, 30.0]), (1, 1, 3, 1))
    >>> [float(v) for v in keras.layers.AutoContrast()(x)[0, 0, :, 0]]
    [0.0, 127.5, 255.0]
    """

    _fuses = True

    def __init__(
        self, value_range: Any = (0, 255), **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.value_range: tuple[float, float] = value_pair(self, value_range)

    def transform_images(
        self, images: Tensor, transformation: Any = None, training: bool | None = True
    ) -> Tensor:
        """Return the images with full contrast."""
        images = self._cast(images)
        low, high = self.value_range
        axes = self._axes(images)
        least = folded(ops.minimum, images, axes[0])
        most = folded(ops.maximum, images, axes[0])
        least = ops.min(least, axis=axes, keepdims=True)
        width = ops.max(most, axis=axes, keepdims=True) - least
        scale = (high - low) / ops.where(width > 0, width, 1)
        stretched = ops.clip((images - least) * scale + low, low, high)
        return ops.where(width > 0, stretched, images)
