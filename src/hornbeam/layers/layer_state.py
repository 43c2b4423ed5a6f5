"""The state of a layer: weights, inner layers, seeds, losses, dtypes."""

import contextlib
import functools
import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np

from hornbeam.core import scopes
from hornbeam.core.dtypes import is_float_dtype
from hornbeam.core.naming import auto_name
from hornbeam.core.variable import Variable, standardize_shape
from hornbeam.layers import tracking

# The layers that hold losses which `add_loss` left; mostly there are none.
_with_losses: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def kept_while_frozen(find):
    """Let a method without arguments keep its list while the structure is frozen."""
    name = find.__name__

    @functools.wraps(find)
    def found(self):
        kept = self._frozen
        if kept is None:
            return find(self)
        if name not in kept:
            kept[name] = find(self)
        return kept[name]

    return found


class LayerState:
    """The part of Layer that holds state; see `Layer`."""

    # Classes that may be built again (models): filled in by hornbeam.models.
    rebuildable = ()

    def _init_state(self):
        self._added_weights = []
        self._added_losses = []
        # A built layer takes no new weights.
        self._is_locked = False
        # While steps run, what was found in the attributes is not looked for again.
        self._frozen = None

    @contextlib.contextmanager
    def _frozen_structure(self):
        """A block in which layers and variables do not come or go."""
        self._frozen = {}
        try:
            yield
        finally:
            self._frozen = None

    def add_weight(
        self,
        shape=None,
        initializer=None,
        dtype=None,
        trainable=True,
        autocast=True,
        regularizer=None,
        constraint=None,
        aggregation="none",
        overwrite_with_gradient=False,
        name=None,
    ):
        """Make a Variable that belongs to the layer.

        Args:
            shape: default: a scalar.
            initializer: default: "glorot_uniform" for floats, "zeros" for others.
            dtype: default: the layer's variable dtype.
            trainable: whether training changes it. Default: True.
            autocast: whether it reads as the compute dtype in `call`. Default: True.
            regularizer: a function of it that is added to the loss.
            constraint: a function that it goes through after each update.
            aggregation: how replicas combine it.
            overwrite_with_gradient: whether its gradient is its new value.
            name: default: made up.
        """
        from hornbeam import constraints, initializers, regularizers
        from hornbeam.core.dtypes import standardize_dtype

        if not hasattr(self, "_added_weights"):
            raise RuntimeError(
                f"Layer {type(self).__name__}: call `super().__init__()` in "
                "`__init__()` before `add_weight()`."
            )
        if isinstance(shape, str):
            raise ValueError(
                "`name` must be passed as a keyword argument. Received: "
                f"add_weight({shape!r}, ...). Use: add_weight(shape=..., "
                f"name={shape!r})."
            )
        if self._is_locked and not getattr(self, "_is_building", False):
            raise ValueError(
                f"Layer {self.path!r}: you cannot add new elements of state (variables "
                "or sub-layers) to a layer that is already built. Make all state in "
                "`__init__()` or `build()`."
            )
        dtype = standardize_dtype(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if is_float_dtype(dtype) else "zeros"
        with scopes.name_scope(self.name, caller=self):
            variable = Variable(
                initializers.get(initializer),
                shape=standardize_shape(() if shape is None else shape),
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
        shape,
        initializer,
        dtype=None,
        trainable=True,
        autocast=True,
        regularizer=None,
        constraint=None,
        name=None,
    ):
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

    def __delattr__(self, name):
        value = vars(self).get(name)
        if isinstance(value, Variable):
            self._added_weights = [v for v in self._added_weights if v is not value]
        super().__delattr__(name)

    def _own_weights(self):
        """The layer's own weights: trainable ones first."""
        found = {id(v): v for v in self._added_weights}
        for variable in tracking.owned_variables(self):
            found.setdefault(id(variable), variable)
        own = list(found.values())
        return sorted(own, key=lambda v: not v._created_trainable)

    def _own_states(self):
        """The layer's own variables that are no weights: files do not have them."""
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
        found, stack = {}, [self]
        while stack:
            layer = stack.pop()
            if id(layer) in found:
                continue
            found[id(layer)] = layer
            if recursive or layer is self:
                stack += reversed(layer._layers)
        layers = list(found.values())
        return layers if include_self else layers[1:]

    @property
    @kept_while_frozen
    def variables(self):
        """All state of the layer, seeds included."""
        found = {}
        for layer in self._flatten_layers():
            for variable in layer._own_weights():
                found.setdefault(id(variable), variable)
            for variable in layer._own_states():
                found.setdefault(id(variable), variable)
        return list(found.values())

    @property
    @kept_while_frozen
    def weights(self):
        """All weights of the layer, in an order that does not depend on `trainable`."""
        found = {}
        for layer in self._flatten_layers():
            for variable in layer._own_weights():
                found.setdefault(id(variable), variable)
        return list(found.values())

    @property
    @kept_while_frozen
    def trainable_variables(self):
        """The variables that training changes."""
        if not self.trainable:
            return []
        return [v for v in self.variables if v.trainable]

    @property
    @kept_while_frozen
    def non_trainable_variables(self):
        """The variables that training does not change by gradients."""
        if not self.trainable:
            return self.variables
        return [v for v in self.variables if not v.trainable]

    @property
    @kept_while_frozen
    def trainable_weights(self):
        """The weights that training changes."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    @kept_while_frozen
    def non_trainable_weights(self):
        """The weights that training does not change by gradients."""
        if not self.trainable:
            return self.weights
        return [v for v in self.weights if not v.trainable]

    @property
    @kept_while_frozen
    def metrics(self):
        """The metrics of the layer and of the layers inside."""
        from hornbeam.metrics.metric import Metric

        found = {}
        for layer in self._flatten_layers():
            for metric in tracking.owned(layer, (Metric,)):
                found.setdefault(id(metric), metric)
        return list(found.values())

    @property
    def metrics_variables(self):
        """The variables of the metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self):
        """Whether training changes the layer's weights. Settable."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
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
    def input_spec(self):
        """What the layer expects of its inputs: an InputSpec or a nest of them."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value):
        self._input_spec = value

    @property
    def supports_masking(self):
        """Whether the mask of the inputs goes on to the outputs."""
        return self._supports_masking

    @supports_masking.setter
    def supports_masking(self, value):
        self._supports_masking = value

    @property
    def path(self):
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
    def dtype_policy(self):
        """The layer's dtype policy; of a DTypePolicyMap, the one for its path."""
        policy = self._dtype_policy
        return policy[self.path] if isinstance(policy, Mapping) else policy

    @dtype_policy.setter
    def dtype_policy(self, value):
        from hornbeam import dtype_policies

        policy = dtype_policies.get(value)
        if isinstance(self._dtype_policy, Mapping) and not isinstance(policy, Mapping):
            self._dtype_policy.pop(self.path, None)
            self._dtype_policy[self.path] = policy
            policy = self._dtype_policy
        self._set_dtype_policy(policy)

    @property
    def dtype(self):
        """The dtype of the weights."""
        return self.variable_dtype

    @property
    def compute_dtype(self):
        """The dtype of the computation."""
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self):
        """The dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def input_dtype(self):
        """The dtype to which float inputs are cast."""
        return self.dtype_policy.compute_dtype

    @property
    def quantization_mode(self):
        """The quantisation mode: None."""
        return self.dtype_policy.quantization_mode

    @property
    def losses(self):
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

    def add_loss(self, loss):
        """Add a scalar (or a list of them) to the loss of the model.

        Call it inside `call`.
        """
        scope = scopes.stateless_scope()
        collecting = scope is not None and scope.collect_losses
        for one in loss if isinstance(loss, list | tuple) else [loss]:
            if collecting:
                scope.add_loss(one, owner=self)
            elif scope is None:
                self._added_losses.append(one)
                _with_losses[id(self)] = self

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

    def count_params(self):
        """Return the number of values in the weights."""
        if not self.built:
            raise ValueError(
                f"`count_params()` needs a built layer, and {self.name!r} is not: call "
                "it on data or `build()` it."
            )
        return sum(int(np.prod(v.shape)) for v in self.weights)

    def get_weights(self):
        """Return the weights as a list of NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights):
        """Set the weights from a list of arrays; all fit, or nothing changes."""
        own = self.weights
        if len(weights) != len(own):
            raise ValueError(
                f"Layer {self.path!r} has {len(own)} weights. `set_weights()` received "
                f"a list of {len(weights)}."
            )
        for variable, value in zip(own, weights, strict=True):
            if tuple(np.shape(value)) != tuple(variable.shape):
                raise ValueError(
                    f"Layer {self.path!r}: weight {variable.path!r} expects shape "
                    f"{variable.shape}. `set_weights()` received {np.shape(value)}."
                )
        for variable, value in zip(own, weights, strict=True):
            variable.assign(value)

    def _saved_weights(self):
        """The layer's own weights as files number them."""
        return self._own_weights()

    def save_own_variables(self, store):
        """Put the layer's own weights into `store`, a dict of arrays."""
        for position, variable in enumerate(self._saved_weights()):
            store[f"{position}"] = variable

    def load_own_variables(self, store):
        """Set the layer's own weights from `store`; all fit, or nothing changes."""
        own = self._saved_weights()
        if len(store) != len(own):
            if own and not store:
                found = "no weights"
            else:
                found = f"{len(store)} weights of shapes " + str(
                    [tuple(store[k].shape) for k in store]
                )
            state = "" if self.built else " The layer was never built."
            raise ValueError(
                f"Layer {self.path!r} expects {len(own)} weights of shapes "
                f"{[tuple(v.shape) for v in own]}. The file has {found}.{state}"
            )
        for position, variable in enumerate(own):
            shape = tuple(store[f"{position}"].shape)
            if shape != tuple(variable.shape):
                raise ValueError(
                    f"Layer {self.path!r}: weight {variable.path!r} expects shape "
                    f"{tuple(variable.shape)}. The file has {shape}."
                )
        for position, variable in enumerate(own):
            variable.assign(store[f"{position}"])

    def get_build_config(self):
        """Return the shapes that the layer was built for."""
        shapes = self._build_shapes
        if shapes is None:
            return None
        if len(shapes) == 1:
            return {"input_shape": next(iter(shapes.values()))}
        return {"shapes_dict": shapes}

    def build_from_config(self, config):
        """Build the layer from what `get_build_config` returned."""
        if not config:
            return
        if "input_shape" in config:
            shape = config["input_shape"]
            self.build(_as_shapes(shape))
        elif "shapes_dict" in config:
            self.build(**{k: _as_shapes(v) for k, v in config["shapes_dict"].items()})

    def to_backend(self, name):
        """Move the layer, with all its state, to the engine `name`; return it.

        >>> import hornbeam as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.to_backend("numpy").backend
        'numpy'
        """
        from hornbeam import backends

        engine = backends.get(name)
        self.join_modules(engine)
        for variable in self._all_variables():
            variable.move_to(engine)
        for layer in self._flatten_layers():
            layer._backend_name = engine.name
            layer._added_losses.clear()
        return self

    def _all_variables(self):
        return [*self.variables, *self.metrics_variables]

    @property
    def backend(self):
        """The name of the engine that the layer belongs to; None before it is built."""
        return self._backend_name


def _as_shapes(x):
    """Return shapes as tuples, in whatever nest they come."""
    if isinstance(x, dict):
        return {k: _as_shapes(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        if all(d is None or isinstance(d, int) for d in x):
            return tuple(x)
        return type(x)(_as_shapes(v) for v in x)
    return x
