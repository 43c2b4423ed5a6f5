"""Pictures of models in the language of Graphviz."""

from __future__ import annotations

import html
import shutil
import subprocess
from typing import Any

from hornbeam.core.replacing import file_to_write
from hornbeam.typing import PathLike
from hornbeam.visualization import drawing
from hornbeam.visualization.model_graph import Box, Graph
from hornbeam.visualization.optional import optional


class Dot:
    """A graph in the language of Graphviz, as far as `pydot.Dot` has it.

    Attributes:
        graph: the picture's graph, from which it is drawn where Graphviz is missing.
        rankdir: the direction of the flow.
        dpi: dots per inch of pictures of pixels.
        text: the program in the language DOT.
    """

    def __init__(self, graph: Graph, text: str, rankdir: str, dpi: float):
        self.graph: Graph = graph
        self.text: str = text
        self.rankdir: str = rankdir
        self.dpi: float = dpi

    def to_string(self) -> str:
        """Return the program in the language DOT."""
        return self.text

    def create(self, prog: str | None = None, format: str = "ps") -> bytes:  # noqa: A002 - pydot's name
        """Return the picture as the bytes of a file.

        Args:
            prog: the program of Graphviz. Default: "dot"; where it is not installed,
                hornbeam's own layout.
            format: such as "svg", "png" or "pdf"; of "dot" the program's text.
        """
        format_ = format.lower()
        if format_ in ("dot", "gv", "raw"):
            return self.text.encode()
        program = shutil.which(prog or "dot")
        if program is not None:
            return _run([program, f"-T{format_}"], self.text)
        if prog is not None:
            raise FileNotFoundError(
                f"The program {prog!r} of Graphviz is not installed. Without `prog` "
                "the picture is drawn in hornbeam's own layout."
            )
        return drawing.to_bytes(self.graph, format_, self.rankdir, self.dpi)

    def write(
        self,
        path: PathLike,
        prog: str | None = None,
        format: str = "raw",  # noqa: A002 - pydot's name
    ) -> bool:
        """Write the picture to a file; see `create`."""
        file_to_write("write()", "path", path).write_bytes(self.create(prog, format))
        return True

    def __getattr__(self, name: str) -> Any:
        # `write_png(path)`, `create_svg()` and their kin for all formats.
        action, _, format_ = name.partition("_")
        if action == "create" and format_:
            return lambda prog=None: self.create(prog, format_)
        if action == "write" and format_:
            return lambda path, prog=None: self.write(path, prog, format_)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")

    def _repr_svg_(self) -> str:
        return self.create(format="svg").decode()

    def __repr__(self) -> str:
        return f"<Dot of {self.graph.name}: {len(self.graph.boxes)} boxes>"


def as_pydot(
    graph: Graph, rankdir: str, dpi: float, splines: str, is_cluster: bool = False
) -> Any:
    """Return a `pydot.Dot` that is also drawn where Graphviz is not installed.

    With `is_cluster` a `pydot.Cluster`.
    """
    pydot = optional("pydot")
    if is_cluster:
        return _filled(pydot, pydot.Cluster(graph.name, **_cluster_looks(graph)), graph)
    own = Dot(graph, program_of(graph, rankdir, dpi, splines), rankdir, dpi)

    class DrawnDot(pydot.Dot):  # type: ignore[name-defined]
        def create(self, prog=None, format="ps", encoding=None):  # noqa: A002
            if prog in (None, "dot") and shutil.which("dot") is None:
                return own.create(format=format)
            return super().create(prog, format, encoding)

    dot = DrawnDot("G", graph_type="digraph", **_graph_looks(rankdir, dpi, splines))
    dot.set_node_defaults(**_NODES)
    dot.set_edge_defaults(**_EDGES)
    return _filled(pydot, dot, graph)


def drawn_in_time(text: str, format_: str) -> bytes | None:
    """Return what Graphviz draws, or None where it takes more than a minute.

    With `splines=ortho` it does for graphs with hundreds of long edges.
    """
    try:
        return _run(["dot", f"-T{format_}"], text, _SECONDS)
    except subprocess.TimeoutExpired:
        return None


_SECONDS = 60


def _filled(pydot, part, graph):
    for box in graph.boxes:
        if box.inside is not None:
            cluster = pydot.Cluster(box.inside.name, **_cluster_looks(box.inside))
            part.add_subgraph(_filled(pydot, cluster, box.inside))
        else:
            part.add_node(pydot.Node(_node(box), label=f"<{_label(box)}>"))
    for start, end in _ways(graph):
        part.add_edge(pydot.Edge(start, end))
    return part


def _run(command, text, seconds=None):
    done = subprocess.run(
        command, input=text.encode(), capture_output=True, timeout=seconds
    )
    if done.returncode:
        raise ValueError(
            f"Graphviz could not draw the picture with {command}: "
            f"{done.stderr.decode(errors='replace').strip()}"
        )
    return done.stdout


def program_of(
    graph: Graph, rankdir: str, dpi: float, splines: str, is_cluster: bool = False
) -> str:
    """Return the graph as a program in the language DOT.

    The nodes are named by the `id` of their layers, as in Keras.

    Args:
        graph: the graph.
        rankdir: the direction of the flow.
        dpi: dots per inch.
        splines: how edges are drawn, such as "ortho".
        is_cluster: whether it is a part of another graph.
    """
    if is_cluster:
        return "\n".join(_cluster(graph))
    lines = [
        "digraph G {",
        *_assigned(_graph_looks(rankdir, dpi, splines)),
        f"node [{', '.join(_assigned(_NODES))}];",
        f"edge [{', '.join(_assigned(_EDGES))}];",
        *_body(graph),
        "}",
    ]
    return "\n".join(lines)


_NODES = {"shape": "plain", "fontname": "Helvetica", "fontsize": "11"}
_EDGES = {"color": f'"{drawing.LIGHT.line}"', "arrowsize": "0.7"}


def _graph_looks(rankdir, dpi, splines):
    looks = {"rankdir": rankdir, "dpi": f"{dpi:g}", "splines": splines}
    return {**looks, "concentrate": "true"}


def _cluster_looks(graph):
    looks = {"label": _quoted(graph.name), "labeljust": "l", "style": "dashed"}
    return {**looks, "fontname": "Helvetica", "color": f'"{drawing.LIGHT.border}"'}


def _assigned(looks):
    return [f"{name}={value}" for name, value in looks.items()]


def _quoted(words):
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _cluster(graph):
    start = f"subgraph {_quoted('cluster_' + graph.name)} {{"
    return [start, *_assigned(_cluster_looks(graph)), *_body(graph), "}"]


def _body(graph):
    lines = []
    for box in graph.boxes:
        if box.inside is not None:
            lines += _cluster(box.inside)
        else:
            lines.append(f"{_node(box)} [label=<{_label(box)}>];")
    return [*lines, *(f"{start} -> {end};" for start, end in _ways(graph))]


def _ways(graph):
    """Return the pairs of nodes that edges join, each once."""
    ways: dict[tuple[str, str], None] = {}
    for edge in graph.edges:
        source, target = graph.boxes[edge.source], graph.boxes[edge.target]
        for start in _ends(source, edge.source_port, is_output=True):
            for end in _ends(target, edge.target_port, is_output=False):
                ways[_node(start), _node(end)] = None
    return list(ways)


def _node(box):
    return str(id(box.operation))


def _ends(box: Box, port: int, is_output: bool) -> list[Box]:
    """Return the boxes at an end of an edge; those inside, if it is a cluster."""
    graph = box.inside
    if graph is None:
        return [box]
    if is_output:
        ends = graph.outputs[port : port + 1]
    else:
        ends = graph.inputs[port] if port < len(graph.inputs) else []
    return [
        inner for place, p in ends for inner in _ends(graph.boxes[place], p, is_output)
    ]


def _label(box):
    """Return the table of a node, in the HTML of Graphviz."""
    colour = drawing.colour_of(box)
    faint = drawing.LIGHT.faint
    lines = []
    for line in drawing.lines_of(box):
        pieces = []
        for words, is_bold, is_faint in line:
            piece = html.escape(words)
            piece = f"<b>{piece}</b>" if is_bold else piece
            piece = f'<font color="{faint}">{piece}</font>' if is_faint else piece
            pieces.append(piece)
        lines.append(f'<tr><td align="left">{" ".join(pieces)}</td></tr>')
    rows = "".join(lines)
    text = f'<table border="0" cellspacing="0" cellpadding="1">{rows}</table>'
    border = drawing.LIGHT.border
    return (
        f'<table border="1" color="{border}" cellborder="0" cellspacing="0" '
        f'cellpadding="3" bgcolor="white"><tr><td bgcolor="{colour}" width="5" '
        f'fixedsize="false"></td><td>{text}</td></tr></table>'
    )
