"""`timeseries_dataset_from_array`: the windows of a series."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.errors import check_number
from hornbeam.data.formats import DEFAULT_FORMAT, make_dataset, resolved_format
from hornbeam.data.host import host_array
from hornbeam.typing import TensorLike

_OWNER = "timeseries_dataset_from_array()"


def timeseries_dataset_from_array(
    data: TensorLike,
    targets: TensorLike | None,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str | None = DEFAULT_FORMAT,  # noqa: A002
) -> Any:
    """Return a dataset of the windows of a series, and the target of each.

    Window `i` holds the steps `start_index + i * sequence_stride + k * sampling_rate`
    for `k` from 0 to `sequence_length - 1`. Its target is that of its first step: to
    forecast the step after the window, give `targets = data[sequence_length:]` (with
    a `sampling_rate` of 1). Windows are cut out when a batch is read; a memory-mapped
    array stays on the disk.

    Args:
        data: an array, `(steps, ...)`.
        targets: an array whose row `i` belongs to the window that starts at step `i`,
            or None for windows alone. Windows without a target are left out.
        sequence_length: the number of steps of a window.
        sequence_stride: the number of steps from one window to the next. Default: 1
        sampling_rate: the number of steps from one to the next in a window. Default: 1
        batch_size: windows per batch, or None for single windows. Default: 128
        shuffle: whether the windows come in a new order every epoch. Default: False
        seed: the seed of the orders. Default: None (drawn)
        start_index: the first step that is used. Default: None (0)
        end_index: the step before which the last window ends. Default: None (the
            number of steps)
        format: `"tf"` for a `tf.data.Dataset`, `"grain"` for a Grain dataset, None for
            a dataset of the library. Default: a `tf.data.Dataset` where TensorFlow is
            the engine, and else a dataset of the library

    Returns:
        A dataset of `(windows, targets)`, or of windows where `targets` is None.

    >>> import numpy as np
    >>> import hornbeam as keras
    >>> series = np.arange(10)
    >>> dataset = keras.utils.timeseries_dataset_from_array(
    ...     series, series[3:], sequence_length=3, batch_size=4
    ... )
    >>> windows, following = next(iter(dataset))
    >>> windows[0].tolist(), following[0].tolist()
    ([0, 1, 2], 3)
    """
    form = resolved_format("timeseries_dataset_from_array", format)
    data, targets = _array(data, "data"), _array(targets, "targets")
    size = len(data)
    counts = {"sequence_length": sequence_length, "sequence_stride": sequence_stride}
    counts["sampling_rate"] = sampling_rate
    for name, value in counts.items():
        check_number(_OWNER, name, value, low=1, high=size, integer=True)
    if batch_size is not None:
        check_number(_OWNER, "batch_size", batch_size, low=1, integer=True)
    start, end = 0 if start_index is None else start_index, end_index
    check_number(_OWNER, "start_index", start, low=0, below=size, integer=True)
    end = size if end is None else end
    check_number(_OWNER, "end_index", end, above=start, high=size, integer=True)
    last = end - (sequence_length - 1) * sampling_rate
    if targets is not None:
        last = min(last, len(targets))
    starts = range(start, last, sequence_stride)
    if not starts:
        of_targets = "" if targets is None else f", with one of {len(targets)} targets,"
        raise ValueError(
            f"There is no window of sequence_length={sequence_length} with "
            f"sampling_rate={sampling_rate}{of_targets} between start_index={start} "
            f"and end_index={end}: give a longer series or a shorter window."
        )
    steps = sampling_rate * np.arange(sequence_length)

    def take(rows):
        first = starts.start + sequence_stride * np.asarray(rows)
        windows = data[first[:, None] + steps]
        return windows if targets is None else (windows, targets[first])

    def item(row):
        first = starts[row]
        window = data[first + steps]
        return window if targets is None else (window, targets[first])

    spec: Any = ((sequence_length, *data.shape[1:]), data.dtype.name)
    if targets is not None:
        spec = (spec, (targets.shape[1:], targets.dtype.name))
    return make_dataset(form, len(starts), take, item, spec, batch_size, shuffle, seed)


def _array(value, name):
    """Return an array as it is, also a memory-mapped one, and all else as an array."""
    if value is None:
        return None
    array = value if isinstance(value, np.ndarray) else host_array(value, name)
    if array.ndim == 0 or array.dtype.kind not in "biufc":
        raise ValueError(
            f"Argument `{name}` of {_OWNER} must be an array of numbers with the steps "
            f"as its first dimension. Received: shape {array.shape}, {array.dtype}"
        )
    return array
