"""Control flow: loops and branches that programs keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import infer
from hornbeam.ops.declare import primitive
from hornbeam.typing import TensorLike, Tree


def _like(x, dtype=None):
    return KerasTensor(np.shape(x) if not hasattr(x, "shape") else x.shape, dtype)


def _same_nest(name):
    def rule(a):
        def spec(x):
            return _like(x, getattr(x, "dtype", None))

        return tree.map_structure(spec, a[name])

    return rule


def _cond_spec(a):
    results = [infer(a[name], (), {}) for name in ("true_fn", "false_fn")]
    described = [
        tree.map_structure(lambda x: (getattr(x, "shape", x), str(x.dtype)), r)
        if r is not None
        else None
        for r in results
    ]
    if described[0] != described[1]:
        raise ValueError(
            "cond: `true_fn` and `false_fn` must return the same structure, shapes and "
            f"dtypes. Received: {described[0]} and {described[1]}"
        )
    return results[0]


@primitive(_cond_spec)
def cond(
    pred: TensorLike, true_fn: Callable[[], Any], false_fn: Callable[[], Any]
) -> Tree:
    """Return `true_fn()` if `pred` is true, else `false_fn()`.

    >>> import hornbeam as keras
    >>> keras.ops.cond(True, lambda: 1, lambda: 2)
    1
    """


@primitive()
def switch(
    index: TensorLike, branches: Sequence[Callable[..., Any]], *operands: Tree
) -> Tree:
    """Return `branches[index](*operands)`; an index outside is clamped.

    >>> import hornbeam as keras
    >>> branches = [lambda x: x + 1.0, lambda x: x - 1.0]
    >>> float(keras.ops.switch(1, branches, keras.ops.ones(())))
    0.0
    """


@primitive()
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Tree,
    xs: Tree = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Tree, Tree]:
    """Loop along axis 0 of `xs`: `carry, y = f(carry, x)`.

    Args:
        f: a function of the carry and a slice that returns the new carry and a result.
        init: the first carry: a tensor or a nest of them.
        xs: a tensor or a nest of them. Default: None, which needs `length`.
        length: number of steps, if `xs` is None.
        reverse: whether to go from the end to the start. Default: False.
        unroll: steps that a compiled program runs at a time. Default: 1.

    Returns:
        `(last carry, stacked results)`.

    >>> import hornbeam as keras
    >>> add = lambda total, x: (total + x, total + x)
    >>> total, sums = keras.ops.scan(add, 0.0, keras.ops.arange(4.0))
    >>> float(total)
    6.0
    """


@primitive()
def associative_scan(
    f: Callable[[Any, Any], Any], elems: Tree, reverse: bool = False, axis: int = 0
) -> Tree:
    """Combine all prefixes with an associative `f`, in parallel.

    Args:
        f: an associative function of two nests of tensors such as `elems`.
        elems: a tensor or a nest of tensors.
        reverse: whether to start from the end. Default: False.
        axis: the axis. Default: 0.

    >>> import hornbeam as keras
    >>> sums = keras.ops.associative_scan(lambda a, b: a + b, keras.ops.arange(4))
    >>> [int(v) for v in sums]
    [0, 1, 3, 6]
    """


@primitive()
def map(f: Callable[[Any], Any], xs: Tree) -> Tree:
    """Apply `f` to each slice along axis 0, one after another.

    >>> import hornbeam as keras
    >>> squares = keras.ops.map(lambda x: x * x, keras.ops.arange(3))
    >>> [int(v) for v in squares]
    [0, 1, 4]
    """


@primitive()
def vectorized_map(function: Callable[[Any], Any], elements: Tree) -> Tree:
    """Apply `function` to each slice along axis 0, all at once.

    >>> import hornbeam as keras
    >>> squares = keras.ops.vectorized_map(lambda x: x * x, keras.ops.arange(3))
    >>> [int(v) for v in squares]
    [0, 1, 4]
    """


@primitive(_same_nest("loop_vars"))
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Tree,
    maximum_iterations: int | None = None,
) -> Tree:
    """Repeat `loop_vars = body(*loop_vars)` while `cond(*loop_vars)`.

    Args:
        cond: a function of the variables that returns a boolean.
        body: a function of the variables that returns the new ones.
        loop_vars: a tensor, or a list or tuple of nests of tensors.
        maximum_iterations: the limit of iterations. Default: None, no limit.

    >>> import hornbeam as keras
    >>> int(keras.ops.while_loop(lambda i: i < 5, lambda i: i + 1, 0))
    5
    """


@primitive(_same_nest("init_val"))
def fori_loop(
    lower: TensorLike,
    upper: TensorLike,
    body_fun: Callable[[Any, Any], Any],
    init_val: Tree,
) -> Tree:
    """Repeat `value = body_fun(i, value)` for i from `lower` to `upper - 1`.

    >>> import hornbeam as keras
    >>> int(keras.ops.fori_loop(0, 4, lambda i, total: total + i, 0))
    6
    """


@primitive()
def jvp(
    fun: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    has_aux: bool = False,
) -> tuple[Any, ...]:
    """The value of a function and its derivative in a direction.

    Args:
        fun: a function of tensors.
        primals: a tuple: where.
        tangents: a tuple: the direction, in the same shapes.
        has_aux: whether `fun` returns something else beside the value.

    >>> import hornbeam as keras
    >>> value, slope = keras.ops.jvp(lambda x: x * x, (3.0,), (1.0,))
    >>> float(slope)
    6.0
    """
