"""The state of a layer: weights, layers inside, seeds, losses, dtypes."""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from hornbeam import constraints, dtype_policies, initializers, regularizers
from hornbeam.core import scopes
from hornbeam.core.dtypes import is_float_dtype, standardize_dtype
from hornbeam.core.naming import auto_name
from hornbeam.core.variable import Variable, standardize_shape
from hornbeam.layers import tracking
from hornbeam.metrics.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from hornbeam.typing import (
        ConstraintLike,
        DTypeLike,
        DTypePolicyLike,
        InitializerLike,
        RegularizerLike,
        ShapeLike,
        Tensor,
    )


Method = TypeVar("Method", bound="Callable[..., Any]")

# Layers with losses from `add_loss`; usually none.
_with_losses: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def kept_while_frozen(find: Callable[..., Any]) -> Callable[..., Any]:
    """Cache the result of a method without arguments while the structure is frozen."""
    name = find.__name__

    @functools.wraps(find)
    def kept_or_found(self):
        kept = self._frozen
        if kept is None:
            return find(self)
        if name not in kept:
            kept[name] = find(self)
        return kept[name]

    return kept_or_found


def _without_name_first(add_weight: Method) -> Method:
    """Explain the call `add_weight("name", shape=...)`, which Keras 2 allowed."""

    @functools.wraps(add_weight)
    def checked(self, *args, **kwargs):
        if args and isinstance(args[0], str):
            raise ValueError(
                "`name` must be passed as a keyword argument. Received: "
                f"add_weight({args[0]!r}, ...). Use: add_weight(shape=..., "
                f"name={args[0]!r})."
            )
        return add_weight(self, *args, **kwargs)

    return cast("Method", checked)


class LayerState:
    """The part of Layer that holds state; see `Layer`."""

    # Classes that may be built again (models): filled in by hornbeam.models.
    rebuildable: tuple[type, ...] = ()

    name: str
    built: bool
    _path: str | None
    _build_shapes: dict[str, Any] | None
    _backend_name: str | None
    _dtype_policy: Any
    _added_losses: list[Any]
    _added_weights: list[Variable]
    _frozen: dict[str, Any] | None

    def _init_state(self):
        self._added_weights = []
        self._added_losses = []
        # A built layer takes no new weights.
        self._is_locked = False
        # While steps run, layers and weights are not searched for again.
        self._frozen = None

    @contextlib.contextmanager
    def _frozen_structure(self):
        """A block in which layers and variables do not come or go."""
        self._frozen = {}
        try:
            yield
        finally:
            self._frozen = None

    @_without_name_first
    def add_weight(
        self,
        shape: ShapeLike | int | None = None,
        initializer: InitializerLike = None,
        dtype: DTypeLike = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: RegularizerLike = None,
        constraint: ConstraintLike = None,
        aggregation: Literal["none", "mean", "sum", "only_first_replica"]
        | None = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a Variable that belongs to the layer.

        Args:
            shape: default: a scalar.
            initializer: default: "glorot_uniform" for floats, "zeros" for others.
            dtype: default: the layer's variable dtype.
            trainable: whether training changes it. Default: True.
            autocast: whether `call` reads it in the compute dtype. Default: True.
            regularizer: a penalty on it that is added to the loss. Default: none.
            constraint: a projection applied after each update. Default: none.
            aggregation: how replicas combine it. Default: "none".
            overwrite_with_gradient: whether the gradient replaces the value.
            name: default: generated.
        """
        if not hasattr(self, "_added_weights"):
            raise RuntimeError(
                f"Layer {type(self).__name__}: call `super().__init__()` in "
                "`__init__()` before `add_weight()`."
            )
        if self._is_locked and not getattr(self, "_is_building", False):
            raise ValueError(
                f"Layer {self.path!r}: you cannot add new elements of state (variables "
                "or sub-layers) to a layer that is already built. Make all state in "
                "`__init__()` or `build()`."
            )
        shape = standardize_shape(() if shape is None else shape)
        if None in shape:
            raise ValueError(
                f"Layer {self.path!r}: a weight needs all its sizes. Received: "
                f"shape={shape}. None is the unknown size of an input, such as the "
                "batch: leave it out, or give that size in `keras.Input`."
            )
        dtype = standardize_dtype(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if is_float_dtype(dtype) else "zeros"
        with scopes.name_scope(self.name, caller=self):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name or auto_name("variable"),
            )
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._added_weights.append(variable)
        return variable

    def add_variable(
        self,
        shape: ShapeLike | int,
        initializer: InitializerLike,
        dtype: DTypeLike = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: RegularizerLike = None,
        constraint: ConstraintLike = None,
        name: str | None = None,
    ) -> Variable:
        """Make a Variable that belongs to the layer; see `add_weight`."""
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            dtype=dtype,
            trainable=trainable,
            autocast=autocast,
            regularizer=regularizer,
            constraint=constraint,
            name=name,
        )

    def __delattr__(self, name: str) -> None:
        value = vars(self).get(name)
        if isinstance(value, Variable):
            self._added_weights = [v for v in self._added_weights if v is not value]
        super().__delattr__(name)

    def _own_weights(self):
        """The layer's own weights: trainable ones first."""
        weights = _distinct([*self._added_weights, *tracking.owned_variables(self)])
        return sorted(weights, key=lambda v: not v._created_trainable)

    def _own_states(self):
        """The layer's own variables that are not weights; they are not saved."""
        return [seed.state for seed in tracking.owned_seeds(self)]

    def _own_weights_made(self):
        return bool(self.built and self._added_weights)

    def _check_rebuild(self, args, kwargs, build):
        from hornbeam.layers.building import bound_shapes

        shapes = bound_shapes(build, args, kwargs)
        if shapes is not None and self._build_shapes not in (None, shapes):

            def plain(value):
                return str(value).replace("[", "(").replace("]", ")")

            if plain(shapes) != plain(self._build_shapes):
                raise ValueError(
                    f"Layer {self.path!r} is already built for {self._build_shapes}. "
                    "You cannot add new elements of state (variables or sub-layers) "
                    f"to it by building it for {shapes}. Make a new layer, for example "
                    "with `type(layer).from_config(layer.get_config())`."
                )

    @property
    def _layers(self):
        """The layers in the attributes."""
        from hornbeam.layers.layer import Layer

        return [x for x in tracking.owned(self, (Layer,)) if x is not self]

    @_layers.setter
    def _layers(self, value):
        self.__dict__["_given_layers"] = value

    def _flatten_layers(self, include_self=True, recursive=True):
        """Return the layer and all layers inside, each once, outer ones first."""
        if include_self and recursive:
            return self._all_layers()
        return self._walk_layers(include_self, recursive)

    @kept_while_frozen
    def _all_layers(self):
        return self._walk_layers(True, True)

    def _walk_layers(self, include_self, recursive):
        by_id: dict[int, Any] = {}
        stack: list[Any] = [self]
        while stack:
            layer = stack.pop()
            if id(layer) in by_id:
                continue
            by_id[id(layer)] = layer
            if recursive or layer is self:
                stack += reversed(layer._layers)
        layers = list(by_id.values())
        return layers if include_self else layers[1:]

    @property
    @kept_while_frozen
    def variables(self) -> list[Variable]:
        """All state of the layer, seeds included."""
        layers = self._flatten_layers()
        return _distinct(
            v for x in layers for v in [*x._own_weights(), *x._own_states()]
        )

    @property
    @kept_while_frozen
    def weights(self) -> list[Variable]:
        """All weights of the layer, in an order that does not depend on `trainable`."""
        return _distinct(v for x in self._flatten_layers() for v in x._own_weights())

    @property
    @kept_while_frozen
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes."""
        if not self.trainable:
            return []
        return [v for v in self.variables if v.trainable]

    @property
    @kept_while_frozen
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that training does not change by gradients."""
        if not self.trainable:
            return self.variables
        return [v for v in self.variables if not v.trainable]

    @property
    @kept_while_frozen
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    @kept_while_frozen
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training does not change by gradients."""
        if not self.trainable:
            return self.weights
        return [v for v in self.weights if not v.trainable]

    @property
    @kept_while_frozen
    def metrics(self) -> list[Any]:
        """The metrics of the layer and of the layers inside."""
        layers = self._flatten_layers()
        return _distinct(m for x in layers for m in tracking.owned(x, (Metric,)))

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of the metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether training changes the layer's weights. Settable."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = self._checked_trainable(value)
        for variable in self._own_weights():
            if variable._created_trainable:
                variable.trainable = value
        for layer in self._layers:
            layer.trainable = value

    def _checked_trainable(self, value):
        if not isinstance(value, bool | np.bool_):
            raise ValueError(
                f"Layer {self.path!r}: expected `trainable` to be a boolean. Received: "
                f"trainable={value!r} (of type {type(value).__name__})"
            )
        return bool(value)

    @property
    def input_spec(self) -> Any:
        """What the layer expects of its inputs: an InputSpec or a nest of them."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        self._input_spec = value

    @property
    def supports_masking(self) -> bool:
        """Whether the mask of the inputs goes on to the outputs."""
        return self._supports_masking

    @supports_masking.setter
    def supports_masking(self, value: bool) -> None:
        self._supports_masking = value

    @property
    def path(self) -> str:
        """The layer's name with those of the layers around it, once built."""
        return self._path or self.name

    def _set_path(self, path):
        """Keep the path, which a DTypePolicyMap may look up."""
        self._path = path
        self._set_dtype_policy(self._dtype_policy)

    def _set_dtype_policy(self, policy):
        self._dtype_policy = policy
        # Read at every call.
        compute_dtype = self.dtype_policy.compute_dtype
        self._cast_dtype = compute_dtype if is_float_dtype(compute_dtype) else None
        self._is_mixed = compute_dtype != self.dtype_policy.variable_dtype

    @property
    def dtype_policy(self) -> Any:
        """The layer's dtype policy; of a DTypePolicyMap, the one for its path."""
        policy = self._dtype_policy
        return policy[self.path] if isinstance(policy, Mapping) else policy

    @dtype_policy.setter
    def dtype_policy(self, value: DTypePolicyLike) -> None:
        policy: Any = dtype_policies.get(value)
        kept = self._dtype_policy
        if isinstance(kept, MutableMapping) and not isinstance(policy, Mapping):
            kept.pop(self.path, None)
            kept[self.path] = policy
            policy = kept
        self._set_dtype_policy(policy)

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return self.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of the computation."""
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def input_dtype(self) -> str:
        """The dtype to which float inputs are cast."""
        return self.dtype_policy.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """The quantisation mode: None."""
        return self.dtype_policy.quantization_mode

    @property
    def losses(self) -> list[Tensor]:
        """The losses that were added in the last call, and those of regularizers."""
        layers = self._flatten_layers()
        scope = scopes.stateless_scope()
        if scope is not None and scope.collect_losses:
            owners = {id(layer) for layer in layers}
            collected = [
                loss
                for loss, owner in zip(scope.losses, scope.loss_owners, strict=True)
                if owner in owners
            ]
        else:
            collected = [loss for layer in layers for loss in layer._added_losses]
        for variable in self._regularized_weights():
            collected.append(variable.regularizer(variable))
        return collected

    @kept_while_frozen
    def _regularized_weights(self):
        return [v for v in self.trainable_weights if v.regularizer is not None]

    def add_loss(self, loss: Any) -> None:
        """Add a scalar (or a list of them) to the loss of the model.

        Call it inside `call`.
        """
        scope = scopes.stateless_scope()
        for one in loss if isinstance(loss, list | tuple) else [loss]:
            if scope is None:
                self._added_losses.append(one)
                _with_losses[id(self)] = self
            elif scope.collect_losses:
                scope.add_loss(one, owner=self)

    def _clear_losses(self):
        scope = scopes.stateless_scope()
        if scope is not None and scope.collect_losses:
            scope.clear_losses()
        if not _with_losses:
            return
        for layer in self._flatten_layers():
            if layer._added_losses:
                layer._added_losses.clear()
                _with_losses.pop(id(layer), None)


def _distinct(items: Iterable[Any]) -> list[Any]:
    """Return the items in order, each once."""
    return list({id(x): x for x in items}.values())
