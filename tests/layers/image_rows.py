"""One row for each layer of images: how to make it, and what it does to their size."""

import dataclasses
from typing import Any

import hornbeam as keras

layers = keras.layers


@dataclasses.dataclass
class Row:
    """A layer of images.

    Attributes:
        layer: the class.
        kwargs: its arguments, without `seed`.
        size: the height and width that it gives, or None for those of its images.
        random: whether it draws; it does nothing then without training.
        keeps: whether integer images stay integers.
        boxes: whether boxes move with the images.
    """

    layer: Any
    kwargs: dict
    size: tuple | None = None
    random: bool = True
    keeps: bool = False
    boxes: bool = True

    @property
    def name(self):
        return self.layer.__name__

    def make(self, **more):
        seed = {"seed": 3} if self.random else {}
        return self.layer(**{**seed, **self.kwargs, **more})


ROWS = [
    Row(layers.Resizing, {"height": 8, "width": 5}, (8, 5), random=False, keeps=True),
    Row(layers.CenterCrop, {"height": 8, "width": 5}, (8, 5), random=False),
    Row(
        layers.MaxNumBoundingBoxes,
        {"max_number": 3, "bounding_box_format": "xyxy"},
        random=False,
        keeps=True,
    ),
    Row(layers.RandomCrop, {"height": 8, "width": 5}, (8, 5)),
    Row(layers.RandomFlip, {}),
    Row(layers.RandomRotation, {"factor": 0.3, "fill_mode": "constant"}),
    Row(
        layers.RandomTranslation,
        {"height_factor": 0.2, "width_factor": 0.2, "fill_mode": "constant"},
    ),
    Row(
        layers.RandomZoom,
        {"height_factor": 0.3, "width_factor": 0.2, "fill_mode": "constant"},
    ),
    Row(layers.RandomShear, {"x_factor": 0.4, "fill_mode": "constant"}),
    Row(layers.RandomPerspective, {"factor": (1.0, 1.0), "scale": 0.3}),
    Row(
        layers.RandomElasticTransform,
        {"factor": (1.0, 1.0), "scale": (0.8, 0.8), "fill_mode": "constant"},
    ),
]
