"""Random changes of all that makes up colours."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from hornbeam.layers.preprocessing.image.image_layer import RandomImageLayer
from hornbeam.layers.preprocessing.image.planes import in_planes, saturated, turned
from hornbeam.layers.preprocessing.image.random_brightness import RandomBrightness
from hornbeam.layers.preprocessing.image.random_contrast import RandomContrast
from hornbeam.layers.preprocessing.image.random_hue import RandomHue
from hornbeam.layers.preprocessing.image.random_saturation import RandomSaturation
from hornbeam.layers.preprocessing.image.value_range import value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Seed, Tensor

_STEPS: dict[str, Any] = {
    "brightness": RandomBrightness,
    "contrast": RandomContrast,
    "saturation": RandomSaturation,
    "hue": RandomHue,
}
# What is done in planes goes through them once.
_IN_PLANES: dict[str, Any] = {
    "random_saturation": lambda factor, planes: saturated(planes, factor),
    "random_hue": lambda factor, planes: turned(planes, factor),
}


class RandomColorJitter(RandomImageLayer):
    """Changes brightness, contrast, saturation and hue at random while training.

    One after the other, as the layers `RandomBrightness`, `RandomContrast`,
    `RandomSaturation` and `RandomHue` do; those without a factor are left out.

    Args:
        value_range: the lowest and highest value of images. Defaults to (0, 255).
        brightness_factor: the factor of `RandomBrightness`. Default: None.
        contrast_factor: the factor of `RandomContrast`. Default: None.
        saturation_factor: the factor of `RandomSaturation`. Default: None.
        hue_factor: the factor of `RandomHue`. Default: None.
        seed: an integer. Default: generated.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RandomColorJitter(brightness_factor=(0.1, 0.1))
    >>> float(layer(keras.ops.ones((1, 2, 2, 3)))[0, 0, 0, 0])
    26.5
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.value_range: tuple[float, float] = value_pair(self, value_range)
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        for name, step in _STEPS.items():
            factor = getattr(self, f"{name}_factor")
            if factor is not None:
                layer = step(
                    factor,
                    self.value_range,
                    seed=self.seed,
                    data_format=self.data_format,
                    dtype=self.dtype_policy,
                )
                setattr(self, f"random_{name}", layer)

    def _steps(self):
        """Return the layers by their names, in their order."""
        names = [f"random_{name}" for name in _STEPS]
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return what each step draws."""
        return {name: step.draw(data, seed) for name, step in self._steps().items()}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return the images with other colours."""
        images = self._cast(images)
        if not training or transformation is None:
            return images
        steps = self._steps()
        for name in ("random_brightness", "random_contrast"):
            if name in steps:
                part = transformation[name]
                images = steps[name].transform_images(images, part, training)
        functions = [
            functools.partial(function, transformation[name]["factor"])
            for name, function in _IN_PLANES.items()
            if name in steps
        ]
        return in_planes(self, images, functions) if functions else images
