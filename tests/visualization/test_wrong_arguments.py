"""Wrong arguments of pictures and looks: the error names function, argument, value."""

import socket

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

import hornbeam as keras
from hornbeam import backends, layers
from hornbeam import visualization as show

X, Y = np.ones((16, 4), "float32"), np.arange(16) % 3
IMAGES = np.zeros((4, 8, 8, 3))


@pytest.fixture(scope="module")
def model():
    with backends.scope("torch"):
        outputs = layers.Dense(3, activation="softmax")
        model = keras.Sequential([keras.Input((4,)), outputs], name="net")
        model.compile("sgd", "sparse_categorical_crossentropy")
        yield model


@pytest.fixture(scope="module")
def maps():
    with backends.scope("torch"):
        layer = layers.Conv2D(2, 3, name="conv")
        yield keras.Sequential([keras.Input((8, 8, 3)), layer])


def gallery(images=IMAGES, **arguments):
    return show.plot_image_gallery(images, show=False, **arguments)


def board(**arguments):
    return keras.callbacks.TensorBoard("logs", **arguments)


# The words of the error, and what is called with a model and a model of images.
matrix, worst = show.plot_confusion_matrix, show.plot_worst_examples
WRONG = {
    "`y_true`.*None": lambda m, c: matrix(None, [0, 1]),
    "`y_true`.*strings.*unique": lambda m, c: matrix(["a"], [0]),
    "`y_true`.*no rows": lambda m, c: matrix([], []),
    "from 0.*`y_true`.*-1": lambda m, c: matrix([-1, 0], [0, 1]),
    "`y_true`.*1 of.*NaN": lambda m, c: matrix([np.nan], [0]),
    "`y_pred`.*shape": lambda m, c: matrix([0], np.ones((1, 2, 2))),
    "each of the 2 classes.*3": lambda m, c: matrix([0, 1], [0, 1], 3),
    "bins=0": lambda m, c: show.plot_calibration([0, 1], [0.1, 0.9], bins=0),
    "from -3 to 9.*softmax": lambda m, c: show.plot_calibration([0, 1], [-3.0, 9.0]),
    "each of the 2.*'a'": lambda m, c: show.plot_roc([0, 1], np.eye(2), ["a"]),
    "`y_true` holds one alone: 1": lambda m, c: show.plot_roc([1, 1], [0.1, 0.2]),
    r"recall.*shape \(\)": lambda m, c: show.plot_precision_recall(1, 0.5),
    "`y_true`.*'abc'": lambda m, c: show.plot_predictions("abc", [1.0]),
    "count=0": lambda m, c: worst(IMAGES, [0], [1.0], count=0),
    "1 targets and 4 images": lambda m, c: worst(IMAGES, [0], [1.0]),
    "2 classes.*class 5": lambda m, c: worst(IMAGES, [0, 1, 5, 1], np.ones((4, 2))),
    "`images`.*None": lambda m, c: gallery(None),
    "'cat.png'": lambda m, c: gallery("cat.png"),
    "`images`.*no rows": lambda m, c: gallery(IMAGES[:0]),
    "rows=0": lambda m, c: gallery(rows=0),
    "cols='2'": lambda m, c: gallery(cols="2"),
    r"value_range=\(1, 1\)": lambda m, c: gallery(value_range=(1, 1)),
    "value_range=255": lambda m, c: gallery(value_range=255),
    "scale=0": lambda m, c: gallery(scale=0),
    "filters.*`layer`.*None": lambda m, c: show.plot_filters(None),
    "most=0": lambda m, c: show.plot_filters(c.layers[0], most=0),
    "maps.*`model`.*3": lambda m, c: show.plot_feature_maps(3, IMAGES[0], "conv"),
    "one image.*4, 8, 8, 3": lambda m, c: show.plot_feature_maps(c, IMAGES, "conv"),
    "each epoch of 'loss'": lambda m, c: show.plot_history({"loss": ["a"]}),
    "epoch of 'loss'.*None": lambda m, c: show.plot_history({"loss": None}),
    "no 3 in the history": lambda m, c: show.plot_history({"loss": [1.0]}, 3),
    "list of histories.*None": lambda m, c: show.plot_learning_curves(None),
    "list of histories.*'abc'": lambda m, c: show.plot_learning_curves("abc"),
    "`x`.*strings": lambda m, c: show.plot_embedding(["a", "b"]),
    "64 numbers.*not finite": lambda m, c: show.plot_embedding(X * np.nan),
    "each of the 3": lambda m, c: show.plot_embedding(X, Y, class_names=["a"]),
    "attention_maps.*`model`": lambda m, c: show.plot_attention_maps(None, X),
    "saliency.*`model`.*None": lambda m, c: show.saliency(None, IMAGES),
    "grad_cam.*`model`.*'net'": lambda m, c: show.grad_cam("net", IMAGES),
    r"`data`.*\(x, y\)": lambda m, c: show.report(m, data=()),
    "`path` of report.*None": lambda m, c: show.report(m, path=None),
    "port=99999": lambda m, c: keras.callbacks.LivePage(port=99999),
    "`log_dir` of TensorBoard.*None": lambda m, c: keras.callbacks.TensorBoard(None),
    "`filename` of CSVLogger.*3": lambda m, c: keras.callbacks.CSVLogger(3),
    "of ModelCheckpoint.*None": lambda m, c: keras.callbacks.ModelCheckpoint(None),
    "embeddings_metadata=3": lambda m, c: board(embeddings_metadata=3),
    "embeddings_metadata={'a': 3}": lambda m, c: board(embeddings_metadata={"a": 3}),
    "num_classes=0": lambda m, c: show.plot_segmentation_mask_gallery(IMAGES, 0),
    "draw_.*num_classes=0": lambda m, c: show.draw_segmentation_masks(
        IMAGES, IMAGES[..., 0].astype(int), 0
    ),
    "roc.*`y_pred`.*1 of.*NaN": lambda m, c: show.plot_roc([0, 1], [0.5, np.nan]),
    "recall.*`y_pred`.*NaN": lambda m, c: show.plot_precision_recall(
        [0, 1], [0.5, np.nan]
    ),
    "predictions.*`y_pred`.*NaN": lambda m, c: show.plot_predictions([1.0], [np.nan]),
    "calibration.*NaN": lambda m, c: show.plot_calibration([0, 1], [0.5, np.nan]),
    "blue in `color_mapping`.*'red'": lambda m, c: show.draw_segmentation_masks(
        IMAGES, IMAGES[..., 0].astype(int), color_mapping={1: "red"}
    ),
    "blue in `color`.*'red'": lambda m, c: show.draw_bounding_boxes(
        IMAGES, {"boxes": np.zeros((4, 1, 4)), "labels": [[0]] * 4}, "xyxy", color="red"
    ),
    "`dpi` of plot_model.*dpi=0": lambda m, c: keras.utils.plot_model(m, dpi=0),
    "`dpi` of model_to_dot.*'a'": lambda m, c: keras.utils.model_to_dot(m, dpi="a"),
    "`x` to be a batch of images": lambda m, c: show.grad_cam(m, X),
    "whose output has 4 axes.*'dense'": lambda m, c: show.grad_cam(
        keras.Sequential([c, layers.Flatten(), layers.Dense(2, name="dense")]),
        IMAGES,
        "dense",
    ),
    "no layer of model 'flat' gives": lambda m, c: show.grad_cam(
        keras.Sequential([layers.Flatten(), layers.Dense(2)], name="flat"), IMAGES
    ),
    "plot_feature_maps.*no layer 0": lambda m, c: show.plot_feature_maps(
        c, IMAGES[0], 0
    ),
    "plot_worst_examples.. expects `ax`.*3": lambda m, c: worst(
        IMAGES, [0] * 4, np.ones(4), ax=3
    ),
    "plot_filters.. expects `ax`.*3": lambda m, c: show.plot_filters(c.layers[0], ax=3),
    "plot_segmentation_mask_gallery.. expects `ax`": lambda m, c: (
        show.plot_segmentation_mask_gallery(IMAGES, 1, ax=3)
    ),
    "matrix.. expects class numbers in `y_true`.*from 0.5 to 2": lambda m, c: matrix(
        [0.5, 2.0], [0, 1]
    ),
    "second class.* in `y_pred`.*-0.5 to 2.*plot_predictions": lambda m, c: matrix(
        [0, 1], [-0.5, 2.0]
    ),
    "plot_roc.* several labels.*`y_true\\[:, i\\]`": lambda m, c: show.plot_roc(
        np.ones((2, 3)), np.ones((2, 3))
    ),
    "no attention layer. It": lambda m, c: show.plot_attention_maps(m, X),
    "`separator`.*'ab'": lambda m, c: keras.callbacks.CSVLogger("a", separator="ab"),
    "`print_fn` of summary.*'net'.*3": lambda m, c: m.summary(print_fn=3),
    "`positions` of summary.*'a'": lambda m, c: m.summary(positions=["a"]),
    "`line_length` of summary.*0": lambda m, c: m.summary(line_length=0),
    "`rates`.*find_lr.*3": lambda m, c: show.plot_learning_rates(3),
    "by name, `low=.*batch_size=0.1": lambda m, c: m.find_lr(X, Y, 0.1),
    "takes from 2 to 4": lambda m, c: m.find_lr(X, Y, 1.0, 0.1),
    "compiled model.*'net'": lambda m, c: keras.utils.explain_speed("net", X, Y),
    "count_flops.*a model.*None": lambda m, c: keras.utils.count_flops(None),
    "`inputs`.*'abc'": lambda m, c: keras.utils.count_flops(m, inputs="abc"),
}


@pytest.mark.parametrize("words", WRONG)
def test_the_error_says_what_is_wrong(words, model, maps, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((TypeError, ValueError), match=words):
        WRONG[words](model, maps)
    assert not list(tmp_path.iterdir())


# What writes a file, called with a model and the path.
WRITERS = {
    "to_html": lambda m, path: show.to_html(m, path),
    "report": lambda m, path: show.report(m, path=path),
    "plot_model": lambda m, path: keras.utils.plot_model(m, path),
    "save": lambda m, path: m.save(path),
    "CSVLogger": lambda m, path: m.fit(
        X, Y, verbose=0, callbacks=[keras.callbacks.CSVLogger(path)]
    ),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_no_folder_is_made_for_a_file(writer, model, tmp_path):
    """All say so as `save` does, before anything is drawn or trained."""
    before = model.get_weights()
    with pytest.raises(FileNotFoundError, match="no folder '.*nowhere'. Make it first"):
        WRITERS[writer](model, tmp_path / "nowhere" / "model.keras")
    assert not list(tmp_path.iterdir())
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


FOLDERS = {
    "`log_dir` of TensorBoard": keras.callbacks.TensorBoard,
    "`backup_dir` of BackupAndRestore": keras.callbacks.BackupAndRestore,
    "`directory` of OrbaxCheckpoint": keras.callbacks.OrbaxCheckpoint,
}


@pytest.mark.parametrize("words", FOLDERS)
def test_a_file_is_no_folder(words, tmp_path):
    file = tmp_path / "file"
    file.write_text("kept")
    for path in (file, file / "logs"):
        with pytest.raises(NotADirectoryError, match=f"{words}.*file' is a file"):
            FOLDERS[words](path)
    assert file.read_text() == "kept"


def test_a_port_that_is_taken(model):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        page = keras.callbacks.LivePage(port=port)
        with pytest.raises(OSError, match=f"LivePage.*port {port}.*port=0"):
            model.fit(X, Y, verbose=0, callbacks=[page])
    model.fit(X, Y, verbose=0)
