"""Datasets from folders, beside Keras and beside what was written."""

import os
import threading
import wave

import numpy as np
import pytest
from PIL import Image

import hornbeam as keras
from hornbeam.core.errors import DamagedFileError
from hornbeam.data import Dataset, image_files, pixels, wave_files

RANDOM = np.random.default_rng(0)
utils = keras.utils


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder with two classes; b has a folder of its own and files that are none."""
    root = tmp_path_factory.mktemp("images")
    sizes = [(20, 30), (31, 17), (8, 8), (40, 25)]
    for name in ("a", "b", "b/sub", ".hidden"):
        (root / name).mkdir()
    for number in range(12):
        height, width = sizes[number % 4]
        folder = "ab"[number % 2] if number < 10 else "b/sub"
        values = RANDOM.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(values).save(root / folder / f"{number}.png")
    (root / "b" / "notes.md").write_text("no image")
    return root


def folder_of(root, **kwargs):
    kwargs = {"image_size": (16, 12), "verbose": False, **kwargs}
    return utils.image_dataset_from_directory(root, **kwargs)


def names(dataset, root):
    return [os.path.relpath(path, root) for path in dataset.file_paths]


def test_files_come_in_order_with_the_classes_of_their_folders(images, capsys):
    ds = folder_of(images, shuffle=False, batch_size=5, verbose=True)
    assert capsys.readouterr().out == "Found 12 files belonging to 2 classes.\n"
    assert isinstance(ds, Dataset) and isinstance(ds, utils.PyDataset)
    assert ds.class_names == ["a", "b"] and len(ds) == 3
    expected = ["a/0", "a/2", "a/4", "a/6", "a/8", "b/1", "b/3", "b/5", "b/7", "b/9"]
    expected += ["b/sub/10", "b/sub/11"]
    assert names(ds, images) == [f"{name}.png" for name in expected]
    batches = list(ds.as_numpy_iterator())
    assert [x.shape for x, _ in batches] == [
        (5, 16, 12, 3),
        (5, 16, 12, 3),
        (2, 16, 12, 3),
    ]
    assert np.concatenate([y for _, y in batches]).tolist() == [0] * 5 + [1] * 7
    assert batches[0][0].dtype == "float32" and batches[0][1].dtype == "int32"
    third = np.asarray(Image.open(ds.file_paths[1]))  # 8 x 8 is the third of the sizes
    assert third.shape == (8, 8, 3)
    same = folder_of(images, shuffle=False, image_size=(8, 8), batch_size=None)
    np.testing.assert_array_equal(same[1][0], third)


@pytest.mark.parametrize(
    "mode, shape, dtype",
    [("int", (12,), "int32"), ("binary", (12, 1), "float32")]
    + [("categorical", (12, 2), "float32")],
)
def test_label_modes(images, mode, shape, dtype):
    _, labels = folder_of(images, label_mode=mode)[0]
    assert labels.shape == shape and labels.dtype == dtype
    assert labels.sum() == {"int": 7, "binary": 7, "categorical": 12}[mode]


def test_labels_may_be_given_or_left_out(images):
    assert folder_of(images, labels=None)[0].shape == (12, 16, 12, 3)
    assert folder_of(images, label_mode=None)[0].shape == (12, 16, 12, 3)
    assert folder_of(images, labels=None, image_size=8)[0].shape == (12, 8, 8, 3)
    ds = folder_of(images, labels=[3, 4] * 6, shuffle=False)
    assert ds[0][1].tolist() == [3, 4] * 6 and ds.class_names == ["3", "4"]
    ds = folder_of(images, class_names=["b", "a"], shuffle=False)
    assert ds[0][1].tolist() == [0] * 7 + [1] * 5
    ds = folder_of(images, class_names=["b"], shuffle=False)
    assert len(ds.file_paths) == 7


@pytest.mark.parametrize(
    ("labels", "mode", "dtype", "class_names"),
    [
        ([1.5, 0.5] * 6, "int", "float32", ["0.5", "1.5"]),
        (np.float64([1.5, 0.5] * 6), "int", "float32", ["0.5", "1.5"]),
        (["b", "a"] * 6, "int", "object", ["a", "b"]),
        ([True, False] * 6, "int", "bool", ["False", "True"]),
        (np.array([1, 0] * 6), "int", "int32", ["0", "1"]),
        ([1.0, 0.5] * 6, "binary", "float32", ["0.5", "1.0"]),
    ],
)
def test_given_labels_stay_as_keras_leaves_them(
    images, labels, mode, dtype, class_names
):
    ds = folder_of(images, labels=labels, label_mode=mode, shuffle=False)
    got = ds[0][1]
    assert got.dtype == dtype and got.ravel().tolist() == list(labels)
    assert ds.class_names == class_names


@pytest.mark.parametrize("kwargs", [{}, {"validation_split": 0.3, "subset": "both"}])
def test_orders_and_splits_are_those_of_a_seeded_generator(images, kwargs):
    order = names(folder_of(images, shuffle=False), images)
    np.random.RandomState(7).shuffle(order)
    made = folder_of(images, seed=7, **kwargs)
    parts = made if kwargs else [made]
    assert sum((names(part, images) for part in parts), []) == order
    assert [len(part.file_paths) for part in parts] == ([9, 3] if kwargs else [12])
    one = folder_of(images, seed=7, validation_split=0.3, subset="validation")
    assert names(one, images) == order[9:]


def test_every_epoch_has_an_order_but_that_of_validation_stays(images):
    train, valid = folder_of(
        images, seed=1, validation_split=0.5, subset="both", batch_size=3
    )
    first, second = ([y.tolist() for _, y in train] for _ in range(2))
    assert first != second
    assert [y.tolist() for _, y in valid] == [y.tolist() for _, y in valid]


def test_color_modes_and_data_formats(images):
    rgb = folder_of(images, shuffle=False)[0][0]
    first = folder_of(images, shuffle=False, data_format="channels_first")[0][0]
    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), rgb)
    gray = folder_of(images, shuffle=False, color_mode="grayscale")[0][0]
    assert gray.shape == (12, 16, 12, 1)
    np.testing.assert_allclose(
        gray[..., 0], rgb @ np.float32([0.299, 0.587, 0.114]), atol=1
    )
    rgba = folder_of(images, shuffle=False, color_mode="rgba")[0][0]
    np.testing.assert_array_equal(rgba[..., :3], rgb)
    assert (rgba[..., 3] == 255).all()


def test_deep_gray_and_palettes(tmp_path):
    deep = RANDOM.integers(0, 2**16, (4, 5), dtype=np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(
        image_files.read_pixels(str(tmp_path / "deep.png"), "RGB")[..., 1], deep >> 8
    )
    assert utils.load_img(tmp_path / "deep.png", color_mode="grayscale").mode[0] == "I"
    values = RANDOM.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    Image.fromarray(values).quantize(8).save(tmp_path / "palette.gif")
    assert image_files.read_pixels(str(tmp_path / "palette.gif"), "RGB").shape == (
        4,
        5,
        3,
    )


@pytest.mark.parametrize("form", [None, "tf", "grain"])
@pytest.mark.parametrize("color_mode", ["grayscale", "rgb", "rgba"])
def test_webp_files_are_read_as_png_files_of_the_same_pixels(
    tmp_path, form, color_mode
):
    pytest.importorskip({"tf": "tensorflow"}.get(form, form or "PIL"))
    batches = []
    frames = RANDOM.integers(0, 256, (2, 20, 30, 3), dtype=np.uint8)
    still = RANDOM.integers(0, 256, (9, 9, 4), dtype=np.uint8)
    for suffix in ("webp", "png"):
        folder = tmp_path / suffix
        folder.mkdir()
        # The first picture of those that move counts.
        first, second = map(Image.fromarray, frames)
        exactly = {"lossless": True, "exact": True}
        more = {**exactly, "save_all": True, "append_images": [second]}
        first.save(folder / f"0.{suffix}", **more)
        utils.save_img(folder / f"1.{suffix}", still, scale=False, **exactly)
        options = {"format": form, "color_mode": color_mode, "shuffle": False}
        batches += [np.asarray(x) for x in folder_of(folder, labels=None, **options)]
        size = utils.load_img(folder / f"0.{suffix}", target_size=(4, 5)).size
        assert size == (5, 4)
    np.testing.assert_array_equal(*batches)


@pytest.mark.oracle
@pytest.mark.parametrize(
    "kwargs",
    [{}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True}]
    + [{"interpolation": name} for name in pixels.INTERPOLATIONS[1:]],
)
def test_pixels_are_those_of_keras(images, kwargs):
    real = pytest.importorskip("keras")
    for size in ((16, 12), (33, 57)):
        options = {"image_size": size, "shuffle": False, "verbose": False, **kwargs}
        expected = real.utils.image_dataset_from_directory(images, **options)
        ours = folder_of(images, **options)
        assert ours.file_paths == expected.file_paths
        x, y = ours[0]
        expected_x, expected_y = next(iter(expected))
        # TensorFlow takes cubic weights from a table, and rounds the edge of the other.
        tolerances = {"bicubic": 0.2, "gaussian": 4}
        tolerance = tolerances.get(kwargs.get("interpolation"), 0.02)
        np.testing.assert_allclose(x, np.float32(expected_x), atol=tolerance)
        np.testing.assert_array_equal(y, expected_y.numpy())


@pytest.mark.oracle
def test_jpeg_files_differ_from_keras_by_the_rounding_of_the_decoder(tmp_path):
    real = pytest.importorskip("keras")
    (tmp_path / "a").mkdir()
    smooth = Image.fromarray(RANDOM.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    smooth.resize((80, 60), Image.Resampling.BICUBIC).save(tmp_path / "a" / "1.jpg")
    options = {"image_size": (30, 40), "verbose": False}
    x, _ = utils.image_dataset_from_directory(tmp_path, **options)[0]
    expected, _ = next(
        iter(real.utils.image_dataset_from_directory(tmp_path, **options))
    )
    difference = np.abs(x - expected.numpy())
    assert difference.mean() < 1 and difference.max() < 6


def test_what_makes_it_faster_gives_the_same(tmp_path, monkeypatch):
    pytest.importorskip("simplejpeg")
    pytest.importorskip("cv2")
    path = tmp_path / "1.jpg"
    Image.fromarray(RANDOM.integers(0, 256, (41, 60, 3), dtype=np.uint8)).save(path)

    def results():
        for mode, channels in (("RGB", 3), ("L", 1)):
            out = np.empty((20, 70, channels), np.float32)
            pixels.resize_into(out, image_files.read_pixels(str(path), mode))
            yield out

    fast = list(results())
    for module in (pixels, image_files):
        monkeypatch.setattr(module, "if_installed", lambda name: None)
    for one, other in zip(fast, results(), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


def test_bad_images_are_named_or_skipped_if_asked_for(images, tmp_path):
    (tmp_path / "a").mkdir()
    good = RANDOM.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(good).save(tmp_path / "a" / "1.jpg")
    whole = (tmp_path / "a" / "1.jpg").read_bytes()
    (tmp_path / "a" / "2.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "a" / "3.png").write_text("<html>")
    options = {"image_size": (8, 8), "shuffle": False, "verbose": False}
    ds = utils.image_dataset_from_directory(tmp_path, **options, batch_size=2)
    with pytest.raises(DamagedFileError, match=r"2\.jpg cannot be read as an image"):
        list(ds)
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    with pytest.raises(DamagedFileError, match=r"2\.jpg") as caught:
        model.predict(ds.map(lambda x, y: x), verbose=0)
    assert caught.value.__notes__
    ds = utils.image_dataset_from_directory(tmp_path, **options, unreadable="skip")
    with pytest.warns(UserWarning, match=r"Skipped: .*\.(jpg|png)"):
        ((x, y),) = list(ds)
    assert x.shape == (1, 8, 8, 3) and y.tolist() == [0]
    with pytest.raises(ValueError, match="batch_size"):
        folder_of(tmp_path, unreadable="skip", batch_size=None)
    for thread in threading.enumerate():
        if thread.name.startswith("PyDataset"):
            thread.join(5)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"labels": [1, 2]}, "2 labels for 12 files"),
        ({"labels": "x"}, "`labels` argument should be"),
        ({"class_names": ["a", "c"]}, r"no folder 'c'"),
        ({"class_names": ["a", "b"], "labels": None}, "only pass `class_names`"),
        ({"label_mode": "x"}, "label_mode='x'"),
        ({"color_mode": "x"}, "color_mode='x'"),
        ({"interpolation": "x"}, "interpolation='x'"),
        ({"format": "x"}, "format='x'"),
        ({"image_size": (3, 3, 3)}, "tuple .height, width."),
        ({"image_size": (0, 3)}, "image_size"),
        ({"validation_split": 0.2}, "must be set"),
        ({"subset": "training"}, "must be set"),
        ({"validation_split": 0.2, "subset": "training"}, "must provide a `seed`"),
        ({"validation_split": 2, "subset": "training"}, "validation_split"),
        ({"validation_split": 0.01, "subset": "both", "seed": 1}, "leaves no file"),
        ({"labels": list(range(12)), "label_mode": "binary"}, "exactly 2 classes"),
        ({"labels": [0.5] * 12, "label_mode": "categorical"}, "must be integers"),
        ({"labels": ["a", "b"] * 6, "label_mode": "binary"}, "must be integers"),
        ({"labels": np.eye(12)}, "one for each file"),
        ({"labels": [5] * 12, "label_mode": "categorical"}, "count from 0"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "Only one"),
        ({"data_format": "x"}, "data_format"),
    ],
)
def test_mistakes(images, kwargs, message):
    with pytest.raises(ValueError, match=message):
        folder_of(images, **kwargs)


def test_empty_and_missing_folders(tmp_path):
    (tmp_path / "a").mkdir()
    for function, what in (
        (utils.image_dataset_from_directory, "images"),
        (utils.text_dataset_from_directory, "text files"),
        (utils.audio_dataset_from_directory, "audio files"),
    ):
        with pytest.raises(ValueError, match=f"No {what} found"):
            function(tmp_path, verbose=False)
        with pytest.raises(FileNotFoundError, match="nowhere"):
            function(tmp_path / "nowhere")


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    root = tmp_path_factory.mktemp("texts")
    for name, content in (
        ("a", "héllo a".encode()),
        ("b", "héllo b".encode()),
    ):
        (root / name).mkdir()
        (root / name / "1.txt").write_bytes(content)
    return root


def test_texts(texts):
    ds = utils.text_dataset_from_directory(texts, shuffle=False, verbose=False)
    ((x, y),) = list(ds.as_numpy_iterator())
    assert x.tolist() == ["héllo a", "héllo b"] and y.tolist() == [0, 1]
    assert x.dtype == object
    short = utils.text_dataset_from_directory(
        texts, shuffle=False, verbose=False, max_length=2, batch_size=None
    )
    assert [x for x, _ in short] == ["hé", "hé"]


def test_texts_in_other_encodings(tmp_path):
    read = utils.text_dataset_from_directory
    for number, (content, text) in enumerate(
        [
            ("\ufeffhé".encode(), "hé"),
            ("hé".encode("utf-16"), "hé"),
            ("hé".encode("latin-1"), "h\ufffd"),
            (b"\xfe\xff\x00h\x00", "h\ufffd"),
        ]
    ):
        file = tmp_path / "a" / "1.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        ds = read(tmp_path, shuffle=False, verbose=False, batch_size=1)
        if number < 2:
            assert next(iter(ds))[0].tolist() == [text]
            continue
        with pytest.warns(UserWarning, match=r"1\.txt is no text in UTF-8: byte"):
            assert next(iter(ds))[0].tolist() == [text]


def test_sounds(tmp_path):
    for name, length in (("a", 8), ("b", 5)):
        (tmp_path / name).mkdir()
        with wave.open(str(tmp_path / name / "1.wav"), "wb") as file:
            file.setparams((2, 2, 8000, 0, "NONE", ""))
            file.writeframes(np.full((length, 2), 2**14, "<i2").tobytes())

    def folder(**kwargs):
        return utils.audio_dataset_from_directory(
            tmp_path, shuffle=False, verbose=False, **kwargs
        )

    x, y = folder()[0]
    assert x.shape == (2, 8, 2) and y.tolist() == [0, 1] and x.dtype == "float32"
    assert (x[0] == 0.5).all() and (x[1, :5] == 0.5).all() and not x[1, 5:].any()
    assert folder(output_sequence_length=6)[0][0].shape == (2, 6, 2)
    assert [x.shape for x, _ in folder(batch_size=None)] == [(8, 2), (5, 2)]
    assert folder(sampling_rate=4000)[0][0].shape == (2, 4, 2)
    with pytest.raises(ValueError, match="both `ragged`"):
        folder(ragged=True, output_sequence_length=3)
    ragged = folder(ragged=True)
    assert [x.shape[0] for x, _ in ragged] == [2] and ragged.class_names == ["a", "b"]


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_integers_of_wave_files(tmp_path, bits):
    path = tmp_path / "1.wav"
    limit = 2 ** (bits - 1)
    values = np.array([0, 1, -1, limit - 1, -limit], dtype=np.int64)
    unsigned = values + 128 if bits == 8 else values % 2**bits
    content = b"".join(int(v).to_bytes(bits // 8, "little") for v in unsigned)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, bits // 8, 44100, 0, "NONE", ""))
        file.writeframes(content)
    sound, rate = wave_files.read_wave(path)
    assert rate == 44100
    np.testing.assert_allclose(sound[:, 0], values / limit, atol=1e-7)


def test_floats_of_wave_files_and_damaged_ones(tmp_path):
    wavfile = pytest.importorskip("scipy.io.wavfile")
    path = tmp_path / "1.wav"
    values = RANDOM.normal(size=(7, 2)).astype("float32")
    wavfile.write(path, 8000, values)
    np.testing.assert_array_equal(wave_files.read_wave(path)[0], values)
    whole = path.read_bytes()
    for content, why in (
        (whole[:-4], "ends after 52 of 56"),
        (b"RIFX" + whole[4:], "does not begin"),
        (whole[:12], "missing"),
    ):
        path.write_bytes(content)
        with pytest.raises(DamagedFileError, match=f"1.wav.*{why}"):
            wave_files.read_wave(path)


def test_datasets_of_tensorflow(images, texts):
    tensorflow = pytest.importorskip("tensorflow")
    ds = folder_of(images, format="tf", shuffle=False, batch_size=5)
    assert isinstance(ds, tensorflow.data.Dataset) and ds.class_names == ["a", "b"]
    assert int(ds.cardinality()) == 3 and len(ds.file_paths) == 12
    shape = ds.element_spec[0].shape
    assert shape.as_list() == [None, 16, 12, 3]
    expected = folder_of(images, shuffle=False, batch_size=5)
    for (x, y), (expected_x, expected_y) in zip(ds, expected, strict=True):
        np.testing.assert_array_equal(x, expected_x)
        np.testing.assert_array_equal(y, expected_y)
    words = utils.text_dataset_from_directory(
        texts, format="tf", shuffle=False, verbose=False
    )
    assert next(iter(words))[0].numpy()[1] == "héllo b".encode()
    ds = folder_of(images, format="tf", labels=["é", "a"] * 6, shuffle=False)
    assert next(iter(ds))[1].numpy()[0].decode() == "é"


def test_the_engine_decides_where_no_format_is_given(images, engine):
    ds = folder_of(images)
    assert type(ds).__module__.partition(".")[0] == (
        "tensorflow" if engine.name == "tensorflow" else "hornbeam"
    )
    assert isinstance(folder_of(images, format=None), Dataset)


def test_datasets_of_grain(images, texts):
    grain = pytest.importorskip("grain")
    ds = folder_of(images, format="grain", shuffle=False, batch_size=5)
    assert isinstance(ds, grain.IterDataset) and ds.class_names == ["a", "b"]
    expected = folder_of(images, shuffle=False, batch_size=5)
    for (x, y), (expected_x, expected_y) in zip(ds, expected, strict=True):
        np.testing.assert_array_equal(x, expected_x)
        np.testing.assert_array_equal(y, expected_y)
    words = utils.text_dataset_from_directory(
        texts, format="grain", shuffle=False, verbose=False
    )
    assert next(iter(words))[0][0] == "héllo a"


def test_a_network_is_fitted_on_a_folder(images, training_engine):
    train, valid = folder_of(
        images, seed=1, validation_split=0.5, subset="both", batch_size=4
    )
    model = keras.Sequential(
        [
            keras.Input((16, 12, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    history = model.fit(train, epochs=2, validation_data=valid, verbose=0).history
    assert np.isfinite(history["val_loss"]).all()
    assert model.predict(valid, verbose=0).shape == (6, 2)


@pytest.mark.parametrize("form", [None, "tf", "grain"])
@pytest.mark.filterwarnings("ignore:Skipped")
def test_a_batch_of_which_nothing_can_be_read_is_left_out(tmp_path, form):
    (tmp_path / "a").mkdir()
    for number in range(7):
        file = tmp_path / "a" / f"{number}.png"
        if number in (4, 6):
            Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(file)
        else:
            file.write_bytes(b"")
    ds = utils.image_dataset_from_directory(
        tmp_path, image_size=(8, 8), shuffle=False, verbose=False, batch_size=2,
        unreadable="skip", format=form,
    )  # fmt: skip
    found = [np.asarray(x)[:, 0, 0, 0].tolist() for x, _ in ds]
    assert found == ([[4.0, 6.0]] if form == "grain" else [[4.0], [6.0]])
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    if form != "grain":
        predicted = model.predict(ds.map(lambda x, y: x), verbose=0)
        assert predicted[:, 0].tolist() == [4.0, 6.0]
    for number in (4, 6):
        (tmp_path / "a" / f"{number}.png").write_bytes(b"")
    if form is None:
        with pytest.raises(ValueError, match="no batch at all"):
            model.predict(ds.map(lambda x, y: x), verbose=0)
