"""Images as the networks take them, and class scores with names of classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from hornbeam import backends, ops
from hornbeam.core.config import floatx, standardize_data_format
from hornbeam.core.dtypes import is_float_dtype
from hornbeam.core.errors import check_choice
from hornbeam.typing import Tensor, TensorLike
from hornbeam.utils.download import get_file

__all__ = ["decode_predictions", "preprocess_input"]

_CLASSES = "imagenet_class_index.json"
_ORIGIN = f"https://storage.googleapis.com/download.tensorflow.org/data/{_CLASSES}"
_HASH = "c2c37ea517e94d9795004a39431a14cb"
# Of each channel, with pixels from 0 to 1.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
# What pixels are divided by, what is taken away, and what that is divided by.
_MODES: dict[str, tuple[float, Any, Any]] = {
    "caffe": (1.0, (103.939, 116.779, 123.68), 1.0),
    "tf": (127.5, 1.0, 1.0),
    "torch": (255.0, IMAGENET_MEAN, IMAGENET_DEVIATION),
}


def preprocess_input(
    x: TensorLike,
    data_format: Literal["channels_first", "channels_last"] | None = None,
    mode: Literal["caffe", "tf", "torch"] = "caffe",
) -> Tensor:
    """Return images as networks take them that were trained on ImageNet in `mode`.

    Args:
        x: RGB images with pixels from 0 to 255, an array or a tensor of the rank 3 or
            4; it is not changed.
        data_format: where the channels are. Default: None, which means
            `keras.config.image_data_format()`
        mode: `"caffe"`: the channels in the order BGR, less the mean of ImageNet;
            `"tf"`: pixels from -1 to 1; `"torch"`: pixels from 0 to 1, then less the
            mean and divided by the standard deviation of ImageNet. Default: `"caffe"`

    Returns:
        an array for an array, else a tensor, of the shape of `x`: of its dtype where
        that is a float dtype, else of `keras.config.floatx()`.

    Raises:
        ValueError: for another `mode` or `data_format`.

    Source: the published training programs of Caffe, TensorFlow and torchvision.

    >>> import numpy as np
    >>> import hornbeam as keras
    >>> image = np.full((1, 2, 2, 3), 255, "uint8")
    >>> keras.applications.imagenet_utils.preprocess_input(image, mode="tf").max()
    np.float32(1.0)
    """
    check_choice("preprocess_input()", "mode", mode, tuple(_MODES))
    first = standardize_data_format(data_format) == "channels_first"
    functions: Any = np if isinstance(x, np.ndarray) else ops
    x = _floats(x)
    if mode == "caffe":
        x = functions.flip(x, -3 if first else -1)

    def constant(value):
        array = np.asarray(value, "float32")
        return array.reshape(-1, 1, 1) if first and array.ndim else array

    divisor, mean, deviation = _MODES[mode]
    x = functions.subtract(x / divisor if divisor != 1 else x, constant(mean))
    return functions.divide(x, constant(deviation)) if deviation != 1 else x


def _floats(x):
    if isinstance(x, np.ndarray):
        return x if is_float_dtype(x.dtype.name) else x.astype(floatx())
    x = ops.convert_to_tensor(x)
    dtype = getattr(x, "dtype", None)
    if not isinstance(dtype, str):
        dtype = backends.current().dtype_of(x)
    return x if is_float_dtype(dtype) else ops.cast(x, floatx())


class Preprocessing(Protocol):
    """A `preprocess_input` of one architecture."""

    def __call__(
        self,
        x: TensorLike,
        data_format: Literal["channels_first", "channels_last"] | None = None,
    ) -> Tensor: ...


def preprocessing(mode: Any) -> Preprocessing:
    """Return `preprocess_input` of the networks that were trained in `mode`; None: as
    it is, since the network itself begins with it."""

    def preprocess_input(x, data_format=None):
        if mode is None:
            return x
        return globals()["preprocess_input"](x, data_format, mode)

    does = (
        "as they are: the network scales them itself."
        if mode is None
        else "as the network takes them: see "
        f'`keras.applications.imagenet_utils.preprocess_input`, mode="{mode}".'
    )
    preprocess_input.__doc__ = f"""Return images {does}

    Args:
        x: RGB images with pixels from 0 to 255.
        data_format: where the channels are. Default: None, which means
            `keras.config.image_data_format()`
    """
    return preprocess_input


def decode_predictions(
    preds: TensorLike, top: int = 5
) -> list[list[tuple[str, str, float]]]:
    """Return the `top` classes of ImageNet for each row of class scores.

    The names come from `imagenet_class_index.json`, which is downloaded once.

    Args:
        preds: scores of the shape `(batch, 1000)`.
        top: how many classes a row. Default: 5

    Returns:
        for each row, a list of `(WordNet id, name, score)`, the best first.

    Raises:
        ValueError: for scores of another shape.
        OSError: if the file can be neither found nor downloaded.

    >>> import hornbeam as keras
    >>> decode = keras.applications.resnet50.decode_predictions
    >>> decode(model.predict(images), top=1)  # doctest: +SKIP
    [[('n02504458', 'African_elephant', 0.82)]]
    """
    scores = ops.convert_to_numpy(preds)
    if scores.ndim != 2 or scores.shape[1] != 1000:
        raise ValueError(
            "`preds` of decode_predictions() must be scores of the shape (batch, "
            "1000), one for each class of ImageNet. Received: preds of the shape "
            f"{scores.shape}"
        )
    path = get_file(_CLASSES, _ORIGIN, cache_subdir="models", file_hash=_HASH)
    classes = json.loads(Path(path).read_text("utf-8"))
    best = scores.argsort(axis=1)[:, ::-1][:, :top]
    return [
        [(*classes[str(i)], float(row[i])) for i in indices]
        for row, indices in zip(scores, best, strict=True)
    ]
