"""The progress bar of one line."""

import logging

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.config import switches
from hornbeam.utils.progbar import Progbar, format_rate, format_value


def shown(capsys, **arguments):
    bar = Progbar(target=3, interval=0.0, **arguments)
    bar.update(1, [("value", 0.0)])
    bar.update(3, [("value", 3.0)])
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ({}, "2.0000"),  # (1 * 0 + 2 * 3) / 3
        ({"stateful_metrics": ["value"]}, "3.0000"),
        ({"stateless_metrics": ["value"]}, "2.0000"),
        ({"stateless_metrics": []}, "3.0000"),
    ],
)
def test_values_are_averaged_over_steps_or_shown_as_they_are(capsys, arguments, value):
    text = shown(capsys, **arguments)
    # Spaces cover what a longer line before it showed.
    assert text.split("\r")[-1].rstrip().endswith(f" - value: {value}")
    assert "3/3" in text


def test_only_one_kind_of_names_is_given():
    with pytest.raises(ValueError, match="Only one of"):
        Progbar(3, stateful_metrics=[], stateless_metrics=[])


@pytest.mark.parametrize(("verbose", "lines"), [(0, 0), (1, 3), (2, 1)])
def test_verbose(capsys, verbose, lines):
    bar = Progbar(3, verbose=verbose, interval=0.0)
    for _ in range(3):
        bar.add(1, [("a", np.array([1.0, 2.0]))])
    text = capsys.readouterr().out
    assert text.count("a: 1.5000") == lines


def test_interval_limits_the_displays(capsys):
    bar = Progbar(100, interval=60.0)
    for step in range(100):
        bar.update(step + 1)
    assert capsys.readouterr().out.count("\r") == 2


@pytest.mark.parametrize("target", [0, None])
def test_no_target(capsys, target):
    Progbar(target).update(0, finalize=True)
    assert capsys.readouterr().out.endswith("\n")


def test_without_interactive_logging_the_last_line_is_logged(capsys, caplog):
    caplog.set_level(logging.INFO)
    switches.disable_interactive_logging()
    try:
        shown(capsys)
    finally:
        switches.enable_interactive_logging()
    assert len(caplog.records) == 1
    assert "3/3" in caplog.text


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.0, "2s/step"), (0.004, "4ms/step"), (6e-6, "6us/step")]
)
def test_rates(seconds, text):
    assert format_rate(seconds * 10, 10) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5000"), (0, "0.0000"), (1e-5, "1.0000e-05")]
)
def test_values(value, text):
    assert format_value(value) == text


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_a_program_without_a_console_says_nothing(monkeypatch, verbose):
    """As that of `pythonw` and of packaged programs, where `sys.stdout` is None."""
    with backends.scope("torch"):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        monkeypatch.setattr("sys.stdout", None)
        model.summary()
        page = keras.callbacks.LivePage()
        history = model.fit(
            np.ones((4, 2)), np.ones(4), verbose=verbose, callbacks=[page]
        )
        assert len(history.history["loss"]) == 1
        assert model.predict(np.ones((4, 2)), verbose=verbose).shape == (4, 1)
