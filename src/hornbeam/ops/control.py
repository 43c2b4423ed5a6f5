"""Control flow: loops and branches that programs keep.

A program keeps a loop as one step of a function of values, so what the functions given
here assign to Variables goes through it as values; see `core.carried_state`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam import backends
from hornbeam.core import tree
from hornbeam.core.carried_state import AssignsError, carrying, lifted
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import infer
from hornbeam.ops.declare import composite, primitive
from hornbeam.typing import TensorLike, Tree


def _like(x, dtype=None):
    return KerasTensor(np.shape(x) if not hasattr(x, "shape") else x.shape, dtype)


def _same_nest(name):
    def rule(a):
        def spec(x):
            return _like(x, getattr(x, "dtype", None))

        return tree.map_structure(spec, a[name])

    return rule


def _looped(call, *functions):
    """Return `carrying(call, *functions)`; a loop in Python has nothing to carry."""
    if not backends.current().calls_each_step():
        return carrying(call, *functions)

    def as_it_is(function):
        return lambda values, *args: (function(*args), values)

    return call([], *(as_it_is(f) for f in functions))[0]


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


@primitive(_cond_spec, through_body=True)
def cond(
    pred: TensorLike, true_fn: Callable[[], Any], false_fn: Callable[[], Any]
) -> Tree:
    """Return `true_fn()` if `pred` is true, else `false_fn()`.

    >>> import hornbeam as keras
    >>> keras.ops.cond(True, lambda: 1, lambda: 2)
    1
    """
    engine = backends.current()
    known = _value_of(pred, bool)
    if known is not None:
        return true_fn() if known else false_fn()

    def call(values, true_fn, false_fn):
        return engine.cond(pred, lambda: true_fn(values), lambda: false_fn(values))

    return carrying(call, true_fn, false_fn)


def _value_of(x, kind):
    """Return `kind(x)`, or None if `x` stands in for a number in a program."""
    try:
        return kind(x)
    except Exception as error:
        if backends.current().asks_for_values(error):
            return None
        raise


@primitive(through_body=True)
def switch(
    index: TensorLike, branches: Sequence[Callable[..., Any]], *operands: Tree
) -> Tree:
    """Return `branches[index](*operands)`; an index outside is clamped.

    >>> import hornbeam as keras
    >>> branches = [lambda x: x + 1.0, lambda x: x - 1.0]
    >>> float(keras.ops.switch(1, branches, keras.ops.ones(())))
    0.0
    """
    engine = backends.current()
    operands = tree.map_structure(engine.convert, operands)
    known = _value_of(index, int)
    if known is not None:
        return branches[min(max(known, 0), len(branches) - 1)](*operands)

    def call(values, *branches):
        taken = [functools.partial(branch, values) for branch in branches]
        return engine.switch(index, taken, *operands)

    return carrying(call, *branches)


@primitive(through_body=True)
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
    _check_scan(f, xs, length, unroll)
    engine = backends.current()

    def call(values, f):
        def step(carry, x):
            (carry, y), values = f(*carry, x)
            return (values, carry), y

        start = (values, init)
        (values, carry), ys = engine.scan(step, start, xs, length, reverse, unroll)
        return (carry, ys), values

    return _looped(call, f)


def _check_scan(f, xs, length, unroll):
    """Raise if the arguments of `scan` do not fit together."""
    if not callable(f):
        raise TypeError(f"Argument `f` of scan should be a callable. Received: f={f}")
    if not isinstance(unroll, bool) and not (isinstance(unroll, int) and unroll > 0):
        raise ValueError(
            "Argument `unroll` of scan must be an positive integer or boolean. "
            f"Received: unroll={unroll}"
        )
    if xs is None and length is None:
        raise ValueError(
            "scan needs `xs` to scan over and/or `length`, the number of steps. "
            "Received: xs=None, length=None"
        )


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


@composite
def map(f: Callable[[Any], Any], xs: Tree) -> Tree:
    """Apply `f` to each slice along axis 0, one after another.

    >>> import hornbeam as keras
    >>> squares = keras.ops.map(lambda x: x * x, keras.ops.arange(3))
    >>> [int(v) for v in squares]
    [0, 1, 4]
    """
    return scan(lambda _, x: (None, f(x)), None, xs)[1]


@primitive(through_body=True)
def vectorized_map(function: Callable[[Any], Any], elements: Tree) -> Tree:
    """Apply `function` to each slice along axis 0, all at once.

    A function that assigns Variables, as Dropout does, takes one slice after another.

    >>> import hornbeam as keras
    >>> squares = keras.ops.vectorized_map(lambda x: x * x, keras.ops.arange(3))
    >>> [int(v) for v in squares]
    [0, 1, 4]
    """
    pure = lifted(function, [])
    try:
        return backends.current().vectorized_map(lambda x: pure([], x)[0], elements)
    except AssignsError:
        return map(function, elements)


@primitive(_same_nest("loop_vars"), through_body=True)
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
    engine = backends.current()
    several = isinstance(loop_vars, list | tuple)

    def call(values, cond, body):
        def step(values, *variables):
            result, values = body(values, *variables)
            result = result if isinstance(result, list | tuple) else (result,)
            return values, *result

        def goes_on(values, *variables):
            result, after = cond(values, *variables)
            if any(a is not b for a, b in zip(after, values, strict=True)):
                raise ValueError(
                    "Argument `cond` of while_loop must not assign Variables, as "
                    "drawing random numbers does: do it in `body`, and let `cond` look "
                    "at the result."
                )
            return result

        start = (values, *loop_vars) if several else (values, loop_vars)
        values, *result = engine.while_loop(goes_on, step, start, maximum_iterations)
        return type(loop_vars)(result) if several else result[0], values

    return _looped(call, cond, body)


@primitive(_same_nest("init_val"), through_body=True)
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
    engine = backends.current()

    def call(values, body_fun):
        def step(i, state):
            value, values = body_fun(state[0], i, state[1])
            return values, value

        values, value = engine.fori_loop(lower, upper, step, (values, init_val))
        return value, values

    return _looped(call, body_fun)


@primitive(through_body=True)
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
    engine = backends.current()

    def call(values, fun):
        def with_values(*primals):
            output, values_after = fun(values, *primals)
            output, aux = output if has_aux else (output, ())
            return output, (aux, values_after)

        *result, (aux, after) = engine.jvp(with_values, primals, tangents, True)
        return (*result, aux) if has_aux else tuple(result), after

    return carrying(call, fun)
