"""Small charts as SVG, for notebooks and pages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hornbeam.utils.html import Markup, escape

_WIDTH, _HEIGHT = 300, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 24, 34


def line_chart(
    title: str, x: Sequence[float], curves: dict[str, Sequence[float]]
) -> str:
    """Return a chart of one or two curves; the second is dashed.

    Args:
        title: of the chart.
        x: the places of the points across, such as epochs.
        curves: `{name: values}`; a curve of fewer values has its own even places.
    """
    numbers = {name: np.asarray(list(values), float) for name, values in curves.items()}
    finite = np.concatenate(list(numbers.values()))
    finite = finite[np.isfinite(finite)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    first, last = (min(x), max(x)) if len(x) else (0.0, 1.0)

    def across(value):
        part = (value - first) / (last - first) if last > first else 0.5
        return _LEFT + part * (_WIDTH - _LEFT - _RIGHT)

    def up(value):
        part = (value - low) / (high - low) if high > low else 0.5
        return _HEIGHT - _BOTTOM - part * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" font-size="11" '
        f'font-family="system-ui, sans-serif"><title>{escape(title)}</title>',
        f'<text class="hb-text" x="{_LEFT}" y="14" font-weight="600">'
        f"{escape(title)}</text>",
    ]
    for value in (low, high) if high > low else (low,):
        y = up(value)
        parts.append(
            f'<line class="hb-rule" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" '
            f'y2="{y:.1f}"/><text class="hb-faint" x="{_LEFT - 5}" y="{y + 4:.1f}" '
            f'text-anchor="end">{value:.3g}</text>'
        )
    for value, anchor in ((first, "start"), (last, "end")):
        parts.append(
            f'<text class="hb-faint" x="{across(value):.1f}" '
            f'y="{_HEIGHT - _BOTTOM + 15}" text-anchor="{anchor}">{value:g}</text>'
        )
    names = zip(numbers.items(), ("hb-first", "hb-second"), strict=False)
    for place, ((name, values), look) in enumerate(names):
        parts += _curve(x, values, look, across, up)
        at = _LEFT + 110 * place
        parts.append(
            f'<line class="{look}" x1="{at}" x2="{at + 22}" y1="{_HEIGHT - 7}" '
            f'y2="{_HEIGHT - 7}"/><text class="hb-text" x="{at + 27}" '
            f'y="{_HEIGHT - 3}">{escape(name)}</text>'
        )
    return Markup("".join(parts) + "</svg>")


def _curve(x, values, look, across, up):
    """Yield the pieces of a curve between its values that are no numbers."""
    # Validation may be less frequent: its values are spread over the epochs.
    stride = max(1, len(x) // max(1, len(values)))
    places = list(x)[stride - 1 :: stride][: len(values)]
    pieces: list[list[str]] = [[]]
    for place, value in zip(places, values, strict=False):
        if np.isfinite(value):
            pieces[-1].append(f"{across(place):.1f},{up(value):.1f}")
        elif pieces[-1]:
            pieces.append([])
    for piece in pieces:
        if len(piece) == 1:
            x_, y_ = piece[0].split(",")
            yield f'<circle class="{look}" cx="{x_}" cy="{y_}" r="2.5"/>'
        elif piece:
            yield f'<polyline class="{look}" points="{" ".join(piece)}"/>'


def bar(fraction: float, width: int = 90) -> Markup:
    """Return a bar that is `fraction` of its width long."""
    if not np.isfinite(fraction):
        return Markup("")
    length = max(1.0, width * min(1.0, fraction))
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="10">'
        f'<rect class="hb-bar" width="{length:.1f}" height="10" rx="2"/></svg>'
    )
