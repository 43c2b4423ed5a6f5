"""Small charts as SVG, for notebooks and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hornbeam.utils.html import Markup, escape

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 24, 34


class _Frame:
    """A chart's drawing: where numbers lie in it, and the parts so far."""

    def __init__(self, title, across, up, width=300, height=190):
        self.title = title
        self.width, self.height = width, height
        self.first, self.last = across
        self.low, self.high = up
        self.parts = [
            f'<text class="hb-text" x="{_LEFT}" y="14" font-weight="600">'
            f"{escape(title)}</text>"
        ]

    def across(self, value):
        span = self.last - self.first
        part = (value - self.first) / span if span > 0 else 0.5
        return _LEFT + part * (self.width - _LEFT - _RIGHT)

    def up(self, value):
        part = (value - self.low) / (self.high - self.low) if self._has_height else 0.5
        return self.height - _BOTTOM - part * (self.height - _TOP - _BOTTOM)

    @property
    def _has_height(self):
        return self.high > self.low

    def rules(self):
        """Draw a line at the least and the greatest value."""
        for value in (self.low, self.high) if self._has_height else (self.low,):
            y = self.up(value)
            self.parts.append(
                f'<line class="hb-rule" x1="{_LEFT}" x2="{self.width - _RIGHT}" '
                f'y1="{y:.1f}" y2="{y:.1f}"/>'
            )
            self.words(_LEFT - 5, y + 4, f"{value:.3g}", "end")

    def ticks(self, ticks):
        """Write pairs `(place, words)` below."""
        for value, words, anchor in ticks:
            self.words(self.across(value), self.height - _BOTTOM + 15, words, anchor)

    def words(self, x, y, words, anchor="start", look="hb-faint"):
        self.parts.append(
            f'<text class="{look}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
            f"{escape(words)}</text>"
        )

    def curve(self, x, y, look, **attributes):
        """Draw the pieces of a curve between its values that are no numbers."""
        extra = _attributes(attributes)
        pieces: list[list[str]] = [[]]
        for place, value in zip(x, y, strict=False):
            if np.isfinite(value):
                pieces[-1].append(f"{self.across(place):.1f},{self.up(value):.1f}")
            elif pieces[-1]:
                pieces.append([])
        for piece in pieces:
            if len(piece) == 1:
                x_, y_ = piece[0].split(",")
                self.parts.append(
                    f'<circle class="{look}" cx="{x_}" cy="{y_}" r="2.5"{extra}/>'
                )
            elif piece:
                points = " ".join(piece)
                self.parts.append(
                    f'<polyline class="{look}" points="{points}"{extra}/>'
                )

    def svg(self) -> Markup:
        return _svg(self.title, self.width, self.height, self.parts)


def _svg(title, width, height, parts):
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" font-size="11" '
        f'font-family="system-ui, sans-serif"><title>{escape(title)}</title>'
        f"{''.join(parts)}</svg>"
    )


def _attributes(attributes):
    return "".join(
        f' {name.replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
    )


def _limits(*curves):
    """Return the least and the greatest number of curves."""
    numbers = np.concatenate([np.asarray(c, float).reshape(-1) for c in curves])
    finite = numbers[np.isfinite(numbers)]
    return (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)


def line_chart(title: str, x: Sequence[float], curves: Mapping[str, Any]) -> Markup:
    """Return a chart of one or two curves; the second is dashed.

    Args:
        title: of the chart.
        x: the places of the points across, such as epochs.
        curves: `{name: values}`; a curve of fewer values has its own even places.
    """
    numbers = {name: np.asarray(list(values), float) for name, values in curves.items()}
    ends = (min(x), max(x)) if len(x) else (0.0, 1.0)
    frame = _Frame(title, ends, _limits(*numbers.values()))
    frame.rules()
    frame.ticks((v, f"{v:g}", a) for v, a in zip(ends, ("start", "end"), strict=True))
    names = zip(numbers.items(), ("hb-first", "hb-second"), strict=False)
    for place, ((name, values), look) in enumerate(names):
        # Validation may be less frequent: its values are spread over the epochs.
        stride = max(1, len(x) // max(1, len(values)))
        frame.curve(list(x)[stride - 1 :: stride], values, look)
        at, y = _LEFT + 110 * place, frame.height - 7
        frame.parts.append(
            f'<line class="{look}" x1="{at}" x2="{at + 22}" y1="{y}" y2="{y}"/>'
        )
        frame.words(at + 27, y + 4, name, look="hb-text")
    return frame.svg()


def history_charts(epochs: Sequence[int], curves: Mapping[str, Any]) -> Markup:
    """Return a row of charts, one for each name, training beside validation.

    Args:
        epochs: their numbers, from 0.
        curves: `{name: values}`; what holds no numbers is left out.
    """
    places = [epoch + 1 for epoch in epochs]
    pictures = []
    for name, values in curves.items():
        first = numbers_of(values)
        if first is None or (name.startswith("val_") and name[4:] in curves):
            continue
        pair = {"training": first}
        validation = numbers_of(curves.get(f"val_{name}"))
        if validation is not None:
            pair["validation"] = validation
        pictures.append(line_chart(name, places, pair))
    return Markup(f'<div class="hb-row">{"".join(pictures)}</div>' if pictures else "")


def numbers_of(values: Any) -> np.ndarray | None:
    """Return a curve's values; None where they are no numbers, or there is none."""
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        return None
    return numbers if numbers.ndim == 1 and len(numbers) else None


def bundle(
    title: str,
    curves: Sequence[tuple[int, str, Sequence[float]]],
    strengths: Mapping[int, float],
    end: str = "epoch",
) -> Markup:
    """Return a chart of many curves, the stronger the darker.

    Args:
        title: of the chart.
        curves: triples `(row, name, values)`.
        strengths: `{row: number}` from 0 to 1.
        end: what is counted across.
    """
    longest = max(len(values) for _, _, values in curves)
    up = _limits(*(values for _, _, values in curves))
    frame = _Frame(title, (1, longest), up, 360, 240)
    frame.rules()
    frame.ticks([(1, "1", "start"), (longest, f"{end} {longest}", "end")])
    for row, name, values in curves:
        frame.parts.append(f'<g data-row="{row}">{_tip(name)}')
        places = range(1, len(values) + 1)
        frame.curve(places, values, "hb-many", style=strength(strengths.get(row, 1.0)))
        frame.parts.append("</g>")
    return frame.svg()


def strength(part: float) -> str:
    """Return the style of what is drawn as strongly as a number from 0 to 1 says."""
    part = float(part) if np.isfinite(part) else 0.0
    return f"--hb-part:{100 * min(1.0, max(0.0, part)):.0f}%"


def _tip(words):
    return f"<title>{escape(words)}</title>"


def points(
    title: str,
    x: Sequence[float],
    y: Sequence[float],
    ticks: Sequence[tuple[float, str]] = (),
    line: Sequence[tuple[float, float]] = (),
    rows: Sequence[int] | None = None,
    tips: Sequence[str] | None = None,
    diagonal: bool = False,
) -> Markup:
    """Return a chart of points.

    Args:
        title: of the chart.
        x: their places across.
        y: their places up; NaN is left out.
        ticks: pairs `(place, words)` below. Default: the ends of `x`.
        line: the points of a line, such as of means.
        rows: the number of the row of each point.
        tips: what each point says where the pointer is on it.
        diagonal: whether both axes are alike, with a line where they are equal.
    """
    across, up = _limits(x), _limits(y)
    if diagonal:
        across = up = _limits(x, y)
    frame = _Frame(title, across, up)
    frame.rules()
    if not ticks:
        ticks = [(across[0], f"{across[0]:.3g}"), (across[1], f"{across[1]:.3g}")]
    frame.ticks(_anchored(ticks))
    if diagonal:
        frame.curve(across, across, "hb-line", stroke_dasharray="3 3")
    for place, (x_, y_) in enumerate(zip(x, y, strict=True)):
        if np.isfinite(y_):
            row = "" if rows is None else f' data-row="{rows[place]}"'
            tip = "" if tips is None else _tip(tips[place])
            frame.parts.append(
                f'<circle class="hb-point"{row} cx="{frame.across(x_):.1f}" '
                f'cy="{frame.up(y_):.1f}" r="3">{tip}</circle>'
            )
    if line:
        frame.curve([x for x, _ in line], [y for _, y in line], "hb-second")
    return frame.svg()


def _anchored(ticks):
    """Yield ticks with their anchors; those that would overlap are left out."""
    ticks = list(ticks)
    wide = sum(len(words) for _, words in ticks) * 7 > 230
    if wide and len(ticks) > 2:
        ticks = [ticks[0], ticks[-1]]
    for number, (place, words) in enumerate(ticks):
        words = words if len(words) <= 16 else f"{words[:15]}…"
        is_last = number == len(ticks) - 1
        yield place, words, "start" if number == 0 else "end" if is_last else "middle"


def parallel(
    title: str,
    axes: Sequence[tuple[str, Sequence[float], Sequence[tuple[float, str]]]],
    strengths: Sequence[float],
    tips: Sequence[str],
) -> Markup:
    """Return parallel coordinates: a line for each row, through its place on each axis.

    Args:
        title: for those who cannot see it.
        axes: triples `(name, places from 0 to 1, ticks (place, words))`.
        strengths: a number from 0 to 1 for each row.
        tips: what each line says where the pointer is on it.
    """
    step, top, bottom = 130, 34, 230
    width = step * (len(axes) - 1) + 170
    x = [66 + step * number for number in range(len(axes))]
    up = lambda place: bottom - place * (bottom - top)  # noqa: E731
    parts = []
    for row in np.argsort(np.nan_to_num(strengths, nan=-1.0), kind="stable"):
        heights = [up(places[row]) for _, places, _ in axes]
        path = " ".join(_smooth(x, heights))
        looks = "hb-many hb-dotted" if np.isnan(strengths[row]) else "hb-many"
        parts.append(
            f'<path class="{looks}" data-row="{row}" d="{path}" '
            f'style="{strength(strengths[row])}">{_tip(tips[row])}</path>'
        )
    for place, (name, _, ticks) in zip(x, axes, strict=True):
        below = 4 if place == x[-1] else -4  # lines go on to the right of a value
        parts.append(
            f'<line class="hb-axis" x1="{place}" x2="{place}" y1="{top}" '
            f'y2="{bottom}"/><text class="hb-text" x="{place}" y="18" '
            f'text-anchor="middle" font-weight="600">{escape(_cut(name))}</text>'
        )
        parts += [
            f'<text class="hb-text hb-halo" x="{place + 5}" y="{up(tick) + below:.1f}">'
            f"{escape(_cut(words))}</text>"
            for tick, words in ticks
        ]
    return _svg(title, width, bottom + 14, parts)


def _cut(words):
    return words if len(words) <= 18 else f"{words[:17]}…"


def _smooth(x, heights):
    """Yield the pieces of a path that is level at each axis."""
    for number, (place, height) in enumerate(zip(x, heights, strict=True)):
        if not np.isfinite(height):
            return
        if number == 0:
            yield f"M{place} {height:.1f}"
            last = height
            continue
        middle = (x[number - 1] + place) / 2
        yield f"C{middle} {last:.1f} {middle} {height:.1f} {place} {height:.1f}"
        last = height


def matrix(title: str, table: np.ndarray, names: Sequence[str]) -> Markup:
    """Return how often each row's class was taken for each column's.

    Args:
        title: of the chart.
        table: counts of shape (classes, classes).
        names: of the classes.
    """
    count = len(names)
    cell = 30 if count <= 12 else max(6, 360 // count)
    names = [name if len(name) <= 12 else f"{name[:11]}…" for name in map(str, names)]
    left = 26 + 7 * max(map(len, names)) if cell >= 10 else 26
    size = cell * count
    width, height = left + size + 10, size + 46 + (left - 26 if cell >= 10 else 0)
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    parts = [
        f'<text class="hb-faint" x="{left}" y="14">predicted →, true ↓</text>',
    ]
    for (row, column), value in np.ndenumerate(table):
        x, y, part = left + cell * column, 22 + cell * row, float(shares[row, column])
        tip = _tip(f"true {names[row]}, predicted {names[column]}: {value:g}")
        parts.append(
            f'<rect class="hb-cell" x="{x}" y="{y}" width="{cell}" height="{cell}" '
            f'style="{strength(part)}">{tip}</rect>'
        )
        if value and cell >= 24:
            look = "hb-on-cell" if part > 0.65 else "hb-text"
            parts.append(
                f'<text class="{look}" x="{x + cell / 2}" y="{y + cell / 2 + 4}" '
                f'text-anchor="middle" pointer-events="none">{value:g}</text>'
            )
    for number, name in enumerate(names if cell >= 10 else ()):
        middle = cell * number + cell / 2
        x, y = left + middle + 4, 22 + size + 6
        parts.append(
            f'<text class="hb-text" x="{left - 6}" y="{22 + middle + 4}" '
            f'text-anchor="end">{escape(name)}</text><text class="hb-text" '
            f'transform="translate({x} {y}) rotate(-90)" text-anchor="end">'
            f"{escape(name)}</text>"
        )
    return _svg(title, width, height, parts)


def bar(fraction: float, width: int = 90) -> Markup:
    """Return a bar that is `fraction` of its width long."""
    if not np.isfinite(fraction):
        return Markup("")
    length = max(1.0, width * min(1.0, fraction))
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="10">'
        f'<rect class="hb-bar" width="{length:.1f}" height="10" rx="2"/></svg>'
    )
