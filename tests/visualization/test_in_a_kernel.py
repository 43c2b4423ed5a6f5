"""A notebook in a real Jupyter kernel: what a training, a model and a search show."""

import os
import pathlib
import re

import pytest

import hornbeam

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("kernel"),
    # What zmq and asyncio leave open when the kernel is gone.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

CELLS = {
    "start": """
        import numpy as np
        import hornbeam as keras
        draws = np.random.RandomState(0)
        x, y = draws.normal(size=(96, 4)).astype("float32"), draws.randint(0, 3, 96)
        def make(rate=0.1):
            model = keras.Sequential(
                [keras.Input((4,)), keras.layers.Dropout(rate), keras.layers.Dense(3)]
            )
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile("sgd", loss, metrics=["accuracy"])
            return model
        model = make()
        """,
    "fit": "history = model.fit(x, y, epochs=100, validation_split=0.25)",
    "evaluate": "scores = model.evaluate(x, y)",
    "evaluate slowly": """
        import time
        def batches():
            for start in range(0, 96, 16):
                time.sleep(0.15)
                yield x[start : start + 16], y[start : start + 16]
        scores = model.evaluate(batches())
        """,
    "predict": "_ = model.predict(x)",
    "silent": "_ = model.fit(x, y, epochs=2, verbose=0)",
    "model": "model",
    "summary": "model.summary()",
    "layer": "model.layers[-1]",
    "history": "history",
    "plot": "axes = keras.visualization.plot_history(history)",
    "written": "_ = keras.visualization.plot_history(history, path='curves.png')",
    "gallery": "_ = keras.visualization.plot_image_gallery(np.zeros((4, 8, 8, 3)))",
    "diagnosis": "model.diagnose(x, y)",
    "search": """
        network = keras.wrappers.KerasClassifier(make, epochs=3, verbose=0)
        rates = {"rate": [0.0, 0.2]}
        grid = keras.wrappers.GridSearchCV(network, rates, cv=2, verbose=1)
        _ = grid.fit(x, y)
        """,
    "ranking": "_ = keras.visualization.plot_search(grid)",
    "table": "grid",
    "interrupted": """
        class Stop(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                if epoch == 2:
                    raise KeyboardInterrupt
        try:
            model.fit(x, y, epochs=9, callbacks=[Stop()])
        except KeyboardInterrupt:
            print("stopped")
        """,
}


def dedented(source):
    lines = source.strip("\n").split("\n")
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[margin:] for line in lines).strip()


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The outputs of the cells by name, and how often displays were updated."""
    updates = {}

    class Client(nbclient.NotebookClient):
        def process_message(self, message, cell, index):
            if message["msg_type"] == "update_display_data":
                name = list(CELLS)[index]
                updates[name] = updates.get(name, 0) + 1
            return super().process_message(message, cell, index)

    cells = [nbformat.v4.new_code_cell(dedented(x)) for x in CELLS.values()]
    source = str(pathlib.Path(hornbeam.__file__).parents[1])
    path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "HORNBEAM_BACKEND": "jax"}
    folder = tmp_path_factory.mktemp("notebook")
    found = nbformat.v4.new_notebook(cells=cells)
    client = Client(
        found, timeout=250, kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    client.execute(env=environment)
    outputs = {
        name: cell.outputs for name, cell in zip(CELLS, found.cells, strict=True)
    }
    return outputs, updates, folder


def html(outputs):
    """Return the HTML of the only output."""
    (output,) = outputs
    assert output.output_type in ("display_data", "execute_result"), output
    assert output.data["text/plain"]
    return output.data["text/html"]


def test_no_cell_says_an_error_or_a_warning(notebook):
    outputs, _, _ = notebook
    says = ("evaluate", "evaluate slowly", "predict", "search", "interrupted")
    for name, found in outputs.items():
        kinds = [x.output_type for x in found]
        assert "error" not in kinds, (name, found)
        streams = [x for x in found if x.output_type == "stream"]
        words = name in says
        assert len(streams) == words, (name, streams)
        assert all(stream.name == "stdout" for stream in streams)


def test_a_training_is_one_display(notebook):
    outputs, updates, _ = notebook
    shown = html(outputs["fit"])
    assert "Epoch 100/100" in shown and "val_loss" in shown
    lines = re.findall(r'<polyline class="hb-\w+" points="([^"]*)"', shown)
    assert len(lines) == 4 and all(len(line.split()) == 100 for line in lines)
    assert updates["fit"] < 100
    assert len(outputs["evaluate"]) == 1 and not outputs["silent"]


def test_a_slow_evaluation_has_a_bar_without_widgets(notebook):
    """It goes when the line of results comes."""
    outputs, updates, _ = notebook
    bar, words = outputs["evaluate slowly"]
    assert bar.data["text/html"] == "" and updates["evaluate slowly"]
    assert words.text.startswith("Evaluate - 6 steps")


def test_things_show_themselves(notebook):
    outputs, _, _ = notebook
    model = html(outputs["model"])
    assert "<svg" in model and "15 parameters" in model
    assert "<table" in html(outputs["summary"])
    assert "kernel" in html(outputs["layer"])
    assert html(outputs["history"]).count("<polyline") == 4
    assert "Diagnosis of model" in html(outputs["diagnosis"])
    assert "rank" in html(outputs["table"])


def test_plots_are_pictures_under_their_cells(notebook):
    outputs, _, folder = notebook
    for name in ("plot", "gallery"):
        pictures = [x for x in outputs[name] if "image/png" in x.get("data", {})]
        assert len(pictures) == len(outputs[name]) == 1, (name, outputs[name])
    assert outputs["written"] == [] and (folder / "curves.png").exists()
    ranking = [x for x in outputs["ranking"] if "image/png" in x.get("data", {})]
    assert len(ranking) == 1


def test_a_search_says_how_it_goes_in_one_place(notebook):
    outputs, _, _ = notebook
    words, bar = outputs["search"]
    assert words.text.startswith("Fitting 2 folds")
    assert re.search("Search.* 4/4", bar.data["text/html"])


def test_an_interrupted_training_leaves_its_display(notebook):
    outputs, _, _ = notebook
    display, words = outputs["interrupted"]
    assert "3" in display.data["text/html"] and words.text == "stopped\n"
