"""What an engine does with functions: programs, gradients, control flow, shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def jit(fn: Callable, donate: Sequence[int] = ()) -> Callable:
    """`fn` as a program where the engine `compiles`, else `fn` itself.

    The buffers of the arguments `donate` may be reused.
    """


def value_and_grad(fn: Callable, has_aux: bool = False) -> Callable:
    """`(values, *args) -> (fn(values, *args), gradients of the values)`.

    `values` is a list of tensors; `fn` gives a scalar, or `(scalar, aux)`. A value that
    has no part in the result has a gradient of zeros. An engine that does not train
    raises NotImplementedError.
    """


def vmap(fn: Callable, in_axes: Any = 0, out_axes: Any = 0) -> Callable:
    """`fn` over an added axis of its arguments."""


def scan(
    f: Callable,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """`(carry, y) = f(carry, x)` along axis 0 of `xs`; the ys are stacked."""


def associative_scan(
    f: Callable, elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """All prefixes of `elems` under an associative `f`."""


def while_loop(
    cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: Any = None
) -> Any:
    """`loop_vars = body(*loop_vars)` while `cond(*loop_vars)`."""


def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    """`value = body_fun(i, value)` for i from `lower` to `upper - 1`."""


def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    """`true_fn()` or `false_fn()`."""


def switch(index: Any, branches: Any, *operands: Any) -> Any:
    """`branches[index](*operands)`, with the index clamped to the list."""


def map(f: Callable, xs: Any) -> Any:
    """`f` of each slice along axis 0, stacked."""


def vectorized_map(function: Callable, elements: Any) -> Any:
    """`function` of each slice along axis 0, all at once where the engine can."""


def stop_gradient(variable: Any) -> Any:
    """`variable` as a constant for the gradient."""


def custom_gradient(f: Callable) -> Callable:
    """`f(*args) -> (output, gradient function)` as a function of known gradient."""


def remat(f: Callable) -> Callable:
    """`f`, whose intermediate values are computed again for the gradient."""


def infer(fn: Callable, *args: Any, **kwargs: Any) -> Any:
    """The `Spec`s of `fn(*args, **kwargs)`, where some leaves are specs.

    A leaf with a shape and a dtype that is no tensor is a spec; an unknown size (None)
    stays unknown. What is no tensor in the result stays as it is.
    """
