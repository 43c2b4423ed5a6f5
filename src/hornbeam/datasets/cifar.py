"""Batches of the CIFAR data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hornbeam.core.config import image_data_format
from hornbeam.core.errors import DamagedFileError
from hornbeam.datasets.reading import of_file, read_pickle
from hornbeam.datasets.source import fetch_folder
from hornbeam.datasets.split import Arrays

_SHAPE = (3, 32, 32)


def read_cifar(
    archive: str, folder: str, train: tuple[str, ...], test: str, labels: str
) -> Arrays:
    """Return `(x_train, y_train), (x_test, y_test)` of a CIFAR archive.

    Args:
        archive: its name at its origin; also the name of the folder in it.
        folder: the name of the folder in the archive.
        train: the names of the training batches.
        test: the name of the test batch.
        labels: the name of the labels in a batch.
    """
    place = fetch_folder(archive, f"{folder}-target") / folder
    batches = [_read_batch(place / name, labels) for name in train]
    x_train, y_train = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    x_test, y_test = _read_batch(place / test, labels)
    return (x_train, y_train), (x_test, y_test)


def _read_batch(path: Path, labels: str):
    with of_file(path), open(path, "rb") as file:
        batch = read_pickle(file)
        x = batch[b"data"].reshape(-1, *_SHAPE)
        y = np.array(batch[labels.encode()], np.uint8).reshape(-1, 1)
        if x.dtype != np.uint8 or len(x) != len(y):
            raise DamagedFileError(f"{len(x)} images of {x.dtype}, {len(y)} labels.")
    if image_data_format() == "channels_last":
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    return x, y
