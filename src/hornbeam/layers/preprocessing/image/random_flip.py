"""Random flips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hornbeam import ops, random
from hornbeam.core.errors import check_choice
from hornbeam.layers.preprocessing.image.image_layer import RandomImageLayer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class RandomFlip(RandomImageLayer):
    """Flips half of the images while training.

    Args:
        mode: `"horizontal"` (left and right), `"vertical"` (top and bottom), or
            `"horizontal_and_vertical"` (default), which does both at once.
        seed: an integer. Default: generated.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomFlip("horizontal", seed=1)
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        mode: Literal[
            "horizontal", "vertical", "horizontal_and_vertical"
        ] = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.mode = check_choice(type(self).__name__, "mode", mode, _MODES)

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return which images are flipped."""
        count, height, width = self._sizes(data)
        flips = random.uniform((count, 1, 1, 1), dtype="float32", seed=seed) < 0.5
        return {"flips": flips, "height": height, "width": width}

    def _flipped(self, x):
        axes = self._axes(x)
        across = {"horizontal": axes[1:], "vertical": axes[:1]}.get(self.mode, axes)
        return ops.flip(x, axis=across)

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return the images, some of them flipped."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        return ops.where(transformation["flips"], self._flipped(images), images)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the masks, flipped where the images are."""
        masks = segmentation_masks
        if not training or transformation is None:
            return masks
        return ops.where(transformation["flips"], self._flipped(masks), masks)
