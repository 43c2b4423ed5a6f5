"""Sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from hornbeam.core.errors import check_choice, check_number, shown
from hornbeam.core.warning import warn
from hornbeam.typing import DTypeLike


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: DTypeLike = "int32",
    padding: Literal["pre", "post"] = "pre",
    truncating: Literal["pre", "post"] = "pre",
    value: float | str = 0.0,
) -> np.ndarray:
    """Return the sequences as rows of one array, cut and padded to one length.

    Args:
        sequences: a list of sequences; the items may be arrays of one shape.
        maxlen: the length. Default: None (that of the longest)
        dtype: the dtype of the result; `object` or a string dtype for strings.
            Default: `"int32"`
        padding: `"pre"` or `"post"`: where short ones are padded. Default: `"pre"`
        truncating: `"pre"` or `"post"`: where long ones are cut. Default: `"pre"`
        value: the padding value. Default: 0.0

    Output shape: `(len(sequences), maxlen, ...)`.

    >>> import hornbeam as keras
    >>> keras.utils.pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
    array([[0, 1],
           [2, 3],
           [5, 6]], dtype=int32)
    """
    check_choice("pad_sequences()", "padding", padding, ("pre", "post"))
    check_choice("pad_sequences()", "truncating", truncating, ("pre", "post"))
    lengths = [_length(sequence, i) for i, sequence in enumerate(sequences)]
    if maxlen is None:
        if not lengths:
            raise ValueError("`pad_sequences` received no sequences and no `maxlen`.")
        maxlen = max(lengths)
    check_number("pad_sequences()", "maxlen", maxlen, low=0, integer=True)
    if isinstance(value, str) and np.dtype(dtype).kind not in "OUS":
        raise ValueError(
            f"`dtype` {np.dtype(dtype)} is not compatible with `value`={value!r}, a "
            "string. Use `dtype=object`."
        )
    item_shape = next(
        (
            np.shape(s)[1:]
            for s, length in zip(sequences, lengths, strict=True)
            if length
        ),
        (),
    )
    rows = np.full((len(lengths), maxlen, *item_shape), value, dtype=dtype)
    for i, sequence in enumerate(sequences):
        if lengths[i] == 0 or maxlen == 0:
            continue
        kept = sequence[-maxlen:] if truncating == "pre" else sequence[:maxlen]
        kept = _converted(kept, rows.dtype, i)
        if kept.shape[1:] != item_shape:
            raise ValueError(
                f"All items of `sequences` must have one shape. Sequence {i} has items "
                f"of shape {kept.shape[1:]}, those before have {item_shape}."
            )
        where = slice(-len(kept), None) if padding == "pre" else slice(len(kept))
        rows[i, where] = kept
    return rows


def _converted(items, dtype, position):
    """Return the items of a sequence as an array; a lost fraction is warned of."""
    try:
        array = np.asarray(items, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"Sequence {position} of `pad_sequences` does not fit dtype={dtype.name}: "
            f"{error}. Received: {shown(items)}"
        ) from error
    is_whole = dtype.kind not in "iu" or isinstance(items[0], int)
    if not is_whole and np.any(array != np.asarray(items)):
        warn(
            f"Sequence {position} of `pad_sequences` has fractions, which "
            f"dtype={dtype.name} cuts off: give dtype='float32'."
        )
    return array


def _length(sequence, position):
    try:
        return len(sequence)
    except TypeError:
        raise ValueError(
            "`sequences` must be a list of sequences. "
            f"Item {position} is a {type(sequence).__name__}: {sequence!r}"
        ) from None
