"""Where the files of the data sets come from, and their hashes."""

from __future__ import annotations

from pathlib import Path

from hornbeam.utils.download import get_file

_GOOGLE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
_TORONTO = "https://www.cs.toronto.edu/~kriz"
# By the name of a file at its origin: the hash of the file, or None.
HASHES: dict[str, str | None] = {
    f"{_GOOGLE}/boston_housing.npz": (
        "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"
    ),
    f"{_GOOGLE}/california_housing.npz": (
        "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
    ),
    f"{_GOOGLE}/imdb.npz": (
        "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
    ),
    f"{_GOOGLE}/imdb_word_index.json": "bfafd718b763782e994055a2d397834f",
    f"{_GOOGLE}/mnist.npz": (
        "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
    ),
    f"{_GOOGLE}/reuters.npz": (
        "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
    ),
    f"{_GOOGLE}/reuters_word_index.json": "4d44cc38712099c9e383dc6e5f11a921",
    f"{_GOOGLE}/train-labels-idx1-ubyte.gz": None,
    f"{_GOOGLE}/train-images-idx3-ubyte.gz": None,
    f"{_GOOGLE}/t10k-labels-idx1-ubyte.gz": None,
    f"{_GOOGLE}/t10k-images-idx3-ubyte.gz": None,
    f"{_TORONTO}/cifar-10-python.tar.gz": (
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
    ),
    f"{_TORONTO}/cifar-100-python.tar.gz": (
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
    ),
}
_ORIGINS = {origin.rpartition("/")[2]: origin for origin in HASHES}


def fetch(name: str, path: str | None = None, subdir: str = "datasets") -> Path:
    """Return the path of a file of a data set; it is downloaded if need be.

    Args:
        name: the name of the file at its origin.
        path: the name in the cache folder. Default: None (the same)
        subdir: the folder below the cache folder. Default: `"datasets"`
    """
    origin = _ORIGINS[name]
    return Path(
        get_file(path or name, origin, file_hash=HASHES[origin], cache_subdir=subdir)
    )


def fetch_folder(name: str, path: str) -> Path:
    """Return the folder that an archive of a data set was extracted to.

    Args:
        name: the name of the archive at its origin.
        path: the name of the folder in the cache folder.
    """
    origin = _ORIGINS[name]
    return Path(get_file(path, origin, file_hash=HASHES[origin], extract=True))
