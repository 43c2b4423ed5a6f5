"""The table that `model.summary()` prints."""

from __future__ import annotations

import importlib
import io
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import rich.console
import rich.markup
import rich.table

from hornbeam.core.errors import check_number
from hornbeam.core.errors import shown as shown_value
from hornbeam.graph.node import Node
from hornbeam.graph.operation import type_name
from hornbeam.layers.layer import Layer
from hornbeam.models.functional import Functional
from hornbeam.models.sequential import Sequential
from hornbeam.utils import html
from hornbeam.utils.printing import is_in_notebook

if TYPE_CHECKING:
    from hornbeam.models.model import Model


def print_summary(
    model: Model,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[..., Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print a table of the model's layers; see `Model.summary`."""
    owner = f"summary() of model {model.name!r}"
    if line_length is not None:
        check_number(owner, "line_length", line_length, low=1, integer=True)
    for share in positions or ():
        check_number(owner, "positions", share, low=0, finite=True)
    if print_fn is not None and not callable(print_fn):
        raise TypeError(
            f"Argument `print_fn` of {owner} must be a function that takes a text. "
            f"Received: print_fn={shown_value(print_fn)}"
        )
    shown = summary_table(model, expand_nested, show_trainable, layer_range)
    if print_fn is None and is_in_notebook():
        _display(summary_html(model, *shown))
        return
    headings, rows = shown
    connected = "Connected to" in headings
    table = rich.table.Table(
        show_header=True, header_style="bold", show_lines=connected
    )
    for heading in headings:
        table.add_column(heading, overflow="fold", **_COLUMNS[heading])
    for column, ratio in zip(table.columns, positions or (), strict=False):
        column.ratio = max(1, int(100 * ratio))
    for row in rows:
        table.add_row(*map(rich.markup.escape, row))
    if print_fn is not None:
        print_fn(_rendered(table, line_length, model))
    elif sys.stdout is not None and sys.stdout.isatty():
        console = rich.console.Console(file=sys.stdout, width=line_length or _width())
        _print(console, table, model)
    else:
        print(_rendered(table, line_length, model))


_COLUMNS: dict[str, dict[str, Any]] = {
    "Layer (type)": {},
    "Output Shape": {"style": "cyan"},
    "Param #": {"justify": "right", "style": "green"},
    "Connected to": {},
    "Trainable": {"justify": "center"},
}


def summary_table(
    model: Model,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> tuple[list[str], list[list[str]]]:
    """Return the headings and rows of the table of `Model.summary`."""
    graph = model._graph_within
    headings = ["Layer (type)", "Output Shape", "Param #"]
    connected = graph is not None and _branches(graph)
    headings += ["Connected to"] * connected + ["Trainable"] * show_trainable
    rows = []
    for layer, depth in _chosen(model, expand_nested, layer_range):
        row = [
            "    " * depth + f"{layer.name} ({type_name(layer)})",
            output_shape(layer),
            _count(layer),
        ]
        if connected:
            row.append(_inbound(layer, graph))
        if show_trainable:
            has_weights = isinstance(layer, Layer) and layer.built and layer.weights
            row.append(("Y" if layer.trainable else "N") if has_weights else "-")
        rows.append(row)
    return headings, rows


def summary_html(model: Model, headings: list[str], rows: list[list[str]]) -> str:
    """Return what `summary_table` returned as HTML."""
    built = "" if model.built else "unbuilt"
    # Spaces at the start show the depth of nested layers.
    rows = [[row[0].replace("    ", "\u2003"), *row[1:]] for row in rows]
    lines = "".join(f"<div>{html.escape(line)}</div>" for line in totals(model))
    return html.block(
        html.head(model.name, type(model).__name__, built),
        html.scrolled(html.table(headings, rows, numbers=[2])),
        f'<div class="hb-faint">{lines}</div>',
    )


def _display(content):
    display = importlib.import_module("IPython.display")
    display.display(display.HTML(content))


def _branches(graph):
    """Whether a graph is more than a chain: only then a column says how it goes."""
    used = [id(x) for node in graph._nodes for x in node.input_tensors]
    is_chain = len(set(used)) == len(used) == len(graph._nodes) - 1
    return not is_chain or len(graph._nodes) != len(graph.operations)


def _chosen(model, expand_nested, layer_range):
    chain = isinstance(model, Sequential) or not isinstance(model, Functional)
    rows = model.layers if chain else model.operations
    if layer_range is not None:
        rows = _in_range(rows, layer_range)
    for layer in rows:
        yield layer, 0
        if expand_nested:
            yield from _nested(layer, 1)


def _nested(layer, depth):
    if isinstance(layer, Functional | Sequential):
        for inner in layer.layers:
            yield inner, depth
            yield from _nested(inner, depth + 1)


def _in_range(layers, layer_range):
    if len(layer_range) != 2 or not all(isinstance(x, str) for x in layer_range):
        raise ValueError(
            "Argument `layer_range` of summary() must be two names of layers. "
            f"Received: layer_range={layer_range!r}"
        )
    names = [layer.name for layer in layers]

    def find(pattern, places):
        for place in places:
            if re.match(pattern, names[place]):
                return place
        raise ValueError(
            f"Argument `layer_range` of summary(): no layer matches {pattern!r}. The "
            f"layers are {names}."
        )

    first = find(layer_range[0], range(len(names)))
    last = find(layer_range[1], reversed(range(len(names))))
    return layers[min(first, last) : max(first, last) + 1]


def output_shape(layer: Any) -> str:
    """Return the shape that comes out of a layer, "?" if it is unknown."""
    nodes: list[Node] = layer._inbound_nodes
    if nodes:
        shapes = [x.shape for x in nodes[0].output_tensors]
        return str(shapes[0] if len(shapes) == 1 else shapes)
    if layer._graph_within is not None:
        return str(layer._graph_within.output_shape)
    if not layer.built:
        return "? (unbuilt)"
    try:
        return str(layer.compute_output_shape(**layer._build_shapes))
    except Exception:
        # A layer without a known output shape must not make the summary fail.
        return str(layer._first_output_shapes or "?")


def _count(layer):
    if not isinstance(layer, Layer):
        return "0"
    if not layer.built:
        return "0 (unbuilt)"
    return f"{layer.count_params():,}"


def _inbound(layer, graph):
    inside = {id(node) for node in graph._nodes}
    sources = []
    for node in layer._inbound_nodes:
        if id(node) not in inside:
            continue
        for x in node.input_tensors:
            operation, node_index, tensor_index = x._keras_history
            sources.append(f"{operation.name}[{node_index}][{tensor_index}]")
    return "\n".join(sources) or "-"


def _rendered(table, line_length, model):
    buffer = io.StringIO()
    console = rich.console.Console(
        file=buffer, width=line_length or _width(), color_system=None
    )
    _print(console, table, model)
    return buffer.getvalue().rstrip("\n")


def _print(console, table, model):
    built = " (unbuilt)" if not model.built else ""
    console.print(f'Model: "{model.name}"{built}', highlight=False, markup=False)
    console.print(table)
    for line in totals(model):
        console.print(line, highlight=False, markup=False)


def _width():
    width = rich.console.Console().width
    return min(max(width, 80), 120)


def totals(model: Model) -> list[str]:
    """Return the lines below the table: how many parameters of each kind."""
    trainable = _size(model.trainable_weights)
    frozen = _size(model.non_trainable_weights)
    slots = []
    if model.compiled and model.optimizer is not None and model.optimizer.built:
        slots = list(model.optimizer.variables)
    total = [a + b for a, b in zip(trainable, frozen, strict=True)]
    if slots:
        total = [a + b for a, b in zip(total, _size(slots), strict=True)]
    lines = [
        (" Total params", total),
        (" Trainable params", trainable),
        (" Non-trainable params", frozen),
    ]
    if slots:
        lines.append((" Optimizer params", _size(slots)))
    return [f"{name}: {count:,} ({_memory(size)})" for name, (count, size) in lines]


def _size(variables):
    """Return the number of values and of bytes."""
    counts = [int(np.prod(v.shape)) for v in variables]
    sizes = [_bytes(v._dtype) for v in variables]
    return sum(counts), sum(c * b for c, b in zip(counts, sizes, strict=True))


def _bytes(dtype):
    bits = re.search(r"\d+", dtype)
    return int(bits[0]) // 8 if bits else 1


def _memory(size):
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GB"
