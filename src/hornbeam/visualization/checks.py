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


def without_gaps(owner: str, argument: str, value: Any) -> np.ndarray:
    """Return rows of numbers, none of which is NaN; see `numbers`."""
    array = numbers(owner, argument, value)
    gaps = np.isnan(array.astype(float)).sum() if array.dtype.kind not in "biu" else 0
    if gaps:
        raise ValueError(
            f"{owner}() expects `{argument}` without missing values. {int(gaps)} of "
            "its numbers are NaN."
        )
    return array


def colour(owner: str, argument: str, value: Any) -> tuple[float, ...]:
    """Return a colour: red, green and blue, each from 0 to 255."""
    parts = [] if isinstance(value, str) else np.ravel(value).tolist()
    if len(parts) != 3 or not all(
        isinstance(part, int | float) and 0 <= part <= 255 for part in parts
    ):
        raise ValueError(
            f"{owner}() expects red, green and blue in `{argument}`, each from 0 to "
            f"255. Received: {shown(value)}"
        )
    return tuple(parts)


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
