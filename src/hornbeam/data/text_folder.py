"""`text_dataset_from_directory`."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hornbeam.core.errors import check_number
from hornbeam.core.warning import warn
from hornbeam.data.folder import FolderOptions, files_of
from hornbeam.data.formats import DEFAULT_FORMAT, make_dataset, resolved_format

_OWNER = "text_dataset_from_directory()"
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_dataset_from_directory(
    directory: Any,
    labels: str | Sequence[int | float | str] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str | None = DEFAULT_FORMAT,  # noqa: A002 - the API's name
    verbose: bool = True,
) -> Any:
    """Return a dataset of the `.txt` files in a folder, with a folder for each class.

    A batch is `texts` or `(texts, labels)`: a NumPy array of strings of shape
    `(rows,)`, and labels as `label_mode` says. Files are read as UTF-8, or as UTF-16
    where they begin with its mark; bytes that are none become the replacement
    character, with a warning that names the first such file. With `format="tf"` texts
    are bytes as they are in the files, with `format="grain"` batches of them are lists.

    Args:
        directory: the folder.
        labels: "inferred" (the folders in it are the classes), None, or a list with one
            label for each file, in the order of the sorted paths: integers, or for
            label_mode "int" floats or strings, which stay. Default: "inferred"
        label_mode: "int" (int32, or as given), "binary" (float32, shape (rows, 1), for
            two classes), "categorical" (one-hot, float32), or None: texts alone.
            Default: "int"
        class_names: the folders that are classes, in their order. Default: None (all,
            sorted)
        batch_size: rows per batch, or None for single texts. Default: 32
        max_length: the length to which longer texts are cut, in characters (in bytes
            with `format="tf"`). Default: None
        shuffle: whether texts come in a new order every epoch, or in that of their
            sorted paths. A validation subset keeps one order. Default: True
        seed: the seed of the orders and of the split. Default: None (drawn)
        validation_split: the fraction of the files that is the validation subset.
            Default: None
        subset: "training", "validation", or "both": a list of two datasets. Default:
            None
        follow_links: whether folders behind symbolic links are read. Default: False
        format: "tf", "grain", or None for a dataset that needs neither. Default: as in
            `image_dataset_from_directory`
        verbose: whether to print how many files were found. Default: True

    The dataset has the attributes `class_names` and `file_paths`.

    >>> import pathlib, tempfile
    >>> import hornbeam as keras
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in "good", "bad":
    ...     (folder / name).mkdir()
    ...     count = (folder / name / "1.txt").write_text(f"a {name} text")
    >>> ds = keras.utils.text_dataset_from_directory(folder, shuffle=False)
    Found 2 files belonging to 2 classes.
    >>> [texts.tolist() for texts, labels in ds]
    [['a bad text', 'a good text']]
    """
    if max_length is not None:
        check_number(_OWNER, "max_length", max_length, low=0, integer=True)
    if batch_size is not None:
        check_number(_OWNER, "batch_size", batch_size, low=1, integer=True)
    form = resolved_format(_OWNER, format)
    options = FolderOptions(
        _OWNER, directory, labels, label_mode, class_names, shuffle, seed,
        validation_split, subset, follow_links, verbose, "text files", (".txt",),
    )  # fmt: skip

    damaged: list[str] = []

    def text(path):
        content = Path(path).read_bytes()
        whole = content if form == "tf" else _decoded(content, path, damaged)
        return whole[:max_length]

    def dataset(files):
        def item(row):
            return files.with_labels(text(files.paths[row]), row)

        return make_dataset(
            form, len(files.paths), None, item, files.spec((), "string"),
            batch_size, files.shuffle, files.seed, files.attributes,
        )  # fmt: skip

    made = [dataset(files) for files in files_of(options)]
    return made if subset == "both" else made[0]


def _decoded(content, path, damaged):
    """Return bytes as text; the first file that is damaged is warned of, and kept."""
    encoding = "utf-16" if content.startswith(_MARKS) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if not damaged:
            damaged.append(path)
            warn(
                f"{path} is no text in UTF-8: byte {error.start} and others become the "
                "replacement character. Write such files anew in UTF-8, or read them "
                "yourself with their encoding."
            )
        return content.decode(encoding, "replace")
