"""JaxLayer."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from hornbeam import backends
from hornbeam.core import tree
from hornbeam.core.configurable import deserialize_argument
from hornbeam.core.dtypes import is_float_dtype
from hornbeam.core.random import SeedGenerator
from hornbeam.layers.layer import Layer
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Self, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Config, Seed, Tensor


_OF_CALL = ("params", "state", "rng", "inputs", "training")
_OF_INIT = ("rng", "inputs", "training")


class JaxLayer(Layer):
    """A function of JAX as a layer, on the JAX engine.

    `call_fn` takes what it needs of `params`, `state`, `rng`, `inputs` and `training`,
    by these names: the parameters that are trained, those that are not, a
    `jax.random.PRNGKey`, the inputs (an array or a nest of arrays) and the mode. It
    returns the outputs, or `(outputs, new state)` if it takes `state`.

    Functions are not saved. A layer is loaded with the model if `call_fn` and
    `init_fn` are registered (`keras.saving.register_keras_serializable`) or given in
    `custom_objects`.

    Args:
        call_fn: the function.
        init_fn: makes the parameters for the first inputs: takes `rng`, `inputs` and
            maybe `training`, returns `params`, or `(params, state)`. It is not called
            if `params` or `state` are given.
        params: a nest of arrays.
        state: a nest of arrays.
        seed: an integer, for `rng`. Default: generated.
        native_serialization_platforms: accepted; it concerns TensorFlow only.
        **kwargs: the other arguments are those of `Layer`.

    >>> import hornbeam as keras
    >>> def scaled(params, inputs):
    ...     return params["factor"] * inputs
    >>> layer = keras.layers.JaxLayer(scaled, params={"factor": keras.ops.array(3.0)})
    >>> layer(keras.ops.array([1.0, 2.0])).tolist()
    [3.0, 6.0]
    >>> [v.shape for v in layer.trainable_variables]
    [()]
    """

    state_arguments: tuple[str, ...] = ("params", "state", "seed")
    params: Any
    state: Any
    _params_variables: list[Any]
    _params_structure: Any
    _state_variables: list[Any]
    _state_structure: Any

    def __init__(
        self,
        call_fn: Callable[..., Any],
        init_fn: Callable[..., Any] | None = None,
        params: Any = None,
        state: Any = None,
        seed: Seed = None,
        native_serialization_platforms: Sequence[str] | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        engine = _jax_engine(type(self).__name__, backends.current())
        super().__init__(**kwargs)
        self.call_fn = call_fn
        self.init_fn = init_fn
        self.native_serialization_platforms = native_serialization_platforms
        self._takes = self._names_taken("call_fn", call_fn, _OF_CALL)
        if init_fn is not None:
            self._init_takes = self._names_taken("init_fn", init_fn, _OF_INIT)
        self.has_state: bool = "state" in self._takes
        has_any = params is not None or state is not None
        if init_fn is None and not has_any and {"params", "state"} & set(self._takes):
            raise ValueError(
                f"{type(self).__name__} {self.name!r} does not know its parameters: "
                "`call_fn` takes `params` or `state`, so one of `init_fn`, `params` "
                "and `state` is needed. Received: None of them."
            )
        self.seed_generator: SeedGenerator = SeedGenerator(seed)
        self.params = self.state = None
        self._input_dtypes = None
        if has_any:
            with backends.scope(engine):
                self._make_weights(engine, params, state)

    def _names_taken(self, argument, function, allowed):
        """Return which of the arguments `allowed` the function takes, in its order."""
        parameters = inspect.signature(function).parameters.values()
        names = [
            p.name
            for p in parameters
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        # Functions that pass on what they are given, as Haiku's do.
        if any(p.kind is p.VAR_POSITIONAL for p in parameters):
            names += [n for n in ("inputs",) if n not in names]
        wrong = [name for name in names if name not in allowed]
        if wrong or "inputs" not in names:
            problem = f"It takes {wrong}" if wrong else "It takes no `inputs`"
            raise ValueError(
                f"Argument `{argument}` of {type(self).__name__} {self.name!r} must be "
                f"a function of {', '.join(allowed)}, or some of them, by these names; "
                f"`inputs` is needed. {problem}. Wrap it in a function that does."
            )
        return names

    def __call__(self, inputs: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if not self.built:
            self._input_dtypes = tree.map_structure(
                lambda x: getattr(x, "dtype", None), inputs
            )
        return super().__call__(inputs, *args, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make the parameters with `init_fn`, if none were given."""
        if self.params is not None or self.state is not None or self.init_fn is None:
            return
        engine = _jax_engine(f"{type(self).__name__} {self.name!r}", backends.current())
        with engine.concrete():
            arguments = {
                "rng": engine.random_key(self.seed_generator.next()),
                "inputs": self._placeholders(engine, input_shape),
                "training": True,
            }
            result = self.init_fn(*[arguments[name] for name in self._init_takes])
        if not self.has_state:
            result = (result, None)
        elif not isinstance(result, tuple) or len(result) != 2:
            raise ValueError(
                f"`init_fn` of {type(self).__name__} {self.name!r} must return "
                "`(params, state)`, because `call_fn` takes `state`. Received: a "
                f"{type(result).__name__}"
            )
        self._make_weights(engine, *result)

    def _placeholders(self, engine, shape):
        """Return zeros of the inputs' shapes, of one row where that is not known."""
        dtypes = iter(tree.flatten(self._input_dtypes) if self._input_dtypes else ())

        def zeros(shape):
            if isinstance(shape, dict):
                return {name: zeros(one) for name, one in shape.items()}
            if any(isinstance(one, tuple | list | dict) for one in shape):
                return type(shape)(zeros(one) for one in shape)
            dtype = str(next(dtypes, None) or self.compute_dtype)
            dtype = self.compute_dtype if is_float_dtype(dtype) else dtype
            sizes = tuple(1 if size is None else size for size in shape)
            return engine.zeros(sizes, dtype=dtype)

        return zeros(shape)

    def _make_weights(self, engine, params, state):
        """Keep `params` and `state` as the same nests, of Variables."""
        for name, nest, trainable in (
            ("params", params, True),
            ("state", state, False),
        ):
            if nest is None:
                continue
            leaves, structure = engine.nest_leaves(nest)
            variables = [self._weight(engine, leaf, trainable) for leaf in leaves]
            setattr(self, name, engine.nest_of(structure, variables))
            setattr(self, f"_{name}_variables", variables)
            setattr(self, f"_{name}_structure", structure)

    def _weight(self, engine, value, trainable):
        value = engine.convert(value)
        dtype = engine.dtype_of(value)
        return self.add_weight(
            shape=engine.shape_of(value),
            initializer=lambda shape, dtype: value,
            dtype=dtype,
            trainable=trainable and is_float_dtype(dtype),
        )

    def _values(self, engine, name):
        if getattr(self, name) is None:
            return None
        values = [v.value for v in getattr(self, f"_{name}_variables")]
        return engine.nest_of(getattr(self, f"_{name}_structure"), values)

    @overridable
    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        """Call the function."""
        engine = _jax_engine(f"{type(self).__name__} {self.name!r}", backends.current())
        arguments = {
            "params": lambda: self._values(engine, "params"),
            "state": lambda: self._values(engine, "state"),
            "rng": lambda: engine.random_key(self.seed_generator.next()),
            "inputs": lambda: inputs,
            "training": lambda: bool(training),
        }
        outputs = self.call_fn(*[arguments[name]() for name in self._takes])
        if not self.has_state:
            return outputs
        if not isinstance(outputs, tuple) or len(outputs) != 2:
            raise ValueError(
                f"`call_fn` of {type(self).__name__} {self.name!r} must return "
                "`(outputs, new state)`, because it takes `state`. Received: a "
                f"{type(outputs).__name__}"
            )
        outputs, state = outputs
        if self.state is not None:
            self._keep_state(engine, state)
        return outputs

    def _keep_state(self, engine, state):
        leaves, structure = engine.nest_leaves(state)
        if structure != self._state_structure:
            raise ValueError(
                f"`call_fn` of {type(self).__name__} {self.name!r} must return a new "
                f"state of the same form. Expected {self._state_structure}, received "
                f"{structure}."
            )
        for variable, value in zip(self._state_variables, leaves, strict=True):
            variable.assign(value)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make a layer from what `get_config` returned."""
        objects = ("call_fn", "init_fn", "module", "method")
        return super().from_config(
            {
                k: deserialize_argument(v) if k in objects else v
                for k, v in config.items()
            }
        )


def _jax_engine(who, engine):
    """Return the engine, or raise if it runs no functions of JAX."""
    if engine.nest_of is not None:
        return engine
    raise NotImplementedError(
        f"{who} runs on the JAX backend, and the backend here is {engine.name!r}. Make "
        "and call the model inside `keras.config.backend_scope('jax')`, or move it "
        "with `model.to_backend('jax')`."
    )
