"""Declaring an op: one function gives the eager and the symbolic form.

`@primitive(rule)` says that the engine must provide a function of that name;
`@primitive(rule, through_body=True)` that the body calls it; `@composite` that the body
is the definition, which an engine may override by name.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeAlias, TypeVar, overload

import numpy as np

from hornbeam import backends
from hornbeam.core import dtypes, masking, scopes, tree
from hornbeam.core.variable import Variable
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import any_sparse, any_symbolic, infer, record
from hornbeam.ops import axes
from hornbeam.typing import Axes

# An op keeps the signature of its body, in editors too.
P = ParamSpec("P")
R = TypeVar("R")
Rule: TypeAlias = str | Callable[[dict[str, Any]], Any] | None

# What the type of an argument means for a call. Looked up once per argument.
_PLAIN, _VARIABLE, _SYMBOLIC, _NEST = "plain", "variable", "symbolic", "nest"
_SPARSE = "sparse"
_kinds: dict[type, Any] = {}

registry: dict[str, Any] = {}
# What is done with sparse arguments and with masks: functions composed of ops, which
# `sparse_rules.py` and `masks.py` put here.
extensions: dict[str, Callable[..., Any]] = {}


def _kind_of(x):
    """Return the kind of `x`: one of the above, or the engine it is a tensor of."""
    cls = type(x)
    if issubclass(cls, Variable):
        kind = _VARIABLE
    elif issubclass(cls, KerasTensor):
        kind = _SYMBOLIC
    elif issubclass(cls, list | tuple | dict):
        kind = _NEST
    elif backends.is_sparse(x):
        kind = _SPARSE
    else:
        kind = backends.of(x) or _PLAIN
    _kinds[cls] = kind
    return kind


def _prepare(x, engine, sparse=False):
    """Return `x` as the engine takes it; an error tells of a symbolic one.

    Another tells of a sparse one, unless `sparse` allows it.
    """
    kind = _kinds.get(type(x)) or _kind_of(x)
    if kind is _PLAIN or kind is engine:
        return x
    if kind is _VARIABLE:
        if x._backend_name != engine.name:
            backends.check_same(engine, x.backend, f"Variable {x.path!r}")
        return x.value
    if kind is _NEST:
        return _prepare_nest(x, engine)
    if kind is _SYMBOLIC:
        raise _SymbolFoundError
    if kind is _SPARSE:
        if not sparse:
            raise _SparseFoundError
        kind = backends.of(x) or engine
    backends.check_same(engine, kind, "A tensor argument")
    return x


def _prepare_nest(x, engine):
    if isinstance(x, dict):
        return {k: _prepare(v, engine) for k, v in x.items()}
    items = [_prepare(v, engine) for v in x]
    if hasattr(x, "_fields"):
        return type(x)(*items)
    return tuple(items) if isinstance(x, tuple) else items


class _SymbolFoundError(Exception):
    """An argument is symbolic: the call is recorded instead of computed."""


class _SparseFoundError(Exception):
    """An argument is sparse: the op's sparse rule says what to compute."""


def _declare(
    body: Callable[P, R], rule: Rule, native_required: bool, through_body: bool = False
) -> Callable[P, R]:
    name = body.__name__
    # No engine has a function without a name: then the body is what runs.
    native = "" if through_body else name
    kinds, scoped, masks = _kinds.get, backends._scope.get, masking.alive

    @functools.wraps(body)
    def op(*args: Any, **kwargs: Any) -> Any:
        engine = scoped() or backends._default or backends.current()
        given: Any = args
        named = kwargs
        try:
            for x in args:
                # Nearly all arguments are the engine's own tensors and plain values.
                if (kind := kinds(type(x))) is not engine and kind is not _PLAIN:
                    given = [_prepare(x, engine) for x in args]
                    break
            for x in kwargs.values():
                if (kind := kinds(type(x))) is not engine and kind is not _PLAIN:
                    named = {k: _prepare(x, engine) for k, x in kwargs.items()}
                    break
        except _SymbolFoundError:
            return _record(op, args, kwargs)
        except _SparseFoundError:
            return _call_sparse(op, args, kwargs)
        compute = getattr(engine, native, None)
        if compute is None:
            if native_required and native:
                raise NotImplementedError(
                    f"The backend {engine.name!r} has no op `{name}`."
                )
            compute = body
        try:
            result = compute(*given, **named)
        except Exception as error:
            if not engine.sparse_has_class and _any_sparse(engine, given, named):
                # It is not seen by its class, and mostly the engine knows what to do.
                return _call_sparse(op, args, kwargs)
            bound = _with_flags(op, given, named, error)
            if bound is None:
                _explain(op, given, named, error)
                raise
            result = compute(*bound.args, **bound.kwargs)
        if masks and _any_carries(masks, given, named):
            _pass_masks_on(op, given, named, result)
        return result

    vars(op).update(
        rule=rule,
        body=body,
        is_primitive=native_required,
        name=name,
        compute_output_spec=functools.partial(compute_output_spec, op),
    )
    registry[name] = op
    return op


def _with_flags(op, args, kwargs, error):
    """Return the arguments with numbers that stand for flags as bools, or None.

    Not all functions of all engines take 0 and 1 for False and True.
    """
    if not isinstance(error, TypeError):
        return None
    try:
        bound = signature_of(op).bind(*args, **kwargs)
    except TypeError:
        return None
    flags = {
        name: bool(value)
        for name, value in bound.arguments.items()
        if isinstance(bound.signature.parameters[name].default, bool)
        and isinstance(value, int | np.integer | np.bool_)
        and not isinstance(value, bool)
    }
    bound.arguments.update(flags)
    return bound if flags else None


def _explain(op, args, kwargs, error):
    """Raise what is wrong with the arguments, if that can be told.

    Engines fail in their own ways and words, where symbols have a check.
    """
    bound = _bound(op, args, kwargs, error)
    try:
        axes.check(op, bound.arguments)
        if op.rule is not None and (
            op.is_primitive or not isinstance(error, ValueError)
        ):
            _rule_of(op)(bound.arguments)
    except ValueError as clear:
        raise clear from error
    except Exception:
        # The rule cannot tell: what the engine says has to do.
        return


def _bound(op, args, kwargs, cause=None):
    """Return the arguments by name, or raise an error that names the op."""
    try:
        bound = signature_of(op).bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"ops.{op.name}(): {error}") from cause
    bound.apply_defaults()
    return bound


def _call_sparse(op, args, kwargs):
    if any_symbolic((args, kwargs)):
        return _record(op, args, kwargs)
    result = extensions["sparse"](op, args, kwargs)
    if masking.alive and _any_carries(masking.alive, args, kwargs):
        _pass_masks_on(op, args, kwargs, result)
    return result


def _any_sparse(engine, args, kwargs):
    return any(engine.is_sparse(x) for x in tree.flatten((args, kwargs)))


def primitive(
    rule: Rule = None, through_body: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare an op that every engine provides: `@primitive()` or `@primitive("same")`.

    `rule` is a name in `RULES`, or a function of the bound arguments that returns
    KerasTensors; without one the engine's abstract evaluation is asked. With
    `through_body` the body calls the engine's function, which may take other arguments.
    """

    def decorate(body):
        return _declare(body, rule, True, through_body)

    return decorate


@overload
def composite(body: Callable[P, R]) -> Callable[P, R]: ...
@overload
def composite(*, rule: Rule) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def composite(body: Any = None, *, rule: Rule = None) -> Any:
    """Declare an op whose body is its definition."""
    if body is None:
        return lambda function: _declare(function, rule, False)
    return _declare(body, rule, False)


def is_native(op: Any) -> bool:
    """Whether the engine in use has a version of its own of an op."""
    return getattr(backends.current(), op.name, None) is not None


@functools.lru_cache(maxsize=1024)
def signature_of(op: Any) -> inspect.Signature:
    """Return the op's signature."""
    return inspect.signature(op.body)


def _rule_of(op):
    return RULES[op.rule] if isinstance(op.rule, str) else op.rule


def _record(op, args, kwargs):
    result = record(op, signature_of(op), args, kwargs)
    _pass_masks_on(op, args, kwargs, result)
    return result


def _any_carries(masks, args, kwargs):
    """Whether a mask, or the mark of a lost one, goes with an argument."""
    for x in (*args, *kwargs.values()):
        if id(x) in masks:
            return True
        if isinstance(x, list | tuple):
            for y in x:
                if id(y) in masks:
                    return True
    return False


def _pass_masks_on(op, args, kwargs, result):
    extensions["masks"](op, args, kwargs, result)


def compute_output_spec(op: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return the KerasTensors that `op(*args, **kwargs)` would give."""
    bound = _bound(op, args, kwargs)
    axes.check(op, bound.arguments)
    sparse = any_sparse((args, kwargs))
    spec = NotImplemented
    if op.rule is not None:
        spec = _rule_of(op)(bound.arguments)
        if spec is not NotImplemented and not sparse:
            return spec
    if sparse and isinstance(spec, KerasTensor):
        # The engine tells whether it is sparse. Unknown sizes are those that the
        # result shows: the engine would try with some that may not fit.
        args, kwargs = tree.map_structure(
            lambda x: _with_sizes(x, spec.shape), (tuple(args), kwargs)
        )
        return KerasTensor(
            spec.shape, spec.dtype, sparse=infer(op, args, kwargs).sparse
        )
    if op.is_primitive or sparse:
        return infer(op, args, kwargs)
    try:
        return _spec_of_body(op, args, kwargs)
    except Exception:
        # The body asks for sizes that are unknown: the engine tries with some.
        return infer(op, args, kwargs)


def _with_sizes(x, shape):
    """Return the symbol with its unknown sizes from a shape of the same rank."""
    if not isinstance(x, KerasTensor) or len(x.shape) != len(shape):
        return x
    sizes = (b if a is None else a for a, b in zip(x.shape, shape, strict=True))
    return KerasTensor(tuple(sizes), x.dtype, sparse=x.sparse)


def _spec_of_body(op, args, kwargs):
    """Return what the body of a composite gives when it runs on the symbols."""
    with scopes.SymbolicScope():
        result = op.body(*args, **kwargs)
    return tree.map_structure(
        lambda x: (
            KerasTensor(x.shape, _dtype(x), sparse=getattr(x, "sparse", False))
            if hasattr(x, "shape")
            else x
        ),
        result,
    )


def _first(arguments):
    return next(iter(arguments.values()))


def _dtype(x):
    if hasattr(x, "dtype"):
        return dtypes.standardize_dtype(x.dtype)
    return type(x)


def _tensors(arguments):
    """Return the first two arguments: the operands of a binary op."""
    values = iter(arguments.values())
    return next(values), next(values)


def _same(arguments):
    x = _first(arguments)
    return KerasTensor(x.shape, x.dtype)


def _same_float(arguments):
    x = _first(arguments)
    if not hasattr(x, "shape"):
        return NotImplemented
    return KerasTensor(x.shape, _float_of(x))


def _float_of(x):
    return dtypes.result_type(_dtype(x), float)


def broadcast_shapes(shape1: Sequence[Any], shape2: Sequence[Any]) -> tuple[Any, ...]:
    """Return the shape of two shapes broadcast together; None is an unknown size."""
    rank = max(len(shape1), len(shape2))
    padded = [(1,) * (rank - len(s)) + tuple(s) for s in (shape1, shape2)]
    result = []
    for a, b in zip(*padded, strict=True):
        if a == 1:
            result.append(b)
        elif b == 1 or a == b:
            result.append(a)
        elif a is None or b is None:
            result.append(b if a is None else a)
        else:
            raise ValueError(
                f"Cannot broadcast the shapes {tuple(shape1)} and {tuple(shape2)}: "
                f"sizes {a} and {b} differ."
            )
    return tuple(result)


def _compare(arguments):
    x1, x2 = _tensors(arguments)
    return KerasTensor(broadcast_shapes(axes.shape_of(x1), axes.shape_of(x2)), "bool")


def _bool(arguments):
    return KerasTensor(_first(arguments).shape, "bool")


def reduced_shape(shape: Sequence[Any], axis: Axes, keepdims: bool) -> tuple[Any, ...]:
    """Return the shape after reducing the axes `axis` (None: all)."""
    rank = len(shape)
    reduced = range(rank) if axis is None else [i % rank for i in axes.several(axis)]
    if keepdims:
        return tuple(1 if i in reduced else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in reduced)


def _reduced(arguments, dtype):
    x = _first(arguments)
    shape = reduced_shape(
        tuple(x.shape), arguments.get("axis"), arguments.get("keepdims", False)
    )
    return KerasTensor(shape, dtype)


RULES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "same": _same,
    "same_float": _same_float,
    "compare": _compare,
    "bool": _bool,
    "reduce": lambda a: _reduced(a, _first(a).dtype),
    "reduce_float": lambda a: _reduced(a, _float_of(_first(a))),
    "reduce_bool": lambda a: _reduced(a, "bool"),
    "reduce_int": lambda a: _reduced(a, "int32"),
}
