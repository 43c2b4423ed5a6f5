"""What comes out of the layers inside a model, nested and subclassed ones too."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from hornbeam import ops
from hornbeam.core import tree
from hornbeam.core.errors import did_you_mean
from hornbeam.diagnosis.probe import tapped_layers
from hornbeam.layers.replaced_calls import replaced_calls
from hornbeam.visualization.checks import numbers


class Seen(NamedTuple):
    """An output of a layer.

    Attributes:
        layer: the layer.
        number: which of its calls it is, counted from 0.
        output: the tensor.
    """

    layer: Any
    number: int
    output: Any


def images_of(owner: str, x: Any, axes: int | None = None) -> np.ndarray:
    """Return the argument `x`, a batch, as float32 with so many axes."""
    images = numbers(owner, "x", x).astype("float32")
    if axes is not None and images.ndim != axes:
        fix = " For one image add the axis of the batch: `image[None]`."
        raise ValueError(
            f"{owner}() expects `x` to be a batch of images, of {axes} axes. "
            f"Received: shape {images.shape}.{fix * (images.ndim == axes - 1)}"
        )
    return images


def outputs_of_layers(model: Any, x: np.ndarray) -> tuple[Any, list[Seen]]:
    """Return what a model gives for `x`, and what its layers give, in their order."""
    seen: list[Seen] = []

    def around(layer, call):
        def noted(*args, **kwargs):
            number = sum(one.layer is layer for one in seen)
            outputs = call(*args, **kwargs)
            flat = tree.flatten(outputs)
            if len(flat) == 1 and hasattr(flat[0], "shape"):
                seen.append(Seen(layer, number, flat[0]))
            return outputs

        return noted

    with replaced_calls(tapped_layers(model), around):
        outputs = model(ops.convert_to_tensor(x), training=False)
    return outputs, seen


def chosen_output(owner: str, model: Any, seen: list[Seen], layer: Any) -> Seen:
    """Return the last output of a layer, which a name may stand for.

    Without a layer it is the last output of four axes.
    """
    names = list(dict.fromkeys(one.layer.name for one in seen))
    maps = [one.layer.name for one in seen if len(one.output.shape) == 4]
    found = [
        one
        for one in seen
        if layer in (one.layer, one.layer.name)
        or (layer is None and len(one.output.shape) == 4)
    ]
    if not found:
        if layer is None:
            raise ValueError(
                f"{owner}(): no layer of model {model.name!r} gives feature maps, of "
                f"shape (images, height, width, channels). It has {names}."
            )
        name = getattr(layer, "name", layer)
        raise ValueError(
            f"{owner}(): model {model.name!r} has no layer {name!r}, or does not call "
            f"it. It has {names}.{did_you_mean(str(name), names)}"
        )
    chosen = found[-1]
    if len(chosen.output.shape) != 4:
        raise ValueError(
            f"{owner}() needs a layer whose output has 4 axes. That of "
            f"{chosen.layer.name!r} has the shape {tuple(chosen.output.shape)}. Such "
            f"layers are {list(dict.fromkeys(maps))}."
        )
    return chosen
