"""Layer: a computation with weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hornbeam import backends, dtype_policies, ops, regularizers
from hornbeam.core import masking, scopes, tree, turns
from hornbeam.core.configurable import init_arguments, serialize_argument
from hornbeam.core.dtypes import is_float_dtype
from hornbeam.core.errors import did_you_mean
from hornbeam.core.keras_names import advice
from hornbeam.core.lazy import public
from hornbeam.core.placement import current_remat
from hornbeam.core.variable import Variable, standardize_shape, values_of
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.node import Node
from hornbeam.graph.operation import Operation, any_sparse, infer
from hornbeam.layers import building, masks, remat
from hornbeam.layers import call as calls
from hornbeam.layers.input_spec import check_inputs
from hornbeam.layers.live_parameters import LiveParameters
from hornbeam.layers.pickled_functions import by_value, restored
from hornbeam.layers.saved_state import SavedState
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Self, Unpack

    from hornbeam.layers.keyword_arguments import InputArguments
    from hornbeam.typing import Config, DTypePolicyLike, RegularizerLike, Tensor


class Layer(Operation, SavedState, LiveParameters):
    """A base for layers.

    A subclass makes its weights in `build(input_shape)` with `add_weight`, and computes
    in `call(inputs)`. `call` may also take `training` and `mask`, which are filled in
    where the caller does not give them.

    Args:
        activity_regularizer: a regularizer of the outputs. Default: none.
        trainable: whether training changes the weights. Default: True.
        dtype: a dtype or dtype policy. Default: `keras.config.dtype_policy()`.
        autocast: whether float inputs become the compute dtype. Default: True.
        name: default: generated from the class name.

    >>> import hornbeam as keras
    >>> class Scale(keras.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(), initializer="ones")
    ...     def call(self, x):
    ...         return x * self.factor
    >>> Scale()(keras.ops.ones((2, 3))).shape
    (2, 3)
    """

    # A subclass may turn these off: whether arrays become tensors before `call`, and
    # whether positional arguments may be anything but tensors.
    _convert_input_args = True
    _allow_non_tensor_positional_args = False
    # Whether a call computes on the engine in force, whatever the layer belongs to.
    _runs_on_any_engine = False
    # Whether there is nothing to build; then the layer counts as built at once.
    _is_stateless = False
    # Arguments besides `training` that calls inside inherit.
    _context_arguments: tuple[str, ...] = ()
    # Whether `call` uses the masks that it takes, beyond passing them on.
    _uses_masks = True
    _warned_of_lost_mask = False
    # The dtype of the input, where it is not that of the layer.
    _taken_dtype: str | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls._is_stateless = False
            setattr(cls, "build", building.building(cls.build))  # noqa: B010 - a method

    # Arguments of `__init__` that no signature names.
    _other_arguments: tuple[str, ...] = ("input_shape", "input_dim")

    def __init__(
        self,
        *,
        activity_regularizer: RegularizerLike = None,
        trainable: bool = True,
        dtype: DTypePolicyLike = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Unpack[InputArguments],
    ) -> None:
        super().__init__(name=name)
        self.join_modules(backends.current())
        input_shape = kwargs.pop("input_shape", None)
        input_dim = kwargs.pop("input_dim", None)
        if input_dim is not None:
            input_shape = (input_dim,)
        if input_shape is not None:
            self._input_shape_argument = standardize_shape(input_shape)
        if kwargs:
            cls: Any = type(self)
            known = (*init_arguments(cls), *self._other_arguments)
            wrong = next((name for name in kwargs if name not in known), None)
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: "
                f"{sorted(kwargs)}.{did_you_mean(wrong, known)}"
            )
        self.activity_regularizer: Any = regularizers.get(activity_regularizer)
        self._path = None
        self._set_dtype_policy(dtype_policies.get(dtype))
        self.autocast = autocast
        self._trainable = self._checked_trainable(trainable)
        self._input_spec = None
        self._supports_masking = self._computes_masks
        self._build_shapes = None
        self._first_output_shapes = None
        self._backend_name = None
        self._remat_scope = current_remat()
        self.built: bool = self._is_stateless
        self._init_state()

    if not TYPE_CHECKING:
        # A checker that saw it would let every misspelt attribute pass.
        def __setattr__(self, name, value):
            value = tree.TrackedSet(value) if type(value) is set else value
            super().__setattr__(name, value)

    @overridable
    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of shape `input_shape`."""

    @overridable
    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; a subclass must write it."""
        raise self._not_written("call")

    def _not_written(self, method):
        return NotImplementedError(
            f"Layer {type(self).__name__} does not have a `{method}` method "
            "implemented."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        if not hasattr(self, "built"):
            raise RuntimeError(
                f"Layer {type(self).__name__}: call `super().__init__()` in "
                "`__init__()` before anything else."
            )
        engine = backends.current()
        if self._backend_name is not None and self._backend_name != engine.name:
            if not self._runs_on_any_engine:
                with backends.scope(self._backend_name):
                    return self(*args, **kwargs)
        outer = calls._current.get()
        info = calls.call_info(type(self).call)
        if outer is None:
            args, kwargs = engine.on_device((args, kwargs))
        args, kwargs, symbolic = self._convert_inputs(args, kwargs, engine)
        passed = kwargs
        kwargs, training = calls.with_training(kwargs, args, outer, info, self._mode)
        values: dict[str, Any] = {} if outer is None else outer.values
        if self._context_arguments:
            kwargs, values = calls.with_own_context_arguments(
                self._context_arguments, kwargs, args, outer, info
            )
        if self._input_spec is not None and args:
            check_inputs(self._input_spec, args[0], self)
        if outer is None:
            self._clear_losses()
        context = calls.CallContext(self, training, values)
        if symbolic:
            context.filled_in = frozenset(
                k for k, v in kwargs.items() if passed.get(k) is not v
            )
        token = calls._current.set(context)
        try:
            if self.built:
                if outer is None and not symbolic and turns.another_thread_trains():
                    with turns.between_steps(self.variables):
                        return self._run(args, kwargs, info, symbolic)
                return self._run(args, kwargs, info, symbolic)
            with self._scope_for_building(outer):
                building.build_for_call(self, args, kwargs, info)
                outputs = self._run(args, kwargs, info, symbolic)
                self._first_output_shapes = building.shapes_of(outputs)
                return outputs
        except Exception as error:
            calls.say_where(error, self, info.arguments(args, kwargs))
            raise
        finally:
            calls._current.reset(token)

    def _scope_for_building(self, outer):
        """The name scope of a layer that is built: inside that of the layer around."""
        parent = None
        if outer is not None and not scopes.is_naming(outer.layer):
            parent = "/".join(filter(None, (outer.layer.path, scopes.current_path())))
        return scopes.name_scope(self.name, caller=self, override_parent=parent)

    def _run(self, args, kwargs, info, symbolic):
        """Compute the outputs, with their masks and losses, once the layer is built."""
        mask = None
        is_plain = len(args) == 1 and not kwargs and not masking.alive
        if not is_plain or masks.masks_of(args[0]) is not None:
            mask, kwargs = masks.fill_in(self, args, kwargs, info)
        if symbolic:
            outputs = self.symbolic_call(*args, **kwargs)
        else:
            outputs = self._compute(args, kwargs)
        if self.activity_regularizer is not None:
            self._regularize_activity(outputs)
        if self._supports_masking:
            masks.set_outputs(self, args, kwargs, info, mask, outputs)
        if masking.alive and not symbolic:
            masks.mark_lost(self, args, kwargs, outputs)
        return outputs

    def _compute(self, args, kwargs):
        function = self.call
        if self._remat_scope is not None:
            function = self.rematerialized_call(function, *args, **kwargs)
        if self._is_mixed and self.autocast:
            with scopes.autocast_scope(self.compute_dtype):
                return function(*args, **kwargs)
        if scopes.autocast_dtype() is not None:
            with scopes.autocast_scope(None):
                return function(*args, **kwargs)
        return function(*args, **kwargs)

    def rematerialized_call(
        self, layer_call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Callable[..., Any]:
        """Return `layer_call`, whose intermediate values are computed again.

        This applies to layers created inside a `keras.RematScope` that covers them;
        otherwise `layer_call` is returned.
        """
        scope = self._remat_scope
        if scope is None or not remat.applies_to(scope, self, args, kwargs):
            return layer_call
        return remat.rematerialized(self, layer_call)

    def _convert_inputs(self, args, kwargs, engine):
        """Return the arguments as tensors of the engine, and if any is symbolic."""
        if len(args) == 1 and not kwargs and engine.is_tensor(args[0]):
            return (self._convert_input(args[0], engine),), kwargs, False
        symbolic = False

        def convert(x):
            nonlocal symbolic
            if isinstance(x, KerasTensor):
                symbolic = True
                return x
            return self._convert_input(x, engine) if self._convert_input_args else x

        args = tuple(_map(convert, x) for x in args)
        kwargs = {k: _map(convert, x) for k, x in kwargs.items()}
        if self._convert_input_args and not self._allow_non_tensor_positional_args:
            calls.check_positional(self, args)
        return args, kwargs, symbolic

    def _convert_input(self, x, engine):
        if engine.is_tensor(x):
            dtype = self._compute_dtype_or_none
            if dtype is not None:
                own_dtype = engine.dtype_of(x)
                if own_dtype != dtype and is_float_dtype(own_dtype):
                    return masking.hand_on(x, engine.cast(x, dtype))
            return x
        if isinstance(x, np.ndarray | np.generic):
            if x.dtype.kind not in "fiub?c" and x.dtype.name != "bfloat16":
                return x
            dtype = self._compute_dtype_or_none if x.dtype.kind == "f" else None
            return engine.convert(x, dtype=dtype)
        if isinstance(x, Variable):
            return self._convert_input(x.value, engine)
        if x is None or isinstance(x, bool | int | float | str):
            return x
        if backends.is_scipy_sparse(x):
            return self._convert_input(engine.convert(x), engine)
        owner = backends.of(x)
        if owner is not None:
            backends.check_same(engine, owner, f"The input of layer {self.name!r}")
        if hasattr(x, "__array__") and not hasattr(x, "dtypes"):
            return self._convert_input(np.asarray(x), engine)
        return x

    @property
    def _compute_dtype_or_none(self):
        """The dtype to which float inputs are cast, or None."""
        return self._cast_dtype if self.autocast else None

    def _register_call_context_args(self, *names):
        """Let calls inside inherit the arguments `names` of a call, like `training`."""
        if not names or not all(isinstance(name, str) for name in names):
            raise ValueError(
                "`_register_call_context_args()` expects names of arguments. "
                f"Received: {names!r}"
            )
        arguments = (*self._context_arguments, *names)
        self._context_arguments = tuple(dict.fromkeys(arguments))

    @property
    def _computes_masks(self):
        """Whether the class has a `compute_mask` of its own."""
        return type(self).compute_mask is not Layer.compute_mask

    @overridable
    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask of the outputs: that of the inputs, unless overridden."""
        return previous_mask

    def _regularize_activity(self, outputs):
        mask = scopes.batch_mask()
        for x in tree.flatten(outputs):
            if isinstance(x, KerasTensor):
                continue
            rows = x.shape[0]
            if mask is not None:
                weights = ops.reshape(mask, (rows,) + (1,) * (len(x.shape) - 1))
                x = x * ops.cast(weights, x.dtype)
                rows = ops.maximum(ops.sum(mask), 1)
            else:
                rows = max(rows, 1)
            loss = self.activity_regularizer(x)
            self.add_loss(loss / ops.cast(rows, loss.dtype))

    def _mark_built(self):
        self.built = self._is_locked = True
        self._backend_name = self._backend_name or backends.current().name
        if self._path is None:
            self._set_path(scopes.current_path() or self.name)
        if not self._trainable:
            self.trainable = False

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Return the symbols of the outputs and record the call."""
        context = calls._current.get()
        filled_in: frozenset[str] = frozenset()
        if context is not None and context.layer is self:
            filled_in = context.filled_in
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, _recorded(kwargs, filled_in), outputs)
        return outputs

    @overridable
    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the KerasTensors that the call would give."""
        by_shape = type(self).compute_output_shape is not Layer.compute_output_shape
        if by_shape and not any_sparse((args, kwargs)):
            info = calls.call_info(type(self).call)
            shapes = building.shapes_of_arguments(args, kwargs, info)
            shape_args, shape_kwargs = building.output_shape_arguments(
                self.compute_output_shape, shapes
            )
            shape = self.compute_output_shape(*shape_args, **shape_kwargs)
            return _symbols(shape, self.compute_dtype)
        args, kwargs = _map(self._cast_symbol, args), _map(self._cast_symbol, kwargs)
        return infer(lambda *a, **k: self._compute(a, k), args, kwargs)

    def _cast_symbol(self, x):
        """Return the symbol of `x` as `call` gets it: cast, like a tensor."""
        dtype = self._compute_dtype_or_none
        if isinstance(x, KerasTensor) and dtype:
            if is_float_dtype(x.dtype) and x.dtype != dtype:
                return KerasTensor(x.shape, dtype, sparse=x.sparse)
        return x

    @overridable
    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shape of the outputs for the shape of the inputs."""
        raise self._not_written("compute_output_shape")

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Call the layer with other values of its variables; they are not assigned.

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
        mapping: list[tuple[Any, Any]] = []
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
            outputs = values_of(self(*args, **kwargs))
            losses = self.losses if return_losses else None
        new = [scope.get_current_value(v) for v in self.non_trainable_variables]
        return (outputs, new, losses) if return_losses else (outputs, new)

    def quantize(
        self, mode: Any = None, type_check: bool = True, config: Any = None
    ) -> None:
        """Not available yet."""
        raise NotImplementedError(
            f"{self._not_written('quantize')} Quantisation exists in Keras and not yet "
            f"in hornbeam; instead, {advice('quantizers')}."
        )

    def __getstate__(self) -> dict[str, Any]:
        # Losses belong to a call; tensors inside a gradient cannot be copied.
        state = {**super().__getstate__(), "_added_losses": [], "_frozen": None}
        return {name: by_value(value) for name, value in state.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({name: restored(value) for name, value in state.items()})

    def get_config(self) -> Config:
        """Return the arguments that make an equal layer, as plain data."""
        config = super().get_config()
        base = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": serialize_argument(self._dtype_policy),
        }
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = serialize_argument(self.activity_regularizer)
        for name in ("activity_regularizer", "autocast"):
            config.pop(name, None)
        return {**base, **{k: v for k, v in config.items() if k not in base}}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make a layer from what `get_config` returned.

        A plain dtype policy is passed by its name.
        """
        if isinstance(config.get("dtype"), dict):
            policy = dtype_policies.deserialize(config["dtype"])
            if type(policy) is dtype_policies.DTypePolicy:
                policy = policy.name
            config = {**config, "dtype": policy}
        return super().from_config(config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return public("visualization", "to_html")(self)


def _map(fn, x):
    return tree.map_structure(fn, x) if isinstance(x, list | tuple | dict) else fn(x)


def _recorded(kwargs, filled_in):
    """Return the keyword arguments as a node keeps them.

    What the calls around have filled in belongs to this call alone. `training=False`
    stands in Keras's files for every call that does not say.
    """
    return {
        k: v
        for k, v in kwargs.items()
        if k not in filled_in and not (k == "training" and v is False)
    }


def _symbols(shape, dtype):
    """Return KerasTensors for a shape or a nest of shapes."""
    if isinstance(shape, dict):
        return {k: _symbols(v, dtype) for k, v in shape.items()}
    if all(d is None or isinstance(d, int | np.integer) for d in shape):
        return KerasTensor(tuple(shape), dtype)
    return type(shape)(_symbols(s, dtype) for s in shape)
