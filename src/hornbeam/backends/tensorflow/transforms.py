"""TensorFlow: programs, gradients, control flow, abstract evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np
import optree
import tensorflow as tf
from tensorflow.python.autograph.core import config as autograph
from tensorflow.python.autograph.core.config_lib import DoNotConvert

from hornbeam.backends import control, spec
from hornbeam.backends.functions import Function

from .arrays import Tensor, convert, dtype_of, is_sparse, is_tensor, tf_dtype
from .sparse import sparse_tensor

# A user's `tf.function` rewrites the functions that it calls, but not those of
# libraries that it knows. There is no public way to become one.
autograph.CONVERSION_RULES = (DoNotConvert("hornbeam"), *autograph.CONVERSION_RULES)

_control = control.Control(convert, tf.stack, tf.concat)
associative_scan: Function = _control.associative_scan


def _tensors(tree: Any) -> Any:
    return control.tree_map(convert, tree)


def calls_each_step() -> bool:
    """Whether no program is traced here, so that loops are loops in Python."""
    return tf.executing_eagerly()


def jit(fn: Callable, donate: Sequence[int] = ()) -> Callable:
    """`fn` as a program, compiled for each form of its arguments."""
    programs: dict[Any, Callable] = {}

    @wraps(fn)
    def run(*args):
        arguments: Any = args
        leaves, structure = optree.tree_flatten(arguments)
        if structure not in programs:
            programs[structure] = _Traced(fn, structure)
        return programs[structure](*[convert(x) for x in leaves])

    return run


def fused(fn: Callable, *arguments: Any) -> Any:
    """`fn(*arguments)`, compiled by XLA where a graph is traced.

    XLA compiles anew for other shapes, so only the size of batches may be unknown.
    """
    flat: list[Any] = optree.tree_leaves(arguments)  # type: ignore[arg-type]
    leaves = [x for x in flat if isinstance(x, tf.Tensor)]
    known = all(x.shape.rank is not None and None not in x.shape[1:] for x in leaves)
    if tf.executing_eagerly() or not known:
        return fn(*arguments)
    return tf.function(fn, jit_compile=True, autograph=False)(*arguments)


class _Traced:
    """A function of the leaves of nested arguments, as a `tf.function`."""

    def __init__(self, fn: Callable, structure: Any):
        self.results: dict[Any, Any] = {}

        def flat(*leaves):
            result = fn(*optree.tree_unflatten(structure, leaves))
            results, self.structure = optree.tree_flatten(result)
            return [convert(x) for x in results]

        self.run = tf.function(flat, autograph=False)

    def __call__(self, *leaves):
        results = self.run(*leaves)
        return optree.tree_unflatten(self.structure, results)


def value_and_grad(fn: Callable, has_aux: bool = False) -> Callable:
    """`(values, *args) -> (fn(values, *args), gradients of the values)`."""

    def run(values, *args, **kwargs):
        values = [convert(v) for v in values]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            result = fn(values, *args, **kwargs)
            loss = result[0] if has_aux else result
        if not isinstance(loss, tf.Tensor) or not values:
            return result, [tf.zeros_like(v) for v in values]
        gradients = tape.gradient(
            loss, values, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return result, [tf.convert_to_tensor(g) for g in gradients]

    return run


def stop_gradient(variable: Any) -> Any:
    """`variable` as a constant for the gradient."""
    return tf.stop_gradient(variable)


def custom_gradient(f: Callable) -> Callable:
    """`f(*args) -> (output, gradient function)` as a function of known gradient."""

    @wraps(f)
    def run(*args, **kwargs):
        arguments: Any = (args, kwargs)
        leaves, structure = optree.tree_flatten(arguments)
        places = [i for i, x in enumerate(leaves) if isinstance(x, Tensor)]

        @tf.custom_gradient
        def of_tensors(*tensors):
            filled = list(leaves)
            for place, tensor in zip(places, tensors, strict=True):
                filled[place] = tensor
            args, kwargs = optree.tree_unflatten(structure, filled)
            output, gradient = f(*args, **kwargs)

            def of_places(*upstream):
                result = gradient(*upstream)
                result = result if isinstance(result, (tuple, list)) else (result,)
                return [result[i] if i < len(result) else None for i in places]

            return output, of_places

        return of_tensors(*[convert(leaves[i]) for i in places])

    return run


def remat(f: Callable) -> Callable:
    """`f` itself: `tf.recompute_grad` loses the gradients of what `f` closes over.

    See https://github.com/tensorflow/tensorflow/issues/36981.
    """
    return f


def vmap(fn: Callable, in_axes: Any = 0, out_axes: Any = 0) -> Callable:
    """`fn` over an added axis of its arguments."""

    def run(*args):
        axes = in_axes if isinstance(in_axes, (tuple, list)) else [in_axes] * len(args)
        moved, constant = [], {}
        for place, (arg, axis) in enumerate(zip(args, axes, strict=True)):
            if axis is None:
                constant[place] = arg
            else:
                moved.append(
                    control.tree_map(lambda x, a=axis: _moved(convert(x), a, 0), arg)
                )

        def one(slices):
            slices = iter(slices)
            return fn(
                *(
                    constant[place] if place in constant else next(slices)
                    for place in range(len(args))
                )
            )

        result = vectorized_map(one, moved)
        return control.tree_map(lambda y: _moved(y, 0, out_axes), result)

    return run


def _moved(x: tf.Tensor, source: int, target: int) -> tf.Tensor:
    source, target = source % x.ndim, target % x.ndim
    if source == target:
        return x
    order = [i for i in range(x.ndim) if i != source]
    order.insert(target, source)
    return tf.transpose(x, order)


def vectorized_map(function: Callable, elements: Any) -> Any:
    """`function` of each slice along axis 0, as one vectorised call."""
    leaves, structure = optree.tree_flatten(_tensors(elements))
    form: Any = None

    def flat(slices):
        nonlocal form
        result = function(optree.tree_unflatten(structure, slices))
        results, form = optree.tree_flatten(result)
        return [convert(x) for x in results]

    results = tf.vectorized_map(flat, leaves, fallback_to_while_loop=True)
    return optree.tree_unflatten(form, results)


def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    """`true_fn()` or `false_fn()`; only the one that is taken runs."""
    return _branches(
        lambda *fns: tf.cond(tf.cast(pred, tf.bool), *fns), true_fn, false_fn
    )


def switch(index: Any, branches: Any, *operands: Any) -> Any:
    """`branches[index](*operands)`, with the index clamped to the list."""
    index = tf.clip_by_value(convert(index, "int32"), 0, len(branches) - 1)
    operands = _tensors(operands)
    fns = [lambda fn=fn: fn(*operands) for fn in branches]
    return _branches(lambda *fns: tf.switch_case(index, list(fns)), *fns)


def _branches(choose: Callable, *fns: Callable) -> Any:
    """`choose` between functions whose results are any nest of tensors."""
    form: Any = None

    def flat(fn):
        def run():
            nonlocal form
            results, form = optree.tree_flatten(fn())
            return [convert(x) for x in results]

        return run

    results = choose(*[flat(fn) for fn in fns])
    results = results if isinstance(results, (list, tuple)) else [results]
    return optree.tree_unflatten(form, results)


def _loop(goes_on: Callable, step: Callable, start: Any, limit: Any = None) -> Any:
    """`state = step(state)` while `goes_on(state)`, for any nest of tensors."""
    if tf.executing_eagerly():
        return _python_loop(goes_on, step, start, limit)
    leaves, structure = optree.tree_flatten(start)
    leaves = [convert(x) for x in leaves]

    def flat_step(*leaves):
        result = step(optree.tree_unflatten(structure, leaves))
        pairs = zip(optree.tree_leaves(result), leaves, strict=True)
        return [convert(new, dtype_of(old)) for new, old in pairs]

    result = tf.while_loop(
        lambda *leaves: goes_on(optree.tree_unflatten(structure, leaves)),
        flat_step,
        leaves,
        parallel_iterations=1,
        maximum_iterations=limit,
    )
    return optree.tree_unflatten(structure, result)


def _python_loop(goes_on, step, start, limit):
    # The numbers are used as they are given: TensorFlow adds an integer to a tensor of
    # 64 bits, and no tensor of 32 bits.
    state, count = start, 0
    while (limit is None or count < limit) and goes_on(state):
        state = step(state)
        count += 1
    return control.tree_map(lambda new, old: convert(new, dtype_of(old)), state, start)


def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    """`value = body_fun(i, value)` for i from `lower` to `upper - 1`."""
    known = isinstance(lower, int) and isinstance(upper, int)
    start = (lower if tf.executing_eagerly() else convert(lower, "int32"), init_val)
    _, value = _loop(
        lambda state: state[0] < upper,
        lambda state: (state[0] + 1, body_fun(*state)),
        start,
        max(upper - lower, 0) if known else None,
    )
    return value


def while_loop(
    cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: Any = None
) -> Any:
    """The tuple `loop_vars = body(*loop_vars)` while `cond(*loop_vars)`."""
    return _loop(
        lambda state: cond(*state),
        lambda state: body(*state),
        loop_vars,
        maximum_iterations,
    )


def scan(
    f: Callable,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """`(carry, y) = f(carry, x)` along axis 0 of `xs`; the ys are stacked."""
    if tf.executing_eagerly() or unroll is True:
        return _control.scan(f, init, xs, length, reverse, unroll)
    carry, xs = _tensors(init), _tensors(xs)
    count = int(length or 0) if xs is None else control.common_length(xs)
    ys_structure: Any = None

    def at(i):
        place = count - 1 - i if reverse else i
        return place, control.tree_map(lambda x: tf.gather(x, place), xs)

    def outputs(i, carry):
        nonlocal ys_structure
        carry, y = f(carry, at(i)[1])
        leaves, ys_structure = optree.tree_flatten(y)
        return carry, [convert(v) for v in leaves]

    shapes = infer(outputs, 0, carry)[1]
    rooms = [
        tf.TensorArray(tf_dtype(s.dtype), count, element_shape=s.shape) for s in shapes
    ]

    def step(i, carry, rooms):
        carry, leaves = outputs(i, carry)
        place, _ = at(i)
        return (
            i + 1,
            carry,
            [r.write(place, y) for r, y in zip(rooms, leaves, strict=True)],
        )

    leaves, structure = optree.tree_flatten(carry)

    def flat(i, leaves, rooms):
        i, carry, rooms = step(i, optree.tree_unflatten(structure, leaves), rooms)
        return i, optree.tree_leaves(_tensors(carry)), rooms

    _, leaves, rooms = tf.while_loop(
        lambda i, *rest: i < count,
        flat,
        (tf.constant(0), leaves, rooms),
        maximum_iterations=count,
    )
    ys = optree.tree_unflatten(ys_structure, [r.stack() for r in rooms])
    return optree.tree_unflatten(structure, leaves), ys


def asks_for_values(error: BaseException) -> bool:
    """Whether code needs the numbers of a tensor that has none yet."""
    symbolic = "symbolic" in str(error) or "SymbolicTensor" in str(error)
    return symbolic or isinstance(error, tf.errors.OperatorNotAllowedInGraphError)


def infer(fn: Callable, *args: Any, **kwargs: Any) -> Any:
    """The specs of `fn(*args, **kwargs)`, where some leaves are specs."""
    return spec.infer_with(_evaluate, is_tensor, fn, args, kwargs)


def _evaluate(run: Callable, specs: list[spec.Spec]) -> list[Any]:
    try:
        with tf.__internal__.FuncGraph("infer").as_default():
            places = [spec.stand_in(s, _place, sparse_tensor) for s in specs]
            return [_as_spec(r) for r in run(*places)]
    except Exception:
        if not tf.executing_eagerly():
            raise
        # What looks at values needs some. An error in the arguments shows again here,
        # with the engine's plain message.
        with concrete():
            stand_ins = [spec.stand_in(s, _zeros, sparse_tensor) for s in specs]
            return [_as_spec(r) for r in run(*stand_ins)]


def _place(shape: Any, dtype: str) -> tf.Tensor:
    return tf.compat.v1.placeholder(tf_dtype(dtype), shape)


def _zeros(shape: Any, dtype: str) -> tf.Tensor:
    return tf.zeros(shape, tf_dtype(dtype))


def _as_spec(x: Any) -> Any:
    if is_tensor(x):
        return spec.Spec(tuple(x.shape), dtype_of(x), is_sparse(x))
    if isinstance(x, (np.ndarray, np.generic)):
        return spec.Spec(x.shape, str(x.dtype))
    return x


def concrete() -> Any:
    """A block whose operations run at once, even while a program is traced."""
    return tf.init_scope()


def compile(fn: Callable, arguments: Sequence[Any], donate: Sequence[int] = ()) -> Any:
    """`fn` compiled for arguments such as these; the program does not hold `fn`."""
    from .programs import Program

    return Program(fn, arguments, donate)
