"""Where plots draw: new axes, axes that were given, or the place of one of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.errors import shown
from hornbeam.typing import PathLike
from hornbeam.utils.printing import is_in_notebook
from hornbeam.visualization.optional import optional


def panels(
    owner: str,
    ax: Any,
    size: tuple[float, float],
    count: int = 1,
    columns: int | None = None,
    show: bool = False,
) -> np.ndarray:
    """Return an array of `count` axes of matplotlib to draw on.

    Args:
        owner: the name of the public function, for errors.
        ax: the caller's axes: as many as there are panels, or one, whose place is
            divided. None: those of a new figure.
        size: of a new figure, in inches.
        count: the number of panels. Default: 1.
        columns: so many of new ones are side by side. Default: all.
        show: whether a new figure is pyplot's, which shows it. Default: False.
    """
    columns = count if columns is None else columns
    rows = -(-count // columns)
    if ax is None:
        figure = (
            optional("matplotlib.pyplot").figure
            if show
            else optional("matplotlib.figure").Figure
        )
        new = figure(figsize=size, layout="constrained")
        return _cells(new, new.add_gridspec(rows, columns), count)
    given = np.array(ax, dtype=object)
    kind = optional("matplotlib.axes").Axes
    if not all(isinstance(axes, kind) for axes in given.flat) or not given.size:
        raise TypeError(
            f"{owner}() expects `ax` to be axes of matplotlib, such as "
            f"`pyplot.subplots()[1]`, or an array of them. Received: ax={shown(ax)}"
        )
    if given.size == 1 != count:
        return _divided(given.item(), rows, columns, count)
    if given.size != count:
        raise ValueError(
            f"{owner}() draws {count} panels and expects as many axes in "
            f"`ax`, or one, which is divided. Received: {given.size}"
        )
    return given.reshape(-1)


def panel(owner: str, ax: Any, size: float, path: PathLike | None) -> Any:
    """Return the axes that were given, or new ones of a square figure."""
    return panels(owner, ax, (size, size), show=is_shown(path)).item()


def is_shown(path: PathLike | None, ax: Any = None) -> bool:
    """Whether a picture is shown as it is: a new one in a notebook, if not written."""
    return path is None and ax is None and is_in_notebook()


def written(drawn: Any, path: PathLike | None, **looks: Any) -> Any:
    """Write the picture of the axes, if there is a path; return the axes."""
    if path is not None:
        figure = np.array(drawn, dtype=object).flat[0].get_figure(root=True)
        figure.savefig(path, **{"dpi": 120, **looks})
    return drawn


def _divided(ax, rows, columns, count):
    """Return panels in the place of axes, which show no more than their title."""
    ax.set_axis_off()
    spec = ax.get_subplotspec()
    is_in_layout = spec is not None
    if not is_in_layout:
        # Axes that their user placed by hand are moved by no layout.
        place = ax.get_position()
        ends = {"left": place.x0, "right": place.x1, "bottom": place.y0}
        spec = ax.figure.add_gridspec(1, 1, top=place.y1, **ends)[0]
    # Where no layout makes room, ticks and titles need some.
    gaps = {} if ax.figure.get_layout_engine() else {"wspace": 0.45, "hspace": 0.4}
    drawn = _cells(ax.figure, spec.subgridspec(rows, columns, **gaps), count)
    for panel in drawn:
        panel.set_in_layout(is_in_layout)
    return drawn


def _cells(figure, grid, count):
    """Return the first axes of a grid, row by row."""
    places = [grid[i] for i in range(count)]
    return np.array([figure.add_subplot(place) for place in places], dtype=object)
