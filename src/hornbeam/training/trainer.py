"""Trainer: compile, fit, evaluate, predict."""

import warnings

import numpy as np

from hornbeam import backends
from hornbeam.core import scopes, tree
from hornbeam.core.gradients import value_and_grad
from hornbeam.layers.layer_state import kept_while_frozen
from hornbeam.training import checks
from hornbeam.training.loop import Pass, as_numbers
from hornbeam.training.program import Binding
from hornbeam.training.runners import StepPlan, batch_runner, make_runner
from hornbeam.training.structure import Structure


class Trainer:
    """The part of a model that trains, evaluates and predicts; see `Model`."""

    def __init__(self):
        self.compiled = False
        self.optimizer = None
        self.loss = None
        self.stop_training = False
        self.history = None
        self.run_eagerly = False
        self.jit_compile = "auto"
        self.steps_per_execution = 1
        self._compile_loss = None
        self._compile_metrics = None
        self._loss_tracker = None
        self._compile_arguments = None
        self._bindings = {}
        self._runners = {}

    def compile(
        self,
        optimizer="rmsprop",
        loss=None,
        loss_weights=None,
        metrics=None,
        weighted_metrics=None,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
        auto_scale_loss=True,
    ):
        """Say how the model is trained.

        Args:
            optimizer: an optimizer, its name or its config. Default: "rmsprop".
            loss: a loss, its name, a function `(y_true, y_pred)`, or a list or dict of
                these, one an output.
            loss_weights: weights of the outputs' losses: a list or a dict.
            metrics: a list of metrics, names or functions; with several outputs a list
                of lists, or a dict.
            weighted_metrics: like `metrics`, weighted by the sample weights.
            run_eagerly: whether steps run one operation at a time, for debugging.
            steps_per_execution: most steps between two looks of the callbacks at the
                training. Default: as many as suit.
            jit_compile: accepted: the engine compiles what it can.
            auto_scale_loss: whether mixed_float16 scales the loss.

        >>> import hornbeam as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        >>> model.compiled
        True
        """
        from hornbeam import metrics as metrics_module
        from hornbeam import optimizers
        from hornbeam.training.compile_utils import CompileLoss, CompileMetrics

        if not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ValueError(
                "Argument `steps_per_execution` of compile() must be a positive "
                f"integer. Received: steps_per_execution={steps_per_execution!r}"
            )
        optimizer = optimizers.get(optimizer)
        policy = self.dtype_policy
        if auto_scale_loss and policy.name == "mixed_float16" and optimizer:
            optimizer = optimizers.LossScaleOptimizer(
                optimizer, name="loss_scale_optimizer"
            )
        names = self._output_names()
        compile_loss = None
        if loss is not None:
            compile_loss = CompileLoss(loss, loss_weights, output_names=names)
        compile_metrics = None
        if metrics is not None or weighted_metrics is not None:
            compile_metrics = CompileMetrics(
                metrics, weighted_metrics, output_names=names
            )
        with self._engine_scope():
            self._loss_tracker = metrics_module.Mean(name="loss")
        self.optimizer = optimizer
        self.loss = loss
        self._compile_loss = compile_loss
        self._compile_metrics = compile_metrics
        self.run_eagerly = run_eagerly
        self.jit_compile = jit_compile
        self.steps_per_execution = steps_per_execution
        self.stop_training = False
        self.compiled = True
        self._compile_arguments = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self._forget_programs()

    def _output_names(self):
        names = getattr(self, "output_names", None)
        if names is not None:
            return names
        graph = getattr(self, "_functional", None) or self
        outputs = getattr(graph, "_outputs_struct", None)
        if outputs is None:
            return None
        if isinstance(outputs, dict):
            return sorted(outputs)
        return [x._keras_history.operation.name for x in tree.flatten(outputs)]

    def _engine_scope(self):
        return backends.scope(self.backend or backends.current())

    def _forget_programs(self):
        self._bindings.clear()
        self._runners.clear()

    @property
    @kept_while_frozen
    def metrics(self):
        """The loss's mean, the metrics of layers, and those given to compile()."""
        found = [self._loss_tracker] if self._loss_tracker is not None else []
        found += super().metrics
        for container in (self._compile_metrics, self._compile_loss):
            if container is self._compile_metrics and container is not None:
                found.append(container)
            elif container is not None:
                found += container.metrics
        return list({id(m): m for m in found}.values())

    @property
    def metrics_names(self):
        """The names of the metrics."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self):
        """Start the metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self):
        """Return `{name: value}` of all metrics."""
        if self._leaves_results_out:
            return {}
        results = {}
        for metric in self.metrics:
            if metric is self._loss_tracker and not self._has_loss():
                continue
            result = metric.result()
            results |= result if isinstance(result, dict) else {metric.name: result}
        return results

    def _has_loss(self):
        own = type(self).compute_loss is not Trainer.compute_loss
        own |= type(self).train_step is not Trainer.train_step
        return self._compile_loss is not None or own or self._adds_losses

    _adds_losses = False
    # Whether results are not computed: between the steps of a pass nobody looks.
    _leaves_results_out = False

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """Return the loss to minimise: that of compile() plus what layers added.

        A subclass may override it, once for all engines.

        Args:
            x: the inputs.
            y: the targets.
            y_pred: the model's outputs.
            sample_weight: weights of the rows.
            training: whether the model is being trained.
        """
        losses = []
        if self._compile_loss is not None:
            loss = self._compile_loss(y, y_pred, sample_weight)
            if loss is not None:
                losses.append(loss)
        added = self.losses
        if added:
            from hornbeam import ops

            self._adds_losses = True
            losses += [ops.sum(ops.cast(loss, "float32")) for loss in added]
        if not losses:
            if self._compile_loss is None:
                raise ValueError(
                    f"Model {self.name!r} has no loss to compute: give one to "
                    "`compile(loss=...)`, add one with `add_loss()`, or override "
                    "`compute_loss()`."
                )
            return None
        total = losses[0]
        for loss in losses[1:]:
            total = total + loss
        return total

    def stateless_compute_loss(
        self,
        trainable_variables,
        non_trainable_variables,
        metrics_variables,
        x=None,
        y=None,
        y_pred=None,
        sample_weight=None,
        training=True,
    ):
        """Compute the loss on given values of the variables, which keep their own.

        Returns:
            `(loss, (trainable, non-trainable and metrics variables' new values))`
        """
        groups = (
            (self.trainable_variables, trainable_variables),
            (self.non_trainable_variables, non_trainable_variables),
            (self.metrics_variables, metrics_variables),
        )
        mapping = [p for own, given in groups for p in zip(own, given, strict=True)]
        with scopes.StatelessScope(mapping) as scope:
            loss = self.compute_loss(
                x, y, y_pred, sample_weight=sample_weight, training=training
            )
        new = tuple([scope.get_current_value(v) for v in own] for own, _ in groups)
        return loss, new

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Update the metrics of compile() and return all results.

        A subclass may override it, once for all engines.
        """
        if self._compile_metrics is not None:
            self._compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def train_step(self, data):
        """Train on one batch and return `{name: value}`.

        A subclass may override it, once for all engines: `value_and_grad` gives
        gradients, `self.optimizer.apply` uses them.

        >>> import hornbeam as keras
        >>> class Halving(keras.Model):
        ...     def train_step(self, data):
        ...         x, y = data
        ...         def loss():
        ...             return self.compute_loss(x, y, self(x, training=True))
        ...         value, gradients = keras.value_and_grad(
        ...             loss, self.trainable_variables)
        ...         self.optimizer.apply(gradients, self.trainable_variables)
        ...         return {"loss": value / 2}
        """
        x, y, sample_weight = _unpack(data)
        optimizer = self.optimizer

        def loss_fn():
            y_pred = self._call_for_step(x, True)
            loss = self.compute_loss(
                x, y, y_pred, sample_weight=sample_weight, training=True
            )
            scaled = loss if optimizer is None else optimizer.scale_loss(loss)
            return scaled, (loss, y_pred)

        if self.trainable_variables:
            variables = self.trainable_variables
            (_, aux), gradients = value_and_grad(loss_fn, variables, has_aux=True)
            optimizer.apply(gradients, variables)
        else:
            warnings.warn(
                f"Model {self.name!r} has no trainable weights: nothing is trained.",
                stacklevel=2,
            )
            _, aux = loss_fn()
        loss, y_pred = aux
        self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def _track_loss(self, loss, x):
        """Add the batch's loss to its mean over the rows seen."""
        total, count = self._loss_tracker.variables
        rows = _rows(x)
        total.assign_add(loss * rows)
        count.assign_add(rows)

    def test_step(self, data):
        """Evaluate on one batch and return `{name: value}`; may be overridden."""
        x, y, sample_weight = _unpack(data)
        y_pred = self._call_for_step(x, False)
        if self._compile_loss is not None or self._has_loss() or self.losses:
            loss = self.compute_loss(
                x, y, y_pred, sample_weight=sample_weight, training=False
            )
            self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data):
        """Return the outputs for one batch; may be overridden."""
        x, _, _ = _unpack(data)
        return self._call_for_step(x, False)

    def _call_for_step(self, x, training):
        if self._takes_training():
            return self(x, training=training)
        return self(x)

    def _takes_training(self):
        from hornbeam.layers.call import call_info

        info = call_info(type(self).call)
        return info.has_training or info.takes_any

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
                `PyDataset`, a torch `DataLoader` or a `tf.data.Dataset`.
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
        from hornbeam.callbacks import CallbackList
        from hornbeam.config import max_epochs, max_steps_per_epoch
        from hornbeam.data import make_data, train_validation_split

        checks.compiled(self, "fit")
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
                checks.data_fits(self, valid)
            runner = self._runner(data, "train")
            if not isinstance(callbacks, CallbackList):
                callbacks = CallbackList(
                    callbacks,
                    add_history=True,
                    add_progbar=verbose != 0,
                    model=self,
                    verbose=verbose,
                    epochs=epochs,
                    steps=runner.steps,
                )
            callbacks.data = data
            try:
                self._fit_loop(
                    runner, valid, callbacks, initial_epoch, epochs, validation_freq
                )
            finally:
                data.close()
                callbacks.close()
        return self.history

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
        for epoch in range(first, epochs):
            self.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            logs = train.run(epoch)
            if train.steps_done == 0:
                # The data has ended: an epoch without a step trains nothing.
                break
            if test is not None and _due(epoch, validation_freq):
                self.reset_metrics()
                callbacks.on_test_begin()
                found = test.run(epoch)
                callbacks.on_test_end(found)
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
        from hornbeam.callbacks import CallbackList
        from hornbeam.data import make_data

        if kwargs:
            raise ValueError(f"Arguments not recognized: {sorted(kwargs)}")
        checks.compiled(self, "evaluate")
        with self._engine_scope():
            data = make_data(
                x, y, sample_weight, batch_size=batch_size, steps=steps, continues=False
            )
            self._prepare(data, "test")
            runner = self._runner(data, "test")
            if not isinstance(callbacks, CallbackList):
                callbacks = CallbackList(
                    callbacks,
                    add_progbar=verbose != 0,
                    model=self,
                    verbose=verbose,
                    epochs=1,
                    steps=runner.steps,
                )
            try:
                self.reset_metrics()
                callbacks.on_test_begin()
                logs = Pass(self, runner, callbacks, "test", self._steps_limit()).run(0)
                callbacks.on_test_end(logs)
            finally:
                data.close()
                callbacks.close()
        return logs if return_dict else _as_list(logs)

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Return the outputs for `x` as NumPy arrays.

        Args:
            x: inputs, as for `fit`.
            batch_size: rows in a step. Default: as many as suit, at least 32.
            verbose: 0 silent, 1 live display, 2 one line. Default: "auto".
            steps: steps. Default: all data.
            callbacks: a list of callbacks.
        """
        from hornbeam.training.predict import predict

        return predict(self, x, batch_size, verbose, steps, callbacks)

    def train_on_batch(
        self, x, y=None, sample_weight=None, class_weight=None, return_dict=False
    ):
        """Train on one batch; return the loss and the metrics of this batch."""
        checks.compiled(self, "train_on_batch")
        return self._on_batch(
            "train", (x, y, sample_weight), return_dict, class_weight=class_weight
        )

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
            outputs, _ = self._one_batch("predict").run(data.arrays)
        return tree.map_structure(_to_numpy, outputs)

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
            logs, _ = runner.run(data.arrays)
            if runner.plan_finish is not None:
                logs = runner.plan_finish()
            logs = as_numbers(logs)
        return logs if return_dict else _as_list(logs)

    def _one_batch(self, mode):
        if mode not in self._runners:
            plan = self._plan(mode)
            runner = batch_runner(self._binding(mode), plan, self._compiles())
            runner.plan_finish = plan.finish
            self._runners[mode] = runner
        return self._runners[mode]

    def make_train_function(self, force=False):
        """Forget the compiled steps if `force`; they are made when needed."""
        if force:
            self._forget_programs()

    make_test_function = make_predict_function = make_train_function

    def _compiles(self):
        return backends.current().compiles and not self.run_eagerly

    def _prepare(self, data, mode):
        """Build what is not built, and check that the data fits, before all else."""
        batch = checks.first_batch(data)
        x, y, sample_weight = _unpack(batch)
        if not self.built or (mode != "predict" and not self._parts_built(mode)):
            self._build_parts(x, y, sample_weight, mode)
        if mode != "predict":
            checks.data_fits(self, data)

    def _parts_built(self, mode):
        parts = [self._compile_loss, self._compile_metrics]
        if mode == "train":
            parts.append(self.optimizer)
        return all(part is None or part.built for part in parts)

    def _build_parts(self, x, y, sample_weight, mode):
        symbols = _symbols(x)
        if not self.built and hasattr(self, "_build_for") and hasattr(x, "shape"):
            self._build_for(x)
        y_pred = None
        if not self.built or mode != "predict":
            y_pred = self._infer_outputs(symbols)
        if mode != "predict" and y is not None:
            checks.targets_fit(self, y, y_pred)
            for part in (self._compile_loss, self._compile_metrics):
                if part is not None and not part.built:
                    part.build(_symbols(y), y_pred)
        if mode == "train" and self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def _infer_outputs(self, symbols):
        from hornbeam.graph.operation import infer

        was_built = self.built
        try:
            outputs = infer(lambda x: self._call_for_step(x, False), (symbols,), {})
        except NotImplementedError:
            if was_built:
                raise
            raise
        return outputs

    def _binding(self, mode):
        """Return the Binding of the model for a mode; it follows the structure."""
        parts = [self, _overridden(self)]
        variables = list(self.variables)
        if mode != "predict":
            parts += [self._compile_arguments_structure(), self._names_in_logs()]
            variables += self.metrics_variables
        if mode == "train" and self.optimizer is not None:
            parts.append(self.optimizer)
            variables += self.optimizer.variables
        variables += self._global_seed_variables()
        structure = Structure(*parts)
        ids = tuple(id(v) for v in variables)
        known = self._bindings.get(mode)
        if known is None or known[0] != (structure.key, ids):
            binding = Binding(backends.current(), structure, variables)
            self._bindings[mode] = known = ((structure.key, ids), binding)
            self._runners.pop(mode, None)
        return known[1]

    def _names_in_logs(self):
        """Return the names that logs have: they are part of a program's outputs."""
        inner = getattr(self._compile_metrics, "metrics", ())
        return [metric.name for metric in (*self.metrics, *inner)]

    def _global_seed_variables(self):
        from hornbeam.core.random import global_seed_generator

        return [global_seed_generator().state]

    def _compile_arguments_structure(self):
        names = ("loss", "loss_weights", "metrics", "weighted_metrics")
        return {name: self._compile_arguments[name] for name in names}

    def _plan(self, mode):
        structure = self._binding(mode).structure
        own = type(self)
        step = getattr(self, f"{mode}_step")
        if mode == "predict":
            plain = own.predict_step is Trainer.predict_step
            kind = ("predict", None if plain else own)
            return StepPlan(
                mode, lambda data: step(data), None, None, kind, not structure.foreign
            )
        default = getattr(own, f"{mode}_step") is getattr(Trainer, f"{mode}_step")
        quiet = default and own.compute_metrics is Trainer.compute_metrics
        watched = self._loss_tracker.variables[0] if default else None
        finish = self.get_metrics_result if quiet else None

        def run(data):
            data = data if len(data) > 1 or default else data[0]
            self._leaves_results_out = quiet
            try:
                return step(data)
            finally:
                self._leaves_results_out = False
                self._forget_losses()

        return StepPlan(
            mode, run, finish, watched, (mode, quiet), not structure.foreign
        )

    def _forget_losses(self):
        for layer in self._flatten_layers():
            layer._added_losses.clear()

    def _runner(self, data, mode):
        return make_runner(
            self._binding(mode), self._plan(mode), data, self._compiles()
        )

    def get_compile_config(self):
        """Return the arguments of compile() as plain data, or None."""
        from hornbeam.core.serialization import serialize_keras_object

        if not self.compiled or self._compile_arguments is None:
            return None
        return {
            name: serialize_keras_object(value)
            for name, value in self._compile_arguments.items()
        }

    def compile_from_config(self, config):
        """Compile the model from what `get_compile_config` returned."""
        from hornbeam.core.serialization import deserialize_keras_object

        cls = type(self)
        if (
            cls.compile is not Trainer.compile
            and cls.compile_from_config is Trainer.compile_from_config
        ):
            warnings.warn(
                "`compile()` was not called as part of model loading because the "
                "model's `compile()` method is custom. Override `get_compile_config()` "
                "and `compile_from_config()` too, so that a loaded model is compiled.",
                stacklevel=2,
            )
            return
        config = deserialize_keras_object(config)
        self.compile(**config)
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)

    def jax_state_sync(self):
        """Nothing is to be done: the variables always hold their values."""

    def get_state_tree(self, value_format="backend_tensor"):
        """Return the values of all variables as a nested dict.

        Args:
            value_format: "backend_tensor" or "numpy_array".
        """
        from hornbeam.training.state_tree import get_state_tree

        return get_state_tree(self, value_format)

    def set_state_tree(self, state_tree):
        """Set the variables from what `get_state_tree` returned."""
        from hornbeam.training.state_tree import set_state_tree

        set_state_tree(self, state_tree)


def _overridden(model):
    """Return which of the model's methods are a user's, for the key of programs."""
    cls = type(model)
    names = (
        "train_step",
        "test_step",
        "predict_step",
        "compute_loss",
        "compute_metrics",
    )
    return tuple(
        name
        for name in names
        if name in vars(model) or getattr(cls, name) is not getattr(Trainer, name)
    )


def _unpack(data):
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    return (*data, None, None)[:3]


def _rows(x):
    """Return how many rows of the batch count: the weight of the batch's loss."""
    from hornbeam import ops

    mask = scopes.batch_mask()
    if mask is not None:
        return ops.sum(mask)
    for leaf in tree.flatten(x):
        shape = getattr(leaf, "shape", ())
        if len(shape) > 0:
            return shape[0]
    return 1


def _symbols(x):
    from hornbeam.graph.keras_tensor import KerasTensor

    def symbol(leaf):
        if leaf is None:
            return None
        dtype = (
            str(np.asarray(leaf).dtype) if not hasattr(leaf, "dtype") else leaf.dtype
        )
        dtype = str(dtype).removeprefix("torch.")
        return KerasTensor(tuple(leaf.shape), dtype)

    return tree.map_structure(symbol, x)


def _to_numpy(x):
    from hornbeam import ops

    return None if x is None else ops.convert_to_numpy(x)


def _as_list(logs):
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def _due(epoch, frequency):
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency
