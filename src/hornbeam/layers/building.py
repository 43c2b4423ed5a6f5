"""Building a layer: the shapes that `build` gets, and the record of them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from hornbeam import backends
from hornbeam.core import scopes, tree
from hornbeam.core.configurable import parameters_of, signature
from hornbeam.core.dtypes import standardize_dtype
from hornbeam.core.strings import holds_strings
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import infer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from hornbeam.layers.call import CallInfo
    from hornbeam.layers.layer import Layer


def building(build: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a class's `build` in a name scope, and record the shapes."""
    if getattr(build, "_is_building", False):
        return build

    @functools.wraps(build)
    def wrapped(self, *args: Any, **kwargs: Any) -> None:
        if self._own_weights_made() and not isinstance(self, self.rebuildable):
            return self._check_rebuild(args, kwargs, build)
        outermost = not getattr(self, "_is_building", False)
        self._is_building = True
        try:
            with _naming(self):
                self._set_path(scopes.current_path())
                build(self, *args, **kwargs)
        finally:
            if outermost:
                self._is_building = False
        if outermost:
            self._build_shapes = bound_shapes(build, args, kwargs)
            with scopes.name_scope(self.name, caller=self):
                self._mark_built()
        return None

    wrapped._is_building = True  # type: ignore[attr-defined]  # a mark for `building`
    return wrapped


def _naming(layer):
    """Return the name scope of a build: a layer built again keeps its path."""
    parent = None
    if layer._path is not None and not scopes.current_path():
        parent = layer._path.rpartition("/")[0]
    return scopes.name_scope(layer.name, caller=layer, override_parent=parent)


def bound_shapes(
    build: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the arguments of `build` by name, or None if they do not fit."""
    try:
        bound = signature(build).bind(None, *args, **kwargs)
    except TypeError:
        return None
    return dict(list(bound.arguments.items())[1:])


def build_for_call(
    layer: Layer, args: Sequence[Any], kwargs: Mapping[str, Any], info: CallInfo
) -> None:
    """Build `layer` for the arguments of a call."""
    from hornbeam.layers.layer import Layer

    # Weights are created in the variable dtype, not in the dtype of an outer autocast.
    with scopes.autocast_scope(None):
        if type(layer).build is Layer.build:
            _build_by_call(layer, args, kwargs)
        else:
            shapes = shapes_of_arguments(args, kwargs, info)
            # A model that is built by a call needs the dtypes too.
            vars(layer)["_first_call"] = args, kwargs
            try:
                layer.build(**_build_arguments(layer, shapes, info))
            finally:
                del vars(layer)["_first_call"]
    layer._mark_built()


def _build_by_call(layer, args, kwargs):
    """Make the state of inner layers by calling them on symbols, where needed.

    Eagerly they are built by the call itself; inside a program they must exist
    before.
    """
    if scopes.in_stateless_scope() and not scopes.in_symbolic_scope():
        infer_call(layer, args, kwargs)


def infer_call(layer: Layer, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Call a layer on symbols of these arguments, so that what is inside is built."""

    def symbol(x):
        if hasattr(x, "shape") and hasattr(x, "dtype"):
            sparse = backends.current().is_sparse(x)
            if holds_strings(x):
                return x  # What is made of strings is computed at once.
            return KerasTensor(
                tuple(x.shape), standardize_dtype(x.dtype), sparse=sparse
            )
        return x

    args, kwargs = tree.map_structure(symbol, (args, kwargs))
    infer(layer.call, args, kwargs)


def _build_arguments(layer, shapes, info):
    """Return the shapes as `layer.build` names them.

    One argument is the shape of the first input, whatever its name, and None if that is
    no tensor. Of several, each must be named after an argument of `call`.
    """
    parameters = [
        p
        for p in list(signature(type(layer).build).parameters.values())[1:]
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    inputs = [s for name, s in shapes.items() if not name.endswith("mask_shape")]
    if len(parameters) == 1:
        first = inputs or list(shapes.values())
        if not first and parameters[0].default is not parameters[0].empty:
            return {}
        return {parameters[0].name: first[0] if first else None}
    for parameter in parameters:
        name, suffix, _ = parameter.name.rpartition("_shape")
        if parameter.default is not parameter.empty:
            continue
        problem = None
        if not suffix:
            problem = f"`{parameter.name}`, which does not end in `_shape`"
        elif not info.takes(name):
            problem = (
                f"`{parameter.name}`, but `call()` does not have argument `{name}`"
            )
        if problem:
            raise ValueError(
                f"Layer {layer.name!r}: every argument of a `build()` with several "
                "arguments must be the name of an argument of `call()` with `_shape` "
                f"behind it, as in `build(self, foo_shape, bar_shape)`. "
                f"Received `build()` argument {problem}."
            )
    named = {p.name: shapes[p.name] for p in parameters if p.name in shapes}
    missing = [p.name for p in parameters if p.default is p.empty]
    return {**dict.fromkeys(missing), **named}


def shapes_of_arguments(
    args: Sequence[Any], kwargs: Mapping[str, Any], info: CallInfo
) -> dict[str, Any]:
    """Return the shapes of the tensors given to `call`, as `<argument>_shape`."""
    return {
        f"{name}_shape": shapes_of(value)
        for name, value in info.arguments(args, kwargs).items()
        if _holds_tensors(value)
    }


def output_shape_arguments(
    compute_output_shape: Callable[..., Any], shapes: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return positional and keyword arguments for `compute_output_shape`."""
    inputs = {k: v for k, v in shapes.items() if not k.endswith("mask_shape")}
    names = [p.name for p in parameters_of(compute_output_shape)]
    if len(names) > 1 and set(names) & set(inputs):
        return (), {name: inputs[name] for name in names if name in inputs}
    return tuple(inputs.values())[:1], {}


def _holds_tensors(x):
    return any(
        hasattr(leaf, "shape") and hasattr(leaf, "dtype") for leaf in tree.flatten(x)
    )


def shapes_of(x: Any) -> Any:
    """Return the shapes of a nest of tensors, in the same nest."""
    if isinstance(x, dict):
        return {k: shapes_of(v) for k, v in x.items()}
    if isinstance(x, list):
        return [shapes_of(v) for v in x]
    if isinstance(x, tuple):
        return tuple(shapes_of(v) for v in x)
    return tuple(x.shape) if hasattr(x, "shape") else None
