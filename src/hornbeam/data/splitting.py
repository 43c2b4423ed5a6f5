"""`split_dataset`: a dataset as two."""

from __future__ import annotations

import numbers
import random
import sys
from typing import Any

import numpy as np

from hornbeam import backends
from hornbeam.core import tree
from hornbeam.core.errors import check_choice
from hornbeam.data.dataset import Dataset
from hornbeam.data.formats import tf_dataset
from hornbeam.data.optional import library
from hornbeam.data.pack import count_rows
from hornbeam.data.py_dataset import PyDataset

_OWNER = "split_dataset()"
# The kind of dataset for each `preferred_backend`.
_KINDS = {"tensorflow": "tf", "torch": "subset", "jax": "ours", "numpy": "ours"}


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """Return a dataset as two: the first items, and the last ones.

    Args:
        dataset: an array, a list or tuple of arrays such as `(x, y)`, a dataset of this
            library, a `tf.data.Dataset`, or a map-style torch dataset. Items are the
            rows of arrays, and the batches of datasets that yield batches.
        left_size: the number of items in the first part, or their fraction of all.
            Default: None (all that are not in the second)
        right_size: the same for the second part. Default: None (the others)
        shuffle: whether items come in a random order before they are split. Default:
            False
        seed: the seed of the order. Default: None (drawn)
        preferred_backend: "tensorflow" gives `tf.data.Dataset`s, "torch" torch
            datasets, "jax" and "numpy" datasets of this library. Default: None (what
            `dataset` is; for arrays `tf.data` where TensorFlow is the engine, else our
            own)

    >>> import numpy as np
    >>> import hornbeam as keras
    >>> left, right = keras.utils.split_dataset(np.arange(10), left_size=0.8)
    >>> len(left), len(right), [int(item) for item in right]
    (8, 2, [8, 9])
    """
    check_choice(_OWNER, "preferred_backend", preferred_backend, (*_KINDS, None))
    items, kind, spec = _items_of(dataset)
    count = len(items)
    left, right = _sizes(left_size, right_size, count)
    order = list(range(count))
    if shuffle:
        # Python's generator, as in Keras: a seed gives the same split.
        random.Random(random.randrange(2**31) if seed is None else seed).shuffle(order)
    kind = _KINDS.get(preferred_backend or "", kind)
    parts = order[:left], order[count - right :]
    if kind == "subset":
        subset = library("torch.utils.data", "split_dataset()").Subset
        return subset(items, parts[0]), subset(items, parts[1])
    if not isinstance(items, Dataset):
        items = Dataset.from_rows(count, None, items.__getitem__)
    made = [items.chosen(part) for part in parts]
    if kind == "tf":
        made = [tf_dataset(one, spec or _spec_of(one), batched=False) for one in made]
    return made[0], made[1]


def _items_of(dataset):
    """Return items by number, the kind of dataset, and their spec or None."""
    if isinstance(dataset, Dataset):
        return dataset, "ours", None
    if isinstance(dataset, PyDataset):
        return Dataset.from_items(dataset), "ours", None
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and isinstance(dataset, tensorflow.data.Dataset):
        spec = tensorflow.nest.map_structure(
            lambda one: (tuple(one.shape), one.dtype.name), dataset.element_spec
        )
        return list(dataset.as_numpy_iterator()), "tf", spec
    torch = sys.modules.get("torch.utils.data")
    if torch is not None and isinstance(dataset, torch.Dataset):
        if isinstance(dataset, torch.IterableDataset):
            raise TypeError(f"{_OWNER} needs a torch dataset with `__getitem__`.")
        return dataset, "subset", None
    kind = type(dataset).__name__
    if isinstance(dataset, list):
        dataset = tuple(dataset)
    is_arrays = all(hasattr(leaf, "shape") for leaf in tree.flatten(dataset))
    if isinstance(dataset, dict) or not is_arrays:
        raise TypeError(
            f"`dataset` of {_OWNER} must be an array, a list or tuple of arrays, or a "
            f"dataset of this library, TensorFlow or PyTorch. Received: a {kind} "
            "that is none of these. Make arrays of it, for example with `numpy.array`."
        )
    arrays = tree.map_structure(_on_host, dataset)
    count_rows((arrays,))
    kind = "tf" if backends.current().has_datasets else "ours"
    return Dataset.from_tensor_slices(arrays), kind, None


def _on_host(x):
    engine = backends.of(x)
    return np.asarray(x) if engine is None else engine.to_numpy(x)


def _spec_of(dataset):
    def spec(x):
        array = np.asarray(x)
        return array.shape, "string" if array.dtype.kind in "OSU" else array.dtype.name

    return tree.map_structure(spec, dataset[0])


def _sizes(left, right, count):
    """Return how many items each part has."""
    if left is None and right is None:
        raise ValueError(
            f"{_OWNER} needs `left_size` or `right_size`. Received: left_size=None, "
            "right_size=None"
        )
    for name, size in (("left_size", left), ("right_size", right)):
        _check_size(name, size, count)
    if isinstance(left, float) and isinstance(right, float) and left + right > 1:
        raise ValueError(
            f"The sum of `left_size` and `right_size` of {_OWNER} must be at most 1. "
            f"Received: left_size={left}, right_size={right}"
        )
    left, right = (
        round(size * count) if isinstance(size, float) else size
        for size in (left, right)
    )
    left = count - right if left is None else left
    right = count - left if right is None else right
    if left + right > count:
        raise ValueError(
            f"The sum of `left_size` and `right_size` of {_OWNER} must be at most the "
            f"number of items, {count}. Received: {left} and {right} items"
        )
    if not left or not right:
        raise ValueError(
            f"{_OWNER} leaves no item for the {'left' if not left else 'right'} part: "
            f"there are {count} in all."
        )
    return left, right


def _check_size(name, size, count):
    if size is None:
        return
    if not isinstance(size, numbers.Real) or isinstance(size, bool):
        raise TypeError(
            f"`{name}` of {_OWNER} must be an integer, a float or None. Received: "
            f"{name}={size!r}"
        )
    most = count if isinstance(size, numbers.Integral) else 1
    if not 0 < float(size) < most:
        raise ValueError(
            f"`{name}` of {_OWNER} should be either a positive integer smaller than "
            f"{count}, or a float within the range `[0, 1]`. Received: {name}={size}"
        )
