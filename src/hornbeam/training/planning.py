"""What each step of `fit`, `evaluate` and `predict` is, and what runs it."""

from __future__ import annotations

from typing import Any

from hornbeam import backends
from hornbeam.core import adaptations
from hornbeam.core.random import global_seed_generator
from hornbeam.core.turns import turns
from hornbeam.layers import tracking
from hornbeam.layers.values_needed import explain
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.training.binding import checks
from hornbeam.training.binding.binding import Binding
from hornbeam.training.binding.structure import Structure
from hornbeam.training.execution.programs import ProgramCache, cache
from hornbeam.training.execution.runners import make_batch_runner, make_runner
from hornbeam.training.execution.step_plan import StepPlan
from hornbeam.training.stateless_steps import on_variables, takes_state
from hornbeam.training.steps import Steps


class StepPlanning(Steps):
    """The part of a model that plans its steps; see `Model`."""

    def make_train_function(self, force: bool = False) -> None:
        """Forget the compiled steps if `force`; they are made when needed."""
        if force:
            self._forget_programs()

    make_test_function = make_train_function
    make_predict_function = make_train_function

    def _compiles(self):
        return backends.current().compiles and not self.run_eagerly

    def _has_own_step(self, mode):
        name = f"{mode}_step"
        return getattr(type(self), name) is not getattr(Steps, name)

    def _binding(self, mode):
        """Return the Binding of the model for a mode; it follows the structure."""
        parts: list[Any] = [self, _overridden(self)]
        variables = list(self.variables)
        if mode != "predict":
            parts += [self._compile_arguments_structure(), self._names_in_logs()]
            # Steps keep the loss's mean even if the user's `metrics` leaves it out.
            variables += [*self._loss_tracker.variables, *self.metrics_variables]
        if mode == "train":
            for optimizer in self._optimizers():
                parts.append(optimizer)
                variables += optimizer.variables
        shared = [global_seed_generator().state]
        structure = Structure(*parts)
        structure.shareable &= self._shares_programs
        binding = self._bindings.get(mode)
        if binding is None or not binding.fits(structure, [*shared, *variables]):
            programs = cache if structure.shareable else ProgramCache()
            binding = Binding(
                backends.current(), structure, variables, programs, shared, turns(self)
            )
            self._bindings[mode] = binding
            self._runners.pop(mode, None)
        return binding

    def _state_of_steps(self):
        """Return the Variables of a training step, and `(owner, name)` of its numbers.

        Those that no layer, metric or optimizer tracks are left out.
        """
        binding = self._binding("train")
        return binding.variables[: binding.tracked], binding.structure.hyperparameters

    def _optimizers(self):
        """Return the optimizer of compile(), and those that attributes hold."""
        compiled = getattr(self, "optimizer", None)
        first = [] if compiled is None else [compiled]
        others = tracking.owned(self, (Optimizer,))
        return first + [x for x in others if x is not compiled]

    def _names_in_logs(self):
        """Return the names that logs have: they are part of a program's outputs."""
        inner = getattr(self._compile_metrics, "metrics", ())
        return [metric.name for metric in (*self.metrics, *inner)]

    def _compile_arguments_structure(self):
        names = ("loss", "loss_weights", "metrics", "weighted_metrics")
        return {name: self._compile_arguments[name] for name in names}

    def _plan(self, mode, structure):
        """Return the StepPlan of the model for a mode."""
        step = self._step(mode)
        jit = self.jit_compile is True and not self.run_eagerly
        recorded = jit or not (structure.foreign or self.run_eagerly)
        options: dict[str, Any] = {
            "mode": mode, "masked": not structure.foreign, "recorded": recorded,
            "jit": jit,
        }  # fmt: skip
        is_default = not self._has_own_step(mode)
        if mode == "predict":
            kind = (mode, None if is_default else type(self))
            run = step if is_default else lambda data: step(_alone(data))
            return StepPlan(step=run, kind=kind, **options)
        # Whether the results of the metrics are read after the steps of a call alone.
        quiet = is_default and type(self).compute_metrics is Steps.compute_metrics
        resets = quiet and not structure.foreign
        resets &= type(self).reset_metrics is Steps.reset_metrics

        def run_and_forget(data):
            data = data if is_default else _alone(data)
            self._leaves_results_out = quiet
            try:
                return _as_logs(self, mode, step(data))
            except Exception as error:
                explain(error)
                checks.step_belongs_here(self, backends.current(), mode, error)
                raise
            finally:
                self._leaves_results_out = False
                self._forget_losses()

        return StepPlan(
            step=run_and_forget,
            kind=(mode, quiet, resets),
            finish=self.get_metrics_result if quiet else None,
            reset=self.reset_metrics if resets else None,
            watched=self._loss_tracker.variables[0] if is_default else None,
            **options,
        )

    def _step(self, mode):
        """Return the step as a function of the data alone."""
        step = getattr(self, f"{mode}_step")
        engine = backends.current()
        if not takes_state(step, engine):
            return step
        checks.takes_state(self, engine, mode)
        return on_variables(self, mode, step)

    def _forget_losses(self):
        for layer in self._flatten_layers():
            layer._added_losses.clear()

    def _runner(self, data, mode):
        """Return the runner of passes over data that train or evaluate."""
        binding = self._binding(mode)
        plan = self._plan(mode, binding.structure)
        return make_runner(binding, plan, data, self._compiles())

    def _batch_runner(self, mode):
        """Return what runs single batches; it is kept until a layer adapts."""
        count, runner = self._runners.get(mode, (None, None))
        if count != adaptations.count():
            count = adaptations.count()
            binding = self._binding(mode)
            plan = self._plan(mode, binding.structure)
            runner = make_batch_runner(binding, plan, self._compiles())
            self._runners[mode] = count, runner
        return runner


def _alone(data):
    """Return inputs that come without targets as a user's step gets them: alone."""
    return data if len(data) > 1 else data[0]


def _as_logs(model, mode, returned):
    """Return what a step returned: a dict, or the state and a dict."""
    if isinstance(returned, dict | tuple):
        return returned
    raise TypeError(
        f"`{mode}_step()` of model {model.name!r} must return a dict of results, such "
        f"as {{'loss': loss}}. Received: {returned!r} (of type "
        f"{type(returned).__name__})"
    )


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
        if name in vars(model) or getattr(cls, name) is not getattr(Steps, name)
    )
