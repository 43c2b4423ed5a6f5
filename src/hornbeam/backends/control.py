"""What engines share that run step by step: control flow is plain Python over nests."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import optree


def jit(fn: Callable, donate: Sequence[int] = ()) -> Callable:
    """`fn` itself: there are no programs."""
    return fn


def compile(fn: Callable, arguments: Sequence[Any], donate: Sequence[int] = ()) -> Any:
    """`fn` itself: there are no programs."""
    return fn


def calls_each_step() -> bool:
    """Yes: loops are loops in Python."""
    return True


def tree_map(fn: Callable, *trees: Any) -> Any:
    """`fn` over the leaves of equally nested trees; None stays None."""
    return optree.tree_map(fn, *trees)


def common_length(tree: Any, axis: int = 0) -> int:
    """The common size of the leaves along `axis`."""
    sizes = {leaf.shape[axis] for leaf in optree.tree_leaves(tree)}
    if len(sizes) != 1:
        raise ValueError(
            "All tensors must have the same size along the first dimension (or `axis`)."
            f" Received: axis={axis}, sizes {sorted(sizes)}"
        )
    return sizes.pop()


class Control:
    """Loops and branches for an engine, given its `convert`, `stack`, `concatenate`."""

    def __init__(self, convert: Callable, stack: Callable, concatenate: Callable):
        self._convert = convert
        self._stack = stack
        self._concatenate = concatenate

    def _tensors(self, tree: Any) -> Any:
        return tree_map(self._convert, tree)

    def _stacked(self, results: list) -> Any:
        if not results:
            return None
        return tree_map(
            lambda *leaves: self._stack([self._convert(x) for x in leaves], 0), *results
        )

    def scan(
        self,
        f: Callable,
        init: Any,
        xs: Any = None,
        length: int | None = None,
        reverse: bool = False,
        unroll: int | bool = 1,
    ) -> tuple[Any, Any]:
        """`(carry, y) = f(carry, x)` along axis 0 of `xs`; the ys are stacked."""
        carry, xs = self._tensors(init), self._tensors(xs)
        count = int(length or 0) if xs is None else common_length(xs)
        results = []
        for i in builtins.reversed(range(count)) if reverse else range(count):
            carry, y = f(carry, _at(xs, i))
            results.append(y)
        if reverse:
            results.reverse()
        return carry, self._stacked(results)

    def associative_scan(
        self, f: Callable, elems: Any, reverse: bool = False, axis: int = 0
    ) -> Any:
        """All prefixes under an associative `f`, in log2(n) vectorised steps.

        After a step of distance d each place covers 2d elements (Hillis and Steele,
        1986).
        """
        elems = self._tensors(elems)
        size, distance = common_length(elems, axis), 1
        while distance < size:
            front = _part(elems, axis, 0, size - distance)
            back = _part(elems, axis, distance, size)
            if reverse:
                rest = _part(elems, axis, size - distance, size)
                pieces = (f(back, front), rest)
            else:
                pieces = (_part(elems, axis, 0, distance), f(front, back))
            elems = tree_map(lambda a, b: self._concatenate([a, b], axis), *pieces)
            distance *= 2
        return elems

    def while_loop(
        self,
        cond: Callable,
        body: Callable,
        loop_vars: Any,
        maximum_iterations: Any = None,
    ) -> Any:
        """The tuple `loop_vars = body(*loop_vars)` while `cond(*loop_vars)`."""
        state, count = self._tensors(loop_vars), 0
        limit = float("inf") if maximum_iterations is None else maximum_iterations
        while count < limit and cond(*state):
            state = body(*state)
            count += 1
        return state

    def fori_loop(
        self, lower: Any, upper: Any, body_fun: Callable, init_val: Any
    ) -> Any:
        """`value = body_fun(i, value)` for i from `lower` to `upper - 1`."""
        value = self._tensors(init_val)
        for i in range(int(lower), int(upper)):
            value = body_fun(i, value)
        return value

    def cond(self, pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
        """`true_fn()` or `false_fn()`."""
        return true_fn() if pred else false_fn()

    def switch(self, index: Any, branches: Any, *operands: Any) -> Any:
        """`branches[index](*operands)`, with the index clamped to the list."""
        place = min(max(int(index), 0), len(branches) - 1)
        return branches[place](*self._tensors(operands))


def _at(tree: Any, i: int) -> Any:
    return tree_map(lambda x: x[i], tree)


def _part(tree: Any, axis: int, start: int, stop: int) -> Any:
    def cut(x):
        index = [builtins.slice(None)] * x.ndim
        index[axis] = builtins.slice(start, stop)
        return x[tuple(index)]

    return tree_map(cut, tree)
