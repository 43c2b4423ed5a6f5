"""The arguments that all optimizers take after their own, written once.

A concrete optimizer declares its own arguments and then `*args: Any` and
`**kwargs: Unpack[SharedArguments]`, which it hands to `super().__init__`. Type checkers
know the names and types from `SharedArguments`; `inspect.signature` and `help` show
the parameters of `Optimizer.__init__` in their place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypedDict, TypeVar

from hornbeam.optimizers.optimizer import Optimizer

Init = TypeVar("Init", bound=Callable[..., None])


class SharedArgumentsButDecay(TypedDict, total=False):
    """The shared arguments of optimizers that place `weight_decay` themselves."""

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    name: str | None


class SharedArguments(SharedArgumentsButDecay, total=False):
    """The arguments of `Optimizer` besides the learning rate."""

    weight_decay: float | None


def takes_shared_arguments(init: Init) -> Init:
    """Give `init` the signature in which `Optimizer`'s parameters follow its own."""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(init).parameters.items()
        if parameter.kind not in variadic
    }
    for name, parameter in inspect.signature(Optimizer.__init__).parameters.items():
        parameters.setdefault(name, parameter)
    shown: Any = init
    shown.__signature__ = inspect.Signature(list(parameters.values()))
    return init
