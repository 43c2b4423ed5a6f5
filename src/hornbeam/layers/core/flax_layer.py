"""FlaxLayer."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from hornbeam import backends
from hornbeam.layers.core.jax_layer import JaxLayer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class FlaxLayer(JaxLayer):
    """A module of `flax.linen` as a layer, on the JAX engine.

    The collection "params" of its variables is trained; all others are state. Its
    random numbers come from the layer's seed.

    Modules are not saved. A layer is loaded with the model if the module's class is
    registered and has `get_config()`.

    Args:
        module: a `flax.linen.Module`.
        method: the method to call, or a function that takes the module first; its
            arguments are `inputs` and maybe `training`. Default: `__call__`.
        variables: what `module.init` returned, for a module that has its variables.
            Default: they are made for the first inputs.
        **kwargs: the other arguments are those of `Layer`, and `seed`.

    >>> import flax.linen
    >>> import hornbeam as keras
    >>> class Twice(flax.linen.Module):
    ...     @flax.linen.compact
    ...     def __call__(self, inputs):
    ...         return flax.linen.Dense(2)(flax.linen.Dense(4)(inputs))
    >>> layer = keras.layers.FlaxLayer(Twice())
    >>> layer(keras.ops.ones((5, 3))).shape
    (5, 2)
    >>> layer.count_params()
    26
    """

    # The functions are made from the module.
    state_arguments: tuple[str, ...] = (
        *JaxLayer.state_arguments,
        "variables",
        "call_fn",
        "init_fn",
    )

    def __init__(
        self,
        module: Any,
        method: str | Callable[..., Any] | None = None,
        variables: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.module = module
        self.method = method
        function = type(module).__call__ if method is None else method
        if isinstance(function, str):
            function = getattr(type(module), function)
        takes_training = "training" in inspect.signature(function).parameters

        def apply(params, state, rng, inputs, training):
            mode = {"training": training} if takes_training else {}
            variables = {"params": {} if params is None else params, **(state or {})}
            collections = list(state or {})
            outputs = module.apply(
                variables, inputs, **mode, method=method, rngs=_keys(rng),
                mutable=collections or False,
            )  # fmt: skip
            return outputs if collections else (outputs, state)

        def init(rng, inputs, training):
            mode = {"training": training} if takes_training else {}
            return _parts(module.init(_keys(rng), inputs, **mode, method=method))

        params, state = (None, None) if variables is None else _parts(variables)
        super().__init__(apply, init, params=params, state=state, **kwargs)


def _parts(variables):
    """Return the collection "params", and all others."""
    others = {name: nest for name, nest in variables.items() if name != "params"}
    return variables.get("params", {}), others


def _keys(rng):
    """Return keys by name; what asks for another name gets that of "params"."""
    params, dropout = backends.current().split_key(rng)
    return {"params": params, "dropout": dropout}
