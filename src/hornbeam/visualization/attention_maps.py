"""What attention looks at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam import backends, ops
from hornbeam.core import tree
from hornbeam.core.configurable import parameters_of
from hornbeam.core.errors import check_number, did_you_mean
from hornbeam.layers.replaced_calls import replaced_calls
from hornbeam.models.model import Model
from hornbeam.typing import PathLike, TensorLike
from hornbeam.visualization.checks import of_kind
from hornbeam.visualization.panels import panels, written


def attention_scores(model: Model, x: TensorLike, layer: Any = None) -> np.ndarray:
    """Return how much each query looks at each key: the weights of an attention.

    They are what the softmax gave, without dropout, in any model, also a subclassed
    one, and inside other layers.

    Args:
        model: the model.
        x: a batch of its inputs, or the structure of them.
        layer: an attention layer (what takes `return_attention_scores`) or its name.
            Default: the last one.

    Returns:
        A NumPy array of shape (rows, heads, queries, keys), or without heads where the
        layer has none. Of a layer that was called several times, those of the last one.

    >>> import hornbeam as keras, numpy as np
    >>> inputs = keras.Input((5, 8))
    >>> outputs = keras.layers.MultiHeadAttention(2, 4)(inputs, inputs)
    >>> model = keras.Model(inputs, outputs)
    >>> keras.visualization.attention_scores(model, np.ones((1, 5, 8))).shape
    (1, 2, 5, 5)
    """
    layer = _attention_of(model, layer)
    kept = []

    def around(layer, call):
        def keeps_scores(*args, **kwargs):
            both = kwargs.pop("return_attention_scores", False)
            outputs, scores = call(*args, return_attention_scores=True, **kwargs)
            kept.append(scores)
            return (outputs, scores) if both else outputs

        return keeps_scores

    with backends.scope(model._backend_name or backends.current().name):
        inputs = tree.map_structure(lambda leaf: ops.convert_to_tensor(leaf), x)
        with replaced_calls([layer], around):
            model(inputs, training=False)
        if not kept:
            raise ValueError(
                f"attention_scores(): model {model.name!r} did not call its layer "
                f"{layer.name!r}."
            )
        return np.asarray(ops.convert_to_numpy(kept[-1]))


def _attention_of(model, layer):
    """Return an attention layer of a model, which a name or nothing may stand for."""
    found = [
        inner
        for inner in model._flatten_layers()
        if any(p.name == "return_attention_scores" for p in parameters_of(inner.call))
    ]
    chosen = [x for x in found if layer is None or layer is x or layer == x.name]
    if not chosen:
        name = getattr(layer, "name", layer)
        names = [x.name for x in found]
        raise ValueError(
            f"Model {model.name!r} has no attention layer"
            f"{'' if name is None else f' {name!r}'}. It has {names}."
            f"{did_you_mean(str(name), names)}"
        )
    return chosen[-1]


def plot_attention_maps(
    model: Model,
    x: TensorLike,
    layer: Any = None,
    index: int = 0,
    tokens: Sequence[str] | None = None,
    ax: Any = None,
    path: PathLike | None = None,
) -> np.ndarray:
    """Draw how much each query looks at each key, a panel for each head.

    Dark is 0, the lightest is the greatest weight of all heads; titles say the range.

    Args:
        model: the model.
        x: a batch of its inputs, or the structure of them.
        layer: an attention layer or its name. Default: the last one.
        index: the row of the batch that is drawn. Default: 0.
        tokens: names of the keys, and of the queries if there are as many. Default:
            their numbers.
        ax: matplotlib's axes to draw on: as many as there are heads, or one, whose
            place is divided. Default: new ones.
        path: where the picture is written. Default: it is not.

    Returns:
        An array of matplotlib's axes.

    >>> import hornbeam as keras, numpy as np
    >>> inputs = keras.Input((5, 8))
    >>> outputs = keras.layers.MultiHeadAttention(2, 4)(inputs, inputs)
    >>> model = keras.Model(inputs, outputs)
    >>> len(keras.visualization.plot_attention_maps(model, np.ones((1, 5, 8))))
    2
    """
    of_kind("plot_attention_maps", "model", model, Model, "a model")
    every = attention_scores(model, x, layer)
    high = len(every) - 1
    check_number("plot_attention_maps()", "index", index, 0, high, integer=True)
    scores = every[index]
    scores = scores[None] if scores.ndim == 2 else scores
    if scores.ndim > 3:  # several axes of queries and of keys
        queries = math.prod(scores.shape[1 : 1 + (scores.ndim - 1) // 2])
        scores = scores.reshape(len(scores), queries, -1)
    drawn = _panels(ax, len(scores), scores.shape[1:], path)
    # One scale for all heads, whose ends the titles say.
    high = max(float(scores.max(initial=0)), 1e-9)
    for number, (panel, values) in enumerate(zip(drawn, scores, strict=True)):
        panel.imshow(values, cmap="cividis", vmin=0, vmax=high, aspect="auto")
        ends = values.min(initial=high), values.max(initial=0)
        title = f"head {number}: {ends[0]:.2g} to {ends[1]:.2g}"
        panel.set(xlabel="key", ylabel="query", title=title)
        names = list(tokens or ())
        if names and len(names) == values.shape[1]:
            panel.set_xticks(range(len(names)), names, rotation=90)
        if names and len(names) == values.shape[0]:
            panel.set_yticks(range(len(names)), names)
    return written(drawn, path)


def _panels(ax, count, sizes, path):
    """Return a panel for each head, at most four side by side."""
    height = min(6.0, 1.5 + 0.25 * sizes[0])
    width = min(6.0, 1.5 + 0.25 * sizes[1])
    columns = min(count, 4)
    size = width * columns, height * -(-count // columns)
    return panels("plot_attention_maps", ax, size, path, count, columns)
