"""Which parts of an image a network looks at: saliency and Grad-CAM."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import backends, ops
from hornbeam.core import tree
from hornbeam.core.errors import check_number, did_you_mean
from hornbeam.core.gradients import value_and_grad
from hornbeam.core.variable import Variable
from hornbeam.models.functional import Functional
from hornbeam.models.model import Model
from hornbeam.typing import TensorLike
from hornbeam.visualization.checks import of_kind


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
    images = np.asarray(ops.convert_to_numpy(x), "float32")
    random = np.random.default_rng(seed)
    spread = noise * float(np.ptp(images)) if samples > 1 else 0.0
    total = np.zeros_like(images)
    of_kind("saliency", "model", model, Model, "a model")
    with _engine_of(model):
        chosen = _chosen_classes(model(ops.convert_to_tensor(images)), class_index)
        for _ in range(samples):
            noisy = images + spread * random.standard_normal(images.shape)
            variable = Variable(noisy.astype("float32"), trainable=False)

            def score(variable=variable):
                return _score(model(ops.convert_to_tensor(variable)), chosen)

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
        model: a Functional or Sequential model with one input and one output of shape
            (images, classes).
        x: a batch of images, channels last.
        layer: the layer with the feature maps, or its name. Default: the last one whose
            output has the shape (images, height, width, channels).
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
    graph = _graph_of(model)
    layer = _layer_of(graph, layer)
    images = np.asarray(ops.convert_to_numpy(x), "float32")
    seen = []

    def keep(maps):
        seen.append(maps)
        return maps

    def run(added):
        """Run the graph with something added to the feature maps."""

        def of(operation):
            if operation is not layer:
                return operation
            return lambda *args, **kwargs: added(operation(*args, **kwargs))

        return tree.flatten(graph.run([ops.convert_to_tensor(images)], of))[0]

    with _engine_of(model):
        scores = run(keep)
        chosen = _chosen_classes(scores, class_index)
        maps = np.asarray(ops.convert_to_numpy(seen[0]))
        nothing = Variable(np.zeros(maps.shape, "float32"), trainable=False)
        _, (gradient,) = value_and_grad(
            lambda: _score(run(lambda maps: maps + nothing), chosen), [nothing]
        )
        weights = np.asarray(ops.convert_to_numpy(gradient)).mean((1, 2), keepdims=True)
        heat = np.maximum((weights * maps).sum(-1), 0)
        size = images.shape[1:3]
        heat = ops.image.resize(heat[..., None], size, data_format="channels_last")
        heat = np.asarray(ops.convert_to_numpy(heat))[..., 0]
    greatest = heat.max((1, 2), keepdims=True)
    return heat / np.where(greatest > 0, greatest, 1)


def _engine_of(model):
    return backends.scope(model._backend_name or backends.current().name)


def _graph_of(model):
    graph = model._graph_within
    if not isinstance(graph, Functional):
        raise ValueError(
            f"grad_cam() needs a Functional or a built Sequential model, whose layers "
            f"are known. Received: {model!r}"
        )
    return graph


def _layer_of(graph, layer):
    """Return the layer with the feature maps, which a name or nothing may stand for."""
    maps = [
        x for x in graph.layers
        if x._inbound_nodes and len(x._inbound_nodes[0].output_tensors[0].shape) == 4
    ]  # fmt: skip
    names = [x.name for x in maps]
    found = [x for x in maps if layer is None or layer in (x, x.name)]
    if not found:
        name = getattr(layer, "name", layer)
        raise ValueError(
            f"grad_cam(): model {graph.name!r} has no layer "
            f"{'' if name is None else f'{name!r} '}with outputs of the "
            f"shape (images, height, width, channels). It has {names}."
            f"{did_you_mean(name, names)}"
        )
    return found[-1]


def _chosen_classes(scores, class_index):
    scores = np.asarray(ops.convert_to_numpy(_only(scores)))
    if class_index is None:
        return scores.argmax(-1)
    return np.broadcast_to(ops.convert_to_numpy(class_index), scores.shape[:1])


def _score(scores, chosen):
    """Return the sum over the images of the score of the chosen class."""
    scores = _only(scores)
    picked = np.eye(scores.shape[-1], dtype="float32")[chosen]
    return ops.sum(scores * ops.convert_to_tensor(picked))


def _only(outputs):
    flat = tree.flatten(outputs)
    if len(flat) != 1 or len(flat[0].shape) != 2:
        raise ValueError(
            "Saliency and Grad-CAM need a model with one output of shape (images, "
            f"classes). Received: {[tuple(x.shape) for x in flat]}. Take one output "
            "with `keras.Model(model.inputs, model.outputs[0])`."
        )
    return flat[0]
