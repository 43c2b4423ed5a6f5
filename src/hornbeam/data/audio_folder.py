"""`audio_dataset_from_directory`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.core.errors import check_number
from hornbeam.data.folder import FolderOptions, files_of
from hornbeam.data.formats import DEFAULT_FORMAT, make_dataset, resolved_format
from hornbeam.data.optional import library
from hornbeam.data.wave_files import read_wave

_OWNER = "audio_dataset_from_directory()"


def audio_dataset_from_directory(
    directory: Any,
    labels: str | Sequence[int | float | str] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
    format: str | None = DEFAULT_FORMAT,  # noqa: A002 - as in the other two
) -> Any:
    """Return a dataset of the `.wav` files in a folder, with a folder for each class.

    A batch is `sounds` or `(sounds, labels)`: float32 from -1 to 1 of shape `(rows,
    samples, channels)`, and labels as `label_mode` says. Shorter sounds of a batch end
    with zeros.

    Args:
        directory: the folder.
        labels: "inferred" (the folders in it are the classes), None, or a list with one
            label for each file, in the order of the sorted paths: integers, or for
            label_mode "int" floats or strings, which stay. Default: "inferred"
        label_mode: "int" (int32, or as given), "binary" (float32, shape (rows, 1), for
            two classes), "categorical" (one-hot, float32), or None: sounds alone.
            Default: "int"
        class_names: the folders that are classes, in their order. Default: None (all,
            sorted)
        batch_size: rows per batch, or None for single sounds. Default: 32
        sampling_rate: samples per second, to which sounds of other rates are resampled
            (with SciPy's `resample_poly`). Default: None (as they are)
        output_sequence_length: the number of samples to which sounds are cut or filled
            with zeros. Default: None (that of the longest sound in the batch)
        ragged: whether batches are `tf.RaggedTensor`s, which needs TensorFlow. Default:
            False
        shuffle: whether sounds come in a new order every epoch, or in that of their
            sorted paths. A validation subset keeps one order. Default: True
        seed: the seed of the orders and of the split. Default: None (drawn)
        validation_split: the fraction of the files that is the validation subset.
            Default: None
        subset: "training", "validation", or "both": a list of two datasets. Default:
            None
        follow_links: whether folders behind symbolic links are read. Default: False
        verbose: whether to print how many files were found. Default: True
        format: "tf", "grain", or None for a dataset that needs neither. Default: as in
            `image_dataset_from_directory`

    Files hold integers of 8, 16, 24 or 32 bits or floats. The dataset has the
    attributes `class_names` and `file_paths`.
    """
    if ragged and output_sequence_length is not None:
        raise ValueError(
            f"Cannot set both `ragged` and `output_sequence_length` in {_OWNER}."
        )
    _check_count("sampling_rate", sampling_rate)
    _check_count("output_sequence_length", output_sequence_length)
    if batch_size is not None:
        check_number(_OWNER, "batch_size", batch_size, low=1, integer=True)
    form = resolved_format(_OWNER, "tf" if ragged else format)
    options = FolderOptions(
        _OWNER, directory, labels, label_mode, class_names, shuffle, seed,
        validation_split, subset, follow_links, verbose, "audio files", (".wav",),
    )  # fmt: skip

    def dataset(files):
        def sound(row):
            return _sound(files.paths[row], sampling_rate, output_sequence_length)

        def take(rows):
            return files.with_labels(_padded([sound(row) for row in rows]), rows)

        def item(row):
            return files.with_labels(sound(row), row)

        spec = files.spec((output_sequence_length, None), "float32")
        made = make_dataset(
            form, len(files.paths), take, item, spec, None if ragged else batch_size,
            files.shuffle, files.seed, files.attributes,
        )  # fmt: skip
        if ragged and batch_size is not None:
            made = made.ragged_batch(batch_size)
            vars(made).update(files.attributes)
        return made

    made = [dataset(files) for files in files_of(options)]
    return made if subset == "both" else made[0]


def _check_count(name, value):
    if value is None:
        return
    if not value > 0:
        fault = "be higher than 0"
    elif value != int(value):
        fault = "have an integer value"
    else:
        return
    raise ValueError(f"`{name}` should {fault}. Received: {name}={value}, in {_OWNER}")


def _sound(path, rate, length):
    """Return the sound of a file with the rate and the length that were asked for."""
    sound, its_rate = read_wave(path)
    if rate is not None and rate != its_rate:
        resample = library("scipy.signal", "`sampling_rate`").resample_poly
        sound = resample(sound, rate, its_rate, axis=0).astype(np.float32)
    return sound if length is None else _of_length(sound, length, sound.shape[1])


def _padded(sounds):
    """Return sounds as one array; channels that one lacks are silent."""
    length = max(len(sound) for sound in sounds)
    channels = max(sound.shape[1] for sound in sounds)
    return np.stack([_of_length(sound, length, channels) for sound in sounds])


def _of_length(sound, length, channels):
    sound = sound[:length]
    missing = (length - len(sound), channels - sound.shape[1])
    return np.pad(sound, [(0, count) for count in missing]) if any(missing) else sound
