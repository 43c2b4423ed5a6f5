"""Panels side by side: new ones, or axes that were given."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.visualization.optional import optional


def panels(owner: str, ax: Any, count: int, size: tuple[float, float]) -> Any:
    """Return the figure and an array of `count` axes.

    Args:
        owner: the name of the public function, for errors.
        ax: axes that were given, as many as there are panels, or None for new ones.
        count: the number of panels.
        size: of a new figure, in inches.
    """
    if ax is None:
        figure = optional("matplotlib.figure").Figure(size, layout="constrained")
        return figure, figure.subplots(1, count, squeeze=False)[0]
    given = np.asarray(ax, dtype=object).reshape(-1)
    if len(given) != count:
        raise ValueError(
            f"{owner}() draws {count} panels and expects as many axes in `ax`. "
            f"Received: {len(given)}"
        )
    return given[0].figure, given
