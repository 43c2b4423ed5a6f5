"""Where plots draw: new axes, axes that were given, or the place of one of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.errors import shown
from hornbeam.core.replacing import file_to_write
from hornbeam.typing import PathLike
from hornbeam.utils.printing import is_in_notebook
from hornbeam.visualization.optional import optional


def panels(
    owner: str,
    ax: Any,
    size: tuple[float, float],
    path: PathLike | None,
    count: int = 1,
    columns: int | None = None,
    show: bool | None = None,
) -> np.ndarray:
    """Return an array of `count` axes of matplotlib to draw on.

    Args:
        owner: the name of the public function, for errors.
        ax: the caller's axes: as many as there are panels, or one, whose place is
            divided. None: those of a new figure.
        size: of a new figure, in inches.
        path: where the picture will be written, or None.
        count: the number of panels. Default: 1.
        columns: so many of new ones are side by side. Default: all.
        show: whether a new figure is pyplot's, which shows it. Default: in a notebook,
            if it is not written.
    """
    if path is not None:
        file_to_write(f"{owner}()", "path", path)
    columns = count if columns is None else columns
    rows = -(-count // columns)
    if ax is None:
        figure = (
            optional("matplotlib.pyplot").figure
            if (is_shown(path) if show is None else show)
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
    return panels(owner, ax, (size, size), path).item()


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
    # A constrained layout makes room for ticks and titles; nothing else does inside.
    layout = ax.figure.get_layout_engine()
    makes_room = layout is not None and not layout.adjust_compatible
    gaps = {} if makes_room else {"wspace": 0.45, "hspace": 0.4}
    spec = _below_title(ax, spec)
    drawn = _cells(ax.figure, spec.subgridspec(rows, columns, **gaps), count)
    for panel in drawn:
        panel.set_in_layout(is_in_layout)
    return drawn


def _below_title(ax, spec):
    """Return the place of axes, without room for a line if they have a title.

    The room is for the title where a layout is made, else for those of the panels.
    """
    if not any(map(ax.get_title, ("left", "center", "right"))):
        return spec
    line = (
        1.25 * ax.title.get_fontsize()
        + optional("matplotlib").rcParams["axes.titlepad"]
    )
    height = 72 * ax.figure.bbox_inches.height * spec.get_position(ax.figure).height
    share = min(0.5, line / height)
    return spec.subgridspec(2, 1, height_ratios=(share, 1 - share), hspace=0)[1]


def _cells(figure, grid, count):
    """Return the first axes of a grid, row by row."""
    places = [grid[i] for i in range(count)]
    return np.array([figure.add_subplot(place) for place in places], dtype=object)
