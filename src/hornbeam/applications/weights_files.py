"""Where the weights trained on ImageNet come from; `weights.txt` lists them.

A line is `KEY FILE HASH FILE HASH`: with the top and without, below `ORIGIN`; `-` is a
hash that is unknown, and `=NAME` the name in the cache folder where it is another.
"""

from __future__ import annotations

import functools
from pathlib import Path

from hornbeam.utils.download import get_file

ORIGIN = "https://storage.googleapis.com"
# Where most of them are, below the origin.
FOLDER = "tensorflow/keras-applications"


@functools.cache
def listed() -> dict[str, tuple[str, ...]]:
    """Return `{key: (file, hash, file without top, its hash)}`."""
    text = Path(__file__).with_name("weights.txt").read_text("utf-8")
    return {key: tuple(rest) for key, *rest in map(str.split, text.splitlines())}


def fetch(key: str, include_top: bool) -> str:
    """Return the path of a file of weights; it is downloaded if need be.

    Args:
        key: of `weights.txt`; or a file whose hash is unknown, with `{}` for what
            marks those without top.
        include_top: whether the network has its top.
    """
    if key.endswith(".h5"):
        file, digits = key.format("" if include_top else "_no_top"), "-"
    else:
        file, digits = listed()[key][:2] if include_top else listed()[key][2:]
    file, _, name = file.partition("=")
    return get_file(
        name or file.rpartition("/")[2],
        f"{ORIGIN}/{file}",
        cache_subdir="models",
        file_hash=None if digits == "-" else digits,
    )
