"""NumPy: control flow and shapes. There are no gradients here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import numpy as np
import optree

from hornbeam.backends import control, spec
from hornbeam.backends.control import calls_each_step as calls_each_step
from hornbeam.backends.control import compile as compile
from hornbeam.backends.control import jit as jit
from hornbeam.backends.functions import Function

from .arrays import convert, is_sparse, is_tensor, numpy_dtype
from .sparse import sparse_tensor

_control = control.Control(convert, np.stack, np.concatenate)
scan: Function = _control.scan
associative_scan: Function = _control.associative_scan
while_loop: Function = _control.while_loop
fori_loop: Function = _control.fori_loop
cond: Function = _control.cond
switch: Function = _control.switch


def value_and_grad(fn: Callable, has_aux: bool = False) -> NoReturn:
    """Refused: NumPy has no gradients."""
    raise NotImplementedError(
        "The NumPy engine computes no gradients, so it cannot train. Choose an engine "
        "that trains before you build the model: "
        '`keras.config.set_backend("jax")` or `keras.config.set_backend("torch")`.'
    )


def stop_gradient(variable: Any) -> Any:
    """`variable` itself."""
    return variable


def custom_gradient(f: Callable) -> Callable:
    """`f` without its gradient function."""

    @wraps(f)
    def run(*args, **kwargs):
        return f(*args, **kwargs)[0]

    return run


def remat(f: Callable) -> Callable:
    """`f` itself."""
    return f


def vmap(fn: Callable, in_axes: Any = 0, out_axes: Any = 0) -> Callable:
    """`fn` over an added axis of its arguments, one slice at a time."""

    def run(*args):
        axes = in_axes if isinstance(in_axes, (tuple, list)) else [in_axes] * len(args)
        flat, places = [], []
        for arg, axis in zip(args, axes, strict=True):
            leaves, structure = optree.tree_flatten(arg)
            flat.append((leaves, structure, axis))
            places += [np.shape(x)[axis] for x in leaves if axis is not None]

        def slices(i):
            return [
                optree.tree_unflatten(
                    structure,
                    [x if axis is None else np.take(x, i, axis) for x in leaves],
                )
                for leaves, structure, axis in flat
            ]

        results = [fn(*slices(i)) for i in range(places[0])]
        return control.tree_map(lambda *r: np.stack(r, out_axes), *results)

    return run


def vectorized_map(function: Callable, elements: Any) -> Any:
    """`function` of each slice along axis 0, one slice at a time."""
    return scan(lambda _, x: (None, function(x)), None, elements)[1]


def asks_for_values(error: BaseException) -> bool:
    """No: tensors have numbers always."""
    return False


def infer(fn: Callable, *args: Any, **kwargs: Any) -> Any:
    """The specs of `fn(*args, **kwargs)`, where some leaves are specs."""
    return spec.infer_with(_evaluate, is_tensor, fn, args, kwargs)


def _evaluate(run: Callable, specs: list[spec.Spec]) -> list[Any]:
    def new(shape, dtype):
        return np.zeros(shape, numpy_dtype(dtype))

    with np.errstate(all="ignore"):
        results = run(*(spec.stand_in(s, new, sparse_tensor) for s in specs))
    return [
        spec.Spec(tuple(r.shape), str(r.dtype), is_sparse(r)) if is_tensor(r) else r
        for r in results
    ]


def concrete() -> contextlib.AbstractContextManager[Any]:
    """A block whose operations run at once: here all do."""
    return contextlib.nullcontext()
