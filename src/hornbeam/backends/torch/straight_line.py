"""PyTorch: recorded operations as the source of one function, a call on each line."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from hornbeam.core.warning import warn

_aten = torch.ops.aten
# The same memory under another name.
_SAME = {_aten.detach.default, _aten.alias.default, _aten.lift_fresh.default}
# Operations that have another binding, with less overhead than that of `torch.ops`.
_FUNCTIONS = frozenset(
    "add addmm argmax bmm clamp clone convolution div eq exp expand ge gt log lt mean "
    "mm mul ne neg permute pow relu rsqrt rsub select sigmoid sqrt squeeze stack sub "
    "sum t tanh transpose unsqueeze where".split()
)
_METHODS = frozenset(("add_", "copy_", "expand", "mul_", "sub_", "view"))


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """The place of a tensor among those of a recording."""

    index: int


@dataclasses.dataclass(frozen=True, slots=True)
class Constant:
    """The place of a tensor that no operation made."""

    index: int


class Node(NamedTuple):
    """An operation: its arguments with places for tensors, the places of its results.

    `whole` is set for a function of ours that was noted as one operation.
    """

    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: Any
    whole: bool


def straight_line(recording: Any) -> Callable:
    """Return `run(state, batches)`, which gives the flat outputs of each batch."""
    return (_compiled if recording.traced else _plain)(_Lines(recording))


def _plain(lines: _Lines) -> Callable:
    inputs, data = lines.input_names()
    body = [f"[{', '.join(inputs)}] = state", *lines.once, "results = []"]
    body += [f"for [{', '.join(data)}] in batches:"]
    step = [*lines.repeated, f"results.append([{lines.outputs}])"]
    body += [f"    {line}" for line in step]
    return lines.function("run(state, batches)", [*body, "return results"])


def _compiled(lines: _Lines) -> Callable:
    inputs, data = lines.input_names()
    body = [*lines.once, *lines.repeated, f"return [{lines.outputs}]"]
    step = lines.function(f"step({', '.join([*inputs, *data])})", body)
    compiled = torch.compile(step, fullgraph=True, dynamic=False)

    def run(state, batches):
        nonlocal compiled
        result = []
        for batch in batches:
            try:
                result.append(compiled(*state, *batch))
            except Exception as error:
                if compiled is step:
                    raise
                warn(
                    "PyTorch's compiler failed, so the step runs without it, one "
                    f"operation after the other: {error}",
                )
                compiled = step
                result.append(step(*state, *batch))
        return result

    return run


class _Lines:
    """The lines that carry out a recording.

    Left out is what no result needs. Views of the state, and what is made of constants
    alone, are made once, before the steps.
    """

    def __init__(self, recording):
        self.recording = recording
        self.names = {f"k{i}": x for i, x in enumerate(recording.constants)}
        self.functions = {}
        nodes, results = _without_renaming(recording.nodes, recording.results)
        nodes = _needed(nodes, results)
        fixed = _fixed(nodes, recording.state_size, results)
        self.once: list[Any] = []
        self.repeated: list[Any] = []
        last = _last_uses(nodes, results)
        first_made = recording.input_size
        for number, node in enumerate(nodes):
            lines = self.once if number in fixed else self.repeated
            lines.append(self.line(node))
            done = [
                p.index
                for p in last[number]
                if p.index >= first_made and p.index not in fixed.places
            ]
            if done and not recording.traced:
                # Memory is given back as soon as by the step itself.
                self.repeated.append("".join(f"v{i} = " for i in done) + "None")
        self.outputs = ", ".join(self.argument(x) for x in results)

    def input_names(self):
        """Return the names of the state and of the data."""
        names = [f"v{i}" for i in range(self.recording.input_size)]
        size = self.recording.state_size
        return names[:size], names[size:]

    def line(self, node):
        """Return the call of an operation, with its results kept under names."""
        args = [self.argument(x) for x in node.args]
        args += [f"{k}={self.argument(x)}" for k, x in node.kwargs.items()]
        call = f"{self.called(node)}({', '.join(args)})"
        if not any(True for _ in places(node.results)):
            return call
        return f"{self.target(node.results)} = {call}"

    def target(self, results):
        """Return the names for results."""
        if isinstance(results, list):
            return "[" + ", ".join(self.target(x) for x in results) + "]"
        return "_" if results is None else f"v{results.index}"

    def argument(self, x):
        """Return the source of an argument."""
        if isinstance(x, Place):
            return f"v{x.index}"
        if isinstance(x, Constant):
            return f"k{x.index}"
        if type(x) is list:
            return "[" + ", ".join(self.argument(v) for v in x) + "]"
        if type(x) is tuple:
            return "(" + "".join(self.argument(v) + ", " for v in x) + ")"
        if x is None or type(x) in (bool, int, str):
            return repr(x)
        name = f"k{len(self.names)}"
        self.names[name] = x
        return name

    def called(self, node):
        """Return the name under which the lines know the function of `node`."""
        name = self.functions.get(node.function)
        if name is None:
            base = getattr(node.function, "__name__", "operation").partition(".")[0]
            name = f"{base}_{len(self.functions)}"
            self.functions[node.function] = name
            # A compiler knows operations by what `torch.ops` calls them.
            plain = node.whole or self.recording.traced
            self.names[name] = node.function if plain else _bound(node.function)
        return name

    def function(self, head, body):
        """Return the function of these lines."""
        source = f"def {head}:\n" + "".join(f"    {line}\n" for line in body)
        # All names in it are made here, and all values come from the recording.
        exec(source, self.names)
        return self.names[head.partition("(")[0]]


class _Fixed(set):
    """The numbers of the nodes that give the same in every step, and their places."""

    def __init__(self):
        super().__init__()
        self.places = set()


def places(x: Any) -> Any:
    """Yield the places in the nest `x`."""
    if isinstance(x, (Place, Constant)):
        yield x
    elif isinstance(x, (list, tuple)):
        for v in x:
            yield from places(v)
    elif isinstance(x, dict):
        yield from places(list(x.values()))


def _without_renaming(nodes, results):
    """Return the nodes and results without operations that only rename a tensor."""
    same: dict[Any, Any] = {}
    kept: list[Any] = []

    def renamed(x):
        if isinstance(x, Place):
            return same.get(x, x)
        if isinstance(x, (list, tuple)):
            return type(x)(renamed(v) for v in x)
        if isinstance(x, dict):
            return {k: renamed(v) for k, v in x.items()}
        return x

    for node in nodes:
        args, kwargs = renamed(node.args), renamed(node.kwargs)
        if node.function in _SAME and isinstance(args[0], (Place, Constant)):
            if node.results != args[0]:
                same[node.results] = args[0]
            continue
        kept.append(node._replace(args=args, kwargs=kwargs))
    return kept, renamed(results)


def _needed(nodes, results):
    """Return the nodes that change something or that a result needs."""
    needed, kept = set(places(results)), []
    for node in reversed(nodes):
        acts = node.whole or node.function._schema.is_mutable
        if acts or needed.intersection(places(node.results)):
            needed.update(places((node.args, node.kwargs)))
            kept.append(node)
    return kept[::-1]


def _fixed(nodes, state_size, results):
    """Return which nodes give the same in every step: views of state, constants."""
    bases: dict[Any, Any] = {}
    fixed, written = _Fixed(), set(places(results))
    for node in nodes:
        if node.whole:
            written.update(places((node.args, node.kwargs)))
            continue
        given = next(places((node.args, node.kwargs)), None)
        if node.function.is_view and given is not None:
            for place in places(node.results):
                bases[place] = bases.get(given, given)
        for place in changed(node.function, node.args, node.kwargs):
            written.add(bases.get(place, place))
    for number, node in enumerate(nodes):
        if node.whole or node.function._schema.is_mutable:
            continue
        used = list(places((node.args, node.kwargs)))
        stable = all(isinstance(p, Constant) or p.index in fixed.places for p in used)
        if node.function.is_view:
            usable = all(
                isinstance(p, Constant)
                or p.index < state_size
                or p.index in fixed.places
                for p in used
            )
        else:
            random = torch.Tag.nondeterministic_seeded in node.function.tags
            made = set(places(node.results))
            usable = stable and not random and not made & written
            usable = usable and not any(_sees_state(p, bases, state_size) for p in used)
        if usable:
            fixed.add(number)
            fixed.places.update(p.index for p in places(node.results))
    return fixed


def _sees_state(place, bases, state_size):
    base = bases.get(place, place)
    return isinstance(base, Place) and base.index < state_size


def _last_uses(nodes, results):
    """Return for each node the places that nothing after it uses."""
    last, kept = collections.defaultdict(list), set(places(results))
    seen = set(kept)
    for number in range(len(nodes) - 1, -1, -1):
        node = nodes[number]
        for place in places((node.args, node.kwargs, node.results)):
            if isinstance(place, Place) and place not in seen:
                seen.add(place)
                last[number].append(place)
    return last


def _bound(function):
    """Return the quickest way to call an operation."""
    name = function._schema.name.removeprefix("aten::")
    if name == "mkldnn_rnn_layer":
        # Only where gradients are on it gives the workspace that its own one needs.
        return torch.enable_grad()(function._op)
    if name in _METHODS:
        return getattr(torch.Tensor, name)
    if name in _FUNCTIONS:
        return getattr(torch, name)
    return function._op


def changed(function: Any, args: Any, kwargs: Any) -> Any:
    """Return the arguments that the operation changes in place, flat."""
    result: list[Any] = []
    for position, argument in enumerate(function._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            given = position < len(args)
            value = args[position] if given else kwargs.get(argument.name)
            result += value if isinstance(value, (list, tuple)) else [value]
    return result
