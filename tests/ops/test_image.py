"""Colours, borders and patches of images against colorsys and NumPy's windows."""

import colorsys

import numpy as np
import pytest

from hornbeam import ops
from hornbeam.graph.keras_tensor import KerasTensor
from tests.ops.oracles import patches

image = ops.image
RNG = np.random.default_rng(5)
IMAGES = RNG.random((2, 5, 6, 3)).astype("float32")
GRAYS = np.repeat(RNG.random((4, 4, 1)), 3, -1).astype("float32")
VOLUMES = RNG.random((2, 5, 6, 7, 2)).astype("float32")


def in_both_formats(engine, op, images, *args, **kwargs):
    """What the op gives with the channels last, after the same with channels first."""
    found = engine.to_numpy(op(engine.convert(images), *args, **kwargs))
    rank = images.ndim - 2 if images.ndim == VOLUMES.ndim else 2
    first = op(
        engine.convert(np.moveaxis(images, -1, -1 - rank)),
        *args,
        data_format="channels_first",
        **kwargs,
    )
    first = np.moveaxis(engine.to_numpy(first), -1 - rank, -1)
    np.testing.assert_array_equal(found, first)
    symbol = op(KerasTensor(images.shape), *args, **kwargs)
    assert tuple(symbol.shape) == found.shape
    return found


@pytest.mark.parametrize("images", [IMAGES, IMAGES[0], GRAYS, GRAYS * 0])
def test_hue_saturation_value(engine, images):
    there = in_both_formats(engine, image.rgb_to_hsv, images)
    expected = np.apply_along_axis(lambda c: colorsys.rgb_to_hsv(*c), -1, images)
    np.testing.assert_allclose(there, expected, atol=1e-6)
    back = in_both_formats(engine, image.hsv_to_rgb, there)
    np.testing.assert_allclose(back, images, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_gray(engine, dtype):
    images = (IMAGES * 255).astype(dtype)
    found = in_both_formats(engine, image.rgb_to_grayscale, images)
    assert found.dtype == dtype
    expected = images @ np.array([[0.2989], [0.587], [0.114]])
    np.testing.assert_allclose(found, expected, atol=1e-3 if dtype != "uint8" else 1)


@pytest.mark.parametrize(
    "given",
    [
        {"top_%s": 1, "bottom_%s": 2, "left_%s": 0, "right_%s": 3},
        {"top_%s": 1, "target_height": 0, "right_%s": 3, "target_width": 0},
        {"bottom_%s": 2, "target_height": 0, "left_%s": 0, "target_width": 0},
    ],
)
@pytest.mark.parametrize("images", [IMAGES, IMAGES[0]])
def test_borders(engine, given, images):
    cut, added = images[..., 1:3, 0:3, :], [(1, 2), (0, 3), (0, 0)]
    added = np.pad(images, [(0, 0)] * (images.ndim - 3) + added)
    for op, kind, expected in (
        (image.crop_images, "cropping", cut),
        (image.pad_images, "padding", added),
    ):
        arguments = {}
        for name, number in given.items():
            size = {"target_height": expected.shape[-3]}
            size["target_width"] = expected.shape[-2]
            arguments[name.replace("%s", kind)] = size.get(name, number)
        found = in_both_formats(engine, op, images, **arguments)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "strides", "dilation"),
    [(2, None, 1), ((2, 3), 1, 1), (2, (2, 1), 1), (2, 1, 2)],
)
def test_patches(engine, size, strides, dilation, padding):
    pair = (size, size) if isinstance(size, int) else size
    steps = pair if strides is None else (strides,) * 2
    steps = strides if isinstance(strides, tuple) else steps
    expected = patches(IMAGES, pair, steps, dilation, padding)
    arguments = (size, strides, dilation, padding)
    found = in_both_formats(engine, image.extract_patches, IMAGES, *arguments)
    np.testing.assert_array_equal(found, expected)
    alone = in_both_formats(engine, image.extract_patches, IMAGES[0], *arguments)
    np.testing.assert_array_equal(alone, expected[0])


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_patches_of_volumes(engine, padding):
    expected = patches(VOLUMES, (2, 3, 2), (2, 3, 2), 1, padding)
    for op in (image.extract_patches, image.extract_patches_3d):
        found = in_both_formats(engine, op, VOLUMES, (2, 3, 2), padding=padding)
        np.testing.assert_array_equal(found, expected)


def test_sizes_of_images_may_be_unknown():
    images = KerasTensor((None, None, None, 3))
    assert image.rgb_to_hsv(images).shape == images.shape
    assert image.extract_patches(images, 2).shape == (None, None, None, 12)
    cut = image.crop_images(images, 1, 2, target_height=4, target_width=5)
    assert cut.shape == (None, 4, 5, 3)
    with pytest.raises(ValueError, match="`target_height` must be given"):
        image.crop_images(images, 1, 2, 1, target_width=5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: image.rgb_to_grayscale(x[0, 0]), "rank"),
        (lambda x: image.rgb_to_hsv(x[..., :2]), "3 channels"),
        (lambda x: image.hsv_to_rgb(ops.cast(x, "int32")), "floats"),
        (lambda x: image.crop_images(x, 1, 1), "exactly two of"),
        (lambda x: image.crop_images(x, 9, 0, 0, 0), "`target_height` must be >= 1"),
        (lambda x: image.pad_images(x, -1, 0, 0, 0), "`top_padding` must be >= 0"),
        (lambda x: image.extract_patches(x, (1, 1, 1, 1)), "2 or 3"),
        (lambda x: image.extract_patches(x, 0), "positive"),
        (lambda x: image.extract_patches(x, 2, padding="full"), "padding"),
    ],
)
def test_what_does_not_fit_is_explained(engine, call, message):
    for images in (engine.convert(IMAGES), KerasTensor(IMAGES.shape)):
        with pytest.raises((ValueError, TypeError), match=message):
            call(images)
