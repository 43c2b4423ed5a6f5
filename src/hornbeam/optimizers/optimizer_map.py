"""OptimizerMap: from the path of a variable to its optimizer."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Self

from hornbeam.core import patterns
from hornbeam.core.budget import BoundedConfig
from hornbeam.core.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.core.variable import Variable
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.typing import Config, CustomObjects


class OptimizerMap(BoundedConfig, MutableMapping[str, Optimizer]):
    """Patterns of variable paths, each with an optimizer, and a default one.

    Args:
        default_optimizer: for the variables that no pattern matches.
        optimizer_map: `{pattern: optimizer}`; a pattern is a regular expression that is
            searched in the variable's path.

    >>> import hornbeam as keras
    >>> slow = keras.optimizers.SGD(0.125)
    >>> choose = keras.optimizers.OptimizerMap(keras.optimizers.Adam(), {"embed": slow})
    >>> float(choose(keras.Variable(1.0, name="embeddings")).learning_rate)
    0.125
    """

    def __init__(
        self,
        default_optimizer: Optimizer,
        optimizer_map: dict[str, Optimizer] | None = None,
    ):
        self._default_optimizer = _check("default_optimizer", default_optimizer)
        self._optimizer_map: dict[str, Optimizer] = {}
        self.update(optimizer_map or {})

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of the variables that no pattern matches."""
        return self._default_optimizer

    def __getitem__(self, key: str) -> Optimizer:
        return self._optimizer_map.get(key, self._default_optimizer)

    def __setitem__(self, key: str, value: Optimizer) -> None:
        if key in self._optimizer_map:
            raise ValueError(
                f"OptimizerMap already has an optimizer for {key!r}. Delete it first: "
                f"`del optimizer_map[{key!r}]`."
            )
        patterns.check(key)
        self._optimizer_map[key] = _check(f"optimizer_map[{key!r}]", value)

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __contains__(self, key: object) -> bool:
        return key in self._optimizer_map

    def __call__(self, variable: Variable) -> Optimizer:
        """Return the optimizer of the one pattern that matches the variable's path."""
        patterns = [p for p in self._optimizer_map if re.search(p, variable.path)]
        if len(patterns) > 1:
            raise ValueError(
                f"Variable {variable.path!r} fits several patterns of the "
                f"OptimizerMap: {patterns}. Make them fit different variables."
            )
        return self._optimizer_map[patterns[0]] if patterns else self._default_optimizer

    def get_config(self) -> Config:
        """Return the arguments that make an equal map, as plain data."""
        return {
            "default_optimizer": serialize_keras_object(self._default_optimizer),
            "optimizer_map": {
                pattern: serialize_keras_object(optimizer)
                for pattern, optimizer in self._optimizer_map.items()
            },
        }

    @classmethod
    def from_config(cls, config: Config, custom_objects: CustomObjects = None) -> Self:
        """Make a map from what `get_config` returned."""

        def restore(optimizer):
            return deserialize_keras_object(optimizer, custom_objects=custom_objects)

        optimizers = config["optimizer_map"].items()
        return cls(
            restore(config["default_optimizer"]),
            {pattern: restore(optimizer) for pattern, optimizer in optimizers},
        )


def _check(what, optimizer):
    if isinstance(optimizer, Optimizer):
        if optimizer.holds_optimizers:
            raise ValueError(
                f"`{what}`: optimizer cannot be {type(optimizer).__name__}. Give the "
                "optimizers inside it, and wrap the MultiOptimizer instead."
            )
        return optimizer
    expected = f"`{what}` of OptimizerMap must be a Keras Optimizer instance."
    # Keras raises a TypeError for one argument and a ValueError for the other.
    error = TypeError if what == "default_optimizer" else ValueError
    raise error(f"{expected} Received: {optimizer!r}")
