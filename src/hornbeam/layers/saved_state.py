"""The weights of a layer as arrays and in files, and its way to another engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam import backends
from hornbeam.core.turns import between_steps
from hornbeam.layers.layer_state import LayerState
from hornbeam.layers.live_parameters import LiveParameters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from hornbeam.typing import Config


class SavedState(LayerState):
    """The part of Layer that takes its state out and puts it back; see `Layer`."""

    build: Callable[..., Any]

    def count_params(self) -> int:
        """Return the number of values in the weights."""
        if not self.built:
            raise ValueError(
                f"`count_params()` needs a built layer, and {self.name!r} is not: call "
                "it on data or `build()` it."
            )
        return sum(int(np.prod(v.shape)) for v in self.weights)

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Return the weights as a list of NumPy arrays."""
        weights = self.weights
        with between_steps(weights):
            return [v.numpy() for v in weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the weights from a list of arrays; all fit, or nothing changes."""
        variables = self.weights
        if len(weights) != len(variables):
            raise ValueError(
                f"Layer {self.path!r} has {len(variables)} weights. "
                f"`set_weights()` received a list of {len(weights)}."
            )
        for variable, value in zip(variables, weights, strict=True):
            if tuple(np.shape(value)) != tuple(variable.shape):
                raise ValueError(
                    f"Layer {self.path!r}: weight {variable.path!r} expects shape "
                    f"{variable.shape}. `set_weights()` received {np.shape(value)}."
                )
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)

    def _saved_weights(self):
        """The layer's own weights as files number them."""
        return self._own_weights()

    def save_own_variables(self, store: Any) -> None:
        """Put the layer's own weights into `store`, a dict of arrays."""
        for position, variable in enumerate(self._saved_weights()):
            store[f"{position}"] = variable

    def load_own_variables(self, store: Any) -> None:
        """Set the layer's own weights from `store`; all fit, or nothing changes."""
        variables = self._saved_weights()
        if len(store) != len(variables):
            if variables and not store:
                content = "no weights"
            else:
                content = f"{len(store)} weights of shapes " + str(
                    [tuple(store[k].shape) for k in store]
                )
            state = "" if self.built else " The layer was never built."
            raise ValueError(
                f"Layer {self.path!r} expects {len(variables)} weights of shapes "
                f"{[tuple(v.shape) for v in variables]}. The file has {content}.{state}"
            )
        for position, variable in enumerate(variables):
            shape = tuple(store[f"{position}"].shape)
            if shape != tuple(variable.shape):
                raise ValueError(
                    f"Layer {self.path!r}: weight {variable.path!r} expects shape "
                    f"{tuple(variable.shape)}. The file has {shape}."
                )
        for position, variable in enumerate(variables):
            variable.assign(store[f"{position}"])

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shapes that the layer was built for."""
        shapes = self._build_shapes
        if shapes is None:
            return None
        if len(shapes) == 1:
            return {"input_shape": next(iter(shapes.values()))}
        return {"shapes_dict": shapes}

    def build_from_config(self, config: Config | None) -> None:
        """Build the layer from what `get_build_config` returned."""
        if not config:
            return
        if "input_shape" in config:
            shape = config["input_shape"]
            self.build(_as_shapes(shape))
        elif "shapes_dict" in config:
            self.build(**{k: _as_shapes(v) for k, v in config["shapes_dict"].items()})

    def to_backend(self, name: str) -> Self:
        """Move the layer, with all its state, to the engine `name`; return it.

        >>> import hornbeam as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.to_backend("numpy").backend
        'numpy'
        """
        engine = backends.get(name)
        LiveParameters.join_modules(engine)
        for variable in self._all_variables():
            variable.move_to(engine)
        for layer in self._flatten_layers():
            layer._backend_name = engine.name
            layer._added_losses.clear()
        return self

    def _all_variables(self):
        return [*self.variables, *self.metrics_variables]

    @property
    def backend(self) -> str | None:
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
