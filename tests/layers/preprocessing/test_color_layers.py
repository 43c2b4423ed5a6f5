"""Layers that change the colours of images, against formulas, colorsys and Pillow."""

import colorsys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from scipy import ndimage

import hornbeam as keras
from hornbeam import backends
from tests.compilation import program

layers = keras.layers
CLAHE = layers.ContrastLimitedAdaptiveHistogramEqualization
IMAGES = np.random.default_rng(0).uniform(0, 255, (4, 6, 8, 3)).astype("float32")
BYTES = np.random.default_rng(1).integers(40, 200, (2, 16, 16, 3)).astype("float32")
SOME = np.array([True, False, True, False])
ORDER = np.array([1, 2, 0, 3], "int32")
WEIGHTS = np.float32([0.3, 0.5, 0.9, 0.2])
PATCHES = np.zeros((4, 6, 8, 1), bool)
PATCHES[:, 1:4, 2:5] = True


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def each(*values):
    return np.float32(values).reshape(4, 1, 1, 1)


def gray(x):
    return (x * [0.2989, 0.587, 0.114]).sum(-1, keepdims=True)


def in_hsv(x, change):
    """Return the images with `change(image, h, s, v)` of each pixel."""
    out = np.empty(x.shape)
    for i in np.ndindex(x.shape[:-1]):
        hsv = colorsys.rgb_to_hsv(*(x[i] / 255))
        out[i] = colorsys.hsv_to_rgb(*change(i[0], *hsv))
    return out * 255


def contrast(x, t):
    mean = x.mean((1, 2), keepdims=True)
    return (x - mean) * t["contrast_factor"] + mean


def sharp(x, t):
    kernel = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
    blurred = ndimage.convolve(x, kernel[None, :, :, None], mode="constant")
    return blurred + (x - blurred) * 2 * t["factor"].reshape(4, 1, 1, 1)


def gaussian(size, sigma):
    weights = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2))
    return weights / weights.sum()


def blurred(x, t):
    across, down = gaussian(3, t["blur_factor"][0]), gaussian(5, t["blur_factor"][1])
    y = ndimage.convolve1d(x, across, axis=2, mode="constant")
    y = ndimage.convolve1d(y, down, axis=1, mode="constant")
    return np.where(SOME.reshape(4, 1, 1, 1), y, x)


def solarized(x, t):
    y = np.clip(x + t["additions"], 0, 255)
    return np.where(y < t["thresholds"], y, 255 - y)


def posterized(x, t):
    shift = t["shift_factor"].reshape(4, 1, 1, 1)
    return (x.astype("uint8") >> shift) << shift


def stretched(x, t):
    least, most = x.min((1, 2), keepdims=True), x.max((1, 2), keepdims=True)
    return (x - least) / (most - least) * 255


def mixed(x, t):
    weight = t["mix_weight"].reshape(-1, *[1] * (x.ndim - 1))
    return weight * x + (1 - weight) * x[ORDER]


@dataclass
class Case:
    """A layer, a transformation, and what comes of the images, before clipping."""

    layer: Any
    kwargs: dict
    transformation: Any
    oracle: Any

    @property
    def name(self):
        return self.layer.__name__

    def make(self, **kwargs):
        return self.layer(**{**self.kwargs, **kwargs})


CASES = [
    Case(
        layers.RandomBrightness,
        {"factor": 0.5},
        {"rgb_delta": each(-100, 0, 50, 300)},
        lambda x, t: x + t["rgb_delta"],
    ),
    Case(
        layers.RandomContrast,
        {"factor": 0.5},
        {"contrast_factor": each(0, 0.5, 1, 1.5)},
        contrast,
    ),
    Case(
        layers.RandomSaturation,
        {"factor": (0, 0.9)},
        {"factor": np.float32([0, 0.5, 1, 4])},
        lambda x, t: in_hsv(
            x, lambda i, h, s, v: (h, min(s * float(t["factor"][i]), 1), v)
        ),
    ),
    Case(
        layers.RandomHue,
        {"factor": 0.5},
        {"factor": np.float32([0, 0.25, -0.3, 0.5])},
        lambda x, t: in_hsv(x, lambda i, h, s, v: ((h + t["factor"][i]) % 1, s, v)),
    ),
    Case(
        layers.RandomColorDegeneration,
        {"factor": 0.5},
        {"factor": each(0, 0.5, 1, -0.5)},
        lambda x, t: x + (gray(x) - x) * t["factor"],
    ),
    Case(
        layers.RandomGrayscale,
        {},
        SOME.reshape(4, 1, 1, 1),
        lambda x, t: np.where(t, gray(x), x),
    ),
    Case(
        layers.RandomSharpness,
        {"factor": 0.5},
        {"factor": np.float32([0, 0.5, 1, 0.25])},
        sharp,
    ),
    Case(
        layers.RandomGaussianBlur,
        {"kernel_size": (3, 5)},
        {"should_apply_blur": SOME, "blur_factor": np.float32([0.5, 0.9])},
        blurred,
    ),
    Case(
        layers.RandomErasing,
        {"fill_value": 9},
        {"apply_erasing": SOME, "batch_masks": PATCHES, "fill_value": np.float32(9)},
        lambda x, t: np.where(PATCHES & SOME.reshape(4, 1, 1, 1), 9, x),
    ),
    Case(
        layers.RandomInvert,
        {},
        {"apply_inversion": SOME},
        lambda x, t: np.where(SOME.reshape(4, 1, 1, 1), 255 - x, x),
    ),
    Case(
        layers.RandomPosterization,
        {"factor": 4},
        {"shift_factor": np.array([5, 6, 7, 1], "uint8")},
        posterized,
    ),
    Case(
        layers.Solarization,
        {"addition_factor": 0.3, "threshold_factor": (0.2, 0.8)},
        {"additions": each(0, 10, 50, 100), "thresholds": each(0, 128, 50, 100)},
        solarized,
    ),
    Case(layers.AutoContrast, {}, None, stretched),
    Case(
        layers.MixUp,
        {},
        {"mix_weight": WEIGHTS, "permutation_order": ORDER},
        mixed,
    ),
    Case(
        layers.CutMix,
        {},
        {
            "mix_weight": WEIGHTS.reshape(4, 1, 1, 1),
            "permutation_order": ORDER,
            "batch_masks": PATCHES,
        },
        lambda x, t: np.where(PATCHES, x[ORDER], x),
    ),
]
every_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def as_tensors(transformation):
    if isinstance(transformation, dict):
        return {k: keras.ops.convert_to_tensor(v) for k, v in transformation.items()}
    if transformation is None:
        return None
    return keras.ops.convert_to_tensor(transformation)


@every_case
def test_values(case, engine):
    layer = case.make()
    want = np.clip(case.oracle(IMAGES.astype("float64"), case.transformation), 0, 255)
    t = as_tensors(case.transformation)
    run = program(engine, lambda x: layer.transform_images(x, t))
    got = numpy(run(keras.ops.convert_to_tensor(IMAGES)))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=2e-3)


# Layers without values of their own have no range. Blurs have zeros around images in
# any range.
BLURS = (layers.RandomSharpness, layers.RandomGaussianBlur)
RANGED = [
    case
    for case in CASES
    if "value_range" in case.make().get_config() and case.layer not in BLURS
]


@pytest.mark.parametrize("case", RANGED, ids=[case.name for case in RANGED])
def test_another_range(case, python_only):
    """The same in [-1, 1], with channels first."""
    want = np.clip(case.oracle(IMAGES.astype("float64"), case.transformation), 0, 255)
    layer = case.make(value_range=(-1, 1), data_format="channels_first")
    t = case.transformation
    if case.layer is layers.RandomBrightness:
        t = {"rgb_delta": t["rgb_delta"] / 127.5}
    if case.layer is layers.RandomErasing:
        masks = PATCHES.transpose(0, 3, 1, 2)
        t = {**t, "batch_masks": masks, "fill_value": np.float32(9 / 127.5 - 1)}
    got = layer.transform_images((IMAGES / 127.5 - 1).transpose(0, 3, 1, 2), t)
    np.testing.assert_allclose(
        (got.transpose(0, 2, 3, 1) + 1) * 127.5, want, rtol=1e-4, atol=0.02
    )


@every_case
def test_other_parts(case, python_only):
    """Labels, boxes and masks are as they were; other keys pass."""
    if case.layer in (layers.MixUp, layers.CutMix):
        return
    data = {
        "images": IMAGES,
        "labels": np.eye(4),
        "bounding_boxes": {"boxes": np.ones((4, 2, 4)), "labels": np.ones((4, 2))},
        "segmentation_masks": PATCHES.astype("uint8"),
        "names": ["a", "b", "c", "d"],
    }
    got = case.make(bounding_box_format="xyxy")(data)
    assert not np.array_equal(got["images"], IMAGES)
    np.testing.assert_array_equal(got["labels"], data["labels"])
    np.testing.assert_array_equal(got["bounding_boxes"]["boxes"], np.ones((4, 2, 4)))
    assert got["segmentation_masks"].dtype == "uint8"
    assert got["names"] == data["names"]


def by_pillow(function):
    images = [Image.fromarray(x) for x in BYTES.astype("uint8")]
    return np.stack([np.asarray(function(image)) for image in images])


def test_pillow(python_only):
    """Pillow rounds down: its tables differ by one at most."""
    x = BYTES
    got = numpy(layers.AutoContrast()(x))
    np.testing.assert_allclose(got, by_pillow(ImageOps.autocontrast), atol=1)
    t = {"shift_factor": np.full(2, 5, "uint8")}
    got = layers.RandomPosterization(3).transform_images(x, t)
    np.testing.assert_array_equal(got, by_pillow(lambda i: ImageOps.posterize(i, 3)))
    layer = layers.Solarization(threshold_factor=(128 / 255, 128 / 255))
    np.testing.assert_array_equal(layer(x), by_pillow(ImageOps.solarize))
    np.testing.assert_array_equal(
        layers.RandomInvert((1, 1))(x), by_pillow(ImageOps.invert)
    )
    got = numpy(layers.RandomGrayscale(1.0)(x))
    want = by_pillow(lambda i: i.convert("L"))[..., None]
    np.testing.assert_allclose(got, np.broadcast_to(want, got.shape), atol=1)


def equalized(x, bins=256):
    """Return one channel, in whole numbers, equalised by its sorted values."""
    place = np.floor(x / 255 * (bins - 1) + 1e-9)
    below = np.searchsorted(np.sort(place.ravel()), place, side="right")
    least = below.min()
    return x if least == x.size else np.round((below - least) / (x.size - least) * 255)


@pytest.mark.parametrize("bins", [256, 16])
def test_equalization(bins, engine):
    x = BYTES.copy()
    x[0, :, :, 1] = 7
    want = np.empty(x.shape)
    for i, c in np.ndindex(2, 3):
        want[i, :, :, c] = equalized(x[i, :, :, c].astype("float64"), bins)
    layer = layers.Equalization(bins=bins)
    first = layers.Equalization((0, 1), bins, "channels_first")
    run = program(
        engine, lambda x: (layer(x), first(keras.ops.transpose(x / 255, (0, 3, 1, 2))))
    )
    got, other = run(keras.ops.convert_to_tensor(x))
    np.testing.assert_array_equal(numpy(got), want)
    other = numpy(other).transpose(0, 2, 3, 1) * 255
    assert np.mean(np.abs(other - want) < 0.5) > 0.95  # 1/255 is rounded
    np.testing.assert_array_equal(numpy(layer(x, training=False)), x)


def tile_table(tile, clip_limit):
    counts = np.bincount(tile.astype(int).ravel(), minlength=256).astype("float64")
    clipped = np.minimum(counts, clip_limit * tile.size / 256)
    below = np.cumsum(clipped + (counts - clipped).sum() / 256)
    return (below - below[0]) * 255 / (below[-1] - below[0])


def adaptive(x, clip_limit, down, across):
    """Return one channel equalised tile by tile: mirrored, clipped, interpolated."""
    height, width = x.shape
    tall, wide = -(-height // down), -(-width // across)
    padded = np.pad(
        x, ((0, tall * down - height), (0, wide * across - width)), mode="symmetric"
    )
    tables = np.empty((down, across, 256))
    for i, j in np.ndindex(down, across):
        tile = padded[i * tall : (i + 1) * tall, j * wide : (j + 1) * wide]
        tables[i, j] = tile_table(tile, clip_limit)
    centres = [(np.arange(n) + 0.5) * s for n, s in ((down, tall), (across, wide))]
    out = np.empty(x.shape)
    for i, j in np.ndindex(*x.shape):
        values = tables[:, :, int(x[i, j])]
        rows = [np.interp(j, centres[1], row) for row in values]
        out[i, j] = np.interp(i, centres[0], rows)
    return out


def test_clahe(engine):
    x = np.random.default_rng(2).normal(90, 30, (2, 17, 19, 2)).clip(0, 255)
    x = x.astype("float32")
    want = np.stack(
        [adaptive(x[i, :, :, c], 1.5, 2, 3) for i, c in np.ndindex(2, 2)], axis=-1
    ).reshape(17, 19, 2, 2)
    layer = CLAHE(clip_limit=1.5, tile_grid_size=(2, 3))
    run = program(engine, lambda x: (layer(x), layer(keras.ops.cast(x, "uint8"))))
    got, whole = run(keras.ops.convert_to_tensor(x))
    np.testing.assert_allclose(numpy(got), want.transpose(2, 0, 1, 3), atol=2e-3)
    assert engine.dtype_of(whole) == "uint8"
    assert np.abs(numpy(whole) - numpy(got)).max() <= 1
    first = CLAHE(clip_limit=1.5, tile_grid_size=(2, 3), data_format="channels_first")
    with backends.scope("numpy"):
        other = first(x.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(other, numpy(got), atol=2e-3)


def test_color_jitter_is_its_steps(python_only):
    layer = layers.RandomColorJitter(
        brightness_factor=0.2,
        contrast_factor=0.3,
        saturation_factor=(0.2, 0.6),
        hue_factor=0.4,
        seed=1,
    )
    t = layer.get_random_transformation(IMAGES)
    x = IMAGES
    for name in ("brightness", "contrast", "saturation", "hue"):
        step = getattr(layer, f"random_{name}")
        x = step.transform_images(x, t[f"random_{name}"])
    np.testing.assert_allclose(layer.transform_images(IMAGES, t), x, atol=1e-2)
    assert not np.allclose(x, IMAGES, atol=1)
    np.testing.assert_array_equal(layers.RandomColorJitter()(IMAGES), IMAGES)


LABELED = {
    "images": IMAGES,
    "labels": np.eye(4, dtype="float32"),
    "segmentation_masks": np.arange(4 * 48, dtype="uint8").reshape(4, 6, 8, 1),
    "bounding_boxes": {
        "boxes": np.arange(32, dtype="float32").reshape(4, 2, 4),
        "labels": np.arange(8, dtype="int32").reshape(4, 2),
    },
}


def test_mix_up_mixes_all_parts(engine):
    layer = layers.MixUp(bounding_box_format="xyxy")
    t = as_tensors({"mix_weight": WEIGHTS, "permutation_order": ORDER})
    labels = numpy(layer.transform_labels(keras.ops.eye(4), t))
    want = WEIGHTS[:, None] * np.eye(4) + (1 - WEIGHTS[:, None]) * np.eye(4)[ORDER]
    np.testing.assert_allclose(labels, want, rtol=1e-5)
    boxes = {k: keras.ops.array(v) for k, v in LABELED["bounding_boxes"].items()}
    got = layer.transform_bounding_boxes(boxes, t)
    for name, part in LABELED["bounding_boxes"].items():
        both = np.concatenate([part, part[ORDER]], axis=1)
        np.testing.assert_array_equal(numpy(got[name]), both)
    masks = LABELED["segmentation_masks"]
    got = layer.transform_segmentation_masks(keras.ops.array(masks), t)
    want = mixed(masks.astype("float64"), {"mix_weight": WEIGHTS})
    np.testing.assert_allclose(numpy(got), want, rtol=1e-5)
    together = layer(LABELED)
    assert together["bounding_boxes"]["boxes"].shape == (4, 4, 4)


def test_cut_mix_pastes_masks_and_mixes_labels(engine):
    layer = layers.CutMix(seed=0)
    data = {k: v for k, v in LABELED.items() if k != "bounding_boxes"}
    got = layer({**data, "images": np.repeat(data["segmentation_masks"], 3, -1) * 1.0})
    # Masks and images were cut alike, and labels by nearly the same parts.
    np.testing.assert_array_equal(
        numpy(got["images"])[..., :1], numpy(got["segmentation_masks"])
    )
    labels = numpy(got["labels"])
    np.testing.assert_allclose(labels.sum(1), 1, rtol=1e-5)
    kept = np.mean(
        numpy(got["segmentation_masks"]) == data["segmentation_masks"], axis=(1, 2, 3)
    )
    np.testing.assert_allclose(kept, np.diag(labels), atol=0.15)
    with pytest.raises(NotImplementedError, match="MixUp"):
        layers.CutMix(bounding_box_format="xyxy")(LABELED)


@pytest.mark.parametrize("layer", [layers.MixUp, layers.CutMix])
def test_numbers_of_classes_are_not_mixed(layer, python_only):
    layer = layer(seed=0)
    data = {"images": IMAGES, "labels": np.arange(4)}
    with pytest.raises(ValueError, match="one_hot"):
        layer(data)
    np.testing.assert_array_equal(layer(data, training=False)["labels"], np.arange(4))
    assert layer({**data, "labels": np.arange(4.0)})["labels"].shape == (4,)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_gray_images(data_format, python_only):
    shape = (4, 6, 8, 1) if data_format == "channels_last" else (4, 1, 6, 8)
    x = IMAGES[..., :1].reshape(shape)
    for layer in (layers.RandomGrayscale(1.0), layers.RandomColorDegeneration(0.5)):
        layer.data_format = data_format
        np.testing.assert_allclose(numpy(layer(x)), x, rtol=1e-6)
    for layer in (layers.RandAugment, layers.AugMix):
        assert layer(seed=1, data_format=data_format)(x).shape == shape
    with pytest.raises(ValueError, match="RandomSaturation.*3 channels"):
        layers.RandomSaturation(0.5, data_format=data_format)(x)


LOOK = np.zeros((4000, 8, 8, 1), "float32")
UNIFORM = [
    (layers.RandomBrightness, {"factor": (-0.1, 0.3)}, "rgb_delta", -25.5, 76.5),
    (layers.RandomContrast, {"factor": (0.1, 0.4)}, "contrast_factor", 0.9, 1.4),
    (layers.RandomContrast, {"factor": 0.4}, "contrast_factor", 1.0, 1.4),
    (layers.RandomHue, {"factor": 0.6}, "factor", -0.3, 0.3),
    (layers.RandomColorDegeneration, {"factor": 0.6}, "factor", -0.6, 0.6),
    (layers.RandomSharpness, {"factor": 0.6}, "factor", 0, 0.6),
    (layers.Solarization, {"addition_factor": 0.4}, "additions", 0, 102),
    (layers.Solarization, {"threshold_factor": (0.2, 0.4)}, "thresholds", 51, 102),
    (layers.RandomGaussianBlur, {"sigma": (0.2, 0.6)}, "blur_factor", 0.2, 0.6),
]


@pytest.mark.parametrize(("layer", "kwargs", "name", "low", "high"), UNIFORM)
def test_uniform_draws(layer, kwargs, name, low, high, python_only):
    drawn = layer(**kwargs, seed=1).get_random_transformation(LOOK)[name]
    width = high - low
    assert low <= drawn.min() < low + 0.01 * width
    assert high - 0.01 * width < drawn.max() <= high + 1e-4
    assert abs(drawn.mean() - (low + high) / 2) < 0.03 * width


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (layers.RandomInvert, "apply_inversion"),
        (layers.RandomErasing, "apply_erasing"),
        (layers.RandomGaussianBlur, "should_apply_blur"),
    ],
)
def test_probabilities(layer, name, python_only):
    for factor, mean in ((0.6, 0.3), ((0.6, 0.6), 0.6), ((0.2, 1.0), 0.6)):
        drawn = layer(factor=factor, seed=1).get_random_transformation(LOOK)[name]
        assert abs(drawn.mean() - mean) < 0.03


def test_patches(python_only):
    images = np.zeros((2000, 40, 60, 1), "float32")
    erasing = layers.RandomErasing(factor=(1.0, 1.0), seed=1)
    t = erasing.get_random_transformation(images)
    masks = t["batch_masks"][..., 0]
    rows, columns = masks.any(2).sum(1), masks.any(1).sum(1)
    np.testing.assert_array_equal(masks.sum((1, 2)), rows * columns)
    assert 0.02**0.5 * 40 - 1 < rows.min() and rows.max() <= round(0.33**0.5 * 40)
    root = 2 / 3 * (0.33**1.5 - 0.02**1.5) / 0.31
    assert abs(masks.mean() - root**2) < 0.01
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.1
    middle = (masks.any(2) * np.arange(40)).sum(1) / rows
    assert abs(middle.mean() - 19.5) < 0.5
    noise = erasing.transform_images(images + 1, t)[t["batch_masks"]]
    assert abs((noise == 0).mean() - 0.5) < 0.01  # below 0, where it is clipped
    assert abs((noise == 255).mean() - 0.1587) < 0.01
    t = layers.CutMix(seed=1).get_random_transformation(images)
    part = 1 - t["batch_masks"].mean((1, 2, 3))
    np.testing.assert_allclose(part, t["mix_weight"].ravel(), atol=0.06)
    # Beta(f, f) has the mean 1/2 and the variance 1 / 4(2f + 1), here for f in (0, 1).
    assert abs(t["mix_weight"].mean() - 0.5) < 0.02
    assert abs(t["mix_weight"].var() - np.log(3) / 8) < 0.01
    assert not np.array_equal(t["permutation_order"], np.arange(2000))
    np.testing.assert_array_equal(np.sort(t["permutation_order"]), np.arange(2000))


def test_bits_that_are_lost(python_only):
    for factor, want in ((8, range(1, 8)), ((3, 5), (4, 5)), ((3, 3), (5,))):
        layer = layers.RandomPosterization(factor, seed=1)
        drawn = layer.get_random_transformation(LOOK)["shift_factor"]
        assert set(np.unique(drawn)) == set(want)


@pytest.mark.parametrize(
    ("layer", "arguments", "message"),
    [
        (layers.RandomBrightness, {"factor": 1.5}, "factor"),
        (layers.RandomBrightness, {"factor": 1, "value_range": (1,)}, "value_range"),
        (layers.RandomContrast, {"factor": -0.5}, "factor"),
        (layers.RandomHue, {"factor": "a"}, "factor"),
        (layers.RandomPosterization, {"factor": 0}, "factor"),
        (layers.RandomGaussianBlur, {"kernel_size": 4}, "odd"),
        (layers.RandomGaussianBlur, {"sigma": 3}, "sigma"),
        (layers.RandomGrayscale, {"factor": 2}, "factor"),
        (layers.Solarization, {"threshold_factor": -1}, "threshold_factor"),
        (layers.Equalization, {"bins": 0}, "bins"),
        (CLAHE, {"clip_limit": 0}, "clip_limit"),
        (CLAHE, {"tile_grid_size": (0, 1)}, "tile_grid_size"),
        (layers.MixUp, {"alpha": 0}, "alpha"),
        (layers.CutMix, {"factor": 2}, "factor"),
    ],
)
def test_wrong_arguments(layer, arguments, message, python_only):
    with pytest.raises(ValueError, match=message):
        layer(**arguments)
