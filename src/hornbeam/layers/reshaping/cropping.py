"""Layers that cut off the ends of spatial axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.reshaping.borders import Borders

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.layers.reshaping.borders import BorderAmounts
    from hornbeam.typing import DataFormat, InputShape, Shape, Tensor


class Cropping(Borders):
    """Cuts off `cropping` at the ends of each spatial axis."""

    cropping: Any

    def _pairs(self):
        return (self.cropping,) if self.rank == 1 else self.cropping

    def call(self, inputs: Tensor) -> Tensor:
        """Return the part that is left."""
        self.compute_output_shape(inputs.shape)
        kept = [slice(None)] * (self.rank + 2)
        for axis, (before, after) in self.axes_and_amounts(self._pairs()):
            kept[axis] = slice(before, -after or None)
        return ops.get_item(inputs, tuple(kept))

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the sizes that are left."""
        shape = list(input_shape)
        for axis, amounts in self.axes_and_amounts(self._pairs()):
            size = shape[axis]
            if size is None:
                continue
            shape[axis] = size - sum(amounts)
            if size <= sum(amounts):
                raise ValueError(
                    f"Layer {self.path!r} ({type(self).__name__}): values in "
                    "`cropping` must be smaller than the corresponding "
                    f"spatial size. Received: cropping={self.cropping} for "
                    f"input_shape={tuple(input_shape)}."
                )
        return tuple(shape)


class Cropping1D(Cropping):
    """Cuts steps off the ends of sequences.

    Args:
        cropping: steps cut off at both ends, or a pair. Defaults to (1, 1).

    Input shape: `(batch, steps, features)`.

    >>> import hornbeam as keras
    >>> keras.layers.Cropping1D((1, 2))(keras.ops.ones((2, 5, 3))).shape
    (2, 2, 3)
    """

    rank = 1

    def __init__(
        self, cropping: BorderAmounts = (1, 1), **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.keep_layout("channels_last")
        self.cropping: Any = self.border_pairs("cropping", cropping)[0]


class Cropping2D(Cropping):
    """Cuts rows and columns off the edges of images.

    Args:
        cropping: an int for all edges, two ints for (rows, columns), or
            `((top, bottom), (left, right))`. Defaults to ((0, 0), (0, 0)).
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Cropping2D(((1, 0), (2, 2)), data_format="channels_last")
    >>> layer(keras.ops.ones((1, 5, 6, 3))).shape
    (1, 4, 2, 3)
    """

    rank = 2

    def __init__(
        self,
        cropping: BorderAmounts = ((0, 0), (0, 0)),
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.keep_layout(data_format)
        self.cropping: Any = self.border_pairs("cropping", cropping)


class Cropping3D(Cropping):
    """Cuts planes off the faces of volumes.

    Args:
        cropping: an int for all faces, three ints, or three pairs. Defaults to 1.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Cropping3D(1, data_format="channels_last")
    >>> layer(keras.ops.ones((1, 3, 4, 5, 2))).shape
    (1, 1, 2, 3, 2)
    """

    rank = 3

    def __init__(
        self,
        cropping: BorderAmounts = ((1, 1), (1, 1), (1, 1)),
        data_format: DataFormat | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.keep_layout(data_format)
        self.cropping: Any = self.border_pairs("cropping", cropping)
