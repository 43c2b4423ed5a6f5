"""What all architectures share: checks, the input, the top, the weights.

A family has a table of its stages and a `trunk` function, from images to features.
`assemble` makes a model of it; the layers have Keras's names and order, so that files
of weights go both ways.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypedDict

from hornbeam import layers
from hornbeam.applications.weights_files import fetch
from hornbeam.core.config import image_data_format
from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.node import get_source_inputs
from hornbeam.models.functional import Functional
from hornbeam.models.model import Model

IMAGENET_CLASSES = 1000


class Request(TypedDict):
    """The arguments that every architecture takes."""

    include_top: bool
    weights: Any
    input_tensor: Any
    input_shape: Sequence[int | None] | None
    pooling: Any
    classes: int
    classifier_activation: Any
    name: str | None


def channel_axis() -> int:
    """Return the axis of the channels in batches of images."""
    return 1 if image_data_format() == "channels_first" else -1


def channels(x: Any) -> int:
    """Return how many channels features have."""
    return x.shape[channel_axis()]


def dense_top(x: Any, classes: int, activation: Any) -> Any:
    """Return class scores: the mean over positions, and a dense layer."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return layers.Dense(classes, activation=activation, name="predictions")(x)


def assemble(
    title: str,
    trunk: Callable[[Any], Any],
    request: Request,
    *,
    size: int | None,
    least: int = 32,
    top: Callable[[Any, int, Any], Any] = dense_top,
    before: Callable[[Any, bool], Any] | None = None,
    after: Callable[[Any], Any] | None = None,
    weights_key: str | None = None,
) -> Model:
    """Return a model of `trunk` and a top, with its weights.

    Args:
        title: the name of the public function.
        trunk: from a symbol of images to a symbol of features.
        request: the arguments of the public function.
        size: the side of the images that the top was trained on; None where the top
            takes all sizes.
        least: the least side of images. Default: 32
        top: from features, classes and an activation to scores. Default: `dense_top`
        before: from images, and whether the weights are those of ImageNet, to what
            `trunk` takes. Default: None, which means the images
        after: what a network without top does with its features, pooled or not.
            Default: None, which means nothing
        weights_key: what the weights are listed by in `weights.txt`. Default: None,
            the title
    """
    include_top, weights = request["include_top"], request["weights"]
    _check(title, request)
    shape = image_shape(title, request, size, least)
    images = request["input_tensor"]
    if images is None:
        images = layers.Input(shape)
    x = trunk(before(images, weights == "imagenet") if before else images)
    if include_top:
        x = top(x, request["classes"], request["classifier_activation"])
    elif request["pooling"] == "avg":
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    elif request["pooling"] == "max":
        x = layers.GlobalMaxPooling2D(name="max_pool")(x)
    if after and not include_top:
        x = after(x)
    sources = get_source_inputs(images)
    inputs = sources[0] if len(sources) == 1 else sources
    model = Functional(inputs, x, name=request["name"])
    if weights == "imagenet":
        weights = fetch(weights_key or title, include_top)
    if weights is not None:
        model.load_weights(weights)
    return model


def _check(title, request):
    name, weights = f"{title}()", request["weights"]
    is_path = isinstance(weights, os.PathLike | str) and weights != "imagenet"
    if is_path and not Path(weights).exists():
        raise ValueError(
            f"The `weights` argument of {name} should be either `None` (random start), "
            "'imagenet' (trained on ImageNet), or the path to the weights file to be "
            f"loaded, which must exist. Received: weights={weights}"
        )
    check_choice(name, "pooling", request["pooling"], (None, "avg", "max"))
    images = request["input_tensor"]
    if images is not None and not isinstance(images, KerasTensor):
        raise ValueError(
            f"`input_tensor` of {name} must be a KerasTensor, such as "
            f"`keras.Input((224, 224, 3))`. Received: input_tensor={images!r}"
        )
    if weights != "imagenet" or not request["include_top"]:
        return
    if request["classes"] != IMAGENET_CLASSES:
        raise ValueError(
            f"If using `weights='imagenet'` with `include_top=True`, `classes` of "
            f"{name} should be {IMAGENET_CLASSES}. For other classes, use "
            f"`include_top=False` and a top of your own. Received: "
            f"classes={request['classes']}"
        )
    activation = request["classifier_activation"]
    called = getattr(activation, "__name__", activation)
    if called not in (None, "softmax", "linear"):
        raise ValueError(
            f"`classifier_activation` of {name} must be None or 'softmax' with "
            "`weights='imagenet'` and `include_top=True`, since the top was trained "
            f"so. Received: classifier_activation={activation!r}"
        )


def image_shape(
    title: str, request: Request, size: int | None, least: int
) -> tuple[int | None, ...]:
    """Return the shape of the images that a request means, and check it."""
    given, include_top = request["input_shape"], request["include_top"]
    pretrained = request["weights"] == "imagenet"
    first = image_data_format() == "channels_first"

    def of_sides(rows, columns, channels):
        return (channels, rows, columns) if first else (rows, columns, channels)

    fixed = size if include_top else None
    if given is None:
        return of_sides(fixed, fixed, 3)
    shape, name = tuple(given), f"{title}()"
    if len(shape) != 3:
        raise ValueError(
            f"`input_shape` of {name} must be a tuple of three integers. Received: "
            f"input_shape={given}"
        )
    number, sides = (shape[0], shape[1:]) if first else (shape[2], shape[:2])
    if pretrained and number != 3:
        raise ValueError(
            f"The input of {name} must have 3 channels with `weights='imagenet'`. "
            f"Received: input_shape={given}"
        )
    if any(side is not None and side < least for side in sides):
        raise ValueError(
            f"Input size of {name} must be at least {least}x{least}. Received: "
            f"input_shape={given}"
        )
    if fixed and None in sides:
        raise ValueError(
            f"If `include_top` is True, you should specify a static `input_shape` of "
            f"{name}. Received: input_shape={given}"
        )
    if fixed and pretrained and shape != of_sides(size, size, 3):
        raise ValueError(
            f"With `include_top=True` and `weights='imagenet'`, `input_shape` of "
            f"{name} should be {of_sides(size, size, 3)}. For other sizes, use "
            f"`include_top=False`. Received: input_shape={given}"
        )
    return shape
