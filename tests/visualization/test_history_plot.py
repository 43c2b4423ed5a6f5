"""`plot_history`: what it draws, and what it refuses."""

import pytest

import hornbeam as keras

HISTORY = {"loss": [3, 2, 1], "val_loss": [4, 3, 2], "accuracy": [0.1, 0.2, 0.3]}


def test_one_name_is_one_panel():
    axes = keras.visualization.plot_history(HISTORY, metrics="loss")
    assert [one.get_title() for one in axes] == ["loss"]
    lines = axes[0].get_lines()
    assert [line.get_ydata().tolist() for line in lines] == [[3, 2, 1], [4, 3, 2]]


def test_many_panels_stand_in_rows():
    axes = keras.visualization.plot_history({name: [1, 2] for name in "abcdefghi"})
    spec = axes[0].get_subplotspec().get_gridspec()
    assert len(axes) == 9 and (spec.nrows, spec.ncols) == (3, 4)


def test_a_value_between_gaps_is_seen():
    nan = float("nan")
    (axes,) = keras.visualization.plot_history({"loss": [nan, 1, nan, 2, 3]})
    (line,) = axes.get_lines()
    assert line.get_marker() == "o" and line.get_markevery() == [1]


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
