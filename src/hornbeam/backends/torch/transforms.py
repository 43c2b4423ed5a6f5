"""PyTorch: gradients, control flow, abstract evaluation. Nothing is compiled."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial, wraps
from typing import Any

import numpy as np
import optree
import torch
import torch.utils.checkpoint
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from hornbeam.backends import control, spec
from hornbeam.backends.control import calls_each_step as calls_each_step
from hornbeam.backends.control import compile as compile
from hornbeam.backends.control import jit as jit
from hornbeam.backends.functions import Function

from .arrays import convert, dtype_of, is_sparse, is_tensor, torch_dtype
from .devices import current_device
from .sparse import sparse_tensor

_inside_gradient: ContextVar[bool] = ContextVar("inside_gradient", default=False)

_control = control.Control(convert, torch.stack, torch.cat)
scan: Function = _control.scan
associative_scan: Function = _control.associative_scan
while_loop: Function = _control.while_loop
fori_loop: Function = _control.fori_loop
cond: Function = _control.cond
switch: Function = _control.switch


def value_and_grad(fn: Callable, has_aux: bool = False) -> Callable:
    """`(values, *args) -> (fn(values, *args), gradients of the values)`.

    Leaves that require a gradient (live Parameters) are used as they are. A call inside
    another one keeps the graph, so that gradients of gradients work.
    """

    def run(values, *args, **kwargs):
        nested = _inside_gradient.get()
        values = [_differentiable(v, nested) for v in values]
        token = _inside_gradient.set(True)
        try:
            with torch.enable_grad():
                result = fn(values, *args, **kwargs)
                loss = result[0] if has_aux else result
                gradients = _gradients(loss, values, nested)
        finally:
            _inside_gradient.reset(token)
        return (result if nested else control.tree_map(_detached, result)), gradients

    return run


def _differentiable(value: torch.Tensor, nested: bool) -> torch.Tensor:
    if value.requires_grad and (nested or value.is_leaf):
        return value
    return value.detach().requires_grad_()


def _gradients(loss: torch.Tensor, values: list, keep_graph: bool) -> list:
    if not loss.requires_grad or not values:
        return [torch.zeros_like(v) for v in values]
    return list(
        torch.autograd.grad(
            loss, values, create_graph=keep_graph, materialize_grads=True
        )
    )


def _detached(x: Any) -> Any:
    if isinstance(x, torch.Tensor) and x.requires_grad and not x.is_leaf:
        return x.detach()
    return x


def stop_gradient(variable: Any) -> Any:
    """`variable` as a constant for the gradient."""
    return variable.detach() if isinstance(variable, torch.Tensor) else variable


def custom_gradient(f: Callable) -> Callable:
    """`f(*args) -> (output, gradient function)` as a function of known gradient."""

    @wraps(f)
    def run(*args, **kwargs):
        arguments: Any = (args, kwargs)
        leaves, structure = optree.tree_flatten(arguments)
        return _CustomGradient.apply(f, structure, *leaves)

    return run


class _CustomGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, f, structure, *leaves):
        args, kwargs = optree.tree_unflatten(structure, leaves)
        output, ctx.gradient = f(*args, **kwargs)
        ctx.is_tensor = [isinstance(leaf, torch.Tensor) for leaf in leaves]
        return output

    @staticmethod
    def backward(ctx, *upstream):
        result = ctx.gradient(*upstream)
        gradients = iter(result if isinstance(result, (tuple, list)) else (result,))
        per_leaf = [next(gradients, None) for _ in ctx.is_tensor]
        pairs = zip(per_leaf, ctx.is_tensor, strict=True)
        return None, None, *(g if tensor else None for g, tensor in pairs)


def remat(f: Callable) -> Callable:
    """`f`, whose intermediate values are computed again for the gradient."""
    return wraps(f)(partial(torch.utils.checkpoint.checkpoint, f, use_reentrant=False))


def vmap(fn: Callable, in_axes: Any = 0, out_axes: Any = 0) -> Callable:
    """`fn` over an added axis of its arguments."""
    return torch.func.vmap(fn, in_axes, out_axes, randomness="different")


def vectorized_map(function: Callable, elements: Any) -> Any:
    """`function` of each slice along axis 0, as one vectorised call."""
    return vmap(function)(control.tree_map(convert, elements))


def asks_for_values(error: BaseException) -> bool:
    """Whether code needs the numbers of a tensor that has none yet."""
    words = ("data-dependent", "DataDependent", "on meta", "Meta tensor", "meta tensor")
    words += ("requires grad", "FakeTensor", "not supported for functional")
    return any(word in f"{type(error).__name__} {error}" for word in words)


def infer(fn: Callable, *args: Any, **kwargs: Any) -> Any:
    """The specs of `fn(*args, **kwargs)`, where some leaves are specs."""
    return spec.infer_with(_evaluate, is_tensor, fn, args, kwargs)


def _evaluate(run: Callable, specs: list[spec.Spec]) -> list[Any]:
    try:
        if any(s.sparse for s in specs):
            # PyTorch logs what it cannot do with a fake sparse tensor as an error.
            raise NotImplementedError
        with torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True):
            return [_as_spec(r) for r in run(*_stand_ins(specs))]
    except Exception:
        # What looks at values (`.item()`, `nonzero`) needs some: zeros on the CPU. An
        # error in the arguments shows again here, with the engine's plain message.
        with torch.no_grad():
            return [_as_spec(r) for r in run(*_stand_ins(specs))]


def _stand_ins(specs: list[spec.Spec]) -> list[torch.Tensor]:
    device = current_device()

    def new(shape, dtype):
        return torch.zeros(shape, dtype=torch_dtype(dtype), device=device)

    return [spec.stand_in(s, new, sparse_tensor) for s in specs]


def _as_spec(x: Any) -> Any:
    if isinstance(x, torch.Tensor):
        return spec.Spec(tuple(x.shape), dtype_of(x), is_sparse(x))
    if isinstance(x, (np.ndarray, np.generic)):
        return spec.Spec(x.shape, str(x.dtype))
    return x


def concrete() -> contextlib.AbstractContextManager[Any]:
    """A block whose operations run at once, even during abstract evaluation."""
    return unset_fake_temporarily()
