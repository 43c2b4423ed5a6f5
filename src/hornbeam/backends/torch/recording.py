"""PyTorch: a step recorded as its operations, and run again without what led to them.

While a step runs, a `Recording` notes every operation that PyTorch carries out, those
of the gradient included. As a program these are one straight line of calls: no layers,
no wrappers, no graph of gradients to be built anew. The state is changed in place, as
the step itself does it, by the same operations, so the numbers are equal to the bit.

A recording holds good only if the next step is made of the same operations with the
same numbers: `repeats` compares two of them, and what was made on the host in between
shows as a difference.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import optree
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from .straight_line import Constant, Node, Place, changed, straight_line

__all__ = ["record"]

_current: ContextVar[Any] = ContextVar("recording")
_aten = torch.ops.aten
# Where the host looks at a number, the rest of the step may depend on it.
_LOOKS = {_aten._local_scalar_dense.default, _aten.nonzero.default}
_MOST_OPERATIONS = 4000


def whole(function: Callable) -> Callable:
    """Let a recording take a call of `function` as one operation.

    For what computes on the host: it is called again in every step.
    """

    @functools.wraps(function)
    def run(*args, **kwargs):
        recording = _current.get(None)
        if recording is None or recording.traced or recording.paused:
            return function(*args, **kwargs)
        recording.paused = True
        try:
            result = function(*args, **kwargs)
        finally:
            recording.paused = False
        recording.note(function, args, kwargs, result, whole=True)
        return result

    return run


def is_traced() -> bool:
    """Whether a step is recorded for a compiler, which sees nothing of the host."""
    recording = _current.get(None)
    return recording is not None and recording.traced


def record(
    step: Callable, state: Sequence[torch.Tensor], data: Any, compiled: bool = False
) -> Recording:
    """Run `step()`, which works on the tensors in `state` and `data`, and record it."""
    recording = Recording(state, data, compiled)
    token = _current.set(recording)
    try:
        with recording:
            recording.finish(step())
    finally:
        _current.reset(token)
    return recording


class Recording(TorchDispatchMode):
    """The operations of one step.

    Args:
        state: tensors that the step reads and changes in place.
        data: tensors that the step reads; they are others at every step.
        traced: whether the step is to be compiled.

    Attributes:
        outputs: what the step returned.
        problem: why the step cannot be run again from its record, or None.
    """

    def __init__(self, state: Any, data: Any, traced: Any):
        super().__init__()
        self.traced = traced
        self.paused = False
        self.problem: str | None = None
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.state_size: int = len(state)
        # Tensors are told apart by identity, so all of them stay until the end.
        self._kept = [*state, *data]
        self.input_size: int = len(self._kept)
        self.size: int = self.input_size
        self.results: list[Any] = []
        self.spec: Any = None
        self._places = {id(x): Place(i) for i, x in enumerate(self._kept)}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if not self.paused:
            if func in _LOOKS:
                self.problem = "the host looks at a value"
            self.note(func, args, kwargs, result, whole=False)
        return result

    def note(
        self, function: Any, args: Any, kwargs: Any, result: Any, whole: Any
    ) -> Any:
        """Add an operation."""
        if self.problem is not None:
            return
        if len(self.nodes) == _MOST_OPERATIONS:
            self.problem = "too many operations"
            return
        args, kwargs = self._placed(args), self._placed(kwargs)
        self._check_changes(function, args, kwargs, whole)
        self.nodes.append(Node(function, args, kwargs, self._results(result), whole))

    def _placed(self, x):
        """Return `x` with places for its tensors."""
        if isinstance(x, torch.Tensor):
            place = self._places.get(id(x))
            if place is None:
                place = Constant(len(self.constants))
                self.constants.append(x)
                self._keep(x, place)
            return place
        if isinstance(x, (list, tuple)):
            return type(x)(self._placed(v) for v in x)
        if isinstance(x, dict):
            return {k: self._placed(v) for k, v in x.items()}
        return x

    def _results(self, x):
        if isinstance(x, torch.Tensor):
            place = self._places.get(id(x))
            if place is None:
                place = Place(self.size)
                self.size += 1
                self._keep(x, place)
            return place
        if isinstance(x, (list, tuple)):
            return [self._results(v) for v in x]
        return None

    def _keep(self, x, place):
        self._kept.append(x)
        self._places[id(x)] = place

    def _check_changes(self, function, args, kwargs, whole):
        if whole or not function._schema.is_mutable:
            return
        if any(isinstance(x, Constant) for x in changed(function, args, kwargs)):
            self.problem = "a tensor is changed that is no part of the state"

    def finish(self, outputs: Any) -> Any:
        """Keep what the step returned."""
        self.outputs = outputs
        leaves, self.spec = optree.tree_flatten(outputs, none_is_leaf=True)
        self.results = [self._placed(x) for x in leaves]
        self._kept, self._places = [], {}

    def repeats(self, other: Recording) -> bool:
        """Whether both are the same operations with the same constants."""
        if self.problem or other.problem or self.spec != other.spec:
            return False
        if self.nodes != other.nodes or self.results != other.results:
            return False
        pairs = zip(self.constants, other.constants, strict=True)
        return all(
            a is b or (a.dtype is b.dtype and a.shape == b.shape and torch.equal(a, b))
            for a, b in pairs
        )

    def program(self) -> Callable:
        """Return `run(state, batches) -> [outputs of each]`, by the same operations.

        Of a step that is to be compiled, PyTorch's compiler makes it at the first call.
        """
        run = straight_line(self)
        spec = self.spec

        @torch.no_grad()
        def repeat(state, batches):
            # Without the mark of a Parameter, operations cost less.
            result = run([x.detach() for x in state], batches)
            return [optree.tree_unflatten(spec, leaves) for leaves in result]

        return repeat
