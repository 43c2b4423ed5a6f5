"""What a search shows while it runs: in a notebook, and in words."""

import pytest

import hornbeam as keras
from hornbeam.training.concurrent import displays, progress
from tests.fake_notebook import in_notebook


@pytest.fixture
def handles(monkeypatch):
    """The displays of a notebook, as IPython offers them."""
    found = in_notebook(monkeypatch, displays, "console")
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_DISPLAYS", 0.0)
    keras.config.enable_interactive_logging()
    return found


def test_a_notebook_has_one_display_with_the_best_so_far(handles, capsys):
    shown = progress.SearchProgress(total=6, sign=-1)
    shown.begin()
    numbers = [shown.start() for _ in range(5)]
    with shown.compiling():
        pass
    for number, score in zip(numbers[:4], [0.5, 0.7, 0.25, 0.3], strict=True):
        shown.done(number, [{"test_scores": {"score": score}}])
    (handle,) = handles
    assert any("compiling" in one for one in handle.shown)
    last = handle.shown[-1]
    for words in ("Search 4/6", "1 running", "left", "best score 0.25", "best so far"):
        assert words.replace("best so far", "best score so far") in last
    assert 'class="hb-bar" width="160.0"' in last
    shown.done(numbers[4], [])
    shown.end(is_complete=True)
    assert "Search 5/5" in handle.shown[-1] and "running" not in handle.shown[-1]
    assert len(handles) == 1 and "Search" not in capsys.readouterr().out


def test_the_time_left_in_words():
    for left, rate, words in (
        (30, 1.0, "30s left"),
        (90, 1.0, "1m 30s left"),
        (60, 1 / 125, "2h 05m left"),
        (5, 0.0, ""),
    ):
        assert displays.State(10, 10 + left, 0, rate, None).left == words


def test_a_search_without_scores_shows_no_best():
    state = displays.State(1, 2, 1, 0.5, None)
    assert state.words() == ["1 running", "0.5/s", "2s left"]
