"""Arguments that many pictures share, checked before anything is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.errors import shown
from hornbeam.ops.core import convert_to_numpy


def numbers(owner: str, argument: str, value: Any) -> np.ndarray:
    """Return rows of numbers as a NumPy array.

    Args:
        owner: the name of the public function, for errors.
        argument: the name of the argument.
        value: what was received.
    """
    kind = "is no array"
    try:
        array = np.asarray(convert_to_numpy(value))
    except (TypeError, ValueError):
        array = np.asarray(None)
    if array.dtype.kind in "biuf" or array.dtype.name.startswith(("bfloat", "float8")):
        if array.ndim and len(array):
            return array
        kind = f"has no rows (shape {array.shape})"
    elif array.dtype.kind in "SUT":
        fix = "; `np.unique(y, return_inverse=True)[1]` makes class numbers of them"
        kind = f"holds strings{fix * argument.startswith('y_')}"
    raise ValueError(
        f"{owner}() expects `{argument}` to be numbers, a row for each example. It "
        f"{kind}. Received: {argument}={shown(value)}"
    )


def names_of_classes(owner: str, names: Any, count: int) -> Any:
    """Return names for at least `count` classes, or None.

    Args:
        owner: the name of the public function, for errors.
        names: the argument `class_names`.
        count: the number of classes.
    """
    if names is None:
        return None
    if isinstance(names, str) or not hasattr(names, "__len__") or len(names) < count:
        raise ValueError(
            f"{owner}() expects `class_names` to be a name for each of the {count} "
            f"classes. Received: class_names={shown(names)}"
        )
    return list(names)


def of_kind(owner: str, argument: str, value: Any, kind: type, what: str) -> None:
    """Raise unless the argument is of a class, such as a model.

    Args:
        owner: the name of the public function, for errors.
        argument: the name of the argument.
        value: what was received.
        kind: the class.
        what: the word for it, with its article.
    """
    if not isinstance(value, kind):
        raise TypeError(
            f"{owner}() expects `{argument}` to be {what}. Received: "
            f"{argument}={shown(value)} (of type {type(value).__name__})"
        )
