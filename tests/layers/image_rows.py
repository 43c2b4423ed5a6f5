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
        boxes: whether a filled box moves with the images as its box does.
        count: how many boxes come of one; None where there may be none.
    """

    layer: Any
    kwargs: dict
    size: tuple | None = None
    random: bool = True
    keeps: bool = False
    boxes: bool = True
    count: int | None = 1

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
        boxes=False,
        count=3,
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
    # Those that change colours: `preprocessing/test_color_layers.py` has their values.
    Row(layers.RandomBrightness, {"factor": 0.3}, keeps=True, boxes=False),
    Row(layers.RandomContrast, {"factor": 0.5}, boxes=False),
    Row(layers.RandomSaturation, {"factor": 0.9}, boxes=False),
    Row(layers.RandomHue, {"factor": 0.5}, boxes=False),
    Row(
        layers.RandomColorJitter,
        {"brightness_factor": 0.2, "contrast_factor": 0.3, "hue_factor": 0.4},
        boxes=False,
    ),
    Row(layers.RandomColorDegeneration, {"factor": 0.5}, boxes=False),
    Row(layers.RandomGrayscale, {}, keeps=True, boxes=False),
    Row(layers.RandomSharpness, {"factor": 0.5}, boxes=False),
    Row(layers.RandomGaussianBlur, {"factor": (1.0, 1.0)}, boxes=False),
    Row(layers.RandomErasing, {"fill_value": 9.0}, boxes=False),
    Row(layers.RandomInvert, {}, boxes=False),
    Row(layers.RandomPosterization, {"factor": 4}, boxes=False),
    Row(layers.Solarization, {"addition_factor": 0.3}, boxes=False),
    Row(layers.AutoContrast, {}, random=False, boxes=False),
    Row(layers.Equalization, {}, random=False, boxes=False),
    Row(
        layers.ContrastLimitedAdaptiveHistogramEqualization,
        {"tile_grid_size": (2, 3)},
        random=False,
        keeps=True,
        boxes=False,
    ),
    Row(layers.MixUp, {}, boxes=False, count=2),
    Row(layers.CutMix, {}, boxes=False, count=None),
    Row(layers.RandAugment, {}, boxes=False),
    Row(layers.AugMix, {}, boxes=False),
]
