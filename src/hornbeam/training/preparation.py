"""What `fit`, `evaluate` and `predict` run: built parts, plans and programs."""

import numpy as np

from hornbeam import backends
from hornbeam.core import tree
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import infer
from hornbeam.layers import tracking
from hornbeam.training import checks
from hornbeam.training.program import Binding, UnknownVariablesError
from hornbeam.training.runners import StepPlan, batch_runner, make_runner
from hornbeam.training.state_steps import on_variables, takes_state
from hornbeam.training.steps import Steps, unpack
from hornbeam.training.structure import Structure


class Preparation(Steps):
    """The part of a model that readies its steps for running; see `Model`."""

    # Whether a call does what the graph of the model says, and nothing else.
    _calls_graph: bool | property = False
    # Whether there is a `call`; without it only steps of the user's run.
    _has_call: bool | property = True

    def _one_batch(self, mode):
        if mode not in self._runners:
            binding = self._binding(mode)
            plan = self._plan(mode, binding.structure)
            runner = batch_runner(binding, plan, self._compiles())
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
        if (
            not self.built
            or (mode != "predict" and not self._parts_built(mode))
            or self._step_builds(mode)
        ):
            self._build_parts(batch, mode)
        if mode != "predict":
            checks.data_fits(self, data)

    def _compiled_parts(self):
        parts = (self._compile_loss, self._compile_metrics)
        return [part for part in parts if part is not None]

    def _parts_built(self, mode):
        parts = self._compiled_parts()
        if mode == "train" and self.optimizer is not None:
            parts.append(self.optimizer)
        return all(part.built for part in parts)

    def _has_own_step(self, mode):
        name = f"{mode}_step"
        return getattr(type(self), name) is not getattr(Steps, name)

    def _step_builds(self, mode):
        """Whether a step of the user's is left to build what `call` has not."""
        if not self._has_own_step(mode) or mode in self._modes_built:
            return False
        inner = self._flatten_layers(include_self=False)
        parts = [] if mode == "predict" else self._compiled_parts()
        return not all(part.built for part in (*inner, *parts))

    def _build_parts(self, batch, mode):
        x, y, _ = unpack(batch)
        if not self.built and hasattr(self, "_build_for") and hasattr(x, "shape"):
            self._build_for(x)
        y_pred = None
        if not self.built or (mode != "predict" and self._compiled_parts()):
            y_pred = self._outputs_before_a_step(x, mode)
        if mode != "predict" and y is not None and y_pred is not None:
            checks.targets_fit(self, y, y_pred)
            for part in self._compiled_parts():
                if not part.built:
                    part.build(_symbols(y), y_pred)
        if self._step_builds(mode):
            self._build_by_step(batch, mode)
            if self._step_builds(mode):
                # A live step, which makes the rest and tells its optimizer of it.
                self._modes_built.add(mode)
                self._mark_built()
                return
        if not self.built:
            self._mark_built()
        if mode == "train" and self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def _outputs_before_a_step(self, x, mode):
        """Return the symbols of the outputs; None where only a user's step knows."""
        own_step = self._has_own_step(mode)
        if not self._has_call:
            if not own_step:
                raise checks.nothing_to_call(self, mode)
            return None
        try:
            return self._infer_outputs(_symbols(x))
        except Exception:
            # The step may call the model in another way: what is wrong shows there.
            if not own_step:
                raise
            return None

    def _build_by_step(self, batch, mode):
        """Run the step on symbols, so that all that it calls is built.

        A run that fails but has made variables is repeated: a `GradientTape` watches
        those that were there before. Of live steps, what needs values or `backward()`
        fails here whatever was made, and runs later.
        """
        known = None
        while known != (count := len(self.variables)):
            known = count
            try:
                self._infer_step(batch, mode)
                return
            except UnknownVariablesError:
                # They are made now, and known when the step is run.
                return
            except Exception:
                if len(self.variables) == known and self._compiles():
                    raise

    def _infer_step(self, batch, mode):
        binding = self._binding(mode)
        run = binding.pure(self._plan(mode, binding.structure).step)
        numbers = binding.structure.values()
        symbols = [KerasTensor(v.shape, v._dtype) for v in binding.variables]
        symbols = symbols, numbers, _symbols(batch)
        infer(lambda *given: run(*given)[0], symbols, {})

    def _infer_outputs(self, symbols):
        given = all(x is not None for x in tree.flatten(symbols))
        if self._calls_graph and given:
            return self.compute_output_spec(symbols)
        return infer(lambda x: self._call_for_step(x, False), (symbols,), {})

    def _binding(self, mode):
        """Return the Binding of the model for a mode; it follows the structure."""
        parts = [self, _overridden(self)]
        variables = list(self.variables)
        if mode != "predict":
            parts += [self._compile_arguments_structure(), self._names_in_logs()]
            # Steps keep the loss's mean even if the user's `metrics` leaves it out.
            variables += [*self._loss_tracker.variables, *self.metrics_variables]
        if mode == "train":
            for optimizer in self._optimizers():
                parts.append(optimizer)
                variables += optimizer.variables
        shared = self._global_seed_variables()
        variables += shared
        structure = Structure(*parts)
        structure.shareable &= self._shares_programs
        known = self._bindings.get(mode)
        if known is None or not known.fits(structure, variables):
            known = Binding(backends.current(), structure, variables, shared)
            self._bindings[mode] = known
            self._runners.pop(mode, None)
        return known

    def _optimizers(self):
        """Return the optimizer of compile(), and those that attributes hold."""
        from hornbeam.optimizers.optimizer import Optimizer

        first = [] if self.optimizer is None else [self.optimizer]
        others = tracking.owned(self, (Optimizer,))
        return first + [x for x in others if x is not self.optimizer]

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

    def _plan(self, mode, structure):
        own = type(self)
        step = self._step(mode)
        jit = self.jit_compile is True and not self.run_eagerly
        recorded = jit or not (structure.foreign or self.run_eagerly)
        known = (not structure.foreign, recorded, jit)
        if mode == "predict":
            plain = own.predict_step is Steps.predict_step
            kind = ("predict", None if plain else own)
            run = step if plain else lambda data: step(_alone(data))
            return StepPlan(mode, run, None, None, None, kind, *known)
        default = getattr(own, f"{mode}_step") is getattr(Steps, f"{mode}_step")
        quiet = default and own.compute_metrics is Steps.compute_metrics
        watched = self._loss_tracker.variables[0] if default else None
        finish = self.get_metrics_result if quiet else None
        resets = quiet and not structure.foreign
        resets &= own.reset_metrics is Steps.reset_metrics

        def run(data):
            data = data if default else _alone(data)
            self._leaves_results_out = quiet
            try:
                return step(data)
            except Exception as error:
                checks.step_belongs_here(self, backends.current(), mode, error)
                raise
            finally:
                self._leaves_results_out = False
                self._forget_losses()

        return StepPlan(
            mode, run, finish, self.reset_metrics if resets else None, watched,
            (mode, quiet, resets), *known,
        )  # fmt: skip

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
        binding = self._binding(mode)
        plan = self._plan(mode, binding.structure)
        return make_runner(binding, plan, data, self._compiles())


def _alone(data):
    """Return inputs that come without targets as a user's step gets them: alone."""
    return data if len(data) > 1 else data[0]


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


def _symbols(x):
    def symbol(leaf):
        if leaf is None:
            return None
        dtype = (
            str(np.asarray(leaf).dtype) if not hasattr(leaf, "dtype") else leaf.dtype
        )
        dtype = str(dtype).removeprefix("torch.")
        sparse = getattr(leaf, "sparse", False)
        return KerasTensor(tuple(leaf.shape), dtype, sparse=sparse)

    return tree.map_structure(symbol, x)
