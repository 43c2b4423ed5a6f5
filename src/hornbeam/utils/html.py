"""Pieces of HTML for notebooks and pages, which need nothing from elsewhere.

Everything that comes from a user, such as the name of a layer, is escaped here.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_LIGHT = {
    "text": "#111827",
    "faint": "#4b5563",
    "box": "#ffffff",
    "border": "#9ca3af",
    "rule": "#e5e7eb",
    "line": "#4b5563",
    "frame": "#f3f4f6",
    "first": "#0072b2",
    "second": "#d55e00",
    "low": "#c3d0de",
    "high": "#00456e",
    "warning": "#9a3412",
}
_DARK = {
    "text": "#f3f4f6",
    "faint": "#c3cad5",
    "box": "#1f2937",
    "border": "#6b7280",
    "rule": "#374151",
    "line": "#9ca3af",
    "frame": "#161d29",
    "first": "#56b4e9",
    "second": "#f0a35e",
    "low": "#3c4c60",
    "high": "#9fd8ff",
    "warning": "#fdba74",
}
# What JupyterLab and VS Code say of their theme comes before what the system says.
_IS_DARK = ("body[data-jp-theme-light='false']", "body.vscode-dark")
_IS_LIGHT = ("body[data-jp-theme-light='true']", "body.vscode-light")

_RULES = """
.hb{color:var(--hb-text);background:var(--hb-box);font:13px/1.45 system-ui,sans-serif;
max-width:100%;padding:8px 10px;box-sizing:border-box}
.hb .hb-head{margin-bottom:6px}
.hb .hb-head b{font-size:15px}
.hb .hb-faint{color:var(--hb-faint);fill:var(--hb-faint)}
.hb .hb-warning{color:var(--hb-warning)}
.hb details{margin:4px 0}
.hb details details{margin-left:14px}
.hb summary{cursor:pointer}
.hb .hb-scroll{overflow:auto;max-height:560px;margin:4px 0}
.hb .hb-row{display:flex;flex-wrap:wrap;gap:14px}
.hb table{border-collapse:collapse;margin:2px 0;color:inherit;font-size:13px}
.hb th{text-align:left;font-weight:600;border-bottom:1px solid var(--hb-border)}
.hb td,.hb th{padding:2px 12px 2px 2px;vertical-align:top;background:none}
.hb td{border-bottom:1px solid var(--hb-rule);text-align:left;white-space:pre-line}
.hb .hb-number{text-align:right;font-variant-numeric:tabular-nums}
.hb svg{max-width:none}
.hb .hb-box{fill:var(--hb-box);stroke:var(--hb-border)}
.hb .hb-frame{fill:var(--hb-frame);stroke:var(--hb-border);stroke-dasharray:5 3}
.hb .hb-text{fill:var(--hb-text)}
.hb .hb-line{fill:none;stroke:var(--hb-line);stroke-width:1.4}
.hb .hb-arrow{fill:var(--hb-line)}
.hb .hb-rule{stroke:var(--hb-rule)}
.hb .hb-first{fill:none;stroke:var(--hb-first);stroke-width:1.8}
.hb .hb-second{fill:none;stroke:var(--hb-second);stroke-width:1.8;
stroke-dasharray:5 3}
.hb .hb-bar{fill:var(--hb-first)}
.hb .hb-point{fill:var(--hb-first);fill-opacity:.75}
.hb .hb-many{fill:none;stroke-width:1.4;
stroke:color-mix(in srgb,var(--hb-high) var(--hb-part),var(--hb-low))}
.hb .hb-dotted{stroke-dasharray:2 4}
.hb .hb-axis{stroke:var(--hb-border)}
.hb .hb-halo{paint-order:stroke;stroke:var(--hb-box);stroke-width:3}
.hb .hb-cell{fill:color-mix(in srgb,var(--hb-high) var(--hb-part),var(--hb-box));
stroke:var(--hb-rule)}
.hb .hb-on-cell{fill:var(--hb-box)}
"""
# What whole pages have beside that: sections, tables that sort, what is pointed at.
_PAGE_RULES = """
body.hb{margin:0 auto;max-width:1360px;padding:12px 16px 40px}
.hb section{margin:22px 0;min-width:0}
.hb h2{font-size:17px;margin:0 0 8px;padding-bottom:3px;
border-bottom:1px solid var(--hb-border)}
.hb h3{font-size:13px;margin:12px 0 4px}
.hb .hb-examples{display:flex;flex-wrap:wrap;gap:12px}
.hb figure{margin:0;width:112px;overflow-wrap:anywhere}
.hb figure img{width:112px;height:112px;object-fit:contain;image-rendering:pixelated;
background:var(--hb-frame)}
.hb code{overflow-wrap:anywhere}
.hb th button{all:unset;cursor:pointer;font-weight:600}
.hb th button:focus-visible{outline:2px solid var(--hb-first)}
.hb th[aria-sort=ascending] button::after{content:" ▲"}
.hb th[aria-sort=descending] button::after{content:" ▼"}
.hb input.hb-filter{font:inherit;color:inherit;background:var(--hb-frame);
border:1px solid var(--hb-border);border-radius:4px;padding:3px 7px;width:20em;
max-width:100%;box-sizing:border-box}
.hb [data-row].hb-off{visibility:hidden}
.hb tr.hb-on{background:var(--hb-frame)}
.hb .hb-on,.hb .hb-on .hb-many{stroke:var(--hb-second);stroke-width:2.6}
.hb tr.hb-on{stroke:none}
"""
_SCRIPT = (Path(__file__).parent / "page.js").read_text("utf-8")


def _style():
    light, dark = (
        "".join(f"--hb-{name}:{colour};" for name, colour in colours.items())
        for colours in (_LIGHT, _DARK)
    )
    of = lambda places: ",".join(f"{place} .hb" for place in places)  # noqa: E731
    return (
        f".hb{{{light}color-scheme:light}}"
        f"@media (prefers-color-scheme:dark){{.hb{{{dark}color-scheme:dark}}}}"
        f"{of(_IS_LIGHT)}{{{light}color-scheme:light}}"
        f"{of(_IS_DARK)}{{{dark}color-scheme:dark}}{_RULES}"
    )


def escape(words: object) -> str:
    """Return text as HTML that shows it."""
    return html.escape(str(words))


def block(*parts: str) -> str:
    """Return the parts as one piece for a notebook, with its style sheet."""
    return f'<div class="hb"><style>{_style()}</style>{"".join(parts)}</div>'


def page(title: str, content: str, live: bool = False) -> str:
    """Return a whole page around what `block` or `sections` returned.

    Args:
        title: of the page, text.
        content: HTML.
        live: whether the page asks where it came from for what is new.
    """
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"connect-src 'self'; script-src 'sha256-{digest}'"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{_style()}{_PAGE_RULES}</style></head>"
        f'<body class="hb"{" data-live" * live}>{content}'
        f"<script>{_SCRIPT}</script></body></html>\n"
    )


def sections(parts: Iterable[tuple[str, str]]) -> str:
    """Return sections of a page from pairs of a title, text, and HTML."""
    return "".join(
        f'<section id="{section_id(title)}"><h2>{escape(title)}</h2>{content}</section>'
        for title, content in parts
    )


def section_id(title: str) -> str:
    """Return the id of the section with a title."""
    return re.sub("[^a-z0-9]+", "-", title.lower()).strip("-")


def head(name: object, kind: object, *facts: str) -> str:
    """Return a title: a name, what it is, and facts in text."""
    rest = "".join(f" · {escape(fact)}" for fact in facts if fact)
    return (
        f'<div class="hb-head"><b>{escape(name)}</b> '
        f'<span class="hb-faint">{escape(kind)}{rest}</span></div>'
    )


def folded(title: str, content: str, is_open: bool = False) -> str:
    """Return content below a line that folds it; `title` is text."""
    opened = " open" * is_open
    return f"<details{opened}><summary>{escape(title)}</summary>{content}</details>"


def scrolled(content: str) -> str:
    """Return content in a box that scrolls where it is large."""
    return f'<div class="hb-scroll" tabindex="0">{content}</div>'


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[object]],
    numbers: Iterable[int] = (),
    most: int = 500,
    name: str | None = None,
) -> str:
    """Return a table of text.

    Args:
        headings: of the columns.
        rows: the cells; one that is `Markup` is taken as it is.
        numbers: the columns that stand to the right.
        most: more rows than these are only counted. Default: 500.
        name: of a table that a page sorts and filters; the first cell of a row is then
            its number, which charts know it by. Default: none.
    """
    right = set(numbers)

    def cells(tag, row):
        for place, cell in enumerate(row):
            words = cell if isinstance(cell, Markup) else escape(cell)
            looks = ' class="hb-number"' * (place in right)
            if tag == "th" and name is not None and words:
                words = f'<button type="button">{words}</button>'
            yield f"<{tag}{looks}>{words}</{tag}>"

    rows = list(rows)
    number = lambda row: "" if name is None else f' data-row="{row[0]}"'  # noqa: E731
    lines = [
        f"<tr{number(row)}>{''.join(cells('td', row))}</tr>" for row in rows[:most]
    ]
    more = len(rows) - most
    note = f'<div class="hb-faint">... and {more} more</div>' if more > 0 else ""
    heading = "".join(cells("th", headings))
    known = "" if name is None else f' data-table="{escape(name)}"'
    return (
        f"<table{known}><thead><tr>{heading}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table>{note}"
    )


def filter_of(name: str, example: str) -> str:
    """Return a field that filters the table of a name; `example` is shown in it."""
    return (
        f'<input type="search" class="hb-filter" data-for="{escape(name)}" '
        f'aria-label="filter" placeholder="{escape(example)}"> '
        f'<span class="hb-faint" data-count="{escape(name)}"></span>'
    )


class Markup(str):
    """Text that is HTML already."""
