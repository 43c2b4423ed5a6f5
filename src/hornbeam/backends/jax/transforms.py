"""JAX: programs, gradients, control flow, abstract evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from hornbeam.backends import control, spec

from .arrays import convert, is_sparse, is_tensor, jax_dtype
from .kept_programs import compile_or_load
from .sparse import sparse_tensor


def calls_each_step() -> bool:
    """No: a loop is traced as a part of a program, which eager calls run at once."""
    return False


def vmap(fn: Callable, in_axes: Any = 0, out_axes: Any = 0) -> Callable:
    """`fn` over an added axis of its arguments."""
    return jax.vmap(fn, in_axes, out_axes)


def custom_gradient(f: Callable) -> Callable:
    """`f(*args) -> (output, gradient function)` as a function of known gradient."""
    return jax.custom_gradient(f)


def remat(f: Callable) -> Callable:
    """`f`, whose intermediate values are computed again for the gradient."""
    return jax.checkpoint(f)


def stop_gradient(variable: Any) -> Any:
    """`variable` as a constant for the gradient."""
    return jax.lax.stop_gradient(variable)


def jit(fn: Callable, donate: Sequence[int] = ()) -> jax.stages.Wrapped:
    """`fn` as a compiled program; the buffers of the `donate` arguments are reused."""
    return jax.jit(fn, donate_argnums=tuple(donate))


def value_and_grad(fn: Callable, has_aux: bool = False) -> Callable:
    """`(values, *args) -> (fn(values, *args), gradients of the values)`."""
    return jax.value_and_grad(fn, has_aux=has_aux)


def _tensors(tree: Any) -> Any:
    return control.tree_map(convert, tree)


def scan(
    f: Callable,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """`(carry, y) = f(carry, x)` along axis 0 of `xs`; the ys are stacked."""
    return jax.lax.scan(f, _tensors(init), _tensors(xs), length, reverse, unroll)


def associative_scan(
    f: Callable, elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """All prefixes of `elems` under an associative `f`."""
    elems = _tensors(elems)
    control.common_length(elems, axis)
    return jax.lax.associative_scan(f, elems, reverse, axis)


def switch(index: Any, branches: Any, *operands: Any) -> Any:
    """`branches[index](*operands)`, with the index clamped to the list."""
    return jax.lax.switch(convert(index, "int32"), branches, *_tensors(operands))


def vectorized_map(function: Callable, elements: Any) -> Any:
    """`function` of each slice along axis 0, as one vectorised call."""
    return jax.vmap(function)(_tensors(elements))


def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    """`true_fn()` or `false_fn()`; only the one that is taken runs."""
    return jax.lax.cond(pred, true_fn, false_fn)


def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    """`value = body_fun(i, value)` for i from `lower` to `upper - 1`."""
    return jax.lax.fori_loop(lower, upper, body_fun, init_val)


def while_loop(
    cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: Any = None
) -> Any:
    """The tuple `loop_vars = body(*loop_vars)` while `cond(*loop_vars)`."""
    limit = np.iinfo(np.int32).max if maximum_iterations is None else maximum_iterations

    def goes_on(state):
        count, variables = state
        return jax.numpy.logical_and(cond(*variables), count < limit)

    def step(state):
        count, variables = state
        return count + 1, body(*variables)

    return jax.lax.while_loop(goes_on, step, (0, loop_vars))[1]


def asks_for_values(error: BaseException) -> bool:
    """Whether code needs the numbers of a tensor that has none yet."""
    kinds = (
        jax.errors.ConcretizationTypeError,
        jax.errors.TracerArrayConversionError,
        jax.errors.TracerIntegerConversionError,
        jax.errors.NonConcreteBooleanIndexError,
    )
    if isinstance(error, kinds):
        return True
    # `x.numpy()`, which other libraries have, and `x[0] = 1`.
    is_missing = isinstance(error, AttributeError) and "Tracer has no" in str(error)
    words = ("arrays are immutable", "scalar index", "truth value of an array")
    return is_missing or any(word in str(error) for word in words)


def infer(fn: Callable, *args: Any, **kwargs: Any) -> Any:
    """The specs of `fn(*args, **kwargs)`, where some leaves are specs."""
    return spec.infer_with(_evaluate, is_tensor, fn, args, kwargs)


def _evaluate(run: Callable, specs: list[spec.Spec]) -> list[Any]:
    plain: list[Any] = []

    def arrays_only(*tensors):
        results = run(*(made(x) for made, x in zip(makers, tensors, strict=True)))
        plain[:] = [None if _is_array(r) else r for r in results]
        return [r if _is_array(r) else None for r in results]

    makers = [_sparse_of(s.sizes) if s.sparse else lambda x: x for s in specs]
    structs = [_structs(s) for s in specs]
    shapes = jax.eval_shape(arrays_only, *structs)
    return [
        value
        if shape is None
        else spec.Spec(tuple(shape.shape), str(shape.dtype), is_sparse(shape))
        for shape, value in zip(shapes, plain, strict=True)
    ]


def _structs(s: spec.Spec) -> Any:
    dtype = jax_dtype(s.dtype)
    if not s.sparse:
        return jax.ShapeDtypeStruct(s.sizes, dtype)
    indices = jax.ShapeDtypeStruct((1, len(s.sizes)), np.int32)
    return indices, jax.ShapeDtypeStruct((1,), dtype)


def _sparse_of(shape: tuple[int, ...]) -> Callable:
    return lambda parts: sparse_tensor(parts[0], parts[1], shape, unique=True)


def _is_array(x: Any) -> bool:
    return isinstance(x, (jax.Array, np.ndarray, np.generic)) or is_sparse(x)


def concrete() -> Any:
    """A block whose operations run at once, even while a program is traced."""
    return jax.ensure_compile_time_eval()


def compile(fn: Callable, arguments: Sequence[Any], donate: Sequence[int] = ()) -> Any:
    """`fn` compiled for arguments such as these; the program does not hold `fn`."""
    return compile_or_load(jit(fn, donate).lower(*arguments), arguments)
