"""Layer: what computes outputs from inputs with weights of its own."""

import functools
import inspect

import numpy as np

from hornbeam import backends
from hornbeam.core import scopes, tree
from hornbeam.core.dtypes import is_float_dtype
from hornbeam.core.naming import auto_name
from hornbeam.core.serialization import serialize_argument
from hornbeam.core.variable import Variable, standardize_shape
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.node import Node
from hornbeam.graph.operation import Operation, infer
from hornbeam.layers.call import CallContext, _current, call_info, current_context
from hornbeam.layers.input_spec import check_inputs
from hornbeam.layers.layer_state import LayerState


class Layer(Operation, LayerState):
    """A base for layers.

    A subclass makes its weights in `build(input_shape)` with `add_weight`, and computes
    in `call(inputs)`. `call` may also take `training` and `mask`, which are filled in
    where the caller does not give them.

    Args:
        activity_regularizer: a regularizer of the outputs. Default: none.
        trainable: whether training changes the weights. Default: True.
        dtype: a dtype or dtype policy. Default: `keras.config.dtype_policy()`.
        autocast: whether float inputs become the compute dtype. Default: True.
        name: default: made up from the class name.

    >>> import hornbeam as keras
    >>> class Scale(keras.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(), initializer="ones")
    ...     def call(self, x):
    ...         return x * self.factor
    >>> Scale()(keras.ops.ones((2, 3))).shape == (2, 3)
    True
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _building(cls.build)

    def __init__(
        self,
        *,
        activity_regularizer=None,
        trainable=True,
        dtype=None,
        autocast=True,
        name=None,
        **kwargs,
    ):
        from hornbeam import dtype_policies, regularizers

        super().__init__(name=name)
        input_shape = kwargs.pop("input_shape", None)
        input_dim = kwargs.pop("input_dim", None)
        if input_dim is not None:
            input_shape = (input_dim,)
        if input_shape is not None:
            self._input_shape_argument = standardize_shape(input_shape)
        if kwargs:
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: "
                f"{sorted(kwargs)}"
            )
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._dtype_policy = dtype_policies.get(dtype)
        self.autocast = autocast
        self._trainable = bool(trainable)
        self._input_spec = None
        self._supports_masking = "compute_mask" in dir(type(self)) and (
            type(self).compute_mask is not Layer.compute_mask
        )
        self._path = None
        self._build_shapes = None
        self._backend_name = None
        self.built = False
        self._init_state()

    def build(self, input_shape):
        """Make the weights for inputs of shape `input_shape`."""
        self._build_by_tracing = True

    def call(self, *args, **kwargs):
        """Compute the outputs; a subclass must write it."""
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `call()` method implemented."
        )

    def __call__(self, *args, **kwargs):
        if not hasattr(self, "built"):
            raise RuntimeError(
                f"Layer {type(self).__name__}: call `super().__init__()` in "
                "`__init__()` before anything else."
            )
        engine = backends.current()
        if self._backend_name is not None and self._backend_name != engine.name:
            with backends.scope(self._backend_name):
                return self(*args, **kwargs)
        outer = current_context()
        info = call_info(type(self).call)
        args, kwargs, symbolic = self._convert_inputs(args, kwargs, engine)
        if self._input_spec is not None and args:
            check_inputs(self._input_spec, args[0], f"layer {self._shown_path()!r}")
        kwargs = self._with_context_arguments(kwargs, args, outer, info)
        training = kwargs.get("training") if info.has_training else None
        if training is None and outer is not None:
            training = outer.training
        context = CallContext(outer.entry_layer if outer else self, training)
        if outer is None:
            self._clear_losses()
        token = _current.set(context)
        try:
            with scopes.name_scope(self.name, caller=self):
                if not self.built:
                    self._maybe_build(args, kwargs, info)
                masks = self._fill_in_masks(args, kwargs, info)
                if symbolic:
                    outputs = self.symbolic_call(*args, **kwargs)
                else:
                    outputs = self._compute(args, kwargs)
                if self.activity_regularizer is not None:
                    self._regularize_activity(outputs)
                if masks or self._supports_masking:
                    self._set_output_mask(args, masks, outputs)
        finally:
            _current.reset(token)
        return outputs

    def _compute(self, args, kwargs):
        policy = self._dtype_policy
        if self.autocast and policy.compute_dtype != policy.variable_dtype:
            with scopes.autocast_scope(policy.compute_dtype):
                return self.call(*args, **kwargs)
        if scopes.autocast_dtype() is not None:
            with scopes.autocast_scope(None):
                return self.call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def _shown_path(self):
        return self._path or self.name

    def _convert_inputs(self, args, kwargs, engine):
        """Return the arguments as tensors of the engine, and if any is symbolic."""
        found = []

        def convert(x):
            if isinstance(x, KerasTensor):
                found.append(x)
                return x
            return self._convert_input(x, engine)

        if len(args) == 1 and not kwargs and engine.is_tensor(args[0]):
            return (self._convert_input(args[0], engine),), kwargs, False
        args = tuple(_map(convert, x) for x in args)
        kwargs = {k: _map(convert, x) for k, x in kwargs.items()}
        return args, kwargs, bool(found)

    def _convert_input(self, x, engine):
        if engine.is_tensor(x):
            if self.autocast and self._compute_dtype_or_none:
                dtype = engine.dtype_of(x)
                if dtype != self._compute_dtype_or_none and is_float_dtype(dtype):
                    mask = getattr(x, "_keras_mask", None)
                    x = engine.cast(x, self._compute_dtype_or_none)
                    if mask is not None:
                        set_mask(x, mask)
            return x
        if isinstance(x, np.ndarray | np.generic):
            if x.dtype.kind not in "fiub?c" and x.dtype.name != "bfloat16":
                return x
            dtype = None
            if self.autocast and x.dtype.kind == "f":
                dtype = self._compute_dtype_or_none
            return engine.convert(x, dtype=dtype)
        if isinstance(x, Variable):
            return self._convert_input(x.value, engine)
        if x is None or isinstance(x, bool | int | float | str):
            return x
        owner = backends.of(x)
        if owner is not None:
            backends.check_same(engine, owner, f"The input of layer {self.name!r}")
        if hasattr(x, "__array__") and not hasattr(x, "dtypes"):
            return self._convert_input(np.asarray(x), engine)
        return x

    @property
    def _compute_dtype_or_none(self):
        dtype = self._dtype_policy.compute_dtype
        return dtype if dtype and is_float_dtype(dtype) else None

    def _with_context_arguments(self, kwargs, args, outer, info):
        """Fill in `training` from the calls around, or from the default."""
        if info.has_training and kwargs.get("training") is None:
            position = info.names.index("training") if "training" in info.names else 99
            if len(args) <= position:
                training = outer.training if outer is not None else None
                if training is None:
                    training = info.training_default
                if training is not None:
                    return {**kwargs, "training": training}
        elif "training" in kwargs and not info.has_training and not info.takes_any:
            kwargs = {k: v for k, v in kwargs.items() if k != "training"}
        return kwargs

    def _fill_in_masks(self, args, kwargs, info):
        """Give `call` the masks of its inputs; return those of the first input."""
        mask = _map(get_mask, args[0]) if args else None
        if args and _is_container(args[0]):
            if all(m is None for m in tree.flatten(mask)):
                mask = None
        for name, mask_name in info.mask_names.items():
            if kwargs.get(mask_name) is None:
                if args and info.names and name == info.names[0]:
                    found = mask
                else:
                    value = info.arguments(args, kwargs).get(name)
                    found = None if value is None else _map(get_mask, value)
                if found is not None:
                    position = info.names.index(mask_name) if (
                        mask_name in info.names
                    ) else 99
                    if len(args) <= position:
                        kwargs[mask_name] = found
        return mask

    def _set_output_mask(self, args, masks, outputs):
        if not args:
            return
        if not self._supports_masking:
            return
        computed = self.compute_mask(args[0], masks)
        if computed is None:
            return
        flat = tree.flatten(outputs)
        masks = tree.flatten(computed)
        if len(masks) == 1 and len(flat) > 1:
            masks = masks * len(flat)
        for x, mask in zip(flat, masks, strict=False):
            if mask is not None and x is not None and get_mask(x) is None:
                set_mask(x, mask)

    def compute_mask(self, inputs, previous_mask):
        """Return the mask of the outputs: that of the inputs, unless overridden."""
        return previous_mask

    def _regularize_activity(self, outputs):
        mask = scopes.batch_mask()
        for x in tree.flatten(outputs):
            if isinstance(x, KerasTensor):
                continue
            from hornbeam import ops

            rows = x.shape[0]
            if mask is not None:
                weights = ops.reshape(mask, (rows,) + (1,) * (len(x.shape) - 1))
                x = x * ops.cast(weights, x.dtype)
                rows = ops.sum(mask)
            loss = self.activity_regularizer(x)
            self.add_loss(loss / ops.cast(rows, loss.dtype))

    def _maybe_build(self, args, kwargs, info):
        shapes = self._shapes_for_build(args, kwargs, info)
        names = [
            p.name
            for p in inspect.signature(self.build).parameters.values()
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        ]
        # Weights are made in the variables' own dtype, whatever is cast around.
        with scopes.autocast_scope(None):
            if type(self).build is Layer.build:
                self._build_by_call(args, kwargs)
            elif len(names) == 1 or not shapes:
                self.build(*list(shapes.values())[:1])
            else:
                self.build(**{name: shapes.get(name) for name in names})
        self._mark_built()

    def _build_by_call(self, args, kwargs):
        """Make the state of inner layers by calling them on symbols, where needed.

        Eagerly they are built by the call itself; inside a program they must exist
        before.
        """
        if scopes.in_stateless_scope() and not scopes.in_symbolic_scope():
            def symbol(x):
                if hasattr(x, "shape") and hasattr(x, "dtype"):
                    return KerasTensor(tuple(x.shape), str(x.dtype))
                return x

            args, kwargs = _map(symbol, args), _map(symbol, kwargs)
            infer(self.call, args, kwargs)

    def _shapes_for_build(self, args, kwargs, info):
        arguments = info.arguments(args, kwargs)
        shapes = {}
        for name, value in arguments.items():
            if name.endswith("mask") or not _holds_tensors(value):
                continue
            shapes[f"{name}_shape"] = shapes_of(value)
        if not shapes and args:
            shapes["input_shape"] = shapes_of(args[0])
        return shapes

    def _mark_built(self):
        self.built = True
        self._backend_name = self._backend_name or backends.current().name
        if self._path is None:
            self._path = scopes.current_path() or self.name
        if not self._trainable:
            self.trainable = False

    def symbolic_call(self, *args, **kwargs):
        """Return the symbols of the outputs and record the call."""
        outputs = self.compute_output_spec(*args, **kwargs)
        symbols = [x for x in tree.flatten((args, kwargs)) if _symbol(x)]
        if all(x._keras_history for x in symbols) and not scopes.in_symbolic_scope():
            Node(self, args, _recorded(kwargs), outputs)
        return outputs

    def compute_output_spec(self, *args, **kwargs):
        """Return the KerasTensors that the call would give."""
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            info = call_info(type(self).call)
            shapes = self._shapes_for_build(args, kwargs, info)
            names = list(inspect.signature(self.compute_output_shape).parameters)
            if len(names) > 1 and set(names) & set(shapes):
                shape = self.compute_output_shape(
                    **{name: shapes.get(name) for name in names if name in shapes}
                )
            else:
                shape = self.compute_output_shape(*list(shapes.values())[:1])
            return _symbols(shape, self.compute_dtype)
        args, kwargs = _map(self._cast_symbol, args), _map(self._cast_symbol, kwargs)
        return infer(lambda *a, **k: self._compute(a, k), args, kwargs)

    def _cast_symbol(self, x):
        """Return the symbol of `x` as `call` gets it: cast, like a tensor."""
        dtype = self._compute_dtype_or_none
        if isinstance(x, KerasTensor) and dtype and self.autocast:
            if is_float_dtype(x.dtype) and x.dtype != dtype:
                return KerasTensor(x.shape, dtype)
        return x

    def compute_output_shape(self, *args, **kwargs):
        """Return the shape of the outputs for the shape of the inputs."""
        raise NotImplementedError(
            f"Layer {type(self).__name__} should implement `compute_output_shape()`."
        )

    def stateless_call(
        self,
        trainable_variables,
        non_trainable_variables,
        *args,
        return_losses=False,
        **kwargs,
    ):
        """Call the layer on given values of its variables, which keep their own.

        Args:
            trainable_variables: values for `layer.trainable_variables`.
            non_trainable_variables: values for `layer.non_trainable_variables`.
            *args: arguments of the call.
            return_losses: whether the losses are returned too.
            **kwargs: keyword arguments of the call.

        Returns:
            `(outputs, new values of the non-trainable variables[, losses])`
        """
        if not self.built:
            raise ValueError(
                f"Layer {self.name!r} must be built before `stateless_call()`: call it "
                "once on real data, or `build()` it."
            )
        mapping = []
        for kind, values in (
            ("trainable_variables", trainable_variables),
            ("non_trainable_variables", non_trainable_variables),
        ):
            variables, values = getattr(self, kind), list(values)
            if len(values) != len(variables):
                raise ValueError(
                    f"Argument `{kind}` of `stateless_call()` of layer {self.name!r} "
                    f"must have the {len(variables)} values of `layer.{kind}`. "
                    f"Received {len(values)}."
                )
            mapping += zip(variables, values, strict=True)
        with scopes.StatelessScope(mapping, collect_losses=return_losses) as scope:
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else None
        new = [
            scope.get_current_value(v) if scope.get_current_value(v) is not None
            else v.value
            for v in self.non_trainable_variables
        ]  # fmt: skip
        return (outputs, new, losses) if return_losses else (outputs, new)

    def rematerialized_call(self, layer_call, *args, **kwargs):
        """Return `layer_call`, whose intermediate values are computed again."""
        return backends.current().remat(layer_call)

    def quantize(self, mode=None, type_check=True, config=None):
        """Not available: this layer has no quantised form."""
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `quantize()` method "
            "implemented."
        )

    def get_config(self):
        """Return the arguments that make an equal layer, as plain data."""
        config = super().get_config()
        base = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": serialize_argument(self._dtype_policy),
        }
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = serialize_argument(self.activity_regularizer)
        for name in ("activity_regularizer", "autocast", "input_shape", "input_dim"):
            config.pop(name, None)
        return {**base, **{k: v for k, v in config.items() if k not in base}}

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    __str__ = __repr__


def _building(build):
    """Wrap a class's `build`: a name scope around it, and the shapes are kept."""
    if getattr(build, "_is_building", False):
        return build

    @functools.wraps(build)
    def wrapped(self, *args, **kwargs):
        if self._own_weights_made() and not isinstance(self, LayerState.rebuildable):
            return self._check_rebuild(args, kwargs, build)
        outermost = not getattr(self, "_is_building", False)
        self._is_building = True
        try:
            with scopes.name_scope(self.name, caller=self):
                self._path = scopes.current_path()
                build(self, *args, **kwargs)
        finally:
            if outermost:
                self._is_building = False
        if outermost:
            self._build_shapes = _build_shapes(build, args, kwargs)
            with scopes.name_scope(self.name, caller=self):
                self._mark_built()
        return None

    wrapped._is_building = True
    return wrapped


def _build_shapes(build, args, kwargs):
    try:
        bound = inspect.signature(build).bind(None, *args, **kwargs)
    except TypeError:
        return None
    return dict(list(bound.arguments.items())[1:])


def _map(fn, x):
    return tree.map_structure(fn, x) if _is_container(x) else fn(x)


def _is_container(x):
    return isinstance(x, list | tuple | dict)


def _symbol(x):
    return isinstance(x, KerasTensor)


def _recorded(kwargs):
    """The keyword arguments as a node keeps them: `training` from a context is not."""
    return {k: v for k, v in kwargs.items() if not (k == "training" and v is False)}


def _holds_tensors(x):
    return any(
        hasattr(leaf, "shape") and hasattr(leaf, "dtype") for leaf in tree.flatten(x)
    )


def shapes_of(x):
    """Return the shapes of a nest of tensors, in the same nest."""
    if isinstance(x, dict):
        return {k: shapes_of(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [shapes_of(v) for v in x] if isinstance(x, list) else tuple(
            shapes_of(v) for v in x
        )
    return tuple(x.shape) if hasattr(x, "shape") else None


def _symbols(shape, dtype):
    """Return KerasTensors for a shape or a nest of shapes."""
    if isinstance(shape, dict):
        return {k: _symbols(v, dtype) for k, v in shape.items()}
    if all(d is None or isinstance(d, int | np.integer) for d in shape):
        return KerasTensor(tuple(shape), dtype)
    return type(shape)(_symbols(s, dtype) for s in shape)


_side_masks = {}


def get_mask(x):
    """Return the mask that goes with a tensor, or None."""
    try:
        return x._keras_mask
    except AttributeError:
        return _side_masks.get(id(x)) if _side_masks else None


def set_mask(x, mask):
    """Let `mask` go with the tensor `x`."""
    try:
        x._keras_mask = mask
    except AttributeError:
        import weakref

        key = id(x)
        _side_masks[key] = mask
        weakref.finalize(x, _side_masks.pop, key, None)


