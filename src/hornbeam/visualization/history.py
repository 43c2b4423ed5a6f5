"""Training curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hornbeam.core.errors import did_you_mean, shown
from hornbeam.typing import PathLike
from hornbeam.visualization.panels import panels, written

# So many panels are side by side.
_COLUMNS = 4


def plot_history(
    history: Any,
    metrics: str | Sequence[str] | None = None,
    path: PathLike | None = None,
    ax: Any = None,
) -> np.ndarray:
    """Draw what `fit` recorded, one panel per metric, training beside validation.

    Needs matplotlib (`pip install 'hornbeam[plot]'`).

    Args:
        history: the `History` that `fit` returned, or its `history` dict.
        metrics: the names to draw, or one name. Default: all, without their `val_`
            twins.
        path: where the picture is written (its ending names the format). Default: it
            is not written.
        ax: matplotlib's axes to draw on: as many as there are panels, or one, whose
            place is divided. Default: new ones.

    Returns:
        An array of matplotlib's axes, one for each panel.

    >>> import hornbeam as keras
    >>> (axes,) = keras.visualization.plot_history({"loss": [3, 2, 1]})
    >>> axes.get_title()
    'loss'
    """
    curves = getattr(history, "history", history)
    if not isinstance(curves, Mapping):
        raise TypeError(
            "plot_history() expects the `History` that `fit` returned, or its "
            f"`history` dict. Received: {shown(history)}"
        )
    epochs = getattr(history, "epoch", None)
    names = [metrics] if not isinstance(metrics, Sequence | None) else metrics
    names = [names] if isinstance(names, str) else names
    names = names or [name for name in curves if not name.startswith("val_")]
    for name in names:
        if name not in curves:
            raise ValueError(
                f"plot_history(): there is no {name!r} in the history. It has "
                f"{sorted(curves)}.{did_you_mean(name, curves)}"
            )
    drawn_names = [*names, *(f"val_{name}" for name in names)]
    curves = {x: _numbers(x, curves[x]) for x in drawn_names if x in curves}
    if not any(len(curves[name]) for name in names):
        raise ValueError("plot_history(): the history is empty. Was `fit` called?")
    columns = min(len(names), _COLUMNS)
    size = (5.0 * columns, 4.0 * -(-len(names) // columns))
    drawn = panels("plot_history", ax, size, path, len(names), columns)
    for axes, name in zip(drawn, names, strict=True):
        for label, key in (("training", name), ("validation", f"val_{name}")):
            values = curves.get(key, ())
            if len(values) == 0:
                continue
            # Validation may be less frequent: its values are spread over the epochs.
            stride = max(1, len(curves[name]) // len(values))
            numbers = epochs or range(len(curves[name]))
            places = [e + 1 for e in numbers][stride - 1 :: stride][: len(values)]
            axes.plot(places, values, label=label, marker="o", markevery=_alone(values))
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.set_xlabel("epoch")
        axes.set_title(name)
        axes.grid(alpha=0.3)
        if f"val_{name}" in curves:
            axes.legend()
    return written(drawn, path)


def _alone(values):
    """Return the places of finite values between others: a line does not show them."""
    finite = np.isfinite(values)
    edged = np.concatenate([[False], finite, [False]])
    return np.flatnonzero(finite & ~edged[:-2] & ~edged[2:]).tolist()


def _numbers(name, values):
    try:
        found = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        found = np.asarray(0.0)
    if found.ndim == 0:
        raise ValueError(
            f"plot_history() expects a number for each epoch of {name!r}. Received: "
            f"{shown(values)}"
        )
    return found
