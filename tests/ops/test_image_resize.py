"""Resizing against weights computed sample by sample."""

import numpy as np
import pytest

from hornbeam import ops
from hornbeam.graph.keras_tensor import KerasTensor
from tests.ops.oracles import KERNELS, keys, resized

RNG = np.random.default_rng(11)


def value(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("interpolation", KERNELS)
def test_resize(engine, interpolation, antialias, data_format):
    x = RNG.normal(size=(2, 5, 7, 3))
    arguments = (KERNELS[interpolation], antialias)
    expected = np.apply_along_axis(resized, 1, x, 9, *arguments)
    expected = np.apply_along_axis(resized, 2, expected, 4, *arguments)
    if data_format == "channels_first":
        x, expected = np.moveaxis(x, -1, 1), np.moveaxis(expected, -1, 1)
    found = ops.image.resize(
        x.astype("float32"), (9, 4), interpolation, antialias, data_format=data_format
    )
    np.testing.assert_allclose(value(found), expected, rtol=1e-4, atol=1e-5)


def test_nearest_takes_the_pixel_under_the_centre(engine):
    x = np.arange(5.0, dtype="float32").reshape(1, 5, 1) * np.ones((4, 1, 1), "float32")
    found = value(ops.image.resize(x, (4, 7), "nearest"))
    np.testing.assert_array_equal(found[0, :, 0], [0, 1, 1, 2, 3, 3, 4])


def test_integers_are_rounded_and_kept_in_range(engine):
    x = np.array([0, 255, 255, 0], "uint8").reshape(1, 4, 1)
    found = ops.image.resize(x, (1, 8), "bicubic")
    assert ops.dtype(found) == "uint8"
    exact = resized([0, 255, 255, 0], 8, keys, False)
    np.testing.assert_array_equal(
        value(found)[0, :, 0], np.clip(np.round(exact), 0, 255)
    )


def test_aspect_ratio(engine):
    x = np.arange(32.0, dtype="float32").reshape(4, 8, 1)
    cropped = value(ops.image.resize(x, (4, 4), crop_to_aspect_ratio=True))
    np.testing.assert_allclose(cropped, x[:, 2:6])
    padded = ops.image.resize(x, (8, 8), pad_to_aspect_ratio=True, fill_value=9.0)
    np.testing.assert_allclose(value(padded)[2:6], x)
    assert (value(padded)[[0, 1, 6, 7]] == 9).all()


def test_shapes_of_symbols_and_errors():
    assert ops.image.resize(KerasTensor((None, None, None, 3)), (5, 6)).shape == (
        None,
        5,
        6,
        3,
    )
    for x, size, message in (
        ((4, 4), (2, 2), "rank"),
        ((4, 4, 1), (0, 2), "positive"),
        ((4, 4, 1), (2,), "positive"),
    ):
        with pytest.raises(ValueError, match=message):
            ops.image.resize(KerasTensor(x), size)
    with pytest.raises(ValueError, match="Did you mean 'bilinear'"):
        ops.image.resize(KerasTensor((4, 4, 1)), (2, 2), "bilinar")
