"""Layers that add zeros at the ends of spatial axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.reshaping.borders import Borders

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.layers.reshaping.borders import BorderAmounts
    from hornbeam.typing import DataFormat, InputShape, Shape, Tensor


class ZeroPadding(Borders):
    """Adds `padding` zeros at the ends of each spatial axis."""

    padding: Any

    def _pairs(self):
        return (self.padding,) if self.rank == 1 else self.padding

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs with zeros around."""
        amounts = [(0, 0)] * (self.rank + 2)
        for axis, pair in self.axes_and_amounts(self._pairs()):
            amounts[axis] = pair
        return ops.pad(inputs, amounts)

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the larger sizes."""
        shape = list(input_shape)
        for axis, amounts in self.axes_and_amounts(self._pairs()):
            size = shape[axis]
            if size is not None:
                shape[axis] = size + sum(amounts)
        return tuple(shape)


class ZeroPadding1D(ZeroPadding):
    """Adds zero steps at the ends of sequences.

    Args:
        padding: steps added at both ends, or a pair. Defaults to 1.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.ZeroPadding1D((1, 2), data_format="channels_last")
    >>> layer(keras.ops.ones((2, 5, 3))).shape
    (2, 8, 3)
    """

    rank = 1

    def __init__(
        self,
        padding: BorderAmounts = 1,
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.keep_layout(data_format)
        self.padding: Any = self.border_pairs("padding", padding)[0]


class ZeroPadding2D(ZeroPadding):
    """Adds rows and columns of zeros around images.

    Args:
        padding: an int for all edges, two ints for (rows, columns), or
            `((top, bottom), (left, right))`. Defaults to (1, 1).
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.ZeroPadding2D((1, 2), data_format="channels_last")
    >>> layer(keras.ops.ones((1, 5, 6, 3))).shape
    (1, 7, 10, 3)
    """

    rank = 2

    def __init__(
        self,
        padding: BorderAmounts = (1, 1),
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.keep_layout(data_format)
        self.padding: Any = self.border_pairs("padding", padding)


class ZeroPadding3D(ZeroPadding):
    """Adds planes of zeros around volumes.

    Args:
        padding: an int for all faces, three ints, or three pairs. Defaults to 1.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.ZeroPadding3D(1, data_format="channels_last")
    >>> layer(keras.ops.ones((1, 3, 4, 5, 2))).shape
    (1, 5, 6, 7, 2)
    """

    rank = 3

    def __init__(
        self,
        padding: BorderAmounts = ((1, 1), (1, 1), (1, 1)),
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.keep_layout(data_format)
        self.padding: Any = self.border_pairs("padding", padding)
