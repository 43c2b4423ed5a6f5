"""Trainer: fit, evaluate, predict."""

import contextlib

from hornbeam.core import scopes, tree
from hornbeam.core.arguments import checks_keywords
from hornbeam.core.configurable import parameters_of
from hornbeam.core.errors import did_you_mean
from hornbeam.training.binding import checks
from hornbeam.training.building import ModelBuilding
from hornbeam.training.concurrent.scheduler import reason_to_run_alone
from hornbeam.training.execution.passes import Pass, as_numbers
from hornbeam.training.execution.prediction import PredictRunner, choose_batch_size


class Trainer(ModelBuilding):
    """The part of a model that trains, evaluates and predicts; see `Model`."""

    @checks_keywords
    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
    ):
        """Train the model and return its `History`.

        Args:
            x: inputs: arrays, lists or dicts of arrays, data frames, a generator, a
                `PyDataset`, a torch `DataLoader` or dataset, or a `tf.data.Dataset`.
            y: targets, unless `x` gives them.
            batch_size: rows in a step. Default: 32.
            epochs: the number of the last epoch. Default: 1.
            verbose: 0 silent, 1 live display, 2 a line an epoch. Default: "auto".
            callbacks: a list of callbacks.
            validation_split: the fraction of the rows, taken from the end, that is kept
                apart for validation.
            validation_data: `(x, y)` or `(x, y, sample_weight)`, or a dataset.
            shuffle: whether rows come in a new order every epoch. Default: True.
            class_weight: `{class: weight}`, `{output: {class: weight}}` or "balanced".
            sample_weight: weights of the rows.
            initial_epoch: the epoch at which to start. Default: 0.
            steps_per_epoch: steps in an epoch. Default: all data.
            validation_steps: steps of a validation. Default: all data.
            validation_batch_size: default: `batch_size`.
            validation_freq: validate every so many epochs, or a list of epochs.
        """
        from hornbeam.config import max_epochs, max_steps_per_epoch
        from hornbeam.data import make_data, train_validation_split

        checks.compiled(self, "fit")
        checks.epochs(self, epochs, initial_epoch, validation_freq)
        if max_epochs() is not None:
            epochs = min(epochs, max_epochs())
        if max_steps_per_epoch() is not None:
            steps_per_epoch = min(
                steps_per_epoch or max_steps_per_epoch(), max_steps_per_epoch()
            )
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = train_validation_split(
                (x, y, sample_weight), validation_split=validation_split
            )
        with self._engine_scope() as engine:
            checks.engine_trains(self, engine)
            data = make_data(
                x,
                y,
                sample_weight,
                batch_size=batch_size,
                steps=steps_per_epoch,
                shuffle=shuffle,
                class_weight=class_weight,
                output_names=self._output_names(),
            )
            self._prepare(data, "train")
            valid = None
            if validation_data is not None:
                valid = self._validation_data(
                    validation_data,
                    validation_batch_size or batch_size,
                    validation_steps,
                )
                checks.validation_fits(self, valid, data)
            runner = self._runner(data, "train")
            callbacks = self._callbacks(
                callbacks, verbose, runner.steps, epochs, add_history=True
            )
            callbacks.data = data
            worker = scopes.worker()
            if worker is not None:
                reason = reason_to_run_alone(self, engine, data, callbacks)
                worker.scheduler.warn_once(reason)
            with self._running(data, callbacks):
                self._fit_loop(
                    runner, valid, callbacks, initial_epoch, epochs, validation_freq
                )
        return self.history

    def _callbacks(self, callbacks, verbose, steps, epochs=1, add_history=False):
        from hornbeam.callbacks import CallbackList

        if isinstance(callbacks, CallbackList):
            return callbacks
        return CallbackList(
            callbacks,
            add_history=add_history,
            add_progbar=verbose != 0,
            model=self,
            verbose=verbose,
            epochs=epochs,
            steps=steps,
        )

    @contextlib.contextmanager
    def _running(self, data, callbacks):
        """A block that runs steps; what it compiles is shown where progress is."""
        try:
            with scopes.display_scope(callbacks.display or scopes.display()):
                yield
        finally:
            data.close()
            callbacks.close()

    def _validation_data(self, validation_data, batch_size, steps):
        from hornbeam.data import make_data

        arrays = (validation_data,)
        if isinstance(validation_data, tuple | list):
            if len(validation_data) not in (1, 2, 3):
                raise ValueError(
                    "Argument `validation_data` of fit() must be `(x, y)`, "
                    "`(x, y, sample_weight)` or a dataset. Received a "
                    f"{type(validation_data).__name__} of {len(validation_data)} items."
                )
            arrays = tuple(validation_data)
        return make_data(*arrays, batch_size=batch_size, steps=steps, continues=False)

    def _fit_loop(self, runner, valid, callbacks, first, epochs, validation_freq):
        self.stop_training = False
        limit = self._steps_limit()
        train = Pass(self, runner, callbacks, "train", limit)
        test = None
        if valid is not None:
            test = Pass(self, self._runner(valid, "test"), callbacks, "test", limit)
        callbacks.on_train_begin()
        resumed = getattr(self, "_initial_epoch", None)
        first = first if resumed is None else resumed
        logs = {}
        looks_ahead = test is None and not callbacks.wants_epochs
        for epoch in range(first, epochs):
            train.reset_metrics(epoch)
            callbacks.on_epoch_begin(epoch)
            logs = train.run_epoch(epoch, ahead=epochs - epoch if looks_ahead else 1)
            if train.steps_done == 0:
                # The data has ended: an epoch without a step trains nothing.
                break
            if test is not None and _due(epoch, validation_freq):
                found = test.run_with_events(epoch)
                logs = logs | {f"val_{k}": v for k, v in found.items()}
            callbacks.on_epoch_end(epoch, logs)
            runner.data.on_epoch_end()
            if self.stop_training:
                break
        if self.optimizer is not None and epochs > first:
            self.optimizer.finalize_variable_values(self.trainable_variables)
        callbacks.on_train_end(logs)

    def _steps_limit(self):
        return self.steps_per_execution if self.steps_per_execution > 1 else None

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
        **kwargs,
    ):
        """Return the loss and the metrics on data.

        Args:
            x: inputs, as for `fit`.
            y: targets, unless `x` gives them.
            batch_size: rows in a step. Default: 32.
            verbose: 0 silent, 1 live display, 2 one line. Default: "auto".
            sample_weight: weights of the rows.
            steps: steps. Default: all data.
            callbacks: a list of callbacks.
            return_dict: whether to return `{name: value}` instead of a list.
        """
        from hornbeam.data import make_data

        if kwargs:
            known = [p.name for p in parameters_of(self.evaluate)]
            raise ValueError(
                f"Arguments not recognized: {sorted(kwargs)}."
                f"{did_you_mean(next(iter(kwargs)), known)}"
            )
        checks.compiled(self, "evaluate")
        with self._engine_scope():
            data = make_data(
                x, y, sample_weight, batch_size=batch_size, steps=steps, continues=False
            )
            self._prepare(data, "test")
            runner = self._runner(data, "test")
            callbacks = self._callbacks(callbacks, verbose, runner.steps)
            test = Pass(self, runner, callbacks, "test", self._steps_limit())
            with self._running(data, callbacks):
                logs = test.run_with_events()
        return logs if return_dict else _as_list(logs)

    @checks_keywords
    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Return the outputs for `x` as NumPy arrays.

        Args:
            x: inputs, as for `fit`.
            batch_size: rows in a step. Default: as many as suit, at least 32.
            verbose: 0 silent, 1 live display, 2 one line. Default: "auto".
            steps: steps. Default: all data.
            callbacks: a list of callbacks.
        """
        from hornbeam.data import make_data

        with self._engine_scope():
            data = make_data(x, batch_size=batch_size, steps=steps, continues=False)
            self._prepare(data, "predict")
            one = self._one_batch("predict")
            if data.in_memory and batch_size is None and steps is None:
                if getattr(one, "masked", True):
                    choose_batch_size(data)
            callbacks = self._callbacks(callbacks, verbose, data.steps)
            runner = PredictRunner(one, data, callbacks.wants_batches("predict"))
            predict = Pass(self, runner, callbacks, "predict", self._steps_limit())
            with self._running(data, callbacks):
                predict.run_with_events()
                return runner.outputs()

    @checks_keywords
    def train_on_batch(
        self, x, y=None, sample_weight=None, class_weight=None, return_dict=False
    ):
        """Train on one batch; return the loss and the metrics of this batch."""
        checks.compiled(self, "train_on_batch")
        return self._on_batch(
            "train", (x, y, sample_weight), return_dict, class_weight=class_weight
        )

    @checks_keywords
    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Evaluate on one batch; return the loss and the metrics of this batch."""
        checks.compiled(self, "test_on_batch")
        return self._on_batch("test", (x, y, sample_weight), return_dict)

    def predict_on_batch(self, x):
        """Return the outputs for one batch as NumPy arrays."""
        from hornbeam.data import make_data

        with self._engine_scope():
            data = make_data(x, batch_size=2**30)
            self._prepare(data, "predict")
            outputs, rows = self._one_batch("predict").run_batch(data.arrays)
        return tree.map_structure(lambda x: _first_rows(x, rows), outputs)

    def _on_batch(self, mode, arrays, return_dict, class_weight=None):
        from hornbeam.data import make_data

        with self._engine_scope() as engine:
            if mode == "train":
                checks.engine_trains(self, engine)
            data = make_data(
                *arrays,
                batch_size=2**30,
                class_weight=class_weight,
                output_names=self._output_names(),
            )
            self._prepare(data, mode)
            self.reset_metrics()
            runner = self._one_batch(mode)
            logs, _ = runner.run_batch(data.arrays)
            if runner.plan_finish is not None:
                logs = runner.plan_finish()
            logs = as_numbers(logs)
        return logs if return_dict else _as_list(logs)


def _first_rows(x, rows):
    """Return the rows of the batch as a NumPy array, without what padded it."""
    from hornbeam import ops

    return None if x is None else ops.convert_to_numpy(x)[:rows]


def _as_list(logs):
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def _due(epoch, frequency):
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency
