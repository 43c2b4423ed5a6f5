"""What a convolution has learnt, and what comes out of it for an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import backends, ops
from hornbeam.core.errors import check_number
from hornbeam.layers.layer import Layer
from hornbeam.models.model import Model
from hornbeam.typing import PathLike, TensorLike
from hornbeam.visualization.checks import numbers, of_kind
from hornbeam.visualization.galleries import drawn_gallery
from hornbeam.visualization.layer_outputs import chosen_output, outputs_of_layers
from hornbeam.visualization.panels import is_shown


def plot_filters(
    layer: Layer,
    most: int = 64,
    path: PathLike | None = None,
    show: bool | None = None,
    ax: Any = None,
) -> np.ndarray:
    """Draw the filters of a two-dimensional convolution.

    Filters over three channels are drawn in colours, others as their first channel. In
    each one zero is grey, so that light and dark are positive and negative.

    Args:
        layer: a built layer with a `kernel` of 4 axes, such as Conv2D.
        most: how many are drawn. Default: 64.
        path: where the picture is written. Default: it is not.
        show: whether it is shown on the screen. Default: in a notebook without `path`
            and `ax`.
        ax: matplotlib's axes to draw on: as many as the grid has places, or one, whose
            place is divided. Default: new ones.

    Returns:
        An array of matplotlib's axes.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Conv2D(6, 3)
    >>> layer.build((None, 8, 8, 3))
    >>> keras.visualization.plot_filters(layer).shape
    (2, 3)
    """
    of_kind("plot_filters", "layer", layer, Layer, "a layer")
    check_number("plot_filters()", "most", most, 1, integer=True)
    kernel = getattr(layer, "kernel", None) if layer.built else None
    if kernel is None or len(kernel.shape) != 4:
        raise ValueError(
            f"plot_filters() needs a built layer with a kernel of 4 axes, such as "
            f"Conv2D. Layer {layer.name!r} ({type(layer).__name__}) has "
            f"{'none' if kernel is None else tuple(kernel.shape)}."
        )
    filters = np.moveaxis(np.asarray(ops.convert_to_numpy(kernel), float), -1, 0)[:most]
    filters = filters if filters.shape[-1] == 3 else filters[..., :1]
    greatest = np.abs(filters).max((1, 2, 3), keepdims=True)
    scaled = filters / np.where(greatest > 0, greatest, 1)
    return drawn_gallery(
        "plot_filters", scaled, value_range=(-1, 1), scale=1, path=path,
        data_format="channels_last",
        show=is_shown(path, ax) if show is None else show, ax=ax,
    )  # fmt: skip


def plot_feature_maps(
    model: Model,
    image: TensorLike,
    layer: Any,
    most: int = 64,
    path: PathLike | None = None,
    show: bool | None = None,
    ax: Any = None,
) -> np.ndarray:
    """Draw what comes out of a layer for one image, each channel on its own.

    Each channel goes from black at its least to white at its greatest value.

    Args:
        model: a model with one input.
        image: of shape (height, width, channels).
        layer: the layer or its name, also of a layer of a model inside the model; its
            output has 4 axes, channels last.
        most: how many channels are drawn. Default: 64.
        path: where the picture is written. Default: it is not.
        show: whether it is shown on the screen. Default: in a notebook without `path`
            and `ax`.
        ax: matplotlib's axes to draw on: as many as the grid has places, or one, whose
            place is divided. Default: new ones.

    Returns:
        An array of matplotlib's axes.

    >>> import hornbeam as keras, numpy as np
    >>> model = keras.Sequential(
    ...     [keras.Input((8, 8, 3)), keras.layers.Conv2D(6, 3, name="conv")]
    ... )
    >>> image = np.ones((8, 8, 3))
    >>> keras.visualization.plot_feature_maps(model, image, "conv").shape
    (2, 3)
    """
    of_kind("plot_feature_maps", "model", model, Model, "a model")
    check_number("plot_feature_maps()", "most", most, 1, integer=True)
    image = numbers("plot_feature_maps", "image", image)
    if image.ndim != 3:
        raise ValueError(
            "plot_feature_maps() expects `image` to be one image, of shape (height, "
            f"width, channels). Received: shape {image.shape}"
        )
    with backends.scope(model._backend_name or backends.current().name):
        _, seen = outputs_of_layers(model, image[None].astype("float32"))
        maps = chosen_output("plot_feature_maps", model, seen, layer).output
        maps = np.asarray(ops.convert_to_numpy(maps), float)
    maps = np.moveaxis(maps[0], -1, 0)[:most, ..., None]
    low = maps.min((1, 2, 3), keepdims=True)
    spread = maps.max((1, 2, 3), keepdims=True) - low
    return drawn_gallery(
        "plot_feature_maps", (maps - low) / np.where(spread > 0, spread, 1),
        value_range=(0, 1), scale=1,
        path=path, show=is_shown(path, ax) if show is None else show, ax=ax,
        data_format="channels_last",
    )  # fmt: skip
