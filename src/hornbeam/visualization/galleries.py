"""Galleries: many images in one picture, with labels, boxes or masks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hornbeam.core.errors import check_number, shown
from hornbeam.ops.core import convert_to_numpy
from hornbeam.typing import DataFormat, PathLike, TensorLike
from hornbeam.visualization.annotations import (
    Colour,
    boxes_of_images,
    draw_bounding_boxes,
    draw_segmentation_masks,
)
from hornbeam.visualization.image_batches import as_pixels, channels_last
from hornbeam.visualization.optional import optional
from hornbeam.visualization.panels import panels, written

_WRONG = "#b34700"  # the title of a wrong prediction, which also says "not"
# Boxes and labels are painted into images that have at least so many pixels.
_SHARP = 384


def plot_image_gallery(
    images: TensorLike,
    y_true: TensorLike | None = None,
    y_pred: TensorLike | None = None,
    label_map: Mapping[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: PathLike | None = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: float = 60,
    legend_handles: Sequence[Any] | None = None,
    data_format: DataFormat | None = None,
    ax: Any = None,
) -> np.ndarray:
    """Draw a batch of images in rows and columns.

    Needs matplotlib (`pip install 'hornbeam[plot]'`).

    Args:
        images: of shape (images, height, width, 1 or 3).
        y_true: the label of each image, written above it. Default: none.
        y_pred: the predicted label of each image. Default: none.
        label_map: the names of the labels. Default: their numbers.
        rows: Default: as many as are needed.
        cols: Default: as many as make a square, or fill `rows`, or as `ax` has.
        value_range: the values of black and of full colour. Default: (0, 255).
        scale: the size of an image, in inches. Default: 2.
        path: where the picture is written (its ending names the format). Default: it
            is not written.
        show: whether the picture is shown on the screen. Default: True without `path`
            and `ax`.
        transparent: whether the written picture has no background. Default: True.
        dpi: dots per inch of the written picture. Default: 60.
        legend_handles: matplotlib's handles for a legend. Default: none.
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.
        ax: matplotlib's axes to draw on: as many as the grid has places, or one, whose
            place is divided. Default: new ones.

    Returns:
        An array of matplotlib's axes, of shape (rows, cols).

    >>> import hornbeam as keras, numpy as np
    >>> images = np.zeros((5, 8, 8, 3))
    >>> axes = keras.visualization.plot_image_gallery(images, cols=3, show=False)
    >>> axes.shape
    (2, 3)
    """
    return drawn_gallery(
        "plot_image_gallery", images, y_true, y_pred, label_map, rows, cols,
        value_range, scale, path, show, transparent, dpi, legend_handles, data_format,
        ax,
    )  # fmt: skip


def drawn_gallery(
    owner: str,
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: Mapping[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: PathLike | None = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: float = 60,
    legend_handles: Sequence[Any] | None = None,
    data_format: DataFormat | None = None,
    ax: Any = None,
) -> np.ndarray:
    """Draw a gallery for the public function `owner`; see `plot_image_gallery`."""
    if path is not None and show:
        raise ValueError(
            f"{owner}() either writes the picture (`path`) or shows it (`show=True`). "
            f"Received: path={str(path)!r}, show=True"
        )
    _check_sizes(owner, rows, cols, scale, value_range)
    pixels, _ = channels_last(owner, images, data_format)
    pixels = as_pixels(pixels, value_range, owner)
    titles = _titles(owner, len(pixels), y_true, y_pred, label_map)
    rows, cols = _grid(len(pixels), rows, cols, np.array(ax, dtype=object).shape)
    # Panels have about the form of the images, and room for a line of text.
    form = min(3.0, max(1 / 3, pixels.shape[1] / pixels.shape[2]))
    size = cols * scale, rows * (scale * form + 0.25 * bool(titles))
    show = path is None and ax is None if show is None else show
    axes = panels(owner, ax, size, path, rows * cols, cols, show).reshape(rows, cols)
    for place, panel in enumerate(axes.flat):
        panel.set_axis_off()
        if place < len(pixels):
            panel.imshow(_image(pixels[place]), cmap="gray", vmin=0, vmax=255)
    for panel, (words, is_right) in zip(axes.flat, titles, strict=False):
        colour = {} if is_right else {"color": _WRONG}
        panel.set_title(words, fontsize=min(11, 5.5 * scale), **colour)
    if legend_handles is not None:
        _legend(axes, ax, list(legend_handles))
    # Without a screen there is nothing to show it on.
    if show and optional("matplotlib").get_backend().lower() != "agg":
        optional("matplotlib.pyplot").show()
    looks = {"transparent": transparent, "dpi": dpi, "bbox_inches": "tight"}
    return written(axes, path, **looks)


def plot_bounding_box_gallery(
    images: TensorLike,
    bounding_box_format: str,
    y_true: Mapping[str, Any] | None = None,
    y_pred: Mapping[str, Any] | None = None,
    value_range: tuple[float, float] = (0, 255),
    true_color: Colour = (0, 188, 212),
    pred_color: Colour = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping[int, str] | None = None,
    ground_truth_mapping: Mapping[int, str] | None = None,
    prediction_mapping: Mapping[int, str] | None = None,
    legend: bool = False,
    legend_handles: Sequence[Any] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: DataFormat | None = None,
    **kwargs: Any,
) -> np.ndarray:
    """Draw a batch of images with their true and their predicted boxes.

    Small images are enlarged first, so that lines and labels are sharp.

    Args:
        images: of shape (images, height, width, 1 or 3).
        bounding_box_format: such as "xyxy"; see
            `keras.utils.bounding_boxes.convert_format`.
        y_true: the true boxes, a dict as `draw_bounding_boxes` takes it.
        y_pred: the predicted boxes.
        value_range: the values of black and of full colour. Default: (0, 255).
        true_color: red, green and blue of the true boxes. Default: cyan.
        pred_color: those of the predicted boxes. Default: yellow.
        line_thickness: in pixels. Default: 2.
        font_scale: the size of the labels. Default: 1.0.
        text_thickness: how bold the labels are. Default: `line_thickness`.
        class_mapping: the names of the labels. Default: none are written.
        ground_truth_mapping: those of the true boxes. Default: `class_mapping`.
        prediction_mapping: those of the predicted boxes. Default: `class_mapping`.
        legend: whether a legend says which boxes are true. Default: False.
        legend_handles: handles for a legend of your own. Default: none.
        rows: see `plot_image_gallery`.
        cols: see `plot_image_gallery`.
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.
        **kwargs: other arguments of `plot_image_gallery`.

    Returns:
        An array of matplotlib's axes, of shape (rows, cols).

    >>> import hornbeam as keras, numpy as np
    >>> boxes = {"boxes": [[[1, 2, 5, 6]]], "labels": [[0]]}
    >>> axes = keras.visualization.plot_bounding_box_gallery(
    ...     np.zeros((1, 8, 8, 3)), "xyxy", y_true=boxes, legend=True, show=False
    ... )
    >>> [text.get_text() for text in axes[0, 0].figure.legends[0].get_texts()]
    ['true']
    """
    owner = "plot_bounding_box_gallery"
    if legend and legend_handles is not None:
        raise ValueError(
            f"{owner}() makes a legend (`legend=True`) or takes one "
            "(`legend_handles`). Received both."
        )
    pixels, _ = channels_last(owner, images, data_format)
    times = max(1, math.ceil(_SHARP / min(pixels.shape[1:3])))
    drawn = as_pixels(pixels, value_range, owner).repeat(times, 1).repeat(times, 2)
    handles = []
    for name, given, colour, mapping in (
        ("true", y_true, true_color, ground_truth_mapping),
        ("predicted", y_pred, pred_color, prediction_mapping),
    ):
        if given is None:
            continue
        found = boxes_of_images(owner, given, bounding_box_format, pixels)
        boxes = {
            "boxes": [times * boxes for boxes, _, _ in found],
            "labels": [labels for _, labels, _ in found],
        }
        if "confidences" in given:
            boxes["confidences"] = [confidences for *_, confidences in found]
        thickness = line_thickness if text_thickness is None else text_thickness
        drawn = draw_bounding_boxes(
            drawn, boxes, "xyxy", class_mapping if mapping is None else mapping,
            colour, line_thickness, thickness, font_scale,
            data_format="channels_last",
        )  # fmt: skip
        patch = optional("matplotlib.patches").Patch
        handles.append(patch(color=np.asarray(colour) / 255, label=name))
    return drawn_gallery(
        owner, drawn, rows=rows, cols=cols, data_format="channels_last",
        legend_handles=handles if legend else legend_handles, **kwargs,
    )  # fmt: skip


def plot_segmentation_mask_gallery(
    images: TensorLike,
    num_classes: int,
    value_range: tuple[float, float] = (0, 255),
    y_true: TensorLike | None = None,
    y_pred: TensorLike | None = None,
    color_mapping: Mapping[int, Colour] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: DataFormat | None = None,
    **kwargs: Any,
) -> np.ndarray:
    """Draw a batch of images, each in a row with its true and predicted masks.

    Args:
        images: of shape (images, height, width, 1 or 3).
        num_classes: the greatest class; class 0 is the background.
        value_range: the values of black and of full colour. Default: (0, 255).
        y_true: the true masks, integers of shape (images, height, width) or (images,
            height, width, 1). Default: none.
        y_pred: the predicted masks. Default: none.
        color_mapping: red, green and blue of each class. Default: colours that the
            colour-blind can tell apart.
        blend: whether the masks are mixed with the images. Default: True.
        alpha: how much they cover, from 0 to 1. Default: 0.8.
        ignore_index: a class that is not painted. Default: -1.
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.
        **kwargs: other arguments of `plot_image_gallery`.

    Returns:
        An array of matplotlib's axes, a row for each image.

    >>> import hornbeam as keras, numpy as np
    >>> images, masks = np.zeros((2, 8, 8, 3)), np.ones((2, 8, 8), int)
    >>> axes = keras.visualization.plot_segmentation_mask_gallery(
    ...     images, num_classes=1, y_true=masks, y_pred=masks, show=False
    ... )
    >>> axes.shape
    (2, 3)
    """
    owner = "plot_segmentation_mask_gallery"
    check_number(f"{owner}()", "num_classes", num_classes, 1, integer=True)
    pixels, _ = channels_last(owner, images, data_format)
    pixels = as_pixels(pixels, value_range, owner)
    colours = np.repeat(pixels, 3, -1) if pixels.shape[-1] == 1 else pixels[..., :3]
    columns = {"image": colours}
    for name, masks in (("true", y_true), ("predicted", y_pred)):
        if masks is not None:
            columns[name] = draw_segmentation_masks(
                pixels, masks, num_classes, color_mapping, alpha, blend,
                ignore_index, data_format="channels_last",
            )  # fmt: skip
    tiles = np.stack(list(columns.values()), 1).reshape(-1, *colours.shape[1:])
    grid = {"rows": len(pixels), "cols": len(columns), **kwargs}
    # The first row's titles say what the columns are.
    names = dict(enumerate(columns))
    labels = [place if place in names else -1 for place in range(len(tiles))]
    return drawn_gallery(
        owner,
        tiles,
        labels,
        label_map={-1: "", **names},
        data_format="channels_last",
        **grid,
    )


def _image(pixels):
    """Return pixels as matplotlib takes them: grey ones without the axis."""
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def _titles(owner, count, y_true, y_pred, label_map):
    """Return for each image its title, and whether its prediction is right."""
    columns = []
    for name, labels in (("y_true", y_true), ("y_pred", y_pred)):
        if labels is None:
            continue
        labels = np.asarray(convert_to_numpy(labels))
        if labels.shape not in ((count,), (count, 1)):
            raise ValueError(
                f"{owner}() expects `{name}` to be a label for each of the {count} "
                f"images. Received: shape {labels.shape}"
            )
        columns.append(labels.ravel().tolist())
    names = label_map or {}
    titles = []
    for labels in zip(*columns, strict=True):
        words = [str(names.get(label, label)) for label in labels]
        is_right = len(set(labels)) == 1
        titles.append(
            (words[-1] if is_right else f"{words[1]}, not {words[0]}", is_right)
        )
    return titles


def _check_sizes(owner, rows, cols, scale, value_range):
    for name, value in (("rows", rows), ("cols", cols)):
        if value is not None:
            check_number(f"{owner}()", name, value, 1, integer=True)
    check_number(f"{owner}()", "scale", scale, above=0, finite=True)
    ends = value_range if isinstance(value_range, tuple | list) else ()
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise ValueError(
            f"{owner}() expects `value_range` to be the values of black and of full "
            f"colour, such as (0, 255). Received: value_range={shown(value_range)}"
        )


def _grid(count, rows, cols, given):
    """Return rows and columns for a number of images, or those of a grid of axes."""
    if rows is None and cols is None and len(given) == 2 and given != (1, 1):
        return given
    if cols is None:
        cols = math.ceil(math.sqrt(count)) if rows is None else math.ceil(count / rows)
    if rows is None:
        rows = math.ceil(count / cols)
    return max(1, rows), max(1, cols)


def _legend(axes, ax, handles):
    """Add a legend below new panels, or to the last of those that were given."""
    if ax is None:
        place = {"loc": "outside lower center", "ncols": 4}
        axes[0, 0].figure.legend(handles=handles, **place)
    else:
        axes[-1, -1].legend(handles=handles, fontsize="small")
