"""`EventFile`: a file of events that TensorBoard reads.

The records are written by the package `tensorboard`, whose parts that are used here
load no TensorFlow: an event is a protocol buffer, framed by its length and checksums.
Values are stored as `tf.summary` stores them, so that readers of Keras's files read
these.
"""

from __future__ import annotations

import importlib
import io
import itertools
import os
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.core.errors import check_number, shown
from hornbeam.ops.core import convert_to_numpy

_numbers = itertools.count()


def part(name: str) -> Any:
    """Return a module of the package `tensorboard`, such as "util.tensor_util"."""
    try:
        return importlib.import_module(f"tensorboard.{name}")
    except ImportError as error:
        raise ImportError(
            "TensorBoard files need the package tensorboard: "
            "`pip install 'hornbeam[tensorboard]'`."
        ) from error


class EventFile:
    """Appends events to a new file in a folder; each is on the disk at once.

    Args:
        folder: the folder of the run; it is made.
    """

    def __init__(self, folder: str | os.PathLike):
        record_writer = part("summary.writer.record_writer").RecordWriter
        self._event = part("compat.proto.event_pb2").Event
        self._summary = part("compat.proto.summary_pb2").Summary
        Path(folder).mkdir(parents=True, exist_ok=True)
        name = (
            f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}"
            f".{os.getpid()}.{next(_numbers)}.v2"
        )
        self._file = open(Path(folder) / name, "wb")
        self._records = record_writer(self._file)
        self._write(file_version="brain.Event:2")

    def scalar(self, name: str, data: Any, step: int) -> None:
        """Write a number."""
        number = _array("scalar", name, data)
        if number.size != 1:
            raise ValueError(
                f"summary.scalar({name!r}) expects one number. Received: shape "
                f"{number.shape}"
            )
        number = number.reshape(()).astype("float32")
        self._add(part("plugins.scalar.summary_v2").scalar_pb(name, number), step)

    def histogram(self, name: str, data: Any, step: int, buckets: int = 30) -> None:
        """Write how the numbers of an array are distributed, in `buckets` intervals."""
        make = part("plugins.histogram.summary_v2").histogram_pb
        numbers = _array("histogram", name, data).astype("float64").ravel()
        check_number("summary.histogram()", "buckets", buckets, 1, integer=True)
        self._add(make(name, numbers, buckets), step)

    def image(self, name: str, data: Any, step: int, max_outputs: int = 3) -> None:
        """Write images `(number, height, width, 1 or 3)` of numbers from 0 to 1."""
        data = _array("image", name, data)
        check_number("summary.image()", "max_outputs", max_outputs, 0, integer=True)
        if data.ndim != 4 or data.shape[-1] not in (1, 3, 4):
            fix = " For one image add the axis of the batch: `image[None]`."
            raise ValueError(
                f"summary.image({name!r}) expects images of the shape (number, height, "
                f"width, 1 or 3). Received: shape {data.shape}.{fix * (data.ndim == 3)}"
            )
        pixels = (np.clip(data, 0, 1) * 255 + 0.5).astype("uint8")
        pngs = [_png(image) for image in pixels[:max_outputs]]
        height, width = data.shape[1:3]
        texts = [str(width).encode(), str(height).encode(), *pngs]
        metadata = part("plugins.image.metadata").create_summary_metadata(
            display_name="", description=""
        )
        self._tensor(name, texts, step, metadata)

    def text(self, name: str, data: str, step: int, plugin: str = "text") -> None:
        """Write a text; `plugin` says which page of TensorBoard shows it."""
        if not isinstance(data, str):
            raise TypeError(
                f"summary.text({name!r}) expects a text. Received: {shown(data)} (of "
                f"type {type(data).__name__})"
            )
        metadata = part("compat.proto.summary_pb2").SummaryMetadata()
        metadata.plugin_data.plugin_name = plugin
        metadata.plugin_data.content = b"" if plugin == "text" else b"1"
        self._tensor(name, data.encode(), step, metadata)

    def graph(self, graph: Any) -> None:
        """Write a `GraphDef`."""
        self._write(graph_def=graph.SerializeToString())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __del__(self) -> None:
        # A training that was interrupted has not closed it.
        if "_file" in vars(self):
            self._file.close()

    def _tensor(self, name, value, step, metadata):
        tensor = part("util.tensor_util").make_tensor_proto(value)
        summary = self._summary()
        summary.value.add(tag=name, tensor=tensor, metadata=metadata)
        self._add(summary, step)

    def _add(self, summary, step):
        self._write(summary=summary, step=int(step))

    def _write(self, **fields):
        event = self._event(wall_time=time.time(), **fields)
        self._records.write(event.SerializeToString())
        self._file.flush()


def _array(method, name, data):
    """Return numbers, of any engine, as a NumPy array."""
    try:
        array = np.asarray(convert_to_numpy(data))
        if array.dtype.kind == "O":
            raise TypeError("objects are no numbers")
        array = array if array.dtype.kind in "biuf" else array.astype("float32")
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"summary.{method}({name!r}) expects numbers. Received: {shown(data)}"
        ) from error
    return array


def _png(pixels):
    image = importlib.import_module("PIL.Image")  # tensorboard brings it
    buffer = io.BytesIO()
    image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(
        buffer, "PNG"
    )
    return buffer.getvalue()
