"""`image_dataset_from_directory`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.core import config
from hornbeam.core.errors import DamagedFileError, check_choice, check_number
from hornbeam.core.warning import warn
from hornbeam.data.folder import Files, FolderOptions, files_of
from hornbeam.data.formats import DEFAULT_FORMAT, make_dataset, resolved_format
from hornbeam.data.image_files import COLOR_MODES, SUFFIXES, read_pixels
from hornbeam.data.pixels import INTERPOLATIONS, resize_into
from hornbeam.typing import DataFormat

_OWNER = "image_dataset_from_directory()"


def image_dataset_from_directory(
    directory: Any,
    labels: str | Sequence[int | float | str] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: DataFormat | None = None,
    format: str | None = DEFAULT_FORMAT,  # noqa: A002 - the API's name
    verbose: bool = True,
    unreadable: str = "raise",
) -> Any:
    """Return a dataset of the images in a folder, with one folder for each class.

    Threads read, decode and resize the images ahead of their use. A batch is `images`
    or `(images, labels)`: float32 from 0 to 255 of shape `(rows, height, width,
    channels)`, and labels as `label_mode` says.

    Args:
        directory: the folder.
        labels: "inferred" (the folders in it are the classes), None, or a list with one
            label for each file, in the order of the sorted paths: integers, or for
            label_mode "int" floats or strings, which stay. Default: "inferred"
        label_mode: "int" (int32, or as given), "binary" (float32, shape (rows, 1), for
            two classes), "categorical" (one-hot, float32), or None: images alone.
            Default: "int"
        class_names: the folders that are classes, in their order. Default: None (all,
            sorted)
        color_mode: "grayscale", "rgb" or "rgba": 1, 3 or 4 channels. Default: "rgb"
        batch_size: rows per batch, or None for single images. Default: 32
        image_size: the `(height, width)` that images are resized to, or one number for
            both. Default: (256, 256)
        shuffle: whether images come in a new order every epoch, or in that of their
            sorted paths. A validation subset keeps one order. Default: True
        seed: the seed of the orders and of the split. Default: None (drawn)
        validation_split: the fraction of the files that is the validation subset.
            Default: None
        subset: "training", "validation", or "both": a list of two datasets. Default:
            None
        interpolation: "bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5",
            "gaussian" or "mitchellcubic". Default: "bilinear"
        follow_links: whether folders behind symbolic links are read. Default: False
        crop_to_aspect_ratio: whether the largest centred part of the target's aspect
            ratio is resized instead of the whole image. Default: False
        pad_to_aspect_ratio: whether zeros around the image give it the target's aspect
            ratio. Default: False
        data_format: "channels_last" or "channels_first". Default: None (that of
            `keras.config.image_data_format()`)
        format: "tf" for a `tf.data.Dataset`, "grain" for a `grain.IterDataset`, None
            for a dataset that needs neither. Default: `tf.data` where TensorFlow is the
            engine, else our own, which has the methods that programs call on it
        verbose: whether to print how many files were found. Default: True
        unreadable: "raise" names a file that is no image or is cut off; "skip" warns
            and leaves it out of its batch. Default: "raise"

    The dataset has the attributes `class_names` and `file_paths`. Needs Pillow: `pip
    install 'hornbeam[image]'`. Where simplejpeg and OpenCV are installed too (`pip
    install 'hornbeam[fast-image]'`), JPEG files are decoded and images are resized in
    less time, to the same values.

    >>> import os, tempfile
    >>> import numpy as np
    >>> import hornbeam as keras
    >>> folder = tempfile.mkdtemp()
    >>> for name in "cat", "dog":
    ...     os.mkdir(f"{folder}/{name}")
    ...     keras.utils.save_img(f"{folder}/{name}/1.png", np.ones((4, 6, 3)))
    >>> ds = keras.utils.image_dataset_from_directory(folder, image_size=(8, 8))
    Found 2 files belonging to 2 classes.
    >>> [(images.shape, labels.shape) for images, labels in ds]
    [((2, 8, 8, 3), (2,))]
    >>> ds.class_names
    ['cat', 'dog']
    """
    if color_mode not in COLOR_MODES:
        raise ValueError(
            '`color_mode` must be one of "rgb", "rgba", "grayscale", in '
            f"{_OWNER}. Received: color_mode={color_mode!r}"
        )
    check_choice(_OWNER, "interpolation", interpolation, INTERPOLATIONS)
    check_choice(_OWNER, "unreadable", unreadable, ("raise", "skip"))
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(
            "Only one of `pad_to_aspect_ratio`, `crop_to_aspect_ratio` can be set to "
            f"`True`, in {_OWNER}."
        )
    if unreadable == "skip" and batch_size is None:
        raise ValueError(f"unreadable='skip' of {_OWNER} needs a `batch_size`.")
    if batch_size is not None:
        check_number(_OWNER, "batch_size", batch_size, low=1, integer=True)
    form = resolved_format(_OWNER, format)
    reader = _Images(
        color_mode, image_size, interpolation, crop_to_aspect_ratio,
        pad_to_aspect_ratio, data_format, unreadable == "skip",
    )  # fmt: skip
    options = FolderOptions(
        _OWNER, directory, labels, label_mode, class_names, shuffle, seed,
        validation_split, subset, follow_links, verbose, "images", SUFFIXES,
    )  # fmt: skip
    made = [reader.dataset(files, form, batch_size) for files in files_of(options)]
    return made if subset == "both" else made[0]


class _Images:
    """Reads images of files as arrays of one shape."""

    def __init__(self, color_mode, size, interpolation, crop, pad, data_format, skip):
        self.mode, channels = COLOR_MODES[color_mode]
        height, width = _checked_size(size)
        self.shape = (height, width, channels)
        self.how = (interpolation, crop, pad)
        self.first = config.standardize_data_format(data_format) == "channels_first"
        self.skip = skip

    def dataset(self, files: Files, form: str | None, batch_size: int | None) -> Any:
        """Return the dataset of some files."""

        def take(rows):
            images, kept = self.batch([files.paths[row] for row in rows])
            return files.with_labels(images, rows[kept])

        def item(row):
            images, _ = self.batch([files.paths[row]])
            return files.with_labels(images[0], row) if len(images) else None

        height, width, channels = self.shape
        shape = (channels, height, width) if self.first else self.shape
        return make_dataset(
            form, len(files.paths), take, item, files.spec(shape, "float32"),
            batch_size, files.shuffle, files.seed, files.attributes, self.skip,
        )  # fmt: skip

    def batch(self, paths: Sequence[str]) -> tuple[np.ndarray, Any]:
        """Return the images of some files, and which of the files they are."""
        images = np.empty((len(paths), *self.shape), np.float32)
        kept: list[int] = []
        for number, path in enumerate(paths):
            try:
                resize_into(images[len(kept)], read_pixels(path, self.mode), *self.how)
            except DamagedFileError as error:
                if not self.skip:
                    raise
                warn(f"Skipped: {error}")
                continue
            kept.append(number)
        images = images[: len(kept)]
        if self.first:
            images = np.ascontiguousarray(np.moveaxis(images, -1, 1))
        return images, slice(None) if len(kept) == len(paths) else kept


def _checked_size(size):
    try:
        height, width = (size, size) if isinstance(size, int) else size
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`image_size` of {_OWNER} must be a tuple (height, width). Received: "
            f"image_size={size!r}"
        ) from error
    return tuple(
        int(check_number(_OWNER, "image_size", length, low=1, integer=True))
        for length in (height, width)
    )
