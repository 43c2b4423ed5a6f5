"""Which parts of an image a network looks at: saliency and Grad-CAM."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from hornbeam import backends, ops
from hornbeam.core import tree
from hornbeam.core.errors import check_number, shown
from hornbeam.core.gradients import value_and_grad
from hornbeam.core.variable import Variable
from hornbeam.layers.replaced_calls import replaced_calls
from hornbeam.models.model import Model
from hornbeam.typing import TensorLike
from hornbeam.visualization.checks import of_kind
from hornbeam.visualization.layer_outputs import (
    chosen_output,
    images_of,
    outputs_of_layers,
)


def saliency(
    model: Model,
    x: TensorLike,
    class_index: int | TensorLike | None = None,
    samples: int = 1,
    noise: float = 0.1,
    seed: int = 0,
) -> np.ndarray:
    """Return how much each pixel changes the score of a class.

    The absolute gradient of the score with respect to the image, the greatest over the
    channels (K. Simonyan, A. Vedaldi and A. Zisserman, 2013). With more `samples` it is
    the mean over noisy images, which is smoother (D. Smilkov et al., "SmoothGrad",
    2017). Any model with one input and one output, on every engine that has gradients.

    Args:
        model: the model; its output has the shape (images, classes).
        x: a batch of images, or of other inputs of floats, channels last.
        class_index: the class, or one for each image. Default: the predicted one.
        samples: how many noisy images are averaged. Default: 1, without noise.
        noise: the standard deviation of the noise, as a fraction of the range of `x`.
            Default: 0.1.
        seed: of the noise. Default: 0.

    Returns:
        A NumPy array of the shape of `x` without the channels.

    >>> import hornbeam as keras, numpy as np
    >>> layers = [keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
    >>> model, images = keras.Sequential(layers), np.ones((1, 4, 4, 3))
    >>> keras.visualization.saliency(model, images).shape
    (1, 4, 4)
    """
    check_number("saliency()", "samples", samples, 1, integer=True)
    of_kind("saliency", "model", model, Model, "a model")
    images = images_of("saliency", x)
    random = np.random.default_rng(seed)
    spread = noise * float(np.ptp(images)) if samples > 1 else 0.0
    total = np.zeros_like(images)
    with _engine_of(model):
        scores = model(ops.convert_to_tensor(images))
        chosen = _chosen_classes("saliency", scores, class_index)
        for _ in range(samples):
            noisy = images + spread * random.standard_normal(images.shape)
            variable = Variable(noisy.astype("float32"), trainable=False)

            def score(variable=variable):
                return _score(
                    "saliency", model(ops.convert_to_tensor(variable)), chosen
                )

            _, (gradient,) = value_and_grad(score, [variable])
            total += np.asarray(ops.convert_to_numpy(gradient))
    return np.abs(total / samples).max(-1)


def grad_cam(
    model: Model,
    x: TensorLike,
    layer: Any = None,
    class_index: int | TensorLike | None = None,
) -> np.ndarray:
    """Return where in the images a convolution sees what speaks for a class.

    Its feature maps are summed, weighted by the mean gradient of the class's score, and
    what is negative is cut (R. Selvaraju et al., "Grad-CAM", 2017).

    Args:
        model: a model with one input and one output of shape (images, classes).
        x: a batch of images, channels last.
        layer: the layer with the feature maps, or its name; also one of a model inside
            the model. Default: the last one whose output has the shape (images, height,
            width, channels).
        class_index: the class, or one for each image. Default: the predicted one.

    Returns:
        A NumPy array of shape (images, height, width), from 0 to 1 in each image.

    >>> import hornbeam as keras, numpy as np
    >>> model = keras.Sequential(
    ...     [
    ...         keras.Input((8, 8, 3)),
    ...         keras.layers.Conv2D(4, 3),
    ...         keras.layers.GlobalAveragePooling2D(),
    ...         keras.layers.Dense(2),
    ...     ]
    ... )
    >>> keras.visualization.grad_cam(model, np.ones((1, 8, 8, 3))).shape
    (1, 8, 8)
    """
    of_kind("grad_cam", "model", model, Model, "a model")
    images = images_of("grad_cam", x, axes=4)
    with _engine_of(model):
        scores, seen = outputs_of_layers(model, images)
        chosen = _chosen_classes("grad_cam", scores, class_index)
        layer, place, output = chosen_output("grad_cam", model, seen, layer)
        maps = np.asarray(ops.convert_to_numpy(output), "float32")
        nothing = Variable(np.zeros(maps.shape, "float32"), trainable=False)

        def score():
            """Return the score, with something added to the feature maps."""
            calls = itertools.count()

            def around(layer, call):
                def added(*args, **kwargs):
                    outputs = call(*args, **kwargs)
                    if next(calls) != place:
                        return outputs
                    return tree.map_structure(
                        lambda maps: maps + ops.cast(nothing, maps.dtype), outputs
                    )

                return added

            with replaced_calls([layer], around):
                outputs = model(ops.convert_to_tensor(images), training=False)
            return _score("grad_cam", outputs, chosen)

        _, (gradient,) = value_and_grad(score, [nothing])
        weights = np.asarray(ops.convert_to_numpy(gradient)).mean((1, 2), keepdims=True)
        heat = np.maximum((weights * maps).sum(-1), 0)
        size = images.shape[1:3]
        heat = ops.image.resize(heat[..., None], size, data_format="channels_last")
        heat = np.asarray(ops.convert_to_numpy(heat))[..., 0]
    greatest = heat.max((1, 2), keepdims=True)
    return heat / np.where(greatest > 0, greatest, 1)


def _engine_of(model):
    return backends.scope(model._backend_name or backends.current().name)


def _chosen_classes(owner, scores, class_index):
    scores = np.asarray(ops.convert_to_numpy(_only(owner, scores)))
    if class_index is None:
        return scores.argmax(-1)
    rows, units = scores.shape
    chosen = np.asarray(ops.convert_to_numpy(class_index))
    is_valid = chosen.dtype.kind in "iu" and chosen.shape in ((), (1,), (rows,))
    if not is_valid or (chosen < -units).any() or (chosen >= units).any():
        raise ValueError(
            f"{owner}() expects `class_index` to be a class from 0 to {units - 1}, or "
            f"one for each of the {rows} rows. Received: class_index="
            f"{shown(class_index)}"
        )
    return np.broadcast_to(chosen, (rows,))


def _score(owner, scores, chosen):
    """Return the sum over the images of the score of the chosen class."""
    scores = _only(owner, scores)
    picked = np.eye(scores.shape[-1], dtype="float32")[chosen]
    return ops.sum(scores * ops.convert_to_tensor(picked))


def _only(owner, outputs):
    flat = tree.flatten(outputs)
    if len(flat) != 1 or len(flat[0].shape) != 2:
        raise ValueError(
            f"{owner}() needs a model with one output of shape (rows, classes). "
            f"Received: {[tuple(x.shape) for x in flat]}. Take one output "
            "with `keras.Model(model.inputs, model.outputs[0])`."
        )
    return flat[0]
