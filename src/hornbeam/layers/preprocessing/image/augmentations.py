"""The transformations that RandAugment and AugMix choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.preprocessing.image.auto_contrast import AutoContrast
from hornbeam.layers.preprocessing.image.equalization import Equalization
from hornbeam.layers.preprocessing.image.image_layer import (
    RandomImageLayer,
    factor_pair,
)
from hornbeam.layers.preprocessing.image.random_brightness import RandomBrightness
from hornbeam.layers.preprocessing.image.random_color_degeneration import (
    RandomColorDegeneration,
)
from hornbeam.layers.preprocessing.image.random_contrast import RandomContrast
from hornbeam.layers.preprocessing.image.random_posterization import RandomPosterization
from hornbeam.layers.preprocessing.image.random_rotation import RandomRotation
from hornbeam.layers.preprocessing.image.random_sharpness import RandomSharpness
from hornbeam.layers.preprocessing.image.random_shear import RandomShear
from hornbeam.layers.preprocessing.image.random_translation import RandomTranslation
from hornbeam.layers.preprocessing.image.solarization import Solarization
from hornbeam.layers.preprocessing.image.value_range import value_pair

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import DataFormat, Tensor


class Augmentation(RandomImageLayer):
    """A base for layers that choose from a list of transformations.

    One choice holds for a batch, so that a compiled program computes what was chosen
    alone; how strong a transformation is, is drawn for each image.

    Args:
        value_range: the lowest and highest value of images.
        factor: how strong transformations are, from 0 to 1: a pair of the weakest and
            the strongest, or a number `f` for `(0, f)`.
        interpolation: `"nearest"` or `"bilinear"`, of what moves pixels.
        seed: an integer, or None.
        data_format: `"channels_last"`, `"channels_first"` or None.
    """

    # Of the layers below: those that change colours, as `all_ops=False` leaves out.
    _left_out: tuple[str, ...] = ()
    # XLA would compile all of them before the first batch.
    _fuses = False

    def __init__(
        self,
        value_range: Any,
        factor: Any,
        interpolation: str,
        seed: int | None,
        data_format: DataFormat | None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.value_range: tuple[float, float] = value_pair(self, value_range)
        self.factor: tuple[float, float] = factor_pair(self, "factor", factor, 0, 1)
        self.interpolation = interpolation
        self._names = []
        for name, layer in self._made().items():
            if name not in self._left_out:
                setattr(self, name, layer)
                self._names.append(name)

    def _made(self):
        """Return the layers that are chosen from, by their names."""
        factor, interpolation = self.factor, self.interpolation
        drawn: dict[str, Any] = {
            "seed": self.seed,
            "data_format": self.data_format,
            "dtype": self.dtype_policy,
        }
        moved = {**drawn, "interpolation": interpolation}
        if self.bounding_box_format is not None:
            moved["bounding_box_format"] = self.bounding_box_format
        fixed = {k: v for k, v in drawn.items() if k != "seed"}
        values = self.value_range
        bits = tuple(max(1, int(8 * f)) for f in factor)
        return {
            "random_shear": RandomShear(factor, factor, **moved),
            "random_translation": RandomTranslation(factor, factor, **moved),
            "random_rotation": RandomRotation(factor, **moved),
            "random_brightness": RandomBrightness(factor, values, **drawn),
            "random_color_degeneration": RandomColorDegeneration(
                factor, values, **drawn
            ),
            "random_contrast": RandomContrast(factor, values, **drawn),
            "random_sharpness": RandomSharpness(factor, values, **drawn),
            "random_posterization": RandomPosterization(bits, values, **drawn),
            "solarization": Solarization(factor, factor, values, **drawn),
            "auto_contrast": AutoContrast(values, **fixed),
            "equalization": Equalization(values, **fixed),
        }

    def _drawn(self, data, seed):
        """Return what each of the layers draws."""
        drawn = {}
        for name in self._names:
            layer = getattr(self, name)
            random = isinstance(layer, RandomImageLayer)
            drawn[name] = layer.draw(data, seed) if random else None
        return drawn

    def _chosen(self, index: Tensor, method: str, x: Any, drawn: Any) -> Any:
        """Return `x` transformed by the layer with this index; past the last: as it is.

        Args:
            index: a scalar.
            method: the name of the method that transforms this part of a sample.
            x: the part.
            drawn: what the layers have drawn.
        """

        def branch(name):
            transform = getattr(getattr(self, name), method)
            return lambda x: transform(x, drawn[name], training=True)

        branches = [branch(name) for name in self._names]
        return ops.switch(index, [*branches, lambda x: x], x)
