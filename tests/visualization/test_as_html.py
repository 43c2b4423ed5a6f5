"""Models, layers, histories, searches and files as HTML: whole, escaped, true."""

import html.parser
import io
import re
import sys
import types

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers
from hornbeam.visualization import to_html
from tests.visualization import model_zoo

pytestmark = pytest.mark.usefixtures("python_only")
ATTACK = "<script>alert('x')<img src=y onerror=z>"


class Reader(html.parser.HTMLParser):
    """Reads HTML strictly: each element is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words, self.attributes = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "link", "input", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(thing, **kwargs):
    """Return the HTML of a thing, read; it is safe and needs nothing else."""
    text = to_html(thing, **kwargs)
    reader = Reader(text)
    assert set(reader.tags) <= {
        *("div", "style", "b", "span", "details", "summary", "svg", "title", "rect"),
        *("g", "text", "tspan", "path", "polygon", "polyline", "circle", "line"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    links = re.findall(r"https?://[^\"' ]*", text)
    assert set(links) <= {"http://www.w3.org/2000/svg"}
    names = {name for name, _ in reader.attributes}
    assert not {x for x in names if x.startswith("on") or x in ("src", "href")}
    return reader


class TestModels:
    @pytest.mark.parametrize("make", model_zoo.ALL)
    def test_all_kinds(self, make):
        model = make()
        reader = read(model)
        assert model.name in reader.words
        assert f"{len(model.layers)} layers" in reader.words

    def test_what_it_says(self):
        model = model_zoo.several()
        model.layers[-1].trainable = False
        model.compile("adam", "mse")
        words = " ".join(read(model).words)
        total = model.count_params()
        frozen = sum(int(np.prod(w.shape)) for w in model.non_trainable_weights)
        assert f"{total:,} parameters, {frozen:,} not trained" in words
        assert "compiled with Adam, mse" in words
        assert "(None, 4) → (None, 4, 3)" in words

    def test_nested_models_are_folded(self):
        reader = read(model_zoo.nested())
        titles = [w for w in reader.words if "(Functional)," in w]
        assert [t.split()[0] for t in titles] == ["middle", "two_and_two"]
        assert any(w.startswith("deep (Sequential)") for w in reader.words)
        assert reader.tags.count("details") == 4 * 2 + 3

    def test_a_model_that_contains_one_twice(self):
        inner = model_zoo.chain()
        a, b = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
        model = keras.Model([a, b], inner(a) + inner(b))
        titles = [w for w in read(model).words if w.startswith("chain (Sequential),")]
        assert len(titles) == 1

    def test_names_are_escaped(self):
        name = ATTACK.replace("/", "")
        model = keras.Sequential(
            [keras.Input((2,)), layers.Dense(1, name=name)], name=name
        )
        assert name in read(model).words

    def test_in_a_notebook(self):
        model = model_zoo.chain()
        assert model._repr_html_() == to_html(model)

    def test_a_page(self, tmp_path):
        to_html(model_zoo.chain(), path=tmp_path / "page.html")
        text = (tmp_path / "page.html").read_text("utf-8")
        assert text.startswith("<!doctype html>")
        assert "<title>chain</title>" in text
        Reader(text)

    def test_a_very_large_model_is_not_drawn(self, monkeypatch):
        monkeypatch.setattr("hornbeam.visualization.as_html._MOST_BOXES", 3)
        reader = read(model_zoo.residual())
        assert "svg" not in reader.tags
        assert any("too many to be drawn" in words for words in reader.words)


class TestLayers:
    def test_a_layer(self):
        layer = layers.Dense(3, activation="relu", name="mine")
        layer.build((None, 2))
        words = read(layer).words
        assert {"mine", "activation", "'relu'", "(None, 3)", "'GlorotUniform'"} <= {
            *words
        }
        assert {"mine/kernel", "(2, 3)", "2 weights"} <= set(words)
        assert any("9 parameters" in x for x in words)

    def test_one_that_is_not_built(self):
        assert any("not built" in x for x in read(layers.Dense(3)).words)

    def test_one_without_a_config(self):
        class Own(layers.Layer):
            def get_config(self):
                raise NotImplementedError

        assert any("Own" in x for x in read(Own()).words)

    def test_in_a_notebook(self):
        layer = layers.Dense(3)
        assert layer._repr_html_() == to_html(layer)


class TestHistories:
    def history(self, **curves):
        history = keras.callbacks.History()
        history.history = curves
        history.epoch = list(range(len(next(iter(curves.values()), []))))
        return history

    def test_curves(self):
        curves = {
            "loss": [3.0, 2.0, 1.0],
            "val_loss": [4.0, 3.0, 3.5],
            "mae": [1, 2, 3],
        }
        history = self.history(**curves)
        reader = read(history)
        assert reader.tags.count("svg") == 2 and reader.tags.count("polyline") == 3
        assert "3 epochs" in "".join(reader.words)
        points = [v for k, v in reader.attributes if k == "points"][0]
        x, y = np.array([p.split(",") for p in points.split()], float).T
        assert (np.diff(x) > 0).all() and (np.diff(y) > 0).all()  # down is +
        assert history._repr_html_() == to_html(history)

    def test_gaps_and_single_points(self):
        curves = {"loss": [3.0, np.nan, 1.0, 2.0], "val_loss": [2.0, np.inf]}
        reader = read(self.history(**curves))
        assert reader.tags.count("circle") == 2 and reader.tags.count("polyline") == 1

    def test_values_that_are_no_numbers(self):
        curves = {"loss": [1.0], "f1": [np.ones(3)], "a": ["x"]}
        reader = read(self.history(**curves))
        assert reader.tags.count("svg") == 1

    def test_an_empty_one(self):
        assert "0 epochs" in "".join(read(self.history()).words)

    def test_names_are_escaped(self):
        assert ATTACK in read(self.history(**{ATTACK: [1.0, 2.0]})).words


class TestSearches:
    def results(self, scores):
        scores = np.array(scores)
        params = [{"rate": x, "name": ATTACK} for x in range(len(scores))]
        params[0] = {"rate": 0, "name": "plain"}
        return types.SimpleNamespace(
            cv_results_={
                "params": params,
                "mean_test_score": scores,
                "std_test_score": scores / 10,
                "split0_test_score": scores,
            }
        )

    def test_the_ranking(self):
        reader = read(self.results([0.5, np.nan, 0.9, 0.7]))
        words = reader.words
        assert [w for w in words if re.fullmatch(r"0\.\d{4}|failed", w)] == [
            "0.9000",
            "0.7000",
            "0.5000",
            "failed",
        ]
        widths = [float(v) for k, v in reader.attributes if k == "width"]
        # Each bar stands in a picture of the full width; a failed one has none.
        np.testing.assert_allclose(widths, [90, 90, 90, 47.2, 90, 4.5])
        assert any("4 candidates · 1 failed · best score 0.9000" in w for w in words)

    def test_all_failed(self):
        assert "failed" in read(self.results([np.nan, np.nan])).words

    def test_in_a_notebook(self):
        linear = pytest.importorskip("sklearn.linear_model")
        search = keras.wrappers.GridSearchCV(
            linear.LogisticRegression(), {"C": [0.1, 1.0]}, cv=2
        )
        assert "candidates" not in search._repr_html_()
        search.fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])
        assert "2 candidates" in search._repr_html_()
        assert to_html(search) in search._repr_mimebundle_()["text/html"]


def test_a_file(tmp_path):
    model_zoo.nested().save(tmp_path / "model.keras")
    report = keras.saving.inspect(tmp_path / "model.keras")
    report.warnings.append(ATTACK)
    report.custom_objects.append("a_function")
    words = read(report).words
    assert {"model.keras", "middle/deep", f"warning: {ATTACK}"} <= set(words)
    assert "custom_objects needed: a_function" in words
    numbers = sum(int(np.prod(shape)) for _, shape, _ in report.arrays)
    assert f"{len(report.arrays)} arrays, {numbers:,} numbers" in words
    assert report._repr_html_() == to_html(report)


def test_other_things_are_refused():
    with pytest.raises(TypeError, match=r"to_html\(\) shows a model.*type int"):
        to_html(3)


class TestSummary:
    def test_in_a_notebook(self, monkeypatch, capsys):
        shown = []
        display = types.ModuleType("IPython.display")
        display.HTML, display.display = lambda text: text, shown.append
        shell = type("ZMQInteractiveShell", (), {})()
        ipython = types.ModuleType("IPython")
        ipython.get_ipython = lambda: shell
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        monkeypatch.setitem(sys.modules, "IPython.display", display)
        model_zoo.nested().summary(expand_nested=True)
        assert capsys.readouterr().out == ""
        words = Reader(shown[0]).words
        assert "middle (Functional)" in words and "\u2003deep (Sequential)" in words
        assert any("Total params: " in x for x in words)
        model_zoo.nested().summary(print_fn=shown.append)
        assert shown[1].startswith('Model: "nested"')

    def test_in_a_terminal(self, monkeypatch):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        terminal = Terminal()
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setattr(sys, "stdout", terminal)
        model_zoo.chain().summary(line_length=90)
        assert "\x1b[" in terminal.getvalue()
        plain = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
        text = []
        model_zoo.chain().summary(line_length=90, print_fn=text.append)
        assert plain.rstrip() == text[0]

    def test_in_a_file(self, capsys):
        model_zoo.chain().summary()
        assert "\x1b[" not in capsys.readouterr().out
