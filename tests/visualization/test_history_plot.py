"""`plot_history`: what it draws, and what it refuses."""

import pytest

import hornbeam as keras

HISTORY = {"loss": [3, 2, 1], "val_loss": [4, 3, 2], "accuracy": [0.1, 0.2, 0.3]}


def test_one_name_is_one_panel():
    axes = keras.visualization.plot_history(HISTORY, metrics="loss")
    assert [one.get_title() for one in axes] == ["loss"]
    lines = axes[0].get_lines()
    assert [line.get_ydata().tolist() for line in lines] == [[3, 2, 1], [4, 3, 2]]


@pytest.mark.parametrize(
    ("history", "error", "match"),
    [
        (None, TypeError, "expects the `History`.*Received: None"),
        ([1, 2], TypeError, "expects the `History`"),
        ({}, ValueError, "the history is empty"),
        ({"loss": []}, ValueError, "the history is empty"),
    ],
)
def test_what_is_no_history(history, error, match):
    with pytest.raises(error, match=match):
        keras.visualization.plot_history(history)
