"""TensorBoard's page, in a browser."""

import re
import shutil
import subprocess
import sys
import urllib.request

import numpy as np
import pytest

import hornbeam as keras

pytest.importorskip("tensorboard")
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-headless-shell"))), None
)
# Without TensorFlow, which takes long to load.
SERVE = """if True:
    import sys, types
    sys.modules["tensorboard.compat.notf"] = types.ModuleType("notf")
    from tensorboard.main import run_main
    run_main()
    """


@pytest.fixture
def address(tmp_path):
    """The address of a TensorBoard that shows a training."""
    with keras.config.backend_scope("torch"):
        layers = [keras.layers.Embedding(5, 3, name="table"), keras.layers.Flatten()]
        model = keras.Sequential([keras.Input((2,)), *layers, keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        x, y = np.ones((8, 2)), np.ones((8, 1))
        board = keras.callbacks.TensorBoard(
            tmp_path, histogram_freq=1, write_images=True, embeddings_freq=1
        )
        model.fit(x, y, epochs=3, verbose=0, callbacks=[board])
        model.evaluate(x, y, verbose=0, callbacks=[board])
    options = ["--logdir", str(tmp_path), "--port", "0", "--host", "127.0.0.1"]
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, *options], stderr=subprocess.PIPE, text=True
    )
    try:
        for line in server.stderr:
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            if found:
                yield found[0]
                break
        else:
            pytest.fail("TensorBoard did not start")
    finally:
        server.terminate()
        server.communicate()


def asked(address, path):
    with urllib.request.urlopen(f"{address}data/plugin/{path}", timeout=60) as answer:
        return answer.read().decode()


def page(address, folder):
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,900"]
    options += [f"--user-data-dir={folder}", "--virtual-time-budget=20000"]
    shown = subprocess.run(
        [BROWSER, *options, "--dump-dom", f"{address}#timeseries"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    return shown.stdout


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="left out: there is no Chromium")
def test_the_page_shows_the_training(address, tmp_path_factory):
    # The files are read in the background; the page shows what has been read.
    for _ in range(5):
        shown = page(address, tmp_path_factory.mktemp("browser"))
        if "evaluation_loss_vs_iterations" in shown:
            break
    for tag in ("epoch_loss", "epoch_learning_rate", "evaluation_loss_vs_iterations"):
        assert tag in shown
    assert "table/embeddings/image" in asked(address, "images/tags")
    assert "table/embeddings/histogram" in asked(address, "histograms/tags")
    graph = asked(address, "graphs/graph?run=train")
    assert 'op: "Embedding"' in graph and 'input: "table"' in graph
    assert asked(address, "projector/runs") == '["."]'
    assert '"tensorPath": "table_embeddings.tsv"' in asked(
        address, "projector/info?run=."
    )
