"""Every plot draws on the axes that it is given, or in the place of one of them."""

import inspect

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

import hornbeam as keras
from hornbeam import layers, visualization
from hornbeam.diagnosis.learning_rate import LearningRates
from hornbeam.visualization import panels

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(0, 255, (4, 6, 6, 3))
TRUE, SCORES = RANDOM.integers(0, 2, 40), RANDOM.uniform(0, 1, 40)
CURVES = {"loss": [2.0, 1.0], "accuracy": [0.5, 0.6]}


def results():
    params = [{"a": a, "b": b} for a in (0.1, 0.2) for b in (1, 2)]
    scores = {"params": params}
    for name in ("auc", "f1"):
        for part in ("split0_test", "mean_test", "std_test"):
            scores[f"{part}_{name}"] = RANDOM.uniform(0, 1, 4)
    return scores


@pytest.fixture(scope="module")
def model():
    inputs = keras.Input((6, 6, 3))
    maps = layers.Conv2D(4, 3, name="conv")(inputs)
    rows = layers.Reshape((16, 4))(maps)
    outputs = layers.MultiHeadAttention(4, 2)(rows, rows)
    return keras.Model(inputs, outputs)


# For each plot: the number of its panels, and its arguments.
PLOTS = {
    "plot_attention_maps": (4, lambda model: (model, IMAGES)),
    "plot_bounding_box_gallery": (4, lambda model: (IMAGES, "xyxy")),
    "plot_calibration": (1, lambda model: (TRUE, SCORES)),
    "plot_confusion_matrix": (1, lambda model: (TRUE, SCORES)),
    "plot_embedding": (1, lambda model: (IMAGES,)),
    "plot_feature_maps": (4, lambda model: (model, IMAGES[0], "conv")),
    "plot_filters": (4, lambda model: (model.get_layer("conv"),)),
    "plot_history": (2, lambda model: (CURVES,)),
    "plot_image_gallery": (4, lambda model: (IMAGES,)),
    "plot_learning_curves": (2, lambda model: ([CURVES],)),
    "plot_learning_rates": (1, lambda model: (LearningRates([0.1, 0.2], [2.0, 1.0]),)),
    "plot_precision_recall": (1, lambda model: (TRUE, SCORES)),
    "plot_predictions": (1, lambda model: (SCORES, SCORES + 1)),
    "plot_roc": (1, lambda model: (TRUE, SCORES)),
    "plot_search": (2, lambda model: (results(),)),
    "plot_segmentation_mask_gallery": (4, lambda model: (IMAGES, 1)),
    "plot_worst_examples": (4, lambda model: (IMAGES, TRUE[:4], SCORES[:4])),
}


def flat(drawn):
    return list(np.array(drawn, dtype=object).flat)


@pytest.fixture(params=PLOTS)
def plot(request, model):
    """What draws, with its data, and the number of its panels."""
    count, arguments = PLOTS[request.param]
    draw = getattr(visualization, request.param)
    return lambda **options: draw(*arguments(model), **options), count


def test_no_plot_is_left_out():
    found = {name for name in dir(visualization) if name.startswith("plot_")}
    assert found == set(PLOTS)
    for name in found:
        arguments = set(inspect.signature(getattr(visualization, name)).parameters)
        assert {"ax", "path"} <= arguments or "kwargs" in arguments


def test_new_axes_are_returned_and_written(plot, tmp_path):
    draw, count = plot
    axes = flat(draw(path=tmp_path / "a.png"))
    assert len(axes) == count and all(isinstance(one, Axes) for one in axes)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_axes_that_are_given(plot, tmp_path):
    draw, count = plot
    figure = Figure()
    given = figure.subplots(1, count, squeeze=False)
    axes = draw(ax=given if count > 1 else given.item(), path=tmp_path / "a.svg")
    assert flat(axes) == flat(given)
    assert all(one.has_data() for one in flat(axes))
    assert "<svg" in (tmp_path / "a.svg").read_text()
    wrong = Figure().subplots(5)
    with pytest.raises(ValueError, match=f"draws {count} panels.*Received: 5"):
        draw(ax=wrong)
    with pytest.raises(TypeError, match="expects `ax` to be axes of matplotlib"):
        draw(ax=Figure())


def test_nothing_is_drawn_where_the_file_cannot_be_made(plot, tmp_path):
    draw, _ = plot
    ax = Figure().subplots()
    with pytest.raises(FileNotFoundError, match="no folder '.*nowhere'. Make it"):
        draw(ax=ax, path=tmp_path / "nowhere" / "a.png")
    with pytest.raises(IsADirectoryError, match="`path` of plot_.* is a folder"):
        draw(ax=ax, path=tmp_path)
    with pytest.raises(TypeError, match="`path` of plot_.*Received: path=3"):
        draw(ax=ax, path=3)
    assert not ax.has_data() and ax.axison


@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
@pytest.mark.parametrize("place", ["left", "center"])
def test_a_title_stands_above_those_of_the_panels(layout, place):
    figure = Figure(layout=layout, figsize=(9, 3))
    _, one = figure.subplots(1, 2)
    one.set_title("mine, and larger", fontsize=16, loc=place)
    axes = visualization.plot_history({**CURVES, "val_loss": [2.0, 1.0]}, ax=one)
    figure.draw_without_rendering()
    texts = [part for part in one.get_children() if isinstance(part, Text)]
    (title,) = [text for text in texts if text.get_text()]
    box = title.get_window_extent()
    for panel in axes:
        assert not box.overlaps(panel.title.get_window_extent())
        assert not box.overlaps(panel.get_window_extent())
    left, right = (panel.get_tightbbox() for panel in axes)
    assert left.x1 <= right.x0 + 1 and box.y1 <= figure.bbox.y1


@pytest.mark.parametrize("layout", [None, "constrained", "by hand"])
def test_the_place_of_one_axes_is_divided(plot, layout):
    draw, count = plot
    figure = Figure(layout=layout if layout == "constrained" else None)
    if layout == "by hand":
        other = figure.add_axes((0.1, 0.1, 0.3, 0.8))
        one = figure.add_axes((0.5, 0.1, 0.4, 0.8))
    else:
        other, one = figure.subplots(1, 2)
    one.set_title("mine")
    axes = flat(draw(ax=one))
    figure.draw_without_rendering()
    place, right = one.get_position(), other.get_position().x1
    assert len(axes) == count and all(panel.figure is figure for panel in axes)
    for panel in axes:
        x0, y0, x1, y1 = panel.get_position().extents
        assert right < x0 < x1 <= place.x1 + 0.03
        assert place.y0 - 0.2 <= y0 < y1 <= place.y1 + 0.03
    if count > 1:
        assert not one.axison and one.get_title() == "mine"


def test_in_a_notebook_new_pictures_are_shown(plot, monkeypatch, tmp_path):
    """By pyplot, as those of matplotlib itself; those that are written are not."""
    from matplotlib import pyplot

    pyplot.close("all")
    monkeypatch.setattr(panels, "is_in_notebook", lambda: True)
    draw, _ = plot
    draw(path=tmp_path / "a.png")
    draw(ax=Figure().subplots())
    assert pyplot.get_fignums() == []
    axes = flat(draw())
    try:
        assert pyplot.get_fignums() == [axes[0].figure.number]
    finally:
        pyplot.close("all")
