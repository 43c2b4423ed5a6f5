"""Steps: what a model is compiled with, and what one step of it is.

The methods that users override, once for all engines, are here.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import numbers
import operator
from typing import TYPE_CHECKING, Any, Literal

from hornbeam import backends, ops, optimizers
from hornbeam import metrics as metrics_module
from hornbeam.core import scopes, tree
from hornbeam.core.arguments import checks_keywords
from hornbeam.core.configurable import parameters_of
from hornbeam.core.errors import check_choice, check_number
from hornbeam.core.gradients import value_and_grad
from hornbeam.core.naming import distinct
from hornbeam.core.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.core.turns import turns
from hornbeam.core.warning import warn
from hornbeam.layers.call import call_info
from hornbeam.layers.layer_state import kept_while_frozen
from hornbeam.training.compiling.containers import CompileLoss, CompileMetrics
from hornbeam.training.state_tree import get_state_tree, set_state_tree
from hornbeam.training.stateless_steps import also_on_state
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from hornbeam.layers.layer import Layer
    from hornbeam.metrics.metric import Metric
    from hornbeam.training.binding.binding import Binding
    from hornbeam.typing import Config, LossLike, OptimizerLike, PerOutput, Tensor, Tree
else:
    # A model is a Layer: its methods are there when those below are called.
    Layer = object


class Steps(Layer):
    """The part of a model that is compiled and makes steps; see `Model`."""

    # Set by compile(): there is no optimizer before.
    optimizer: Any
    # Set by compile() and fit(); None before.
    loss: Any
    history: Any

    def __init__(self) -> None:
        self.compiled: bool = False
        self.loss = None
        self.stop_training: bool = False
        self.stop_evaluating: bool = False
        self.stop_predicting: bool = False
        self.history = None
        self.run_eagerly: bool | None = False
        self.jit_compile: bool | Literal["auto"] | None = "auto"
        self.steps_per_execution: int = 1
        self._compile_loss: Any = None
        self._compile_metrics: Any = None
        self._loss_tracker: Any = None
        self._compile_arguments: dict[str, Any] = {}
        self._bindings: dict[str, Binding] = {}
        self._runners: dict[str, Any] = {}
        # The modes whose step, a user's, has built what it calls.
        self._modes_built: set[str] = set()

    @checks_keywords
    def compile(
        self,
        optimizer: OptimizerLike | None = "rmsprop",
        loss: LossLike | PerOutput | None = None,
        loss_weights: float | PerOutput | None = None,
        metrics: PerOutput | None = None,
        weighted_metrics: PerOutput | None = None,
        run_eagerly: bool | None = False,
        steps_per_execution: int = 1,
        jit_compile: bool | Literal["auto"] | None = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how the model is trained.

        Args:
            optimizer: an optimizer, its name or its config. Default: "rmsprop".
            loss: a loss, its name, a function `(y_true, y_pred)`, or a list or dict of
                these, one per output.
            loss_weights: weights of the outputs' losses: a list or a dict.
            metrics: a list of metrics, names or functions; with several outputs a list
                of lists, or a dict.
            weighted_metrics: like `metrics`, weighted by the sample weights.
            run_eagerly: whether steps run one operation at a time, for debugging.
            steps_per_execution: the most steps in one call of the program, between
                which callbacks are not called. Default: chosen automatically.
            jit_compile: whether an engine that runs step by step compiles the step:
                torch does if True. Default: "auto", the engine's usual way.
            auto_scale_loss: whether mixed_float16 scales the loss.

        >>> import hornbeam as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        >>> model.compiled
        True
        """
        steps = ("steps_per_execution", steps_per_execution)
        check_number("compile()", *steps, low=1, integer=True)
        check_choice(
            "compile()", "jit_compile", jit_compile, (True, False, "auto", None)
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
        """Return what losses and logs call the outputs: the keys of a dict, or names.

        In a nest with dicts a path goes before the names, which makes most distinct.
        """
        graph = self._graph_within
        if graph is None:
            return getattr(self, "output_names", None)
        outputs = graph._outputs_struct
        paths = tree.paths(outputs)
        if not any(isinstance(key, str) for path in paths for key in path):
            return graph.output_names
        if isinstance(outputs, dict) and all(len(path) == 1 for path in paths):
            return sorted(outputs)
        return distinct(graph._layers_of_outputs(), [path[:-1] for path in paths])

    def _engine_scope(self):
        return backends.scope(self.backend or backends.current())

    @contextlib.contextmanager
    def _turn(self, method):
        """A block in which `method` alone uses the model, on its engine."""
        with turns(self).of(self, method), self._engine_scope() as engine:
            yield engine

    @contextlib.contextmanager
    def _running_steps(self):
        """A block in which steps run: others wait, and no layers come or go."""
        with turns(self).steps, self._frozen_structure():
            yield

    def _forget_programs(self):
        self._bindings.clear()
        self._runners.clear()
        self._modes_built.clear()

    @property
    @kept_while_frozen
    def metrics(self) -> list[Metric]:
        """The mean of the loss, the metrics of layers, and those of compile()."""
        metrics = [self._loss_tracker] if self._loss_tracker is not None else []
        metrics += super().metrics
        if self._compile_metrics is not None:
            metrics.append(self._compile_metrics)
        if self._compile_loss is not None:
            metrics += self._compile_loss.metrics
        return list({id(m): m for m in metrics}.values())

    @property
    def metrics_names(self) -> list[str]:
        """The names of the metrics."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Start the metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return `{name: value}` of all metrics, the losses first."""
        if self._leaves_results_out:
            return {}
        losses = [self._loss_tracker, *getattr(self._compile_loss, "metrics", ())]
        results: dict[str, Any] = {}
        for metric in sorted(self.metrics, key=lambda metric: metric not in losses):
            result = metric.result()
            results |= result if isinstance(result, dict) else {metric.name: result}
        return results

    # Whether compiled programs are shared between equal models.
    _shares_programs = True
    # Skip results between steps; they are not read.
    _leaves_results_out = False

    @overridable
    def compute_loss(
        self,
        x: Tree = None,
        y: Tree = None,
        y_pred: Tree = None,
        sample_weight: Tree = None,
        training: bool = True,
    ) -> Tensor:
        """Return the loss to minimise: that of compile() plus what layers added.

        A subclass may override it, once for all engines.

        Args:
            x: the inputs.
            y: the targets.
            y_pred: the model's outputs.
            sample_weight: weights of the rows.
            training: whether the model is being trained.
        """
        losses = [ops.sum(ops.cast(loss, "float32")) for loss in self.losses]
        if self._compile_loss is not None:
            loss = self._compile_loss(y, y_pred, sample_weight)
            if loss is not None:
                losses.insert(0, loss)
        is_ours = type(self).compute_loss is Steps.compute_loss
        if training and is_ours and not losses:
            raise ValueError(
                f"Model {self.name!r} has no loss to compute: give one to "
                "`compile(loss=...)`, add one with `add_loss()`, or override "
                "`compute_loss()`."
            )
        return functools.reduce(operator.add, losses or [ops.zeros(())])

    def _loss_in_step(self, x, y, y_pred, sample_weight, training):
        """Call `compute_loss`: one of a user's need not take `training`."""
        kinds = {p.name: p.kind for p in parameters_of(self.compute_loss)}
        takes = "training" in kinds or inspect.Parameter.VAR_KEYWORD in kinds.values()
        options = {"training": training} if takes else {}
        loss = self.compute_loss(
            x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **options
        )
        if loss is None:
            raise TypeError(
                f"`compute_loss()` of model {self.name!r} must return the loss, a "
                "scalar tensor. Received: None. Does it end with `return loss`?"
            )
        return loss

    def stateless_compute_loss(
        self,
        trainable_variables: list[Tensor],
        non_trainable_variables: list[Tensor],
        metrics_variables: list[Tensor],
        x: Tree = None,
        y: Tree = None,
        y_pred: Tree = None,
        sample_weight: Tree = None,
        training: bool = True,
    ) -> tuple[Tensor, tuple[list[Tensor], ...]]:
        """Compute the loss on given values of the variables, which keep their own.

        Returns:
            `(loss, (trainable, non-trainable and metrics variables' new values))`
        """
        groups = (
            (self.trainable_variables, trainable_variables),
            (self.non_trainable_variables, non_trainable_variables),
            (self.metrics_variables, metrics_variables),
        )
        mapping = [pair for group in groups for pair in zip(*group, strict=True)]
        with scopes.StatelessScope(mapping) as scope:
            loss = self._loss_in_step(x, y, y_pred, sample_weight, training)
        new = tuple(
            [scope.get_current_value(variable) for variable in variables]
            for variables, _ in groups
        )
        return loss, new

    @overridable
    def compute_metrics(
        self, x: Tree, y: Tree, y_pred: Tree, sample_weight: Tree = None
    ) -> dict[str, Any]:
        """Update the metrics of compile() and return all results.

        A subclass may override it, once for all engines.
        """
        if self._compile_metrics is not None:
            self._compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    @also_on_state
    def train_step(self, data: Tree) -> dict[str, Any]:
        """Train on one batch and return `{name: value}`.

        A subclass may override it, once for all engines: `value_and_grad` gives
        gradients, `self.optimizer.apply` uses them. Keras's forms for one engine run
        on that engine: `train_step(state, data)` on JAX, one with `loss.backward()` on
        torch, one with a `tf.GradientTape` on TensorFlow.

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
        x, y, sample_weight = unpack(data)
        optimizer: Any = getattr(self, "optimizer", None)

        def loss_fn():
            y_pred = self._call_for_step(x, True)
            loss = self._loss_in_step(x, y, y_pred, sample_weight, True)
            scaled = loss if optimizer is None else optimizer.scale_loss(loss)
            return scaled, (loss, y_pred)

        if self.trainable_variables:
            variables = self.trainable_variables
            (_, aux), gradients = value_and_grad(loss_fn, variables, has_aux=True)
            optimizer.apply(gradients, variables)
        else:
            warn(
                f"Model {self.name!r} has no trainable weights: nothing is trained.",
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

    @also_on_state
    def test_step(self, data: Tree) -> dict[str, Any]:
        """Evaluate on one batch and return `{name: value}`; may be overridden."""
        x, y, sample_weight = unpack(data)
        y_pred = self._call_for_step(x, False)
        loss = self._loss_in_step(x, y, y_pred, sample_weight, False)
        self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    @also_on_state
    def predict_step(self, data: Tree) -> Any:
        """Return the outputs for one batch; may be overridden."""
        x, _, _ = unpack(data)
        return self._call_for_step(x, False)

    def _call_for_step(self, x, training):
        options = {"training": training} if self._takes_training() else {}
        outputs = self(x, **options)
        if outputs is None or isinstance(outputs, str | numbers.Number):
            raise ValueError(
                f"`call()` of model {self.name!r} ({type(self).__name__}) must return "
                f"a tensor, or a nest of them. Received: {outputs!r}. Does it end with "
                "`return outputs`?"
            )
        return outputs

    def _takes_training(self):
        info = call_info(type(self).call)
        return info.has_training or info.takes_any

    def get_compile_config(self) -> Config | None:
        """Return the arguments of compile() as plain data, or None."""
        if not self.compiled:
            return None
        return {
            name: serialize_keras_object(value)
            for name, value in self._compile_arguments.items()
        }

    def compile_from_config(self, config: Config) -> None:
        """Compile the model from what `get_compile_config` returned."""
        cls = type(self)
        if (
            cls.compile is not Steps.compile
            and cls.compile_from_config is Steps.compile_from_config
        ):
            warn(
                "`compile()` was not called as part of model loading because the "
                "model's `compile()` method is custom. Override `get_compile_config()` "
                "and `compile_from_config()` too, so that a loaded model is compiled.",
            )
            return
        config = deserialize_keras_object(config)
        self.compile(**config)
        optimizer: Any = getattr(self, "optimizer", None)
        if optimizer is not None and self.built:
            optimizer.build(self.trainable_variables)

    def jax_state_sync(self) -> None:
        """Do nothing: the variables always hold their values."""

    def get_state_tree(
        self, value_format: Literal["backend_tensor", "numpy_array"] = "backend_tensor"
    ) -> dict[str, Any]:
        """Return the values of all variables as a nested dict.

        Args:
            value_format: "backend_tensor" or "numpy_array".
        """
        return get_state_tree(self, value_format)

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Set the variables from what `get_state_tree` returned."""
        set_state_tree(self, state_tree)


def unpack(data: Any) -> tuple[Any, Any, Any]:
    """Return a batch as `(x, y, sample_weight)`, None for what is missing."""
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    return (*data, None, None)[:3]


def _rows(x):
    """Return how many rows of the batch count: the weight of the batch's loss."""
    mask = scopes.batch_mask()
    if mask is not None:
        return ops.sum(mask)
    for leaf in tree.flatten(x):
        shape: Any = getattr(leaf, "shape", ())
        if len(shape) > 0:
            return shape[0]
    return 1
