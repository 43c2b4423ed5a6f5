"""Bounding boxes and segmentation masks, painted into images."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.core.errors import check_number, shown
from hornbeam.ops.boxes.formats import convert_format
from hornbeam.ops.core import convert_to_numpy
from hornbeam.typing import DataFormat, TensorLike
from hornbeam.visualization import checks
from hornbeam.visualization.image_batches import as_pixels, channels_last
from hornbeam.visualization.optional import optional

Colour = Sequence[int]

# The colours of M. Okabe and K. Ito without black, which people with any kind of colour
# vision can tell apart.
_PALETTE = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)


def draw_bounding_boxes(
    images: TensorLike,
    bounding_boxes: Mapping[str, Any],
    bounding_box_format: str,
    class_mapping: Mapping[int, str] | None = None,
    color: Colour = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: DataFormat | None = None,
) -> np.ndarray:
    """Paint bounding boxes into a batch of images.

    Needs Pillow for the labels (`pip install 'hornbeam[plot]'`).

    Args:
        images: of shape (images, height, width, 1 or 3), values from 0 to 255.
        bounding_boxes: a dict with `"boxes"` of shape (images, boxes, 4) and `"labels"`
            of shape (images, boxes); a box whose label is -1 is padding and left out.
            `"confidences"` like the labels are written beside them.
        bounding_box_format: such as "xyxy" or "rel_yxyx"; see
            `keras.utils.bounding_boxes.convert_format`.
        class_mapping: the names of the labels. Default: nothing is written.
        color: red, green and blue from 0 to 255. Default: grey.
        line_thickness: in pixels. Default: 2.
        text_thickness: how bold the letters are. Default: 1.
        font_scale: 1 is 1/28 of the image's size, at least 11 pixels. Default: 1.0.
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.

    Returns:
        A NumPy array of the images' shape and the dtype uint8.

    >>> import hornbeam as keras, numpy as np
    >>> images = np.zeros((1, 8, 8, 3))
    >>> boxes = {"boxes": [[[1, 2, 5, 6]]], "labels": [[0]]}
    >>> drawn = keras.visualization.draw_bounding_boxes(
    ...     images, boxes, "xyxy", color=(9, 9, 9), line_thickness=1
    ... )
    >>> drawn[0, 2, :, 0].tolist()
    [0, 9, 9, 9, 9, 9, 0, 0]
    """
    owner = "draw_bounding_boxes"
    check_number(f"{owner}()", "line_thickness", line_thickness, 1)
    check_number(f"{owner}()", "font_scale", font_scale, 0)
    pixels, is_first = channels_last(owner, images, data_format)
    drawn = as_pixels(pixels).copy()
    height, width = drawn.shape[1:3]
    ink = _ink(checks.colour(owner, "color", color), drawn.shape[-1])
    found = boxes_of_images(owner, bounding_boxes, bounding_box_format, pixels)
    size = max(11.0, min(height, width) / 28) * font_scale
    for image, (boxes, labels, confidences) in zip(drawn, found, strict=True):
        for box in boxes:
            _frame(image, box, ink, int(line_thickness))
        if class_mapping is None:
            continue
        for number, box in enumerate(boxes):
            words = str(class_mapping.get(int(labels[number]), int(labels[number])))
            if confidences is not None:
                words += f" {float(confidences[number]):.2f}"
            _label(image, box, words, ink, size, int(text_thickness))
    return np.moveaxis(drawn, -1, 1) if is_first else drawn


def draw_segmentation_masks(
    images: TensorLike,
    segmentation_masks: TensorLike,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Colour] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: DataFormat | None = None,
) -> np.ndarray:
    """Paint segmentation masks over a batch of images.

    Args:
        images: of shape (images, height, width, 1 or 3), values from 0 to 255.
        segmentation_masks: integers of shape (images, height, width) or (images,
            height, width, 1): the class of each pixel, from 1 to `num_classes`. Class 0
            is the background, which is left as it is unless `color_mapping` names it.
        num_classes: the greatest class. Default: the greatest in the masks.
        color_mapping: red, green and blue of each class. Default: colours that the
            colour-blind can tell apart.
        alpha: how much the masks cover, from 0 to 1. Default: 0.8.
        blend: whether the masks are mixed with the images; without, they cover them
            wholly. Default: True.
        ignore_index: a class that is not painted. Default: -1.
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.

    Returns:
        A NumPy array of the images' shape with 3 channels, and the dtype uint8.

    >>> import hornbeam as keras, numpy as np
    >>> images, masks = np.full((1, 1, 3, 3), 100), np.array([[[0, 1, 2]]])
    >>> colours = {1: (200, 0, 0), 2: (0, 200, 0)}
    >>> drawn = keras.visualization.draw_segmentation_masks(
    ...     images, masks, color_mapping=colours, alpha=0.5
    ... )
    >>> drawn[0, 0].tolist()
    [[100, 100, 100], [150, 50, 50], [50, 150, 50]]
    """
    owner = "draw_segmentation_masks"
    check_number(f"{owner}()", "alpha", alpha, 0, 1)
    pixels, is_first = channels_last(owner, images, data_format)
    masks = _masks(owner, segmentation_masks, pixels)
    if num_classes is None:
        num_classes = int(masks.max(initial=0))
    else:
        check_number(f"{owner}()", "num_classes", num_classes, 1, integer=True)
    colours: Mapping[int, Any] = palette(num_classes)
    if color_mapping is not None:
        colours = {
            label: checks.colour(owner, "color_mapping", one)
            for label, one in color_mapping.items()
        }
    drawn = np.repeat(pixels, 3, -1) if pixels.shape[-1] == 1 else pixels[..., :3]
    drawn = as_pixels(drawn).astype(float)
    part = alpha if blend else 1.0
    for label, colour in colours.items():
        if label != ignore_index and 0 <= label <= num_classes:
            place = masks == label
            drawn[place] += part * (np.asarray(colour, float) - drawn[place])
    drawn = as_pixels(drawn)
    return np.moveaxis(drawn, -1, 1) if is_first else drawn


def palette(count: int) -> dict[int, Colour]:
    """Return colours for the classes 1 to `count`; those after 7 are darker."""
    colours: dict[int, Colour] = {}
    for number in range(count):
        turn, place = divmod(number, len(_PALETTE))
        colours[number + 1] = [round(x * 0.72**turn) for x in _PALETTE[place]]
    return colours


def boxes_of_images(
    owner: str, bounding_boxes: Mapping[str, Any], name: str, pixels: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """Return for each image its boxes as "xyxy", labels and confidences or None.

    The boxes of padding are left out.
    """
    if not isinstance(bounding_boxes, Mapping):
        raise TypeError(
            f"{owner}() expects boxes as a dict with the keys 'boxes' and 'labels'. "
            f"Received: {shown(bounding_boxes)} (of type "
            f"{type(bounding_boxes).__name__})"
        )
    missing = {"boxes", "labels"} - set(bounding_boxes)
    if missing:
        raise ValueError(
            f"{owner}() expects boxes as a dict with the keys 'boxes' and 'labels'. "
            f"{sorted(missing)} is missing among {sorted(bounding_boxes)}."
        )
    count, height, width = pixels.shape[:3]
    for key in ("boxes", "labels", "confidences"):
        if key in bounding_boxes and len(bounding_boxes[key]) != count:
            raise ValueError(
                f"{owner}(): there are {count} images, and {key!r} has "
                f"{len(bounding_boxes[key])} rows. Each image needs one."
            )
    found = []
    for row in range(count):
        boxes = convert_format(
            np.asarray(convert_to_numpy(bounding_boxes["boxes"][row]), "float32")
            .reshape(-1, 4),
            source=name, target="xyxy", height=height, width=width,
        )  # fmt: skip
        labels = np.ravel(convert_to_numpy(bounding_boxes["labels"][row]))
        boxes = np.asarray(convert_to_numpy(boxes))
        keep = (labels != -1) & np.isfinite(boxes).all(-1)
        confidences = bounding_boxes.get("confidences")
        if confidences is not None:
            confidences = np.ravel(convert_to_numpy(confidences[row]))[keep]
        found.append((boxes[keep], labels[keep], confidences))
    return found


def _masks(owner, masks, pixels):
    masks = np.asarray(convert_to_numpy(masks))
    if masks.dtype.kind not in "iub":
        raise TypeError(
            f"{owner}() expects masks of integers, the class of each pixel. Received: "
            f"dtype {masks.dtype}. `keras.ops.argmax(x, axis=-1)` makes classes of "
            "scores."
        )
    shape = masks.shape
    if masks.ndim == 4 and 1 in (masks.shape[-1], masks.shape[1]):
        masks = masks[..., 0] if masks.shape[-1] == 1 else masks[:, 0]
    if masks.shape != pixels.shape[:3]:
        count, height, width = pixels.shape[:3]
        raise ValueError(
            f"{owner}() expects masks of the shape ({count}, {height}, {width}) or "
            f"({count}, {height}, {width}, 1), as the images have. Received: {shape}"
        )
    return masks.astype(int)


def _ink(colour, channels):
    """Return the colour of a pixel with so many channels; the fourth is opacity."""
    if channels == 1:
        return np.array([round(float(np.mean(colour)))], "uint8")
    return np.array([*colour, 255][:channels], "uint8")


def _frame(image, box, ink, thickness):
    """Paint the sides of a box, in the middle of whose lines its coordinates are."""
    left, top, right, bottom = (round(float(x)) for x in box)
    before = (thickness - 1) // 2
    height, width = image.shape[:2]

    def fill(x, y, x_end, y_end):
        rows = slice(max(0, y - before), max(0, y_end - before + thickness))
        columns = slice(max(0, x - before), max(0, x_end - before + thickness))
        image[rows, columns] = ink

    # Sides outside of the image are not seen.
    if right < left or bottom < top or left >= width or top >= height:
        return
    fill(left, top, right, top)
    fill(left, bottom, right, bottom)
    fill(left, top, left, bottom)
    fill(right, top, right, bottom)


def _label(image, box, words, ink, size, thickness):
    """Write on a tab in the box's colour, above the box or inside at its top."""
    pil, draws = optional("PIL.Image"), optional("PIL.ImageDraw")
    font = _font(size)
    bold = max(0, thickness - 1) / 4
    left, top, right, bottom = font.getbbox(words, stroke_width=bold)
    pad = max(1, round(size / 6))
    tab_height, tab_width = round(bottom - top) + 2 * pad, round(right - left) + 2 * pad
    y = round(float(box[1])) - tab_height
    y = y if y >= 0 else max(0, round(float(box[1])))
    x = max(0, min(round(float(box[0])), image.shape[1] - tab_width))
    # Black or white, whichever is read more easily (ITU-R BT.709).
    rgb = np.resize(ink[:3], 3).astype(float)
    is_light = rgb @ [0.2126, 0.7152, 0.0722] > 120
    tab = pil.new("L", (tab_width, tab_height), 0)
    draws.Draw(tab).text(
        (pad - left, pad - top), words, 255, font=font, stroke_width=bold
    )
    letters = np.asarray(tab, float)[..., None] / 255
    painted = ink + letters * ((0.0 if is_light else 255.0) - ink.astype(float))
    part = image[y : y + tab_height, x : x + tab_width]
    part[...] = as_pixels(painted[: part.shape[0], : part.shape[1]])


@functools.lru_cache(maxsize=8)
def _font(size):
    """Return matplotlib's font, which has more letters than Pillow's, where it is."""
    fonts = optional("PIL.ImageFont")
    try:
        folder = Path(optional("matplotlib").get_data_path())
    except ImportError:
        return fonts.load_default(size)
    return fonts.truetype(str(folder / "fonts" / "ttf" / "DejaVuSans.ttf"), size)
