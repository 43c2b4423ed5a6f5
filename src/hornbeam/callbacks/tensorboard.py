"""`TensorBoard`: write what TensorBoard shows."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hornbeam import backends
from hornbeam.callbacks.callback import Callback
from hornbeam.callbacks.event_file import EventFile, part
from hornbeam.callbacks.model_graph import model_graph, model_json
from hornbeam.callbacks.rates import rates_for_logs
from hornbeam.core.errors import did_you_mean, shown
from hornbeam.core.naming import distinct
from hornbeam.core.replacing import folder_to_write
from hornbeam.typing import Logs, PathLike


class TensorBoard(Callback):
    """Writes metrics, weights, graph, embeddings and profiles for TensorBoard.

    The names are those of Keras: in the folder `train` the scalars `epoch_loss`,
    `epoch_learning_rate`, `batch_loss` ..., in `validation` `epoch_loss`,
    `evaluation_loss_vs_iterations` ..., for each metric. The files are written by the
    package `tensorboard`, without TensorFlow. Look at them with
    `tensorboard --logdir logs`.

    By default it is called once an epoch and costs no step anything.

    Args:
        log_dir: the folder; each training is to have its own. Default: `"logs"`
        histogram_freq: the distribution of each weight is written every so many epochs;
            0: never. Default: 0
        write_graph: whether the graph of the layers is written. Default: True
        write_images: whether weights are written as images too, with the histograms.
            Zero is grey, the largest magnitude black or white. Default: False
        write_steps_per_second: whether the speed is written. Default: False
        update_freq: `"epoch"`, `"batch"`, or a number: the metrics so far are written
            every so many batches besides. Default: `"epoch"`
        profile_batch: the batch, counted from 1, that the engine's profiler records,
            or a pair: the first and the last one; 0: none. Default: 0
        embeddings_freq: the tables of `Embedding` layers are written every so many
            epochs, for the projector, which shows the last ones; 0: never. Default: 0
        embeddings_metadata: the name of a file in `log_dir` with a label per row of
            the tables, or a dict of such names by names of layers. Default: None

    >>> import hornbeam as keras
    >>> board = keras.callbacks.TensorBoard("logs/first", histogram_freq=1)
    """

    state_attributes: Mapping[str, type] = {
        "_batches": int,
        "_last_batch": int,
        "_iterations": int,
    }

    def __init__(
        self,
        log_dir: PathLike = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Literal["batch", "epoch"] | int = "epoch",
        profile_batch: int | tuple[int, int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: str | Mapping[str, str] | None = None,
    ):
        super().__init__()
        self.log_dir: str = os.fspath(
            folder_to_write("TensorBoard", "log_dir", log_dir)
        )
        self.histogram_freq: int = _count("histogram_freq", histogram_freq or 0, 0)
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        if self.update_freq != "epoch":
            _count("update_freq", self.update_freq, 1, ", 'batch' or 'epoch'")
        self.profile_batch = profile_batch
        self.embeddings_freq: int = _count("embeddings_freq", embeddings_freq or 0, 0)
        self.embeddings_metadata = _checked_metadata(embeddings_metadata)
        self._first_profiled, self._last_profiled = _profiled(profile_batch)
        self._stop: Any = None  # ends a trace that is being recorded
        self._files: dict[str, EventFile] = {}
        self._trains = False
        self._batches = 0  # since the training began
        self._last_batch = -1  # of the epoch
        self._iterations = 0  # of the optimizer, before the epoch
        self._time_of_batch = self._time_of_epoch = 0.0

    @property
    def summary(self) -> EventFile:
        """The file of the training: `summary.scalar(name, data, step)` and kin.

        `histogram`, `image` and `text` take the same; images are numbers from 0 to 1.
        """
        return self._file("train")

    @property
    def uses_batch_methods(self) -> bool:
        """Whether `update_freq` or `profile_batch` counts batches."""
        return self.update_freq != "epoch" or self._last_profiled > 0

    @property
    def batches_to_wait(self) -> int:
        """How many batches may pass until something is written or traced."""
        stops = [self._first_profiled - 1, self._last_profiled]
        if isinstance(self.update_freq, int):
            stops.append(self._batches + self.update_freq)
            stops[-1] -= self._batches % self.update_freq
        return (
            min((s for s in stops if s > self._batches), default=sys.maxsize)
            - self._batches
        )

    def on_train_begin(self, logs: Logs = None) -> None:
        """Begin the files, and write the graph."""
        self._close()
        self._trains = True
        self._batches = 0
        if self.embeddings_freq:
            self._write_projector_config()
        file = self._file("train")
        if self.write_graph:
            text = model_json(self.model)
            if text is not None:
                file.text("keras", text, 0, "graph_keras_model")
            file.graph(model_graph(self.model))

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the files."""
        self._stop_trace()
        self._trains = False
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Start the clock of the epoch."""
        self._last_batch = -1
        if self.write_steps_per_second:
            self._iterations = self._steps()
            self._time_of_epoch = time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Begin to trace, if this batch is the first one to be."""
        self._time_of_batch = time.perf_counter()
        if self._batches + 1 == self._first_profiled:
            start = backends.current().start_trace
            self._stop = None if start is None else start(self.log_dir)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Write the metrics so far, after every `update_freq` batches."""
        new = batch - self._last_batch
        self._batches += new
        self._last_batch = batch
        if self._batches >= self._last_profiled:
            self._stop_trace()
        if not isinstance(self.update_freq, int) or self._batches % self.update_freq:
            return
        file = self._file("train")
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._time_of_batch
            file.scalar("batch_steps_per_second", new / seconds, self._batches)
        for name, value in (logs or {}).items():
            file.scalar(f"batch_{name}", value, self._batches)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write the metrics of the epoch, and the weights where they are due."""
        values = dict(logs or {})
        if getattr(self.model, "optimizer", None) is not None:
            values |= rates_for_logs(self.model.optimizer)
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._time_of_epoch
            values["steps_per_second"] = (self._steps() - self._iterations) / seconds
        for name, value in values.items():
            run = "validation" if name.startswith("val_") else "train"
            name = f"epoch_{name.removeprefix('val_')}"
            self._file(run).scalar(name, value, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()

    def on_test_end(self, logs: Logs = None) -> None:
        """Write the result of an evaluation, in `fit` too."""
        if getattr(self.model, "optimizer", None) is not None:
            file = self._file("validation")
            for name, value in (logs or {}).items():
                file.scalar(f"evaluation_{name}_vs_iterations", value, self._steps())
        if not self._trains:
            self._close()

    def _file(self, run):
        if run not in self._files:
            self._files[run] = EventFile(Path(self.log_dir) / run)
        return self._files[run]

    def _close(self):
        for file in self._files.values():
            file.close()
        self._files = {}

    def _steps(self):
        optimizer = getattr(self.model, "optimizer", None)
        return 0 if optimizer is None else int(optimizer.iterations)

    def _stop_trace(self):
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()

    def _write_weights(self, epoch):
        file = self._file("train")
        weights = self.model.weights
        names = distinct([weight.path for weight in weights])
        for name, weight in zip(names, weights, strict=True):
            values = np.asarray(weight.numpy(), "float64")
            file.histogram(f"{name}/histogram", values, epoch)
            if self.write_images:
                images = _as_images(values)
                if images is not None:
                    file.image(f"{name}/image", images, epoch)

    def _embeddings(self):
        """Return `{name of the layer: its table, None before it is built}`."""
        return {
            layer.name: layer.embeddings if layer.built else None
            for layer in self.model._flatten_layers()
            if type(layer).__name__ == "Embedding"
        }

    def _write_projector_config(self):
        config = part("plugins.projector.projector_config_pb2").ProjectorConfig()
        metadata = self.embeddings_metadata or {}
        names = list(self._embeddings())
        for name in metadata if isinstance(metadata, Mapping) else ():
            if name not in names:
                raise ValueError(
                    "`embeddings_metadata` of TensorBoard names the Embedding layer "
                    f"{name!r}; there are {names}.{did_you_mean(name, names)}"
                )
        for name in names:
            of_layer = metadata.get(name) if isinstance(metadata, Mapping) else metadata
            entry = config.embeddings.add(tensor_name=name)
            entry.tensor_path = _table_name(name)
            if of_layer:
                entry.metadata_path = os.fspath(of_layer)
        text = str(config)
        folder = Path(self.log_dir)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "projector_config.pbtxt").write_text(text, "utf-8")

    def _write_embeddings(self):
        for name, table in self._embeddings().items():
            if table is not None:
                path = Path(self.log_dir) / _table_name(name)
                np.savetxt(path, table.numpy(), "%.7g", delimiter="\t")


def _table_name(layer):
    return f"{layer.replace('/', '_')}_embeddings.tsv"


def _count(argument, value, least, others=""):
    is_count = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_count or value < least:
        raise ValueError(
            f"Argument `{argument}` of TensorBoard must be a whole number, at least "
            f"{least}{others}. Received: {argument}={value!r}"
        )
    return int(value)


def _checked_metadata(metadata):
    """Return `embeddings_metadata`: None, a path, or a path for each layer's name."""
    given = metadata.items() if isinstance(metadata, Mapping) else [("", metadata)]
    paths = (str, os.PathLike, type(None))
    if not all(isinstance(name, str) and isinstance(path, paths)
               for name, path in given):  # fmt: skip
        raise TypeError(
            "Argument `embeddings_metadata` of TensorBoard must be the path of a file, "
            "or such a path for the name of each Embedding layer. Received: "
            f"embeddings_metadata={shown(metadata)}"
        )
    return metadata


def _profiled(batches):
    """Return the first and the last batch to be profiled, 0 for none."""
    pair = (batches, batches) if isinstance(batches, int) else tuple(batches)
    good = len(pair) == 2 and all(
        isinstance(b, int) and not isinstance(b, bool) for b in pair
    )
    if not good or not 0 <= pair[0] <= pair[1] or (pair[0] == 0 < pair[1]):
        raise ValueError(
            "Argument `profile_batch` of TensorBoard must be a batch, counted from 1, "
            "a pair of batches, the first and the last one, or 0 for none. "
            f"Received: profile_batch={batches!r}"
        )
    return pair


def _as_images(values):
    """Return a weight as images `(number, height, width, 1)`, None where it is none.

    A matrix lies on its longer side. A kernel `(height, width, inputs, outputs)` gives
    an image per output, with the inputs side by side.
    """
    values = np.squeeze(values)
    largest = np.abs(values).max(initial=0.0) or 1.0
    if values.ndim == 1:
        values = values[None, :, None]
    elif values.ndim == 2:
        values = values.T[None] if len(values) > len(values.T) else values[None]
    elif values.ndim == 3:
        values = values.transpose(2, 0, 1)
    elif values.ndim == 4:
        height, width, inputs, outputs = values.shape
        flat = values.transpose(3, 0, 2, 1)
        values = flat.reshape(outputs, height, inputs * width)
    else:
        return None
    return (values[..., None] / largest + 1) / 2
