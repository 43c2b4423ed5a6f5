"""Building a model and its losses and metrics from its first batch."""

from __future__ import annotations

from typing import Any

from hornbeam.core import tree
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import infer
from hornbeam.layers.core.embedding import recorded_lookups
from hornbeam.training.binding import checks, data_checks
from hornbeam.training.binding.binding import UnknownVariablesError
from hornbeam.training.planning import StepPlanning
from hornbeam.training.steps import unpack


class ModelBuilding(StepPlanning):
    """The part of a model that builds what is not built yet; see `Model`."""

    # `[(number of the input, Embedding)]`: which inputs are looked up as they are.
    _input_lookups: Any = ()
    # Whether there is a `call`; without it only steps of the user's run.
    _has_call: bool | property = True

    def _on_host(self, x):
        """Return what the program takes for the inputs `x`; see `Model`."""
        return x

    def _prepare(self, data, mode):
        """Build what is not built, and check that the data fits, before all else."""
        batch = data.peek()
        if (
            not self.built
            or (mode != "predict" and not self._parts_built(mode))
            or self._step_builds(mode)
        ):
            self._build_parts(batch, mode)
        data_checks.data_fits(self, data, mode)

    def _compiled_parts(self):
        parts = (self._compile_loss, self._compile_metrics)
        return [part for part in parts if part is not None]

    def _parts_built(self, mode):
        parts = self._compiled_parts()
        optimizer = getattr(self, "optimizer", None)
        if mode == "train" and optimizer is not None:
            parts.append(optimizer)
        return all(part.built for part in parts)

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
                    if part is self._compile_loss:
                        data_checks.warn_of_one_class(self, y, mode)
        if self._step_builds(mode):
            self._build_by_step(batch, mode)
            if self._step_builds(mode):
                # A live step, which makes the rest and tells its optimizer of it.
                self._modes_built.add(mode)
                self._mark_built()
                return
        if not self.built:
            self._mark_built()
        optimizer = getattr(self, "optimizer", None)
        if mode == "train" and optimizer is not None and not optimizer.built:
            optimizer.build(self.trainable_variables)

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
        those that existed before. An eager step that needs values or `backward()` fails
        here in any case, and runs later.
        """
        before = None
        while before != (count := len(self.variables)):
            before = count
            try:
                self._infer_step(batch, mode)
                return
            except UnknownVariablesError:
                # They exist now, and are among the model's when the step is run.
                return
            except Exception:
                if len(self.variables) == before and self._compiles():
                    raise

    def _infer_step(self, batch, mode):
        binding = self._binding(mode)
        step = binding.pure(self._plan(mode, binding.structure).step)
        numbers = binding.structure.values()
        symbols = [KerasTensor(v.shape, v._dtype) for v in binding.variables]
        symbols = symbols, numbers, _symbols(batch)
        infer(lambda *arguments: step(*arguments)[0], symbols, {})

    def _infer_outputs(self, symbols):
        is_complete = all(x is not None for x in tree.flatten(symbols))
        if self._called_graph is not None and is_complete:
            return self.compute_output_spec(symbols)
        return infer(self._call_recording_lookups, (symbols,), {})

    def _call_recording_lookups(self, x):
        """Call the model, and note which inputs its Embeddings get as they are."""
        with recorded_lookups() as lookups:
            outputs = self._call_for_step(x, False)
        leaves = tree.flatten(x)
        self._input_lookups = [
            (place, layer)
            for inputs, layer in lookups
            for place, leaf in enumerate(leaves)
            if leaf is inputs
        ]
        return outputs


def _symbols(x):
    def symbol(leaf):
        if leaf is None:
            return None
        sparse = getattr(leaf, "sparse", False)
        return KerasTensor(tuple(leaf.shape), leaf.dtype, sparse=sparse)

    return tree.map_structure(symbol, x)
