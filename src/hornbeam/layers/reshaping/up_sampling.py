"""Layers that enlarge spatial axes by whole factors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.core.errors import check_choice
from hornbeam.layers.arguments import integer_tuple, positive_integer, spatial_axes
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.reshaping.reshaping import Reshaping

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import (
        DataFormat,
        InputShape,
        IntOrInts,
        Shape,
        Tensor,
    )


_Interpolation: TypeAlias = Literal[
    "bicubic", "bilinear", "lanczos3", "lanczos5", "nearest"
]


class UpSampling(Reshaping):
    """Repeats each place along the spatial axes `size` times."""

    rank = 0
    size: Any

    def keep_layout(self, data_format: DataFormat | None) -> None:
        """Store the layout, and expect inputs of the right rank."""
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _axes_and_factors(self):
        factors = (self.size,) if self.rank == 1 else self.size
        return zip(spatial_axes(self.data_format, self.rank), factors, strict=True)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the enlarged inputs."""
        outputs = inputs
        for axis, factor in self._axes_and_factors():
            outputs = ops.repeat(outputs, factor, axis=axis)
        return outputs

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the larger sizes."""
        shape = list(input_shape)
        for axis, factor in self._axes_and_factors():
            if shape[axis] is not None:
                shape[axis] *= factor
        return tuple(shape)


class UpSampling1D(UpSampling):
    """Repeats each step of sequences.

    Args:
        size: number of repetitions. Defaults to 2.

    >>> import hornbeam as keras
    >>> keras.layers.UpSampling1D(3)(keras.ops.ones((2, 4, 5))).shape
    (2, 12, 5)
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.keep_layout("channels_last")
        self.size: int = positive_integer(self, "size", size)


class UpSampling2D(UpSampling):
    """Enlarges images by whole factors.

    Args:
        size: the factor, or those of rows and columns. Defaults to (2, 2).
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        interpolation: `"nearest"` (default), `"bilinear"`, `"bicubic"`, `"lanczos3"`
            or `"lanczos5"`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.UpSampling2D((1, 2), data_format="channels_last")
    >>> layer(keras.ops.ones((1, 3, 3, 2))).shape
    (1, 3, 6, 2)
    """

    rank = 2

    def __init__(
        self,
        size: IntOrInts = (2, 2),
        data_format: DataFormat | None = None,
        interpolation: _Interpolation = "nearest",
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.keep_layout(data_format)
        self.size: tuple[int, ...] = integer_tuple(self, "size", size, 2)
        self.interpolation: _Interpolation = check_choice(
            "UpSampling2D",
            "interpolation",
            interpolation.lower(),
            get_args(_Interpolation),
        )

    def call(self, inputs: Tensor) -> Tensor:
        """Return the enlarged images."""
        if self.interpolation == "nearest":
            return super().call(inputs)
        shape: Any = self.compute_output_shape(inputs.shape)
        return ops.image.resize(
            inputs,
            [shape[axis] for axis in spatial_axes(self.data_format, 2)],
            interpolation=self.interpolation,
            data_format=self.data_format,
        )


class UpSampling3D(UpSampling):
    """Enlarges volumes by whole factors.

    Args:
        size: the factor, or three of them. Defaults to (2, 2, 2).
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.UpSampling3D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((1, 2, 3, 4, 2))).shape
    (1, 4, 6, 8, 2)
    """

    rank = 3

    def __init__(
        self,
        size: IntOrInts = (2, 2, 2),
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.keep_layout(data_format)
        self.size: tuple[int, ...] = integer_tuple(self, "size", size, 3)
