"""The base of initializers."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np

from hornbeam import backends
from hornbeam.core.configurable import Configurable
from hornbeam.core.dtypes import standardize_dtype
from hornbeam.core.random import SeedGenerator, host_key, make_default_seed
from hornbeam.core.variable import standardize_shape
from hornbeam.typing import Config, DTypeLike, Seed, ShapeLike, Tensor


class Initializer(Configurable):
    """The base of initializers: callables that make the first value of a variable.

    A subclass implements `__call__(shape, dtype=None)`; it may also take any other
    keyword arguments.

    >>> import hornbeam as keras
    >>> class Halves(keras.initializers.Initializer):
    ...     def __call__(self, shape, dtype=None, **kwargs):
    ...         return 0.5 * keras.ops.ones(shape, dtype=dtype)
    >>> float(keras.Variable(Halves(), shape=(2,))[0])
    0.5
    """

    def __call__(self, shape: ShapeLike, dtype: DTypeLike = None) -> Tensor:
        """Return a tensor of the shape and dtype."""
        raise NotImplementedError(
            f"{type(self).__name__} must implement `__call__(shape, dtype=None)`."
        )

    def clone(self) -> Self:
        """Return a new initializer of the same config."""
        return type(self).from_config(self.get_config())


class HostInitializer(Initializer):
    """An initializer that computes on the host, with NumPy.

    No program is compiled to make weights, and they have the same bits on every engine.
    A subclass implements `values(shape)`.
    """

    def __call__(self, shape: ShapeLike, dtype: DTypeLike = None) -> Tensor:
        return backends.current().convert(*self._broadcast(shape, dtype))

    def _as_argument(self, shape, dtype=None):
        """Return the initial value of a Variable, as an argument of programs."""
        if type(self).__call__ is not HostInitializer.__call__:
            return self(shape, dtype=dtype)
        return backends.current().as_argument(*self._broadcast(shape, dtype))

    def _broadcast(self, shape, dtype):
        shape = standardize_shape(shape)
        values = np.broadcast_to(self.values(shape), shape)
        return values, standardize_dtype(dtype)

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return an array that broadcasts to `shape`."""
        raise NotImplementedError


class RandomInitializer(HostInitializer):
    """A `HostInitializer` with a seed.

    Args:
        seed: an integer (the same values at each call), a `SeedGenerator` (other values
            at each call), or None (an integer drawn from Python's `random`).
    """

    def __init__(self, seed: Seed = None) -> None:
        self._initial_seed: Seed = seed
        if seed is None:
            seed = make_default_seed()
        elif isinstance(seed, dict):
            config = seed["config"] if "class_name" in seed else seed
            seed = self._initial_seed = SeedGenerator.from_config(config)
        elif not isinstance(seed, int | np.integer | SeedGenerator):
            raise ValueError(
                f"Argument `seed` of {type(self).__name__} must be an integer, a "
                f"`SeedGenerator` or None. Received: seed={seed!r} (of type "
                f"{type(seed).__name__})"
            )
        self.seed: Any = seed

    def key(self) -> Any:
        """Return the key of the next draw."""
        return host_key(self.seed)

    def _drawn(self):
        """Return the initializer of the next draw alone, which may come later."""
        key, twin = self.key(), copy.copy(self)
        twin.key = lambda: key  # type: ignore[method-assign]
        return twin

    def get_config(self) -> Config:
        """Return the arguments; a generated seed is None."""
        config = super().get_config()
        if self._initial_seed is None:
            config["seed"] = None
        return config
