"""Pictures of models: what they show, and that nothing covers anything else."""

import random
import shutil
import subprocess
import sys
import types
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers
from hornbeam.visualization import drawing, layout, rows
from hornbeam.visualization.model_graph import Box, Edge, Graph, Shows, graph_of
from tests.visualization import model_zoo

pytestmark = pytest.mark.usefixtures("python_only")
DIRECTIONS = ["TB", "BT", "LR", "RL"]
ALL_SHOWN = Shows(*[True] * 6)


def rectangles(placed):
    """Return `(left, top, right, bottom)` of each box that is no frame."""
    found = []
    for b in placed.boxes:
        if b.inside is not None:
            found += rectangles(b.inside)
        else:
            w, h = b.width / 2, b.height / 2
            found.append((b.x - w, b.y - h, b.x + w, b.y + h))
    return found


def frames(placed):
    """Return the frames with what is inside them, at all depths."""
    for b in placed.boxes:
        if b.inside is not None:
            yield b
            yield from frames(b.inside)


def lines(placed):
    """Return all drawn lines, as points close to each other."""
    found = [points_of(line) for line in placed.lines]
    for b in placed.boxes:
        if b.inside is not None:
            found += lines(b.inside)
    return found


def points_of(line):
    t = np.linspace(0, 1, 40)[:, None]
    start, parts = np.array(line.start), []
    for segment in line.segments:
        points = np.array([start, *segment])
        if len(points) == 2:
            parts.append((1 - t) * points[0] + t * points[1])
        else:
            a, b, c, d = points
            parts.append(
                (1 - t) ** 3 * a
                + 3 * (1 - t) ** 2 * t * b
                + 3 * (1 - t) * t**2 * c
                + t**3 * d
            )
        start = points[-1]
    return np.concatenate(parts)


def check_places(placed):
    """Nothing overlaps, nothing is outside, no line crosses a box."""
    boxes = np.array(rectangles(placed))
    assert boxes.min() >= 0
    assert boxes[:, 2].max() <= placed.width and boxes[:, 3].max() <= placed.height
    for number, (left, top, right, bottom) in enumerate(boxes):
        others = np.delete(boxes, number, 0)
        apart = (
            (others[:, 0] >= right + 4)
            | (others[:, 2] <= left - 4)
            | (others[:, 1] >= bottom + 4)
            | (others[:, 3] <= top - 4)
        )
        assert apart.all()
    for points in lines(placed):
        assert points.min() >= 0 and np.isfinite(points).all()
        assert points[:, 0].max() <= placed.width
        assert points[:, 1].max() <= placed.height
        x, y = points[:, :1], points[:, 1:]
        inside = (x > boxes[:, 0] + 0.1) & (x < boxes[:, 2] - 0.1)
        inside &= (y > boxes[:, 1] + 0.1) & (y < boxes[:, 3] - 0.1)
        assert not inside.any()
    for frame in frames(placed):
        inner = np.array(rectangles(frame.inside))
        assert inner[:, 0].min() > frame.x - frame.width / 2
        assert inner[:, 2].max() < frame.x + frame.width / 2
        assert inner[:, 1].min() > frame.y - frame.height / 2
        assert inner[:, 3].max() < frame.y + frame.height / 2


@pytest.mark.parametrize("rankdir", DIRECTIONS)
@pytest.mark.parametrize("make", model_zoo.ALL)
def test_nothing_covers_anything(make, rankdir):
    placed = drawing.place(graph_of(make(), ALL_SHOWN), rankdir)
    check_places(placed)


@pytest.mark.parametrize("rankdir", DIRECTIONS)
@pytest.mark.parametrize("count", [5, 20, 60])
def test_nothing_covers_anything_in_random_graphs(count, rankdir):
    numbers = random.Random(count)
    boxes = [
        Box(types.SimpleNamespace(name="x" * numbers.randint(1, 30)), "op", [])
        for _ in range(count)
    ]
    edges = {
        Edge(numbers.randrange(place), place)
        for place in range(1, count)
        for _ in range(numbers.randint(0, 3))
    }
    edges |= {Edge(place, place - 2) for place in range(2, count, 9)}
    edges |= {Edge(place, place) for place in range(0, count, 7)}
    graph = Graph("random", "Graph", boxes, sorted(edges, key=repr), [], [])
    check_places(drawing.place(graph, rankdir))


def test_the_flow_goes_down():
    model = model_zoo.residual()
    placed = drawing.place(graph_of(model, Shows()))
    heights = {b.box.name: b.y for b in placed.boxes}
    for node in model._nodes:
        for x in node.input_tensors:
            source = x._keras_history.operation
            assert heights[source.name] < heights[node.operation.name]


def test_a_chain_is_straight():
    placed = drawing.place(graph_of(model_zoo.chain(), Shows()))
    assert np.ptp([b.x for b in placed.boxes]) < 0.1


def test_the_long_branch_beside_a_skip_is_straight():
    placed = drawing.place(graph_of(model_zoo.residual(1), Shows()))
    x = {b.box.name: b.x for b in placed.boxes}
    branch = ["conv2d", "batch_normalization", "re_lu", "conv2d_1"]
    assert np.ptp([x[name] for name in branch]) < 2


def test_two_branches_do_not_cross():
    a, b = keras.Input((2,)), keras.Input((2,))
    ends = [layers.Dense(1)(b), layers.Dense(1)(a)]
    graph = graph_of(keras.Model([a, b], ends), Shows())
    level = layout._Level(graph, drawing.box_size, lambda _: 0.0, "TB")
    level.place()
    assert sum(map(rows.crossings_below, level.rows)) == 0


def test_text_fits_into_its_box():
    """Measured with the font of matplotlib, which is wide."""
    pytest.importorskip("matplotlib")
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    measure = TextToPath().get_text_width_height_descent
    fonts = [
        FontProperties(family="DejaVu Sans", size=12, weight=w) for w in (400, 700)
    ]
    for make in model_zoo.ALL:
        for box in graph_of(make(), ALL_SHOWN).boxes:
            for line in drawing.lines_of(box):
                wide = [measure(w, fonts[bold], False)[0] for w, bold, _ in line]
                needed = sum(wide) + 6 * (len(wide) - 1) + 15
                assert needed <= drawing.box_size(box)[0]


def test_what_boxes_say():
    graph = graph_of(model_zoo.several(), ALL_SHOWN)
    rows = {box.name: box.rows for box in graph.boxes}
    assert rows["title"] == [("shape", "(None, 4)"), ("dtype", "float32")]
    assert rows["words"] == [
        ("shape", "(None, 4) → (None, 4, 3)"),
        ("shape", "(None, 6) → (None, 6, 3)"),
        ("dtype", "float32"),
        ("trainable", "trainable"),
    ]
    assert rows["concatenate"][0] == ("shape", "2 × (None, 3), (None, 2) → (None, 8)")
    assert rows["priority"][0] == ("activation", "linear")
    frozen = model_zoo.chain()
    frozen.trainable = False
    rows = {box.name: box.rows for box in graph_of(frozen, ALL_SHOWN).boxes}
    assert rows["conv"][0] == ("activation", "relu")
    assert rows["conv"][-1] == ("trainable", "frozen")
    assert rows["pool"] == [
        ("shape", "(None, 6, 6, 4) → (None, 3, 3, 4)"),
        ("dtype", "float32"),
    ]


def test_families():
    graph = graph_of(model_zoo.shared(), Shows())
    found = {box.name: box.family for box in graph.boxes}
    assert found["encoder"] == "model"
    assert found["square"] == "op" and found["a"] == "input"

    class Mine(layers.Layer):
        pass

    class Wider(layers.Dense):
        pass

    assert [box.family for box in graph_of(model_zoo.own(), Shows()).boxes] == ["model"]
    boxes = graph_of(keras.Sequential([Mine(), Wider(2)]), Shows()).boxes
    assert [box.family for box in boxes] == ["own", "core"]


def test_edges_of_a_nested_model_lead_to_its_boxes():
    dot = keras.utils.model_to_dot(model_zoo.nested(), expand_nested=True)
    text = dot.to_string()
    names = {}
    for line in text.splitlines():
        if "[label=<" in line:
            node = line.split(" ")[0]
            names[node] = line.split("<b>")[1].split("</b>")[0]
    edges = {
        tuple(names[end.strip(" ;")] for end in line.split("[")[0].split("->"))
        for line in text.splitlines()
        if "->" in line
    }
    assert ("a", "middle_input") in edges and ("dropout", "middle_dense") in edges
    assert ("middle_dense", "first") in edges and ("b", "second") in edges
    assert ("sum", "join") in edges and ("left_dense", "join") in edges
    assert len(edges) == 14
    assert text.count("{") == text.count("}") == 4


class TestFiles:
    def test_svg(self, tmp_path):
        path = tmp_path / "model.svg"
        model = model_zoo.nested()
        shown = keras.utils.plot_model(
            model, path, show_layer_names=True, expand_nested=True, engine="own"
        )
        # Where IPython is in use, the drawing is shown.
        assert shown is None or "middle" in shown._repr_svg_()
        root = ElementTree.fromstring(path.read_text("utf-8"))
        words = {x.text for x in root.iter("{http://www.w3.org/2000/svg}tspan")}
        assert {"middle", "two_and_two", "left_dense", "join", "Concatenate"} <= words

    def test_text_is_escaped(self, tmp_path):
        part = layers.Dense(1, name="<script>alert('1')<&amp;\"")
        model = keras.Sequential([keras.Input((2,)), part], name="a&b")
        keras.utils.plot_model(
            model, tmp_path / "m.svg", show_layer_names=True, engine="own"
        )
        text = (tmp_path / "m.svg").read_text("utf-8")
        assert "<script" not in text
        root = ElementTree.fromstring(text)
        words = [x.text for x in root.iter("{http://www.w3.org/2000/svg}tspan")]
        assert part.name in words

    @pytest.mark.parametrize("format_", ["png", "pdf", "jpg"])
    def test_pictures_of_matplotlib(self, tmp_path, format_):
        pytest.importorskip("matplotlib")
        path = tmp_path / f"model.{format_}"
        keras.utils.plot_model(model_zoo.several(), path, dpi=50, engine="own")
        starts = {"png": b"\x89PNG", "pdf": b"%PDF", "jpg": b"\xff\xd8"}
        assert path.read_bytes().startswith(starts[format_])

    def test_the_size_is_that_of_dpi(self, tmp_path):
        image = pytest.importorskip("PIL.Image")
        placed = drawing.place(graph_of(model_zoo.several(), Shows(names=False)))
        for dpi in (72, 144):
            path = tmp_path / f"{dpi}.png"
            keras.utils.plot_model(model_zoo.several(), path, dpi=dpi, engine="own")
            with image.open(path) as picture:
                width, height = picture.size
            assert abs(width - placed.width * dpi / 72) <= 1
            assert abs(height - placed.height * dpi / 72) <= 1

    def test_a_path_without_an_ending(self, tmp_path):
        pytest.importorskip("matplotlib")
        keras.utils.plot_model(model_zoo.own(), tmp_path / "model", dpi=30)
        assert (tmp_path / "model.png").exists()

    def test_matplotlib_shows_the_same_words(self):
        pytest.importorskip("matplotlib")
        placed = drawing.place(graph_of(model_zoo.nested(), ALL_SHOWN))
        (axes,) = drawing.to_figure(placed).axes
        written = {t.get_text() for t in axes.texts}
        root = ElementTree.fromstring(drawing.to_svg(placed, "x"))
        spans = root.iter("{http://www.w3.org/2000/svg}tspan")
        assert written == {x.text for x in spans}

    def test_the_language_dot(self, tmp_path):
        keras.utils.plot_model(model_zoo.chain(), tmp_path / "m.gv", engine="own")
        assert (tmp_path / "m.gv").read_text().startswith("digraph G {")

    def test_in_a_notebook(self, tmp_path, monkeypatch):
        display = types.ModuleType("IPython.display")
        display.SVG = lambda filename: ("svg", filename)
        monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
        monkeypatch.setitem(sys.modules, "IPython.display", display)
        path = tmp_path / "m.svg"
        assert keras.utils.plot_model(model_zoo.chain(), path) == ("svg", str(path))


class TestGraphviz:
    def test_its_program_draws_where_it_is_installed(self, tmp_path, monkeypatch):
        """Beside a program that says what it was given."""
        program = tmp_path / "dot"
        program.write_text("#!/bin/sh\necho drawn by dot $1\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
        keras.utils.plot_model(model_zoo.chain(), tmp_path / "m.gif")
        assert (tmp_path / "m.gif").read_text() == "drawn by dot -Tgif\n"
        program.write_text("#!/bin/sh\nexec sleep 9\n")
        monkeypatch.setattr("hornbeam.visualization.dot._SECONDS", 0.1)
        with pytest.warns(UserWarning, match="took too long for model 'chain'"):
            keras.utils.plot_model(model_zoo.chain(), tmp_path / "m.svg")
        assert (tmp_path / "m.svg").read_text().startswith("<svg")
        monkeypatch.setattr("hornbeam.visualization.dot._SECONDS", 60)
        program.write_text("#!/bin/sh\necho bad graph >&2\nexit 1\n")
        with pytest.raises(ValueError, match="bad graph"):
            keras.utils.plot_model(model_zoo.chain(), tmp_path / "m.png")

    @pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
    @pytest.mark.parametrize("make", model_zoo.ALL)
    def test_it_reads_the_program(self, make):
        dot = keras.utils.model_to_dot(
            make(), True, True, expand_nested=True, show_trainable=True
        )
        text = dot.to_string().encode()
        done = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True)
        assert done.returncode == 0 and not done.stderr

    def test_without_it(self, monkeypatch):
        monkeypatch.setattr(shutil, "which", lambda name: None)
        dot = keras.utils.model_to_dot(model_zoo.chain(), show_shapes=True)
        assert b"(None, 8, 8, 1)" in dot.create_svg()
        assert b"(None, 8, 8, 1)" in dot.create(format="svg")

    def test_without_pydot(self, monkeypatch, tmp_path):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        monkeypatch.setattr(shutil, "which", lambda name: None)
        dot = keras.utils.model_to_dot(model_zoo.chain())
        assert dot.write_svg(tmp_path / "m.svg") and dot.write(tmp_path / "m.dot")
        assert (tmp_path / "m.svg").read_text().startswith("<svg")
        assert (tmp_path / "m.dot").read_text() == dot.to_string()
        assert dot._repr_svg_().startswith("<svg")
        assert repr(dot) == "<Dot of chain: 4 boxes>"
        with pytest.raises(AttributeError, match="no attribute 'nodes'"):
            _ = dot.nodes
        with pytest.raises(FileNotFoundError, match="'neato' of Graphviz"):
            dot.create("neato", "svg")

    def test_with_pydot(self):
        pydot = pytest.importorskip("pydot")
        model = model_zoo.nested()
        dot = keras.utils.model_to_dot(model, rankdir="LR", dpi=96)
        assert isinstance(dot, pydot.Dot) and dot.get_rankdir() == "LR"
        nodes = {node.get_name() for node in dot.get_nodes()}
        assert {str(id(layer)) for layer in model.layers} <= nodes
        cluster = keras.utils.model_to_dot(model, subgraph=True)
        assert isinstance(cluster, pydot.Cluster)
        assert cluster.get_name().strip('"') == "cluster_nested"

    def test_a_cluster_without_pydot(self, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        dot = keras.utils.model_to_dot(model_zoo.chain(), subgraph=True)
        assert dot.to_string().startswith('subgraph "cluster_chain" {')


class TestErrors:
    def test_unknown_arguments(self):
        with pytest.raises(ValueError, match="Did you mean 'show_shapes'"):
            keras.utils.plot_model(model_zoo.chain(), show_shape=True)
        with pytest.raises(ValueError, match="model_to_dot.*foo"):
            keras.utils.model_to_dot(model_zoo.chain(), foo=1)

    @pytest.mark.parametrize(
        "wrong", [{"rankdir": "UP"}, {"splines": "round"}, {"engine": "mine"}]
    )
    def test_wrong_values(self, wrong):
        (name,) = wrong
        with pytest.raises(ValueError, match=f"`{name}` of plot_model.*must be"):
            keras.utils.plot_model(model_zoo.chain(), **wrong)

    def test_no_model(self):
        with pytest.raises(TypeError, match="must be a model.*Dense"):
            keras.utils.plot_model(layers.Dense(2))

    def test_a_format_that_nobody_writes(self, tmp_path):
        pytest.importorskip("matplotlib")
        with pytest.raises(ValueError, match=r"'xyz'.*Without Graphviz.*'pdf'"):
            keras.utils.plot_model(model_zoo.chain(), tmp_path / "m.xyz", engine="own")
        assert not (tmp_path / "m.xyz").exists()

    def test_without_matplotlib(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        with pytest.raises(ImportError, match=r"'matplotlib'.*hornbeam\[plot\]"):
            keras.utils.plot_model(model_zoo.chain(), tmp_path / "m.png", engine="own")
