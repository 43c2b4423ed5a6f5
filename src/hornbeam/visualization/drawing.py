"""A placed graph as SVG, or drawn by matplotlib into any of its formats."""

from __future__ import annotations

import dataclasses
import html
import io
import unicodedata
from collections.abc import Iterator
from typing import Any

from hornbeam.visualization import layout
from hornbeam.visualization.model_graph import Box, Graph
from hornbeam.visualization.optional import optional

FONT = "Helvetica, Arial, 'DejaVu Sans', 'Noto Sans CJK SC', sans-serif"
_SIZE = 12.0
_LINE_HEIGHT = 16.0
_MARGIN = 10.0
_STRIPE = 5.0  # the width of the family's colour at the left of a box
_LONGEST = 64  # letters in a line

# The colours of the families, from the palette of M. Okabe and K. Ito, which people
# with any kind of colour vision can tell apart, and greys. They are seen on white and
# on dark grounds.
FAMILIES = {
    "input": "#94a3b8",
    "core": "#0072b2",
    "convolutional": "#d55e00",
    "pooling": "#56b4e9",
    "normalization": "#f0c808",
    "regularization": "#cc79a7",
    "activations": "#009e73",
    "merging": "#8c6d46",
    "rnn": "#7b3294",
    "attention": "#e69f00",
    "model": "#64748b",
}
_OTHER = "#9ca3af"


@dataclasses.dataclass(frozen=True)
class Theme:
    """The colours of a drawing's parts."""

    box: str = "#ffffff"
    border: str = "#9ca3af"
    text: str = "#111827"
    faint: str = "#4b5563"
    line: str = "#4b5563"
    frame: str = "#f3f4f6"


LIGHT = Theme()
DARK = Theme("#1f2937", "#6b7280", "#f3f4f6", "#c3cad5", "#9ca3af", "#161d29")


Piece = tuple[str, bool, bool]  # words, whether they are bold, whether faint


def colour_of(box: Box) -> str:
    """Return the colour of the family of a box."""
    return FAMILIES.get(box.family, _OTHER)


# How wide letters of DejaVu Sans are, for a size of 1; it is wider than most fonts.
_WIDTHS = {
    0.32: "ijlIJ ,.'",
    0.4: "ft/:;\\|-()[]r!",
    0.58: '"*_`sz?ck',
    0.78: "OQNHDGUACRXV",
    0.84: "w#+<=>^~→×",
    1.0: "mWM%@…",
}
_LETTERS = {letter: width for width, group in _WIDTHS.items() for letter in group}


def text_width(words: str, is_bold: bool = False) -> float:
    """Return about how wide a text is."""
    width = 0.0
    for letter in words:
        is_wide = unicodedata.east_asian_width(letter) in "WF"
        width += _LETTERS.get(letter, 1.05 if is_wide else 0.64)
    return _SIZE * width * (1.14 if is_bold else 1.0)


def _cut(words):
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def lines_of(box: Box) -> list[list[Piece]]:
    """Return the lines of a box: pieces `(words, is bold, is faint)`."""
    title = [(_cut(box.kind), True, False)]
    if box.shows_name:
        title = [(_cut(box.name), True, False), (_cut(box.kind), False, True)]
    lines = [title]
    for what, value in box.rows:
        # A shape and whether it is trained say themselves what they are.
        label = [] if what in ("shape", "trainable") else [(what, False, True)]
        lines.append([*label, (_cut(value), False, False)])
    return lines


def _line_width(line):
    return sum(text_width(words, bold) for words, bold, _ in line) + 6 * (len(line) - 1)


def box_size(box: Box) -> tuple[float, float]:
    """Return the width and height of a box."""
    lines = lines_of(box)
    width = max(map(_line_width, lines)) + 2 * _MARGIN + _STRIPE
    return max(width, 64.0), len(lines) * _LINE_HEIGHT + 12.0


def _frame_title(graph: Graph):
    return [(_cut(graph.name), True, False), (_cut(graph.kind), False, True)]


def place(graph: Graph, rankdir: str = "TB") -> layout.Placed:
    """Place a graph, with boxes that hold their text."""
    return layout.place(
        graph, box_size, lambda inner: _line_width(_frame_title(inner)), rankdir
    )


def _texts(
    placed_box: layout.PlacedBox,
) -> Iterator[tuple[float, float, list[Piece]]]:
    """Yield the lines in a box, or the title of a frame, with where they begin."""
    left = placed_box.x - placed_box.width / 2
    top = placed_box.y - placed_box.height / 2
    lines, x, y = lines_of(placed_box.box), left + _STRIPE + _MARGIN, top + 6.0
    if placed_box.inside is not None:
        graph = placed_box.box.inside
        lines, x = [_frame_title(graph)] if graph is not None else [], left + _MARGIN
    for number, line in enumerate(lines):
        yield x, y + (number + 0.76) * _LINE_HEIGHT, line


def _walk(placed: layout.Placed) -> Iterator[tuple[layout.Placed, int]]:
    """Yield the placed graph and those inside it, outer ones first, with depths."""
    left = [(placed, 0)]
    while left:
        item, depth = left.pop()
        yield item, depth
        left += [(b.inside, depth + 1) for b in item.boxes if b.inside is not None]


def to_bytes(graph: Graph, format_: str, rankdir: str, dpi: float) -> bytes:
    """Return the drawing as a file; all formats but "svg" are matplotlib's."""
    placed = place(graph, rankdir)
    if format_ == "svg":
        return to_svg(placed, f"{graph.name} ({graph.kind})").encode()
    figure = to_figure(placed)
    formats = figure.canvas.get_supported_filetypes()
    if format_ not in formats:
        raise ValueError(
            f"A picture of a model cannot be a file of the format {format_!r}. Without "
            f"Graphviz the formats are {sorted(formats)}."
        )
    # The largest picture that matplotlib makes has 2**16 pixels to a side.
    dpi = min(dpi, 65_000 * 72 / max(placed.width, placed.height))
    file = io.BytesIO()
    figure.savefig(file, format=format_, dpi=dpi)
    return file.getvalue()


# --- SVG --------------------------------------------------------------------------


def style(theme: Theme, scope: str = "") -> str:
    """Return the rules of a style sheet, for elements below the selector `scope`."""
    rules = {
        "hb-box": f"fill:{theme.box};stroke:{theme.border}",
        "hb-frame": f"fill:{theme.frame};stroke:{theme.border};stroke-dasharray:5 3",
        "hb-text": f"fill:{theme.text}",
        "hb-faint": f"fill:{theme.faint}",
        "hb-line": f"fill:none;stroke:{theme.line};stroke-width:1.4",
        "hb-arrow": f"fill:{theme.line}",
    }
    return "".join(f"{scope} .{name}{{{rule}}}" for name, rule in rules.items())


def to_svg(placed: layout.Placed, label: str, theme: Theme | None = LIGHT) -> str:
    """Return the drawing as one SVG element.

    Args:
        placed: what `place` returned.
        label: what the picture shows, for those who do not see it.
        theme: the colours; None leaves them to the page that it stands in.
    """
    width, height = round(placed.width + 0.5), round(placed.height + 0.5)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" '
        f'font-family="{html.escape(FONT)}" font-size="{_SIZE:g}">',
        f"<title>{html.escape(label)}</title>",
    ]
    if theme is not None:
        parts.append(f"<style>{style(theme)}</style>")
        parts.append(f'<rect width="{width}" height="{height}" fill="{theme.box}"/>')
    for part, _ in _walk(placed):
        # Boxes lie over the lines, and graphs inside of frames over the frames.
        parts += map(_svg_frame, [b for b in part.boxes if b.inside is not None])
        parts += map(_svg_line, part.lines)
        parts += map(_svg_box, [b for b in part.boxes if b.inside is None])
    parts.append("</svg>")
    return "\n".join(parts)


def _number(value):
    return f"{value:.1f}".removesuffix(".0")


def _svg_rect(placed_box, name, radius):
    b = placed_box
    places = [b.x - b.width / 2, b.y - b.height / 2, b.width, b.height]
    x, y, width, height = map(_number, places)
    return (
        f'<rect class="{name}" x="{x}" y="{y}" width="{width}" height="{height}" '
        f'rx="{radius}"'
    )


def _svg_texts(placed_box):
    for x, y, line in _texts(placed_box):
        # The pieces follow each other in whatever font there is.
        spans = []
        for number, (words, is_bold, is_faint) in enumerate(line):
            name = "hb-faint" if is_faint else "hb-text"
            gap = ' dx="6"' * bool(number) + ' font-weight="bold"' * is_bold
            spans.append(f'<tspan class="{name}"{gap}>{html.escape(words)}</tspan>')
        place = f'x="{_number(x)}" y="{_number(y)}"'
        yield f"<text {place}>{''.join(spans)}</text>"


def _svg_frame(placed_box):
    return "\n".join(
        [f"{_svg_rect(placed_box, 'hb-frame', 8)}/>", *_svg_texts(placed_box)]
    )


def _svg_box(placed_box):
    box = placed_box.box
    x = _number(placed_box.x - placed_box.width / 2 + 1.2)
    y = _number(placed_box.y - placed_box.height / 2 + 1.2)
    height = _number(placed_box.height - 2.4)
    colour = colour_of(box)
    facts = ", ".join(f"{what} {value}" for what, value in box.rows)
    hint = html.escape(f"{box.name} ({box.kind}){': ' * bool(facts)}{facts}")
    return "\n".join(
        [
            f"<g><title>{hint}</title>",
            f"{_svg_rect(placed_box, 'hb-box', 5)}/>",
            f'<rect x="{x}" y="{y}" width="{_STRIPE:g}" height="{height}" rx="2.5" '
            f'fill="{colour}"/>',
            *_svg_texts(placed_box),
            "</g>",
        ]
    )


def _svg_line(line):
    path = [f"M{_svg_point(line.start)}"]
    for segment in line.segments:
        letter = "L" if len(segment) == 1 else "C"
        path.append(letter + " ".join(map(_svg_point, segment)))
    text = f'<path class="hb-line" d="{"".join(path)}"/>'
    if line.has_arrow:
        points = " ".join(map(_svg_point, _arrow(line)))
        text += f'<polygon class="hb-arrow" points="{points}"/>'
    return text


def _svg_point(point):
    return f"{_number(point[0])},{_number(point[1])}"


def _arrow(line):
    """Return the corners of the triangle at the end of a line."""
    points = [line.start, *(p for segment in line.segments for p in segment)]
    x, y = points[-1]
    before = [p for p in points if abs(p[0] - x) + abs(p[1] - y) > 0.01][-1]
    length = ((x - before[0]) ** 2 + (y - before[1]) ** 2) ** 0.5
    dx, dy = 7 * (x - before[0]) / length, 7 * (y - before[1]) / length
    side = 0.45
    return [
        (x, y),
        (x - dx - side * dy, y - dy + side * dx),
        (x - dx + side * dy, y - dy - side * dx),
    ]


# --- matplotlib -------------------------------------------------------------------


def to_figure(placed: layout.Placed, theme: Theme = LIGHT) -> Any:
    """Return the drawing as a Figure of matplotlib, a point for a unit."""
    figure = optional("matplotlib.figure").Figure(
        figsize=(placed.width / 72, placed.height / 72), facecolor=theme.box
    )
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, placed.width)
    axes.set_ylim(placed.height, 0)
    axes.set_axis_off()
    for depth, (part, _) in enumerate(_walk(placed)):
        for b in part.boxes:
            _draw_box(axes, b, theme, 3 * depth)
        for line in part.lines:
            _draw_line(axes, line, theme, 3 * depth + 1)
    return figure


def _draw_box(axes, placed_box, theme, order):
    patches = optional("matplotlib.patches")
    b = placed_box
    left, top = b.x - b.width / 2, b.y - b.height / 2
    is_frame = b.inside is not None
    order += 0 if is_frame else 2
    shape = patches.FancyBboxPatch(
        (left, top), b.width, b.height,
        boxstyle=f"round,pad=0,rounding_size={8 if is_frame else 5}",
        facecolor=theme.frame if is_frame else theme.box,
        edgecolor=theme.border, linewidth=1, zorder=order,
        linestyle=(0, (5, 3)) if is_frame else "-",
    )  # fmt: skip
    axes.add_patch(shape)
    if not is_frame:
        stripe = patches.FancyBboxPatch(
            (left + 1.2, top + 1.2), _STRIPE, b.height - 2.4, linewidth=0,
            boxstyle="round,pad=0,rounding_size=2.4", zorder=order + 0.1,
            facecolor=colour_of(b.box),
        )  # fmt: skip
        axes.add_patch(stripe)
    for x, y, pieces in _texts(b):
        for words, is_bold, is_faint in pieces:
            axes.text(
                x, y, words, fontsize=_SIZE * 0.98, zorder=order + 0.2,
                color=theme.faint if is_faint else theme.text, parse_math=False,
                fontweight="bold" if is_bold else "normal",
            )  # fmt: skip
            x += text_width(words, is_bold) + 6


def _draw_line(axes, line, theme, order):
    paths, patches = optional("matplotlib.path"), optional("matplotlib.patches")
    points = [line.start]
    codes = [paths.Path.MOVETO]
    for segment in line.segments:
        points += segment
        code = paths.Path.LINETO if len(segment) == 1 else paths.Path.CURVE4
        codes += [code] * len(segment)
    style = {"edgecolor": theme.line, "linewidth": 1.4, "zorder": order}
    axes.add_patch(
        patches.PathPatch(paths.Path(points, codes), facecolor="none", **style)
    )
    if line.has_arrow:
        axes.add_patch(
            patches.Polygon(
                _arrow(line), facecolor=theme.line, linewidth=0, zorder=order
            )
        )
