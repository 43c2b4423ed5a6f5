"""The public names of the Keras API, and what to use for those that are missing here.

`keras_names.txt` lists the names of Keras 3.15.1, a namespace a line. A name of that
list that hornbeam does not have yet says so in its `AttributeError` or `ImportError`.
"""

from __future__ import annotations

import functools
from pathlib import Path

# Whose API and files these are.
KERAS_VERSION = "3.15.1"

# What to use until a name is there: by name, or by a namespace for all below it.
_ADVICE = {
    "Quantizer": "use `dtype='mixed_bfloat16'` for faster and smaller networks",
    "distillation": "subclass `keras.Model` and add the teacher's term in "
    "`compute_loss()`",
    "quantizers": "use `dtype='mixed_bfloat16'` for faster and smaller networks",
}


@functools.cache
def names() -> dict[str, list[str]]:
    """Return `{namespace: names}` of Keras; the top namespace is `""`."""
    lines = Path(__file__).with_suffix(".txt").read_text("utf-8").splitlines()
    spaces = {}
    for line in lines:
        space, _, listed = line.partition(": ")
        spaces[space.removeprefix("keras").removeprefix(".")] = listed.split()
    return spaces


def advice(path: str) -> str | None:
    """Return what to use instead of the missing `path`, such as "layers.Hashing"."""
    while path:
        if path in _ADVICE:
            return _ADVICE[path]
        path = path.rpartition(".")[0]
    return None


def explain_missing(path: str) -> str | None:
    """Return the sentence about a name of Keras that is missing here, or None.

    Args:
        path: the name below `keras`, such as "layers.Hashing".
    """
    space, _, name = path.rpartition(".")
    if name not in names().get(space, ()):
        return None
    instead = advice(path)
    hint = f"; instead, {instead}" if instead else ""
    return f"`keras.{path}` exists in Keras and not yet in hornbeam{hint}."
