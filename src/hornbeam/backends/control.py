"""Control flow of the engines that run eagerly: plain Python over nested tensors.

`stack` and `concatenate` are the engine's own, with `(list, axis)`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import optree

Stack = Callable[[list, int], Any]


def tree_map(fn: Callable, *trees: Any) -> Any:
    """`fn` over the leaves of equally nested trees; None stays None."""
    return optree.tree_map(fn, *trees)


def length_of(tree: Any) -> int:
    """The common size of axis 0 of all leaves."""
    sizes = {leaf.shape[0] for leaf in optree.tree_leaves(tree)}
    if len(sizes) != 1:
        raise ValueError(
            f"The tensors must have one common size in axis 0. Received: {sizes}"
        )
    return sizes.pop()


def scan(
    stack: Stack,
    f: Callable,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """`(carry, y) = f(carry, x)` along axis 0 of `xs`; the ys are stacked."""
    count = int(length) if xs is None else length_of(xs)
    carry, results = init, []
    for i in builtins.reversed(range(count)) if reverse else range(count):
        carry, y = f(carry, tree_map(lambda x: x[i], xs))  # noqa: B023
        results.append(y)
    if reverse:
        results.reverse()
    return carry, stacked(stack, results)


def stacked(stack: Stack, results: list) -> Any:
    """A list of equal nests as one nest of tensors with a new axis 0."""
    if not results:
        return None
    return tree_map(lambda *leaves: stack(list(leaves), 0), *results)


def associative_scan(
    concatenate: Stack, f: Callable, elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """All prefixes under an associative `f`, in log2(n) vectorised steps (Hillis and
    Steele, 1986): after a step of distance d each place covers 2d elements."""

    def part(tree, start, stop):
        def cut(x):
            index = [builtins.slice(None)] * x.ndim
            index[axis] = builtins.slice(start, stop)
            return x[tuple(index)]

        return tree_map(cut, tree)

    size = optree.tree_leaves(elems)[0].shape[axis]
    distance = 1
    while distance < size:
        if reverse:
            combined = f(part(elems, distance, size), part(elems, 0, size - distance))
            pieces = (combined, part(elems, size - distance, size))
        else:
            combined = f(part(elems, 0, size - distance), part(elems, distance, size))
            pieces = (part(elems, 0, distance), combined)
        elems = tree_map(lambda a, b: concatenate([a, b], axis), *pieces)
        distance *= 2
    return elems


def while_loop(
    cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: Any = None
) -> Any:
    """`loop_vars = body(*loop_vars)` while `cond(*loop_vars)`."""
    several = isinstance(loop_vars, (tuple, list))
    state, count = tuple(loop_vars) if several else (loop_vars,), 0
    while cond(*state) and (maximum_iterations is None or count < maximum_iterations):
        state = body(*state)
        state = tuple(state) if isinstance(state, (tuple, list)) else (state,)
        count += 1
    return type(loop_vars)(state) if several else state[0]


def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    """`value = body_fun(i, value)` for i from `lower` to `upper - 1`."""
    value = init_val
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    """`true_fn()` or `false_fn()`."""
    return true_fn() if pred else false_fn()


def switch(index: Any, branches: Any, *operands: Any) -> Any:
    """`branches[index](*operands)`, with the index clamped to the list."""
    return branches[min(max(int(index), 0), len(branches) - 1)](*operands)


def map(stack: Stack, f: Callable, xs: Any) -> Any:
    """`f` of each slice along axis 0, stacked."""
    count = length_of(xs)
    return stacked(
        stack,
        [f(tree_map(lambda x: x[i], xs)) for i in range(count)],  # noqa: B023
    )
