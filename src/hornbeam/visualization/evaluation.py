"""Pictures of predictions: confusion, calibration, ROC, precision and recall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.core.errors import check_number
from hornbeam.typing import DataFormat, PathLike, TensorLike
from hornbeam.visualization.checks import names_of_classes, numbers, without_gaps
from hornbeam.visualization.galleries import drawn_gallery
from hornbeam.visualization.optional import optional
from hornbeam.visualization.panels import is_shown, panel, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Lines that differ in dashes too, for those who do not see the colours.
_DASHES = ("-", "--", "-.", ":")
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_MOST_CLASSES, _MOST_NAMES = 12, 40


def plot_confusion_matrix(
    y_true: TensorLike,
    y_pred: TensorLike,
    class_names: Sequence[str] | None = None,
    normalize: bool = False,
    ax: Axes | None = None,
    path: PathLike | None = None,
) -> Axes:
    """Draw how often each true class was predicted as each class.

    Args:
        y_true: class numbers, or rows of one-hot or scores.
        y_pred: class numbers, or what `predict` returned: rows of scores, or
            probabilities of the second class.
        class_names: the names of the classes. Default: their numbers.
        normalize: whether rows are fractions instead of counts. Default: False.
        ax: matplotlib's axes to draw on. Default: new ones.
        path: where the picture is written. Default: it is not.

    >>> import hornbeam as keras
    >>> axes = keras.visualization.plot_confusion_matrix([0, 1, 1], [0, 1, 0])
    >>> axes.images[0].get_array().tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    owner = "plot_confusion_matrix"
    true = _classes(owner, "y_true", y_true)
    predicted = _classes(owner, "y_pred", y_pred)
    _check_rows(owner, true, predicted)
    count = int(max(true.max(initial=0), predicted.max(initial=0))) + 1
    class_names = names_of_classes(owner, class_names, count)
    count = max(count, len(class_names or ()))
    table = np.zeros((count, count))
    np.add.at(table, (true, predicted), 1)
    if normalize:
        table /= np.maximum(table.sum(1, keepdims=True), 1)
    ax = panel("plot_confusion_matrix", ax, max(4.0, min(10.0, 0.5 * count + 2)), path)
    picture = ax.imshow(table, cmap="cividis", vmin=0)
    # Of many classes each second one, or third ..., has its name.
    places = range(0, count, -(-count // _MOST_NAMES))
    names = [class_names[place] if class_names else place for place in places]
    ax.set_xticks(places, names, rotation=90 if class_names or count > 20 else 0)
    ax.set_yticks(places, names)
    for (row, column), value in np.ndenumerate(table if count <= 20 else table[:0]):
        words = f"{value:.2f}" if normalize else f"{value:.0f}"
        # The upper end of the colours is light.
        colour = "black" if picture.norm(value) > 0.5 else "white"
        ax.text(column, row, words, ha="center", va="center", color=colour, size=8)
    accuracy = float((true == predicted).mean()) if len(true) else float("nan")
    ax.set(xlabel="predicted", ylabel="true", title=f"accuracy {accuracy:.4f}")
    return written(ax, path)


def plot_calibration(
    y_true: TensorLike,
    y_pred: TensorLike,
    bins: int = 10,
    ax: Axes | None = None,
    path: PathLike | None = None,
) -> Axes:
    """Draw how often predictions of a probability came true: a reliability diagram.

    The title has the expected calibration error: the mean distance from the diagonal,
    weighted by the number of predictions (C. Guo et al., "On calibration of modern
    neural networks", 2017).

    Args:
        y_true: class numbers, or rows of one-hot.
        y_pred: rows of probabilities, of which the greatest counts, or probabilities of
            the second class.
        bins: the number of groups of equal width. Default: 10.
        ax: matplotlib's axes to draw on. Default: new ones.
        path: where the picture is written. Default: it is not.

    >>> import hornbeam as keras
    >>> axes = keras.visualization.plot_calibration([0, 1, 1, 1], [0.1, 0.9, 0.9, 0.9])
    >>> axes.get_title()
    'expected calibration error 0.1000'
    """
    owner = "plot_calibration"
    check_number(f"{owner}()", "bins", bins, 1, integer=True)
    true = _classes(owner, "y_true", y_true)
    scores = _probabilities(owner, y_pred)
    _check_rows(owner, true, scores)
    if scores.ndim == 2 and scores.shape[1] > 1:
        confidence, came_true = scores.max(1), scores.argmax(1) == true
    else:
        confidence, came_true = scores.reshape(-1), true == 1
    group = np.clip((confidence * bins).astype(int), 0, bins - 1)
    count = np.bincount(group, minlength=bins)
    filled = count > 0
    said = np.bincount(group, confidence, bins)[filled] / count[filled]
    was = np.bincount(group, came_true, bins)[filled] / count[filled]
    error = float(np.abs(said - was) @ count[filled] / max(1, count.sum()))
    ax = panel("plot_calibration", ax, 4.5, path)
    ax.plot([0, 1], [0, 1], ":", color="0.5", label="perfect")
    ax.plot(said, was, "o-", color=_COLOURS[0], label="predictions")
    share = count / max(1, count.max())
    middles = (np.arange(bins) + 0.5) / bins
    ax.bar(middles, 0.2 * share, 0.9 / bins, color="0.8", zorder=0, label="how many")
    ax.set(xlabel="predicted probability", ylabel="fraction that came true")
    ax.set(xlim=(0, 1), ylim=(0, 1.02), title=f"expected calibration error {error:.4f}")
    ax.legend(fontsize="small")
    return written(ax, path)


def plot_roc(
    y_true: TensorLike,
    y_pred: TensorLike,
    class_names: Sequence[str] | None = None,
    ax: Axes | None = None,
    path: PathLike | None = None,
) -> Axes:
    """Draw true positives against false positives, each class against the others.

    Needs scikit-learn.

    Args:
        y_true: class numbers, or rows of one-hot.
        y_pred: rows of scores, or scores of the second class.
        class_names: the names of the classes. Default: their numbers.
        ax: matplotlib's axes to draw on. Default: new ones.
        path: where the picture is written. Default: it is not.

    >>> import hornbeam as keras
    >>> axes = keras.visualization.plot_roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> axes.get_lines()[1].get_label()
    'class 1: area 0.7500'
    """
    metrics = optional("sklearn.metrics", "sklearn")
    of, classes = _each_class("plot_roc", y_true, y_pred, class_names)
    ax = panel("plot_roc", ax, 4.5, path)
    ax.plot([0, 1], [0, 1], ":", color="0.5", label="chance")
    for name, look, truth, scores in classes:
        false, true, _ = metrics.roc_curve(truth, scores)
        label = f"{name}: area {metrics.auc(false, true):.4f}"
        ax.plot(false, true, label=label, **look)
    ax.set(xlabel="false positive rate", ylabel="true positive rate", title=f"ROC{of}")
    ax.legend(fontsize="small")
    return written(ax, path)


def plot_precision_recall(
    y_true: TensorLike,
    y_pred: TensorLike,
    class_names: Sequence[str] | None = None,
    ax: Axes | None = None,
    path: PathLike | None = None,
) -> Axes:
    """Draw precision against recall, each class against the others.

    Needs scikit-learn.

    Args:
        y_true: class numbers, or rows of one-hot.
        y_pred: rows of scores, or scores of the second class.
        class_names: the names of the classes. Default: their numbers.
        ax: matplotlib's axes to draw on. Default: new ones.
        path: where the picture is written. Default: it is not.

    >>> import hornbeam as keras
    >>> y_true, y_pred = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    >>> axes = keras.visualization.plot_precision_recall(y_true, y_pred)
    >>> axes.get_lines()[0].get_label()
    'class 1: average precision 0.8333'
    """
    metrics = optional("sklearn.metrics", "sklearn")
    of, classes = _each_class("plot_precision_recall", y_true, y_pred, class_names)
    ax = panel("plot_precision_recall", ax, 4.5, path)
    for name, look, truth, scores in classes:
        precision, recall, _ = metrics.precision_recall_curve(truth, scores)
        average = metrics.average_precision_score(truth, scores)
        label = f"{name}: average precision {average:.4f}"
        ax.plot(recall, precision, label=label, drawstyle="steps-post", **look)
    ax.set(xlabel="recall", ylabel="precision", title=f"precision and recall{of}")
    ax.set(xlim=(0, 1.01), ylim=(0, 1.03))
    ax.legend(fontsize="small")
    return written(ax, path)


def plot_predictions(
    y_true: TensorLike,
    y_pred: TensorLike,
    ax: Axes | None = None,
    path: PathLike | None = None,
) -> Axes:
    """Draw the predictions of a regression against the targets.

    Several outputs have colours of their own; the title has the mean of their R².

    Args:
        y_true: the targets.
        y_pred: what was predicted.
        ax: matplotlib's axes to draw on. Default: new ones.
        path: where the picture is written. Default: it is not.

    >>> import hornbeam as keras
    >>> axes = keras.visualization.plot_predictions([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    >>> axes.get_title()
    'R² 0.5000, root mean square error 0.5774'
    """
    owner = "plot_predictions"
    true = without_gaps(owner, "y_true", y_true).astype(float)
    predicted = without_gaps(owner, "y_pred", y_pred).astype(float)
    _check_rows(owner, true.reshape(-1), predicted.reshape(-1))
    outputs = true.shape[1] if true.ndim == 2 and true.shape == predicted.shape else 1
    true, predicted = true.reshape(-1, outputs), predicted.reshape(-1, outputs)
    errors = predicted - true
    spread = ((true - true.mean(0)) ** 2).sum(0)
    fits = 1 - (errors**2).sum(0) / np.where(spread > 0, spread, np.nan)
    ax = panel("plot_predictions", ax, 4.5, path)
    ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
    ax.plot(ends, ends, ":", color="0.5", label="equal")
    strength = float(np.clip(200 / max(1, len(true)), 0.1, 0.7))
    for output in range(outputs):
        ax.plot(
            true[:, output], predicted[:, output], "os^Dv<"[output % 6], markersize=4,
            color=_COLOURS[output % len(_COLOURS)], alpha=strength,
            label=f"output {output}: R² {fits[output]:.4f}",
        )  # fmt: skip
    if 1 < outputs <= _MOST_CLASSES:
        ax.legend(fontsize="small")
    error = float(np.sqrt((errors**2).mean()))
    ax.set(xlabel="target", ylabel="prediction")
    ax.set_title(f"R² {fits.mean():.4f}, root mean square error {error:.4f}")
    return written(ax, path)


def plot_worst_examples(
    images: TensorLike,
    y_true: TensorLike,
    y_pred: TensorLike,
    count: int = 12,
    class_names: Sequence[str] | None = None,
    value_range: tuple[float, float] = (0, 255),
    path: PathLike | None = None,
    show: bool | None = None,
    data_format: DataFormat | None = None,
    ax: Any = None,
) -> np.ndarray:
    """Draw the images whose true class was given the least probability.

    Args:
        images: of shape (images, height, width, 1 or 3).
        y_true: class numbers, or rows of one-hot.
        y_pred: rows of probabilities, or probabilities of the second class.
        count: how many are drawn. Default: 12.
        class_names: the names of the classes. Default: their numbers.
        value_range: the values of black and of full colour. Default: (0, 255).
        path: where the picture is written. Default: it is not.
        show: whether it is shown on the screen. Default: in a notebook without `path`
            and `ax`.
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.
        ax: matplotlib's axes to draw on: as many as the grid has places, or one, whose
            place is divided. Default: new ones.

    Returns:
        An array of matplotlib's axes, the worst image first.

    >>> import hornbeam as keras, numpy as np
    >>> images = np.zeros((3, 8, 8, 1))
    >>> axes = keras.visualization.plot_worst_examples(
    ...     images, [0, 1, 1], [0.1, 0.9, 0.2], count=2
    ... )
    >>> [panel.get_title() for panel in axes.flat]
    ['0, not 1', '0']
    """
    owner = "plot_worst_examples"
    check_number(f"{owner}()", "count", count, 1, integer=True)
    images = numbers(owner, "images", images)
    true = _classes(owner, "y_true", y_true)
    scores = without_gaps(owner, "y_pred", y_pred).astype(float)
    _check_rows(owner, true, scores)
    _check_rows(owner, true, images, "image")
    if scores.ndim == 1 or scores.shape[1] == 1:
        scores = np.stack([1 - scores.reshape(-1), scores.reshape(-1)], 1)
    units = scores.shape[1]
    class_names = names_of_classes(owner, class_names, units)
    if true.min() < 0 or true.max() >= units:
        raise ValueError(
            f"{owner}(): `y_pred` has scores of {units} classes, and `y_true` holds "
            f"class {true.max() if true.min() >= 0 else true.min()}."
        )
    worst = np.argsort(scores[np.arange(len(true)), true], kind="stable")[:count]
    names = None if class_names is None else dict(enumerate(class_names))
    return drawn_gallery(
        owner, images[worst], true[worst],
        scores.argmax(1)[worst], names, value_range=value_range, path=path,
        show=is_shown(path, ax) if show is None else show,
        data_format=data_format, ax=ax,
    )  # fmt: skip


def _classes(owner, argument, labels):
    """Return class numbers of numbers, one-hot rows, or scores."""
    labels = without_gaps(owner, argument, labels)
    if labels.ndim == 2 and labels.shape[1] > 1:
        if argument == "y_true" and ((labels == 1).sum(1) > 1).any():
            raise ValueError(
                f"{owner}() expects one class for each row in `y_true`. Rows have "
                "several labels: draw each label on its own, with `y_true[:, i]` and "
                "`y_pred[:, i]`."
            )
        return labels.argmax(1)
    if labels.ndim > 2:
        raise ValueError(
            f"{owner}() expects `{argument}` to be class numbers, or rows of one-hot "
            f"or scores. Received: shape {labels.shape}"
        )
    labels = labels.reshape(-1)
    if labels.dtype.kind == "f" and (labels != labels.round()).any():
        if argument == "y_true" or labels.min() < 0 or labels.max() > 1:
            what = "class numbers"
            if argument != "y_true":
                what += ", or probabilities of the second class, from 0 to 1,"
            raise ValueError(
                f"{owner}() expects {what} in `{argument}`. Received numbers from "
                f"{labels.min():.4g} to {labels.max():.4g}. For a regression there is "
                "`plot_predictions`."
            )
        return (labels > 0.5).astype(int)  # probabilities of the second class
    if (labels < 0).any():
        raise ValueError(
            f"{owner}() expects classes counted from 0 in `{argument}`. Received: "
            f"{labels.min():g} among them."
        )
    return labels.astype(int)


def _probabilities(owner, scores):
    scores = without_gaps(owner, "y_pred", scores).astype(float)
    if not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError(
            f"{owner}() expects `y_pred` to be probabilities, from 0 to 1. Received "
            f"numbers from {scores.min():.4g} to {scores.max():.4g}. "
            "`keras.ops.softmax` or `keras.ops.sigmoid` makes them of logits."
        )
    return scores


def _check_rows(owner, true, predicted, what="prediction"):
    if len(true) != len(predicted):
        raise ValueError(
            f"{owner}() expects one {what} for each target. Received: {len(true)} "
            f"targets and {len(predicted)} {what}s."
        )


def _each_class(owner, y_true, y_pred, class_names):
    """Return words on what is left out, and what is drawn of each class.

    That is its name, its look, whether rows are of it, and their scores.
    """
    true = _classes(owner, "y_true", y_true)
    scores = without_gaps(owner, "y_pred", y_pred).astype(float)
    _check_rows(owner, true, scores)
    scores = scores.reshape(len(scores), -1)
    units = max(2, scores.shape[1])
    names = names_of_classes(owner, class_names, units)
    if scores.shape[1] == 1:
        scores = np.concatenate([-scores, scores], 1)
    # A class of which there is none, or nothing else, has no curve.
    seen = [c for c in range(units) if 0 < (true == c).sum() < len(true)]
    if not seen:
        raise ValueError(
            f"{owner}() compares classes, and `y_true` holds one alone: {true[0]}."
        )
    if units == 2:
        seen = seen[-1:]
    drawn = seen[:_MOST_CLASSES]
    left_out = f" of the first {len(drawn)} of {len(seen)} classes"
    return left_out * (len(drawn) < len(seen)), [
        (
            f"class {number}" if names is None else names[number],
            _look(place),
            true == number,
            scores[:, number],
        )
        for place, number in enumerate(drawn)
    ]


def _look(number):
    dash = _DASHES[number // len(_COLOURS) % len(_DASHES)]
    return {"color": _COLOURS[number % len(_COLOURS)], "linestyle": dash}
