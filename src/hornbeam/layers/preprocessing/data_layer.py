"""The base of layers that may also run outside models, while data are read."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from hornbeam import backends
from hornbeam.core import tree
from hornbeam.core.errors import shown
from hornbeam.core.random import SeedGenerator, make_default_seed
from hornbeam.core.strings import ENCODE_STRINGS, holds_strings
from hornbeam.core.variable import Variable
from hornbeam.layers import building
from hornbeam.layers.call import call_info
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, Self

    from hornbeam.typing import Seed, Tensor


Method = TypeVar("Method", bound="Callable[..., Any]")


class DataLayer(Layer):
    """A layer that computes on the engine of the tensors which it is given.

    So it works inside `tf.data.Dataset.map` and in a `torch.utils.data.DataLoader`,
    whatever engine trains the model, and gives tensors of the same library. NumPy
    arrays are computed on the engine that the layer belongs to, or else on that in
    force; in a worker process of a DataLoader they stay NumPy arrays.

    A subclass reads its Variables with `self.convert_weight(variable)`, and draws with
    `self._seed(seed)` if it has called `self._start_seeds(seed)` in `__init__`.
    """

    _runs_on_any_engine = True
    # AutoGraph, which rewrites what `tf.data` maps, leaves alone what has this mark.
    # Its public decorator would need TensorFlow.
    autograph_info__: ClassVar[dict[str, Any]] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args and self._convert_input_args:
            if _is_numbers(args[0]):
                args = (np.asarray(args[0]), *args[1:])
            elif holds_strings(args[0]):  # engines would read numbers in some of them
                raise TypeError(
                    f"{type(self).__name__} layer {self.path!r} expects numbers. "
                    f"Received strings: {shown(args[0])}. {ENCODE_STRINGS}"
                )
        engine = _engine_of((args, kwargs)) or self._own_engine()
        if engine is backends.current():
            return super().__call__(*args, **kwargs)
        if not self.built and engine.name != self._backend_name:
            # What it makes belongs to the engine that trains.
            building.build_for_call(self, args, kwargs, call_info(type(self).call))
        with backends.scope(engine):
            return super().__call__(*args, **kwargs)

    def _own_engine(self):
        """The engine for data of no engine."""
        if _worker() is not None:
            return backends.get("numpy")
        name = self._backend_name
        return backends.current() if name is None else backends.get(name)

    def convert_weight(self, weight: Any) -> Tensor:
        """Return a weight as a tensor of the engine in force.

        Args:
            weight: a Variable, a tensor or an array.
        """
        engine = backends.current()
        if isinstance(weight, Variable):
            if weight.backend is engine:
                return weight.value
            return engine.convert(weight.numpy(), weight.dtype)
        owner = backends.of(weight)
        if owner is not None and owner is not engine:
            weight = owner.to_numpy(weight)
        return engine.convert(weight)

    def _start_seeds(self, seed: Seed) -> None:
        """Make the generator of the layer's draws."""
        self.seed = seed
        start = make_default_seed() if seed is None else seed
        self.generator: SeedGenerator = SeedGenerator(start)
        self._elsewhere: _Generators = _Generators(start)
        self._backend_name = self.generator.state.backend.name

    def _seed(self, seed: Seed = None) -> Seed:
        """Return `seed`, or the layer's generator on the engine in force."""
        if seed is not None:
            return seed
        worker = _worker()
        if worker is None and backends.current() is self.generator.state.backend:
            return self.generator
        return self._elsewhere.get(worker)


def on_engine_of_data(method: Method) -> Method:
    """Make a method compute on the engine of its arguments, as a call does."""

    @functools.wraps(method)
    def wrapped(self, *args, **kwargs):
        engine = _engine_of((args, kwargs))
        if engine is None or engine is backends.current():
            return method(self, *args, **kwargs)
        with backends.scope(engine):
            return method(self, *args, **kwargs)

    wrapped.autograph_info__ = {}  # type: ignore[attr-defined]  # see DataLayer
    return cast("Method", wrapped)


class _Generators:
    """The generators of a layer for engines that it does not belong to.

    They are no state of the layer: nothing of them is trained with, or saved.

    Args:
        start: the seed that all start from.
    """

    def __init__(self, start: int):
        self.start = start
        self._made: dict[Any, SeedGenerator] = {}

    def get(self, worker: int | None) -> SeedGenerator:
        """Return the generator of the engine in force, for a worker's seed or None.

        Workers draw differently, and differently in each epoch: so are their seeds.
        """
        key = backends.current().name, worker
        if key not in self._made:
            seed = (self.start + (worker or 0)) % 2**32
            self._made[key] = SeedGenerator(seed, name="seed_generator")
        return self._made[key]

    def __deepcopy__(self, memo: Any) -> Self:
        return type(self)(self.start)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.start,)


def _is_numbers(x):
    """Whether `x` is a number, or a list of numbers and of such lists."""
    if isinstance(x, list | tuple):
        return bool(x) and all(map(_is_numbers, x))
    return isinstance(x, bool | int | float)


def _engine_of(data):
    """Return the engine of the first tensor of an engine in a nest, or None."""
    for leaf in tree.flatten(data):
        engine = leaf.backend if isinstance(leaf, Variable) else backends.of(leaf)
        if engine is not None:
            return engine
    return None


def _worker():
    """Return the seed of the worker process of a torch DataLoader, or None."""
    module = sys.modules.get("torch.utils.data")
    info = module.get_worker_info() if module is not None else None
    return None if info is None else info.seed
