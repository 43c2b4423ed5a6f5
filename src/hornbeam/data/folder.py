"""Files of a folder with their labels: what all `*_dataset_from_directory` share."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.core.errors import check_number, check_path
from hornbeam.core.random import order_seed
from hornbeam.utils.printing import print_message

_LABEL_MODES = ("int", "categorical", "binary", None)
# By the kind of a NumPy array: the dtype of given labels, and which are encoded.
_LABEL_DTYPES = {"i": "int32", "u": "int32", "f": "float32", "b": "bool", "U": "object"}
_NUMBER_KINDS = {"int": "iufbU", "categorical": "iub", "binary": "iufb"}
_SUBSETS = ("training", "validation", "both", None)


@dataclasses.dataclass(frozen=True)
class Files:
    """Files and their labels, in the order of the dataset.

    Args:
        paths: the paths.
        labels: an array with one row for each path, or None.
        class_names: the names of the classes, or None.
        shuffle: whether they come in a new order every epoch.
        seed: the seed of the orders.
    """

    paths: list[str]
    labels: np.ndarray | None
    class_names: list[str] | None
    shuffle: bool
    seed: int | None

    @property
    def attributes(self) -> dict[str, Any]:
        """What datasets of them have as attributes."""
        return {"class_names": self.class_names, "file_paths": self.paths}

    def spec(self, shape: tuple[int | None, ...], dtype: str) -> Any:
        """Return the shape and dtype of a row of data, and of its label."""
        if self.labels is None:
            return shape, dtype
        name = self.labels.dtype.name
        own = "string" if name == "object" else name
        return (shape, dtype), (self.labels.shape[1:], own)

    def with_labels(self, data: Any, rows: Any) -> Any:
        """Return data with the labels of its rows, or alone."""
        return data if self.labels is None else (data, self.labels[rows])


@dataclasses.dataclass(frozen=True)
class FolderOptions:
    """The arguments that the functions share, by their names there."""

    owner: str
    directory: Any
    labels: Any
    label_mode: str | None
    class_names: Sequence[str] | None
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None
    follow_links: bool
    verbose: bool
    what: str
    suffixes: tuple[str, ...]


def files_of(options: FolderOptions) -> list[Files]:
    """Return the files of the folder: one set, or two for `subset="both"`."""
    _check(options)
    folder = check_path(options.owner, "directory", options.directory)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"`directory` of {options.owner} is no folder: {str(folder)!r}"
        )
    # Without labels the folders do not matter.
    inferred = isinstance(options.labels, str) and options.label_mode is not None
    names = _class_names(options, folder) if inferred else None
    paths, labels = _walk(options, folder, names)
    if options.labels is None or options.label_mode is None:
        names, encoded = None, None
    else:
        if not inferred:
            labels = _given_labels(options, folder, paths)
        array = _label_array(options, labels)
        if not inferred:
            names = [str(label) for label in sorted(set(labels))]
        encoded = _encoded(options, array, names)
    classes = "" if names is None else f" belonging to {len(names)} classes"
    _say(options, f"Found {len(paths)} files{classes}.")
    if not paths:
        raise ValueError(
            f"No {options.what} found in directory {str(folder)!r} by {options.owner}, "
            f"nor in the folders below it. Expected files that end in "
            f"{', '.join(options.suffixes)}"
            + (", one folder for each class." if inferred else ".")
        )
    return _subsets(options, paths, encoded, names)


def _check(options):
    owner, labels = options.owner, options.labels
    if options.label_mode not in _LABEL_MODES:
        raise ValueError(
            f'`label_mode` argument must be "int", "categorical", "binary" or None, in '
            f"{owner}. Received: label_mode={options.label_mode!r}"
        )
    if options.subset not in _SUBSETS:
        raise ValueError(
            f'`subset` must be either "training", "validation" or "both", in {owner}. '
            f"Received: subset={options.subset!r}"
        )
    is_list = isinstance(labels, list | tuple | np.ndarray)
    if not (is_list or labels is None or str(labels) == "inferred"):
        raise ValueError(
            f'`labels` argument should be, in {owner}, "inferred" (the folders are '
            f"the classes), "
            "None (no labels), or a list with one label for each file. Received: "
            f"labels={labels!r}"
        )
    if options.class_names is not None and (is_list or labels is None):
        raise ValueError(
            f'You can only pass `class_names` if `labels="inferred"`, in {owner}: they '
            f"are folders. Received: labels={'a list' if is_list else labels}, "
            f"class_names={options.class_names!r}"
        )
    if options.seed is not None:
        check_number(owner, "seed", options.seed, low=0, integer=True)
    split = options.validation_split
    if split and not 0 < split < 1:
        raise ValueError(
            f"`validation_split` must be between 0 and 1, in {owner}. Received: "
            f"validation_split={split}"
        )
    if bool(split) != bool(options.subset):
        raise ValueError(
            f"`validation_split` must be set if `subset` is, and the other way round, "
            f"in {owner}. Received: validation_split={split}, subset={options.subset!r}"
        )
    if not split:
        return
    if options.shuffle and options.seed is None:
        raise ValueError(
            f"To split files in a random order, you must provide a `seed` to "
            f"{owner}, the "
            "same for both subsets, so that they share no file; or shuffle=False."
        )


def _class_names(options, folder):
    there = sorted(
        entry.name
        for entry in os.scandir(folder)
        if entry.is_dir() and not entry.name.startswith(".")
    )
    if options.class_names is None:
        return there
    names = list(options.class_names)
    missing = [name for name in names if name not in there]
    if missing or len(set(names)) != len(names):
        raise ValueError(
            f"The `class_names` passed did not match: {options.owner} expected "
            f"different "
            f"names of folders in {str(folder)!r}, which are {there}. Received: "
            f"class_names={names}"
            + (f". There is no folder {missing[0]!r}." if missing else "")
        )
    return names


def _walk(options, folder, names):
    """Return the paths in alphanumeric order, folder by folder, and class numbers."""
    paths, labels = [], []
    tops = [folder] if names is None else [folder / name for name in names]
    for number, top in enumerate(tops):
        walked = sorted(os.walk(top, followlinks=options.follow_links))
        for place, _, files in walked:
            chosen = sorted(
                file for file in files if file.lower().endswith(options.suffixes)
            )
            paths += [os.path.join(place, file) for file in chosen]
            labels += [number] * len(chosen)
    return paths, labels


def _given_labels(options, folder, paths):
    labels = np.asarray(options.labels).tolist()
    if len(labels) != len(paths):
        raise ValueError(
            "Expected the lengths of `labels` to match the number of files, in "
            f"{options.owner}: one for each, in the order of the sorted paths. "
            f"Received: {len(labels)} labels for "
            f"{len(paths)} files in {str(folder)!r}"
        )
    return labels


def _label_array(options, labels):
    """Return labels as an array: numbers of classes, other numbers, or strings."""
    array = np.asarray(labels)
    kind = "i" if not labels else array.dtype.kind
    if array.ndim != 1 or kind not in _LABEL_DTYPES:
        raise ValueError(
            f"`labels` of {options.owner} must be numbers or strings, one for each "
            f"file. Received: shape {array.shape}, dtype {array.dtype}"
        )
    if kind not in _NUMBER_KINDS[options.label_mode]:
        raise ValueError(
            f"`labels` of {options.owner} must be integers that count from 0 for "
            f'label_mode={options.label_mode!r}; with label_mode="int" they are given '
            f"as they are. Received: {labels[:10]}"
        )
    return np.array(labels, dtype=_LABEL_DTYPES[kind])


def _encoded(options, labels, names):
    if options.label_mode == "int":
        return labels
    if options.label_mode == "categorical":
        _check_range(options, labels, len(names))
        return np.eye(len(names), dtype=np.float32)[labels.astype(np.int32)]
    if len(names) != 2:
        raise ValueError(
            f'For label_mode="binary" of {options.owner} there must be exactly 2 '
            f"classes. "
            f"Received: {len(names)} classes, {names[:10]}"
        )
    _check_range(options, labels, 2)
    return labels.astype(np.float32)[:, None]


def _check_range(options, labels, count):
    if len(labels) and not 0 <= labels.min() <= labels.max() < count:
        raise ValueError(
            f"`labels` of {options.owner} must count from 0 for label_mode="
            f"{options.label_mode!r}. Received labels from {labels.min()} to "
            f"{labels.max()} for {count} classes."
        )


def _subsets(options, paths, labels, names):
    seed = options.seed
    order = np.arange(len(paths))
    if options.shuffle:
        if seed is None:
            seed = order_seed()
        # The generator and the order of Keras: seeds give the same splits.
        np.random.RandomState(seed).shuffle(order)
    held = int((options.validation_split or 0) * len(paths))
    cut = len(paths) - held
    parts = {"training": order[:cut], "validation": order[cut:]}
    if options.subset is None:
        chosen = [("all", order)]
    elif options.subset == "both":
        chosen = list(parts.items())
    else:
        chosen = [(options.subset, parts[options.subset])]
    made = []
    for name, rows in chosen:
        if name != "all":
            _say(options, f"Using {len(rows)} files for {name}.")
        if not len(rows):
            raise ValueError(
                f"`validation_split={options.validation_split}` of {options.owner} "
                f"leaves no file for {name}: there are {len(paths)} in all."
            )
        shuffle = options.shuffle and name != "validation"
        part = None if labels is None else labels[rows]
        made.append(Files([paths[row] for row in rows], part, names, shuffle, seed))
    return made


def _say(options, message):
    if options.verbose:
        print_message(message)
