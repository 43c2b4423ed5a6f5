"""What the functions that make datasets return: ours, TensorFlow's or Grain's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import backends
from hornbeam.core import tree
from hornbeam.core.errors import check_choice
from hornbeam.core.random import order_seed
from hornbeam.data.dataset import Dataset
from hornbeam.data.optional import library

# Shape and dtype of a row, with None for unknown dimensions.
Spec = tuple[tuple[int | None, ...], str]


class _DefaultFormat(str):
    """What stands for "the format that suits the engine"; it reads as Keras's."""


DEFAULT_FORMAT: str = _DefaultFormat("tf")


def resolved_format(owner: str, value: Any) -> str | None:
    """Return "tf", "grain", or None for our own dataset.

    Args:
        owner: the function whose argument it is, for the error.
        value: the argument `format`: "tf", "grain", None for our own, or
            `DEFAULT_FORMAT`: our own, or "tf" where TensorFlow is the engine.
    """
    if value is DEFAULT_FORMAT:
        return "tf" if backends.current().has_datasets else None
    return check_choice(owner, "format", value, ("tf", "grain", None))


def make_dataset(
    form: str | None,
    length: int,
    take: Callable[[np.ndarray], Any] | None,
    item: Callable[[int], Any] | None,
    spec: Any,
    batch_size: int | None,
    shuffle: bool = False,
    seed: int | None = None,
    attributes: dict[str, Any] | None = None,
    has_gaps: bool = False,
) -> Any:
    """Return a dataset of rows in a format.

    Args:
        form: what `resolved_format` returned.
        length: how many rows there are.
        take: a function of row numbers that returns these rows as one batch, or None: a
            batch is a stack of single rows.
        item: a function of a row number that returns the row, or None: the row of
            `take([number])`.
        spec: a tuple `(shape, dtype)` of a row, or a tuple of such for `(x, y)`.
        batch_size: rows per batch, or None for single rows.
        shuffle: whether rows come in a new order every epoch. Default: False
        seed: the seed of the orders. Default: None (drawn)
        attributes: what to set on the dataset. Default: None
        has_gaps: whether `take` may leave rows out, and `item` return None for them.
            Default: False
    """
    if form == "grain":
        rows = Dataset.from_rows(length, take, item)
        made = _grain_dataset(rows, batch_size, shuffle, seed)
    else:
        made = Dataset.from_rows(
            length, take, item, batch_size, shuffle, seed, has_gaps=has_gaps
        )
        if form == "tf":
            made = tf_dataset(made, spec, batch_size is not None, has_gaps)
    for name, value in (attributes or {}).items():
        setattr(made, name, value)
    return made


def tf_dataset(
    dataset: Dataset, spec: Any, batched: bool, has_gaps: bool = False
) -> Any:
    """Return a `tf.data.Dataset` of the items of a dataset.

    Args:
        dataset: the dataset.
        spec: a tuple `(shape, dtype)` of a row, or a tuple of such.
        batched: whether items are batches of rows.
        has_gaps: whether items may be missing, so that none can count them beforehand.
            Default: False
    """
    tensorflow = library("tensorflow", 'format="tf"')

    def tensor_spec(shape, dtype):
        shape = (None, *shape) if batched else shape
        return tensorflow.TensorSpec(shape, dtype)

    one = isinstance(spec[1], str)
    signature = tensor_spec(*spec) if one else tuple(tensor_spec(*s) for s in spec)
    made = tensorflow.data.Dataset.from_generator(
        dataset.as_numpy_iterator, output_signature=signature
    )
    if not has_gaps:
        made = made.apply(tensorflow.data.experimental.assert_cardinality(len(dataset)))
    return made.prefetch(tensorflow.data.AUTOTUNE)


def _grain_dataset(rows, batch_size, shuffle, seed):
    """Return a `grain.IterDataset` of rows that its own threads read."""
    grain = library("grain", 'format="grain"')
    made = grain.MapDataset.source(_Readable(rows))
    if shuffle:
        made = made.shuffle(seed=order_seed() if seed is None else seed)
    made = made.to_iter_dataset()
    if batch_size is None:
        return made
    return made.batch(batch_size, batch_fn=_grain_batch)


class _Readable:
    """Rows with the two methods that Grain asks for."""

    def __init__(self, rows):
        self._rows = rows

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, index):
        return self._rows[int(index)]


def _grain_batch(rows):
    """Return rows as a batch: arrays, and lists of strings."""

    def join(*leaves):
        return list(leaves) if isinstance(leaves[0], str) else np.stack(leaves)

    return tree.map_structure(join, *rows)
