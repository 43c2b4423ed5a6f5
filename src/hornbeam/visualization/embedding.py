"""Points of many dimensions in a plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from hornbeam.core.errors import check_choice
from hornbeam.ops.core import convert_to_numpy
from hornbeam.typing import PathLike, TensorLike
from hornbeam.visualization.checks import names_of_classes, numbers
from hornbeam.visualization.optional import optional
from hornbeam.visualization.panels import panel, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Signs that differ, for those who do not see the colours.
_SIGNS = "os^Dv<>pPX*h"


def plot_embedding(
    x: TensorLike,
    labels: TensorLike | None = None,
    method: Literal["pca", "tsne", "umap"] = "pca",
    class_names: Sequence[str] | None = None,
    seed: int = 0,
    ax: Axes | None = None,
    path: PathLike | None = None,
) -> Axes:
    """Draw rows of features, such as the weights of an Embedding, in a plane.

    Args:
        x: of shape (rows, ...); what is behind the first axis is flat.
        labels: integers or words of the rows, which set colour and sign, or other
            numbers, which set the colour on a scale. Default: none.
        method: "pca" (default: the two principal components), "tsne" (by
            scikit-learn), or "umap" (by umap-learn).
        class_names: the names of integer labels. Default: their numbers.
        seed: of "tsne" and "umap". Default: 0.
        ax: matplotlib's axes to draw on. Default: new ones.
        path: where the picture is written. Default: it is not.

    >>> import hornbeam as keras
    >>> rows = [[0.0, 0.0, 1.0], [0.0, 2.0, 1.0], [1.0, 0.0, 1.0]]
    >>> axes = keras.visualization.plot_embedding(rows)
    >>> axes.get_xlabel()
    'component 1: 86% of the variance'
    """
    check_choice("plot_embedding()", "method", method, tuple(_TITLES))
    rows = numbers("plot_embedding", "x", x).astype(float)
    if rows.ndim < 2 or len(rows) < 2 or not np.isfinite(rows).all():
        bad = f", {(~np.isfinite(rows)).sum()} numbers of which are not finite"
        raise ValueError(
            "plot_embedding() expects at least two rows of finite features in `x`. "
            f"Received: shape {rows.shape}{bad * (not np.isfinite(rows).all())}"
        )
    places, axis_labels = _projected(rows.reshape(len(rows), -1), method, seed)
    ax = panel("plot_embedding", ax, 5.5, path)
    if labels is None:
        ax.plot(*places.T, "o", markersize=4, alpha=0.7)
    else:
        _draw_groups(ax, places, np.asarray(convert_to_numpy(labels)), class_names)
    ax.set(xlabel=axis_labels[0], ylabel=axis_labels[1], title=_TITLES[method])
    return written(ax, path)


_TITLES = {"pca": "principal components", "tsne": "t-SNE", "umap": "UMAP"}


def _projected(rows, method, seed):
    """Return the places in the plane, and the labels of its axes."""
    if method == "tsne":
        reducer = optional("sklearn.manifold", "sklearn").TSNE(
            perplexity=min(30.0, (len(rows) - 1) / 3), random_state=seed
        )
        return reducer.fit_transform(rows), ("", "")
    if method == "umap":
        # With a seed it runs in one thread; it says so in a warning unless it is told.
        reducer = optional("umap", "umap").UMAP(
            n_neighbors=min(15, len(rows) - 1), random_state=seed, n_jobs=1
        )
        return reducer.fit_transform(rows), ("", "")
    centred = rows - rows.mean(0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    places = np.zeros((len(rows), 2))
    count = min(2, len(s))
    places[:, :count] = u[:, :count] * s[:count]
    shares = np.append(s**2, [0.0, 0.0]) / max((s**2).sum(), 1e-30)
    words = [f"component {n + 1}: {shares[n]:.0%} of the variance" for n in (0, 1)]
    return places, words


def _draw_groups(ax, places, labels, class_names):
    labels = labels.reshape(-1)
    if len(labels) != len(places):
        raise ValueError(
            f"plot_embedding() expects a label for each of the {len(places)} rows. "
            f"Received: {len(labels)}"
        )
    if labels.dtype.kind == "f" and (labels != np.rint(labels)).any():
        drawn = ax.scatter(*places.T, c=labels, cmap="viridis", s=16, alpha=0.75)
        ax.get_figure().colorbar(drawn, ax=ax)
        return
    kinds = np.unique(labels)
    colours = optional("matplotlib").colormaps["viridis"](
        np.linspace(0, 0.95, len(kinds))
    )
    if class_names is not None:
        most = kinds.max() if kinds.dtype.kind in "iub" else len(kinds) - 1
        names_of_classes("plot_embedding", class_names, int(most) + 1)
    for number, (kind, colour) in enumerate(zip(kinds, colours, strict=True)):
        name = kind if class_names is None else class_names[int(kind)]
        ax.plot(
            *places[labels == kind].T, _SIGNS[number % len(_SIGNS)], color=colour,
            markersize=5, alpha=0.75, label=str(name), markeredgewidth=0,
        )  # fmt: skip
    if len(kinds) <= 20:
        ax.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
