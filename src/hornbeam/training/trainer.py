"""Trainer: fit, evaluate, predict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from hornbeam import config, ops
from hornbeam.callbacks import BackupAndRestore, CallbackList
from hornbeam.core import tree
from hornbeam.core.arguments import checks_keywords
from hornbeam.core.configurable import parameters_of
from hornbeam.core.errors import did_you_mean
from hornbeam.data import in_memory, make_data, train_validation_split
from hornbeam.data.stored import split_columns
from hornbeam.training.binding import checks, data_checks
from hornbeam.training.building import ModelBuilding
from hornbeam.training.concurrent.scheduler import warn_if_alone
from hornbeam.training.execution.nan_guard import NanGuard
from hornbeam.training.execution.passes import Pass, as_numbers
from hornbeam.training.execution.runners import PredictSteps, choose_batch_size
from hornbeam.training.steps import unpack

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hornbeam.callbacks import Callback, History
    from hornbeam.training.execution.nan_guard import OnNan
    from hornbeam.typing import PathLike, Tree, Verbosity


class Trainer(ModelBuilding):
    """The part of a model that trains, evaluates and predicts; see `Model`."""

    @checks_keywords
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Verbosity = "auto",
        callbacks: Callback | Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | Literal["batch"] = True,
        class_weight: Mapping[Any, Any] | Literal["balanced"] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Collection[int] = 1,
        resume: PathLike | None = None,
        on_nan: OnNan = None,
    ) -> History:
        """Train the model and return its `History`.

        Args:
            x: inputs: arrays, lists or dicts of arrays, data frames, a generator, a
                `PyDataset`, a torch `DataLoader` or dataset, or a `tf.data.Dataset`.
            y: targets, unless `x` gives them.
            batch_size: rows per batch. Default: 32.
            epochs: the number of the last epoch. Default: 1.
            verbose: 0 silent, 1 live display, 2 one line per epoch. Default: "auto".
            callbacks: a list of callbacks.
            validation_split: the fraction of the rows, taken from the end, that is
                used for validation and not for training. Default: 0.
            validation_data: `(x, y)` or `(x, y, sample_weight)`, or a dataset.
            shuffle: whether rows come in a new order every epoch. Default: True.
            class_weight: `{class: weight}`, `{output: {class: weight}}` or "balanced".
            sample_weight: weights of the rows.
            initial_epoch: the epoch at which to start. Default: 0.
            steps_per_epoch: steps per epoch. Default: all data.
            validation_steps: steps per validation. Default: all data.
            validation_batch_size: rows per batch in validation. Default: `batch_size`.
            validation_freq: the number of epochs from one validation to the next, or
                the epochs (counted from 1) to validate after. Default: 1.
            resume: a folder in which the training is backed up after each epoch. If it
                holds the backup of an interrupted training, that one goes on. See
                `keras.callbacks.BackupAndRestore`. Default: None.
            on_nan: what to do when the loss is NaN or infinite. "explain" raises a
                `FloatingPointError` that says which layer, weight or gradient was so
                first, at which step, and from which inputs. "rollback" goes on from
                the state before that step without its batch, and halves the learning
                rate unless the batch itself holds NaN; when that happens again within
                two epochs it goes back to when the loss was least, and it gives up
                after ten times. Both keep copies of the state. Default: None, it is
                warned of.

        >>> import numpy as np
        >>> import hornbeam as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(loss="mse")
        >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=3, verbose=0)
        >>> len(history.history["loss"])
        3
        """
        checks.compiled(self, "fit")
        checks.epochs(self, epochs, initial_epoch, validation_freq)
        checks.counts(
            self, "fit", batch_size=batch_size, steps_per_epoch=steps_per_epoch,
            validation_batch_size=validation_batch_size,
            validation_steps=validation_steps,
        )  # fmt: skip
        checks.resume(self, resume)
        verbose = checks.verbosity(self, "fit", verbose)
        epochs = int(_at_most(config.max_epochs(), epochs))
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = self._split(
                x, y, sample_weight, validation_split
            )
        with self._turn("fit") as engine:
            checks.engine_trains(self, engine)
            data = make_data(
                x, y, sample_weight, batch_size=batch_size,
                steps=_at_most(config.max_steps_per_epoch(), steps_per_epoch),
                shuffle=shuffle, class_weight=class_weight,
                output_names=self._output_names(), on_host=self._on_host,
            )  # fmt: skip
            checks.has_end(self, "fit", data, "steps_per_epoch")
            self._prepare(data, "train")
            valid = self._validation_data(
                validation_data,
                data,
                batch_size=validation_batch_size or batch_size,
                steps=validation_steps,
            )
            train = self._pass("train", data, callbacks, verbose, epochs, on_nan)
            if resume is not None:
                train.callbacks.append(BackupAndRestore(resume))
            warn_if_alone(self, engine, data, train.callbacks)
            with train.running():
                self._fit_epochs(train, valid, initial_epoch, epochs, validation_freq)
        return self.history

    def _split(self, x, y, sample_weight, fraction):
        """Return `(x, y, sample_weight)` of the training rows, and of the others."""
        if isinstance(y, str):
            x, y = split_columns(x, y)
        if in_memory(x):
            x = self._on_host(x)
        return train_validation_split((x, y, sample_weight), validation_split=fraction)

    def _explain_step(self, batch):
        """Say what is not finite first in a step on `batch`; see `Doctor`."""
        return ""

    def _pass(self, mode, data, callbacks, verbose="auto", epochs=1, on_nan=None):
        """Return the Pass over data that is prepared, with the user's callbacks."""
        if not isinstance(callbacks, CallbackList):
            model: Any = self
            callbacks = CallbackList(
                callbacks,
                add_history=mode == "train",
                add_progbar=verbose != 0,
                model=model,
                verbose=verbose,
                epochs=epochs,
                steps=data.steps,
            )
        if mode == "predict":
            one = self._batch_runner(mode)
            runner = PredictSteps(one, data, callbacks.wants_batches(mode))
        else:
            runner = self._runner(data, mode)
        if on_nan is not None:
            runner = NanGuard(self, runner, on_nan, self._explain_step)
        limit = self.steps_per_execution if self.steps_per_execution > 1 else None
        return Pass(self, runner, callbacks, mode, limit)

    def _validation_data(self, validation_data, training_data, batch_size, steps):
        """Return the argument of fit() as data that fits the model, or None."""
        if validation_data is None:
            return None
        checks.validation_data(self, validation_data)
        x, y, sample_weight = unpack(validation_data)
        valid = make_data(
            x, y, sample_weight, batch_size=batch_size, steps=steps, continues=False,
            on_host=self._on_host,
        )  # fmt: skip
        checks.has_end(self, "fit", valid, "validation_steps")
        data_checks.validation_fits(self, valid, training_data)
        return valid

    def _fit_epochs(self, train, valid, first, epochs, validation_freq):
        """Run the epochs of training, and the passes over the validation data."""
        callbacks, data, first = train.callbacks, train.runner.data, int(first)
        callbacks.data = data
        self.stop_training = False
        test = None if valid is None else self._pass("test", valid, callbacks)
        callbacks.on_train_begin()
        resumed = callbacks.resumed()
        if resumed is not None:
            callbacks.restore(data=True)
            first = epochs if resumed.stop else resumed.epoch
        logs = {}
        looks_ahead = test is None and not callbacks.wants_epochs
        for epoch in range(first, epochs):
            train.reset_metrics(epoch)
            callbacks.on_epoch_begin(epoch)
            ahead = epochs - epoch if looks_ahead else 1
            logs = train.run_epoch(epoch, ahead, resumed)
            resumed = None
            if train.steps_done == 0:
                # The data has ended: an epoch without a step trains nothing.
                break
            if test is not None and _due(epoch, validation_freq):
                results = test.run_with_events(epoch)
                logs = logs | {f"val_{name}": x for name, x in results.items()}
            callbacks.on_epoch_end(epoch, logs)
            data.on_epoch_end()
            if self.stop_training:
                break
        optimizer = getattr(self, "optimizer", None)
        if optimizer is not None and epochs > first:
            optimizer.finalize_variable_values(self.trainable_variables)
        callbacks.on_train_end(logs)

    @overload
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Verbosity = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
        *,
        return_dict: Literal[True],
    ) -> dict[str, Any]: ...
    @overload
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Verbosity = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
        return_dict: bool = False,
    ) -> Any: ...
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Verbosity = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Return the loss and the metrics on data.

        Args:
            x: inputs, as for `fit`.
            y: targets, unless `x` gives them.
            batch_size: rows per batch. Default: 32.
            verbose: 0 silent, 1 live display, 2 one line. Default: "auto".
            sample_weight: weights of the rows.
            steps: the number of steps. Default: all data.
            callbacks: a list of callbacks.
            return_dict: whether to return `{name: value}`. Default: False.

        Returns:
            The loss if there are no metrics, else a list of the loss and the metrics,
            in the order of `{name: value}`, which `return_dict=True` returns.
        """
        if kwargs:
            names = [p.name for p in parameters_of(self.evaluate)]
            raise ValueError(
                f"Arguments not recognized: {sorted(kwargs)}."
                f"{did_you_mean(next(iter(kwargs)), names)}"
            )
        checks.compiled(self, "evaluate")
        checks.counts(self, "evaluate", batch_size=batch_size, steps=steps)
        verbose = checks.verbosity(self, "evaluate", verbose)
        with self._turn("evaluate"):
            data = make_data(
                x, y, sample_weight, batch_size=batch_size, steps=steps,
                continues=False, on_host=self._on_host,
            )  # fmt: skip
            checks.has_end(self, "evaluate", data, "steps")
            self._prepare(data, "test")
            test = self._pass("test", data, callbacks, verbose)
            with test.running():
                logs = test.run_with_events()
        return logs if return_dict else _as_list(logs)

    @checks_keywords
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Verbosity = "auto",
        steps: int | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
    ) -> Any:
        """Return the outputs for `x` as NumPy arrays, in the form of the outputs.

        Args:
            x: inputs, as for `fit`.
            batch_size: rows per batch. Default: chosen automatically, at least 32.
            verbose: 0 silent, 1 live display, 2 one line. Default: "auto".
            steps: the number of steps. Default: all data.
            callbacks: a list of callbacks.
        """
        checks.counts(self, "predict", batch_size=batch_size, steps=steps)
        verbose = checks.verbosity(self, "predict", verbose)
        with self._engine_scope():
            data = make_data(
                x, batch_size=batch_size, steps=steps, continues=False,
                on_host=self._on_host,
            )  # fmt: skip
            checks.has_end(self, "predict", data, "steps")
            self._prepare(data, "predict")
            if batch_size is None and steps is None:
                choose_batch_size(data, self._batch_runner("predict"))
            predict = self._pass("predict", data, callbacks, verbose)
            with predict.running():
                predict.run_with_events()
                return predict.runner.outputs()

    @overload
    def train_on_batch(
        self,
        x: Tree,
        y: Tree = None,
        sample_weight: Tree = None,
        class_weight: Mapping[Any, Any] | Literal["balanced"] | None = None,
        *,
        return_dict: Literal[True],
    ) -> dict[str, Any]: ...
    @overload
    def train_on_batch(
        self,
        x: Tree,
        y: Tree = None,
        sample_weight: Tree = None,
        class_weight: Mapping[Any, Any] | Literal["balanced"] | None = None,
        return_dict: bool = False,
    ) -> Any: ...
    @checks_keywords
    def train_on_batch(
        self,
        x: Tree,
        y: Tree = None,
        sample_weight: Tree = None,
        class_weight: Mapping[Any, Any] | Literal["balanced"] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Train on one batch; return the loss and the metrics of this batch.

        Args:
            x: inputs: an array or tensor, or a list or dict of them.
            y: targets.
            sample_weight: weights of the rows.
            class_weight: as for `fit`.
            return_dict: whether to return `{name: value}`. Default: False.
        """
        checks.compiled(self, "train_on_batch")
        return self._on_batch(
            "train", (x, y, sample_weight), return_dict, class_weight=class_weight
        )

    @overload
    def test_on_batch(
        self,
        x: Tree,
        y: Tree = None,
        sample_weight: Tree = None,
        *,
        return_dict: Literal[True],
    ) -> dict[str, Any]: ...
    @overload
    def test_on_batch(
        self,
        x: Tree,
        y: Tree = None,
        sample_weight: Tree = None,
        return_dict: bool = False,
    ) -> Any: ...
    @checks_keywords
    def test_on_batch(
        self,
        x: Tree,
        y: Tree = None,
        sample_weight: Tree = None,
        return_dict: bool = False,
    ) -> Any:
        """Evaluate on one batch; return the loss and the metrics of this batch.

        Args:
            x: inputs: an array or tensor, or a list or dict of them.
            y: targets.
            sample_weight: weights of the rows.
            return_dict: whether to return `{name: value}`. Default: False.
        """
        checks.compiled(self, "test_on_batch")
        return self._on_batch("test", (x, y, sample_weight), return_dict)

    def predict_on_batch(self, x: Tree) -> Any:
        """Return the outputs for one batch as NumPy arrays.

        Args:
            x: inputs: an array or tensor, or a list or dict of them.
        """
        with self._engine_scope():
            batch = self._prepared_batch("predict", x)
            runner = self._batch_runner("predict")
            with self._running_steps():
                outputs, rows = runner.run_batch(batch)
        return tree.map_structure(lambda x: _first_rows(x, rows), outputs)

    def _on_batch(self, mode, batch, return_dict, class_weight=None):
        with self._turn(f"{mode}_on_batch") as engine:
            if mode == "train":
                checks.engine_trains(self, engine)
            x, y, sample_weight = batch
            batch = self._prepared_batch(mode, x, y, sample_weight, class_weight)
            self.reset_metrics()
            runner = self._batch_runner(mode)
            with self._running_steps():
                outputs, _ = runner.run_batch(batch)
            logs = runner.logs(outputs)
            logs = as_numbers(logs)
        return logs if return_dict else _as_list(logs)

    def _prepared_batch(self, mode, x, y=None, sample_weight=None, class_weight=None):
        """Return the arrays of one batch on the host, once they fit the model."""
        data = make_data(
            x,
            y,
            sample_weight,
            batch_size=2**30,
            class_weight=class_weight,
            output_names=self._output_names(),
            on_host=self._on_host,
        )
        self._prepare(data, mode)
        return data.peek()


def _first_rows(x, rows):
    """Return the rows of the batch as a NumPy array, without what padded it."""
    return None if x is None else ops.convert_to_numpy(x)[:rows]


def _at_most(limit, number):
    """Return the lesser of two numbers, of which each may be None."""
    return min((n for n in (limit, number) if n is not None), default=None)


def _as_list(logs):
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def _due(epoch, frequency):
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency
