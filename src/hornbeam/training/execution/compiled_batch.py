"""A compiled step on one batch that comes from the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.core import scopes, tree
from hornbeam.data.sparse import SparseForm, SparseRows, entry_room
from hornbeam.training.binding.device_rows import padded
from hornbeam.training.execution.programs import Program

if TYPE_CHECKING:
    from hornbeam.training.binding.binding import Binding
    from hornbeam.training.execution.step_plan import StepPlan


class CompiledBatch:
    """One step on one batch that comes from the host.

    A batch smaller than the largest so far is padded where the plan allows masks. A
    mask says which rows count, unless nothing is assigned: outputs are cut to their
    rows.

    Args:
        binding: the model's Binding.
        plan: the StepPlan.
    """

    def __init__(self, binding: Binding, plan: StepPlan) -> None:
        self.binding = binding
        self.plan = plan
        self.batch_size: int = 0
        self._rooms: dict[int, int] = {}
        self._programs: dict[Any, Program] = {}

    def run_batch(self, batch: Any) -> Any:
        """Run the step on `batch`, a tree of host arrays.

        Returns:
            The logs, or what a step without logs returned, and the number of rows of
            the batch.
        """
        binding, plan = self.binding, self.plan
        leaves, spec = tree.flatten_with_spec(batch)
        present = tuple(x is not None for x in leaves)
        leaves = [x for x in leaves if x is not None]
        rows = len(leaves[0])
        # Leaves with other numbers of rows are not padded: rows would not match.
        masked = plan.masked and {len(x) for x in leaves} == {rows}
        size = max(rows, self.batch_size) if masked else rows
        self.batch_size = max(self.batch_size, size)
        forms = [SparseForm(x) if isinstance(x, SparseRows) else None for x in leaves]
        sizes = [size if masked else len(x) for x in leaves]
        data = [self._argument(i, x, sizes[i]) for i, x in enumerate(leaves)]
        numbers = binding.structure.values()
        form = (
            spec, present, size, tuple(form and form.key() for form in forms),
            tuple((x.shape, x.dtype) for x in tree.flatten(data)),
        )  # fmt: skip
        if form not in self._programs:
            self._programs[form] = binding.program(
                lambda: ((plan.kind, "one"), binding.key(), form),
                lambda: self._compile((spec, present), data, forms, size, numbers),
            )
        program = self._programs[form]
        with binding.steps:
            state, outputs = program.executable(
                *self._state(), numbers, data, np.int32(rows)
            )
            if plan.assigns:
                binding.store(state)
        return tree.unflatten(program.output_spec, outputs), rows

    def logs(self, outputs: Any) -> Any:
        """Return the logs after the last batch, given what `run_batch` returned."""
        return outputs

    def _state(self):
        """Return the values that the program may overwrite, and those it may not."""
        binding = self.binding
        if self.plan.assigns:
            return binding.split(binding.state())
        return [], binding.values()

    def _argument(self, i, x, size):
        """Return the rows as a program takes them, padded to `size`."""
        as_argument = self.binding.engine.as_argument
        if not isinstance(x, SparseRows):
            return as_argument(padded(x, size))
        room = self._rooms[i] = entry_room(len(x.values), self._rooms.get(i, 0))
        return tuple(map(as_argument, SparseForm(x).arguments(x, room)))

    def _compile(self, layout, data, forms, size, numbers):
        binding, plan = self.binding, self.plan
        engine, (spec, present) = binding.engine, layout
        output_spec = None

        def step(data, rows):
            values = iter(
                x if form is None else form.batch(engine, x, size)
                for x, form in zip(data, forms, strict=True)
            )
            leaves = [next(values) if there else None for there in present]
            batch = tree.unflatten(spec, leaves)
            if not (plan.masked and plan.assigns):
                outputs = plan.step(batch)
            else:
                places = engine.arange(size, dtype="int32")
                with scopes.batch_mask_scope(engine.cast(places < rows, "float32")):
                    outputs = plan.step(batch)
            return outputs if plan.finish is None else plan.finish()

        pure_step = binding.pure(step)

        def flat_step(owned, lent, numbers, data, rows):
            nonlocal output_spec
            outputs, state = pure_step(binding.join(owned, lent), numbers, data, rows)
            leaves, output_spec = tree.flatten_with_spec(outputs)
            return (state if plan.assigns else []), leaves

        arguments = (*self._state(), numbers, data, np.int32(1))
        donated = (0,) if plan.assigns else ()
        executable = engine.compile(flat_step, arguments, donate=donated)
        return Program(engine, executable, output_spec)
