"""Seeds: where the keys of random draws come from."""

from __future__ import annotations

import random as python_random
import threading
from contextvars import ContextVar
from typing import Any, Self

import numpy as np

from hornbeam import backends
from hornbeam.core import scopes
from hornbeam.core.budget import BoundedConfig
from hornbeam.core.naming import auto_name
from hornbeam.core.random_hash import MASK, schedule
from hornbeam.core.session import on_clear
from hornbeam.core.variable import Variable
from hornbeam.typing import Config, Seed, Tensor

_COUNT_ONE = np.array([0, 1], dtype=np.uint32)

# The generators of unseeded draws, one per engine, all from the same seed.
_global_generators: dict[str, SeedGenerator] = {}
_global_seed = None
_global_seed_lock = threading.Lock()
_scope: ContextVar[Any] = ContextVar("hornbeam_seed_scope", default=None)
_draws: ContextVar[Any] = ContextVar("hornbeam_draw_scope", default=None)


class seed_scope:  # noqa: N801 - reads as the other scopes do
    """A block in which all that is drawn without a seed follows from `seed` alone.

    Initial weights, draws of layers and the order of rows then depend neither on what
    was drawn before nor on what other threads draw.

    Args:
        seed: an integer.
    """

    def __init__(self, seed: int):
        self.seed = seed
        self.generators: dict[str, SeedGenerator] = {}
        self.source: python_random.Random = python_random.Random(seed)

    def __enter__(self) -> Self:
        self._token = _scope.set(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        _scope.reset(self._token)


class draw_scope:  # noqa: N801 - reads as the other scopes do
    """A block whose draws are a function of numbers, not of what was drawn before.

    Generators keep their state: the draws of an item of a dataset are then the same in
    whatever order, and in whichever threads, the items are computed.

    Args:
        numbers: integers, such as those of the epoch and the item.
    """

    def __init__(self, *numbers: int):
        self._numbers = numbers

    def __enter__(self) -> Self:
        word = 0
        for number in self._numbers:
            word = schedule(word, number & MASK)[0]
        self._word, self._count = word, 0
        self._token = _draws.set(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        _draws.reset(self._token)

    def counter(self) -> int:
        """Return the counter of the next key in the block."""
        self._count += 1
        return (self._word + self._count) & MASK


class SeedGenerator(BoundedConfig):
    """A source of keys for random draws: each `next()` gives another one.

    Its state is a Variable `[seed, counter]`. Two generators with the same seed give
    the same keys, on every engine.

    Args:
        seed: an integer; None generates one with Python's `random`.
        name: a name.

    >>> import hornbeam as keras
    >>> generator = keras.random.SeedGenerator(seed=42)
    >>> first = keras.random.normal((2,), seed=generator)
    >>> second = keras.random.normal((2,), seed=generator)
    >>> bool(first[0] == second[0])
    False
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any):
        if kwargs:
            raise ValueError(
                "Unrecognized keyword arguments to SeedGenerator: "
                f"{', '.join(sorted(kwargs))}. Expected `seed` and `name`."
            )
        if seed is not None and not _is_integer(seed):
            raise ValueError(
                "Argument `seed` must be an integer. SeedGenerator received: "
                f"seed={seed!r}"
            )
        self.name: str = name or auto_name("SeedGenerator")
        self._initial_seed = seed
        start = make_default_seed() if seed is None else int(seed)
        with scopes.name_scope(self.name, caller=self):
            self.state: Variable = Variable(
                _key(start),
                dtype="uint32",
                trainable=False,
                autocast=False,
                aggregation="none",
                name="seed_generator_state",
            )

    def next(self, ordered: bool = True) -> Tensor:
        """Return the key `[seed, counter]` as a tensor, and count.

        Args:
            ordered: kept for compatibility; keys are always given in order.
        """
        engine = self.state.backend
        value = self.state.value
        draws = _draws.get()
        if draws is not None and not scopes.in_stateless_scope():
            return engine.add(value, engine.convert([0, draws.counter()], "uint32"))
        counted = engine.add(value, engine.convert(_COUNT_ONE, "uint32"))
        if not scopes.in_stateless_scope():
            _check_not_traced(engine, counted)
            # Assignment may write into the tensor that `value` is.
            value = engine.subtract(counted, engine.convert(_COUNT_ONE, "uint32"))
        self.state.assign(counted)
        return value

    def get_config(self) -> Config:
        """Return the seed that was asked for and the name."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make a generator, at its start, from what `get_config` returned."""
        return cls(**config)


def draw_seed(seed: Seed) -> Tensor:
    """Return the key of the next draw, a tensor of two unsigned 32-bit words.

    Args:
        seed: an integer (the same key each time), a `SeedGenerator`, a key (a tensor of
            two integers), or None for the global generator.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        return global_seed_generator().next(ordered=False)
    if _is_integer(seed):
        return backends.current().convert(_key(seed), "uint32")
    if tuple(getattr(seed, "shape", ())) == (2,):
        if isinstance(seed, Variable):
            return seed.value
        return backends.current().convert(seed, "uint32")
    raise ValueError(
        "Argument `seed` must be either an integer, an instance of `SeedGenerator` or "
        f"None. Received: seed={seed!r} (of type {type(seed).__name__})"
    )


def host_key(seed: Seed) -> tuple[int, int]:
    """Return `draw_seed(seed)` as two Python integers."""
    if _is_integer(seed):
        return int(seed) & MASK, 0
    key = backends.current().to_numpy(draw_seed(seed))
    return int(key[0]), int(key[1])


def make_default_seed() -> int:
    """Return a seed from Python's `random`, which `set_random_seed` seeds."""
    scope = _scope.get()
    source = python_random if scope is None else scope.source
    return source.randint(1, int(1e9))


def order_seed() -> int:
    """Return a seed for the order of rows, from NumPy's global state."""
    scope = _scope.get()
    if scope is None:
        return int(np.random.randint(2**31 - 1))
    return scope.source.randrange(2**31 - 1)


def global_seed() -> int:
    """Return the seed of all draws without a seed, generated if there is none."""
    global _global_seed
    scope = _scope.get()
    if scope is not None:
        return scope.seed
    with _global_seed_lock:
        if _global_seed is None:
            _global_seed = make_default_seed()
        return _global_seed


def global_seed_generator() -> SeedGenerator:
    """Return the generator of draws without a seed, on the engine in force."""
    scope = _scope.get()
    generators = _global_generators if scope is None else scope.generators
    engine = backends.current()
    generator = generators.get(engine.name)
    if generator is None:
        generator = SeedGenerator(global_seed(), name="global_seed_generator")
        generators[engine.name] = generator
    return generator


def reset_global_seed_generator(seed: int | None = None) -> None:
    """Start the draws without a seed anew, from `seed` or from a generated one."""
    global _global_seed
    _global_seed = seed
    _global_generators.clear()


on_clear(lambda free_memory: reset_global_seed_generator())


def _is_integer(seed):
    return isinstance(seed, int | np.integer)


def _key(seed):
    return np.array([int(seed) & MASK, 0], dtype=np.uint32)


def _check_not_traced(engine, value):
    """Raise where a generator counts inside a program that cannot keep its state."""
    if engine.assigns_in_place or not engine.compiles:
        return
    try:
        engine.to_numpy(value)
    except TypeError:
        raise ValueError(
            f"When tracing a {engine.name.upper()} function, you should only use "
            "seeded random ops: the state of a SeedGenerator that lives outside the "
            "function would become a constant of it. Pass an integer or a key of two "
            "integers as `seed`, or make the generator's state an "
            "input with `StatelessScope`."
        ) from None
