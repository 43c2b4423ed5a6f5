"""Image files and Pillow's images, beside Keras."""

import io

import numpy as np
import pytest
from PIL import Image

import hornbeam as keras
from hornbeam import backends

RANDOM = np.random.default_rng(0)
utils = keras.utils
PIXELS = RANDOM.integers(0, 256, (12, 17, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "1.png"
    Image.fromarray(PIXELS).save(path)
    return path


@pytest.mark.oracle
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"color_mode": "grayscale"},
        {"color_mode": "rgba"},
        {"target_size": (6, 5)},
        {"target_size": (6, 5), "keep_aspect_ratio": True},
        {
            "target_size": (30, 40),
            "interpolation": "bicubic",
            "keep_aspect_ratio": True,
        },
        {"target_size": (30, 40), "interpolation": "lanczos"},
    ],
)
def test_images_are_loaded_as_keras_does(path, options):
    real = pytest.importorskip("keras")
    expected = real.utils.load_img(path, **options)
    image = utils.load_img(path, **options)
    assert image.mode == expected.mode
    np.testing.assert_array_equal(np.asarray(image), np.asarray(expected))
    for data_format in ("channels_last", "channels_first"):
        array = utils.img_to_array(image, data_format=data_format)
        ours = real.utils.img_to_array(expected, data_format=data_format)
        np.testing.assert_array_equal(array, ours)
        assert array.dtype == ours.dtype == "float32"


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_what_is_written_is_read(tmp_path, channels, data_format):
    x = RANDOM.integers(0, 256, (7, 9, channels)).astype("float32")
    mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[channels]
    given = x if data_format == "channels_last" else np.moveaxis(x, -1, 0)
    utils.save_img(tmp_path / "1.png", given, data_format=data_format, scale=False)
    image = utils.load_img(tmp_path / "1.png", color_mode=mode)
    np.testing.assert_array_equal(utils.img_to_array(image, data_format), given)


@pytest.mark.oracle
def test_arrays_are_scaled_as_keras_does():
    real = pytest.importorskip("keras")
    for x in (
        RANDOM.normal(size=(5, 6, 3)),
        np.ones((5, 6, 1)),
        np.arange(600.0).reshape(20, 30, 1),
    ):
        for scale in (True, False):
            if not scale and x.min() < 0:
                continue
            ours, expected = (
                u.array_to_img(x, scale=scale) for u in (utils, real.utils)
            )
            assert ours.mode == expected.mode
            np.testing.assert_array_equal(np.asarray(ours), np.asarray(expected))


def test_file_objects_and_formats(tmp_path, engine):
    x = backends.current().convert(PIXELS.astype("float32"))
    file = io.BytesIO()
    utils.save_img(file, x, file_format="bmp", scale=False)
    file.seek(0)
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(file)), PIXELS)
    rgba = np.dstack([PIXELS, np.full((12, 17), 255)])
    with pytest.warns(UserWarning, match="no transparency"):
        utils.save_img(tmp_path / "1.jpg", rgba, scale=False)
    assert utils.load_img(tmp_path / "1.jpg").size == (17, 12)
    with pytest.raises(ValueError, match="file_format"):
        utils.save_img(io.BytesIO(), PIXELS)


def test_mistakes(path, tmp_path):
    for call, message in (
        (lambda: utils.load_img(path, color_mode="x"), "color_mode='x'"),
        (lambda: utils.load_img(path, target_size=(2, 2), interpolation="x"), "'x'"),
        (lambda: utils.load_img(path, target_size=4), "pair .height, width.*=4"),
        (lambda: utils.load_img(path, target_size=(4, 4, 3)), "pair .height, width"),
        (lambda: utils.img_to_array(np.ones(3)), r"shape \(3,\)"),
        (lambda: utils.img_to_array(np.ones((2, 2)), data_format="x"), "data_format"),
        (lambda: utils.array_to_img(np.ones((2, 2))), r"shape \(2, 2\)"),
        (lambda: utils.array_to_img(np.ones((2, 2, 5))), "5 channels"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="`path` of load_img"):
        utils.load_img(3)
    with pytest.raises(FileNotFoundError):
        utils.load_img(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(ValueError, match=r"text\.png cannot be read as an image"):
        utils.load_img(tmp_path / "text.png")


@pytest.mark.oracle
@pytest.mark.parametrize("shape", [(30, 20, 3), (20, 31, 3), (2, 7, 25, 1)])
@pytest.mark.parametrize("size", [(12, 12), (9, 25)])
def test_smart_resize(engine, shape, size):
    real = pytest.importorskip("keras")
    smart_resize = keras.preprocessing.image.smart_resize
    x = RANDOM.normal(size=shape).astype("float32")
    for interpolation in ("bilinear", "nearest"):
        expected = real.preprocessing.image.smart_resize(x, size, interpolation)
        ours = smart_resize(x, size, interpolation)
        assert isinstance(ours, np.ndarray)
        np.testing.assert_allclose(ours, expected, atol=1e-4)
    tensor = backends.current().convert(np.moveaxis(x, -1, -3))
    first = smart_resize(tensor, size, data_format="channels_first")
    assert engine.name == "numpy" or backends.of(first) is engine
    np.testing.assert_allclose(
        np.moveaxis(engine.to_numpy(first), -3, -1), smart_resize(x, size), atol=1e-4
    )
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        smart_resize(np.ones(3), size)


def test_older_names():
    assert keras.preprocessing.image.load_img is utils.load_img
    assert keras.preprocessing.sequence.pad_sequences is utils.pad_sequences
    name = "image_dataset_from_directory"
    assert getattr(keras.preprocessing, name) is getattr(utils, name)
