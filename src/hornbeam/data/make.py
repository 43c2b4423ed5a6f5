"""`make_data`: data of any kind as one of two classes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from hornbeam.core import config, tree
from hornbeam.core.errors import check_number
from hornbeam.core.random import order_seed
from hornbeam.data.arrays import ArrayData
from hornbeam.data.class_weight import ClassWeight
from hornbeam.data.dataset import Dataset, stored_dataset
from hornbeam.data.host import host_array, is_array_like
from hornbeam.data.pack import count_rows, host_arrays
from hornbeam.data.py_dataset import PyDataset
from hornbeam.data.sparse import is_sparse
from hornbeam.data.stored import StoredRows, split_columns
from hornbeam.data.streams import (
    DatasetSource,
    IteratorSource,
    PyDatasetSource,
    StreamData,
)


def make_data(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: bool | str = False,
    class_weight: Any = None,
    output_names: Sequence[str] | None = None,
    continues: bool = True,
    on_host: Callable[[Any], Any] | None = None,
) -> ArrayData | StreamData:
    """Return what `x` (and `y`, `sample_weight`) is as `ArrayData` or `StreamData`.

    Args:
        x: arrays of any kind, or a source of batches.
        y: the targets, for arrays, or the name of their column in a table `x`.
            Default: None
        sample_weight: the weights of the rows, for arrays. Default: None
        batch_size: rows per batch, for arrays and for the single rows of a torch
            dataset. Default: None (32)
        steps: batches per epoch. Default: None (all)
        shuffle: whether to visit the rows in a new order every epoch; `"batch"` moves
            whole batches. Default: False
        class_weight: see `ClassWeight`. Default: None
        output_names: names of the model's outputs, for `class_weight`. Default: None
        continues: whether an epoch of `steps` continues where the last stopped (as in
            training) or starts over (as in validation). Default: True
        on_host: what is done first with the inputs, or with those of each batch.
            Default: None (nothing)
    """
    if shuffle not in (True, False, None, "batch"):
        raise ValueError(
            f"`shuffle` must be True, False or 'batch'. Received: shuffle={shuffle!r}"
        )
    if isinstance(y, str):
        x, y = split_columns(x, y)
    if steps is not None:
        steps = int(check_number("the model", "steps", steps, low=0, integer=True))
    weigh = None if class_weight is None else ClassWeight(class_weight, output_names)
    source = _source(x, shuffle, batch_size)
    if source is not None:
        _refuse(source, y=y, sample_weight=sample_weight)
        if isinstance(class_weight, str):
            raise ValueError(
                "class_weight='balanced' counts the classes beforehand, which needs "
                f"targets in memory. {source.describe()} comes batch by batch: give "
                "the weights as a dict."
            )
        return StreamData(source, steps or None, weigh, continues, on_host)
    arrays = host_arrays(x if on_host is None else on_host(x), y, sample_weight)
    count_rows(arrays)
    if batch_size is not None:
        check_number("the model", "batch_size", batch_size, low=1, integer=True)
    if any(isinstance(leaf, StoredRows) for leaf in tree.flatten(arrays)):
        source = DatasetSource(stored_dataset(arrays, int(batch_size or 32), shuffle))
        return StreamData(source, steps or None, weigh, continues)
    if len(arrays) == 3:
        arrays = (*arrays[:2], tree.map_structure(_as_weight, arrays[2]))
    if weigh is not None:
        y, sample_weight = (*arrays[1:], None, None)[:2]
        y = tree.map_structure(lambda x: x.toarray() if is_sparse(x) else x, y)
        arrays = (arrays[0], y, weigh(y, sample_weight))
    return ArrayData(arrays, int(batch_size or 32), steps or None, shuffle, continues)


def _as_weight(leaf):
    return None if leaf is None else leaf.astype(config.floatx(), copy=False)


def _refuse(source, **arguments):
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(
                f"{source.describe()} yields whole batches, so `{name}` cannot be "
                "given beside it: let it yield `(x, y)` or `(x, y, sample_weight)`."
            )


def in_memory(x: Any) -> bool:
    """Whether `x` is arrays, and no source of batches."""
    return _source(x, False, None) is None


def _source(x, shuffle, batch_size):
    """Return the source of batches that `x` is, or None if it is arrays."""
    if isinstance(x, Dataset):
        return DatasetSource(x)
    if isinstance(x, PyDataset):
        return PyDatasetSource(x, shuffle)
    source = _tf_dataset(x) or _torch_data(x, shuffle, batch_size)
    if source is not None:
        return source
    if x is None or isinstance(x, str | bytes):
        return None
    if tree.is_nested(x) or is_array_like(x):
        return None
    # The order of a set is no order of batches, and a group of HDF5 has names.
    has_items = not isinstance(x, type | set | frozenset) and not hasattr(x, "keys")
    if hasattr(x, "__iter__") and has_items:
        return IteratorSource(x, _length(x))
    host_array(x, "x")  # raises: an unknown type
    return None


def _length(x):
    try:
        return len(x)
    except TypeError:
        return None


def _tf_dataset(x):
    tensorflow = sys.modules.get("tensorflow")
    library = getattr(tensorflow, "data", None)
    if library is None or not isinstance(x, library.Dataset):
        return None
    count = int(x.cardinality())
    length = count if count >= 0 else None
    endless = count == library.INFINITE_CARDINALITY
    rows = TensorFlowDataset(x, tensorflow)
    return IteratorSource(rows, length, counts_passes=True, endless=endless)


class TensorFlowDataset:
    """A `tf.data.Dataset` as NumPy batches; sparse tensors are kept."""

    def __init__(self, dataset, tensorflow):
        self._dataset = dataset
        specs = tensorflow.nest.flatten(dataset.element_spec)
        kind = tensorflow.SparseTensorSpec
        self._is_sparse = any(isinstance(spec, kind) for spec in specs)

    def __iter__(self):
        if self._is_sparse:
            return iter(self._dataset)
        return self._dataset.as_numpy_iterator()


def _torch_data(x, shuffle, batch_size):
    """A torch `DataLoader`; a dataset is wrapped in one."""
    library = sys.modules.get("torch.utils.data")
    if library is None:
        return None
    if isinstance(x, library.Dataset):
        x = _loader(library, x, shuffle, batch_size)
    if isinstance(x, library.DataLoader):
        owners = (x, x.sampler, x.batch_sampler)
        generators = {id(g): g for o in owners if (g := getattr(o, "generator", None))}
        return IteratorSource(x, _length(x), list(generators.values()))
    return None


def _loader(library, dataset, shuffle, batch_size):
    """Return a torch `DataLoader` of the dataset, as arrays are read: row by row."""
    batch_size = check_number(
        "the model",
        "batch_size",
        32 if batch_size is None else batch_size,
        low=1,
        integer=True,
    )
    if shuffle == "batch":
        raise ValueError(
            "shuffle='batch' is for arrays. A torch dataset takes True or False; a "
            "`torch.utils.data.DataLoader` with a `batch_sampler` can do the rest."
        )
    if isinstance(dataset, library.IterableDataset):
        shuffle = False  # it has an order of its own
    torch = sys.modules["torch"]
    generator = torch.Generator().manual_seed(order_seed()) if shuffle else None
    return library.DataLoader(
        dataset, batch_size=int(batch_size), shuffle=shuffle, generator=generator
    )
