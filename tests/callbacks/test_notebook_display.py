"""What `fit` shows in a notebook: one display, updated a few times a second."""

import re
import types

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, layers
from hornbeam.callbacks import notebook_display, progbar_logger
from tests.fake_notebook import in_notebook


@pytest.fixture
def handles(monkeypatch):
    """The displays of a notebook, as IPython offers them."""
    found = in_notebook(monkeypatch, progbar_logger, "_console")
    with backends.scope("torch"):
        yield found


def fit(epochs=5, **kwargs):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((64, 3), "float32")
    return model.fit(x, np.ones(64), epochs=epochs, **kwargs)


def test_one_display_with_curves(handles, capsys):
    history = fit(validation_split=0.25)
    (handle,) = handles
    last = handle.shown[-1]
    assert "Epoch 5/5" in last and "5 epochs in" in last
    lines = re.findall(r'<polyline class="hb-\w+" points="([^"]*)"', last)
    assert [len(points.split()) for points in lines] == [5, 5]
    for name, values in history.history.items():
        assert f"{name}: {values[-1]:.4f}" in last
    assert 'class="hb-bar" width="240.0"' in last
    assert "Epoch" not in capsys.readouterr().out


def test_it_is_updated_a_few_times_a_second(handles, monkeypatch):
    now = [0.0]
    clock = types.SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr(notebook_display, "time", clock)
    display = notebook_display.NotebookDisplay(100)
    for epoch in range(100):
        display.begin(epoch, 10)
        now[0] += 0.02
        display.show(10, {"loss": 1.0}, 0.02)
        display.end_epoch(epoch, {"loss": 1.0})
    display.stop()
    assert 6 <= len(handles[0].shown) <= 9  # in two seconds


def test_an_error_leaves_the_last_state(handles):
    class Fail(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise OverflowError

    with pytest.raises(OverflowError):
        fit(callbacks=[Fail()])
    assert "2 epochs in" in handles[0].shown[-1]


def test_each_fit_has_its_own(handles):
    fit(epochs=1)
    fit(epochs=1)
    assert len(handles) == 2


@pytest.mark.parametrize("verbose", [0, 2])
def test_others_have_none(handles, verbose, capsys):
    fit(verbose=verbose)
    assert not handles
    assert ("Epoch 5/5" in capsys.readouterr().out) == (verbose == 2)


def test_names_are_escaped(handles):
    display = notebook_display.NotebookDisplay(1)
    display.begin(0, 1)
    display.end_epoch(0, {"<script>": 1.0})
    display.stop()
    assert "<script>" not in handles[0].shown[-1]
