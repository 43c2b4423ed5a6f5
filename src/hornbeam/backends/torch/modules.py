"""PyTorch: our layers as its modules, and its modules called. Optional."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from .devices import current_device

__all__ = ["as_module", "call_module", "is_module", "module_tensors"]


def is_module(x: Any) -> bool:
    """Whether `x` is a `torch.nn.Module`."""
    return isinstance(x, torch.nn.Module)


def as_module(call: Callable, variables: Sequence[Any]) -> torch.nn.Module:
    """A module that calls `call(*args, training=..., **kwargs)`."""
    return _LiveModule(call, variables)


class _LiveModule(torch.nn.Module):
    """A module whose parameters and buffers are the live values of variables."""

    def __init__(self, call, variables):
        super().__init__()
        self._call = call
        self._variables = {}
        for variable in variables:
            name = base = variable.path.replace(".", "_")
            number = 1
            while name in self._variables:
                name, number = f"{base}_{number}", number + 1
            self._variables[name] = variable
            if variable.trainable and isinstance(variable._value, torch.nn.Parameter):
                self.register_parameter(name, variable._value)
            else:
                self.register_buffer(name, variable._value)

    def forward(self, *args, **kwargs):
        return self._call(*args, training=self.training, **kwargs)

    def _apply(self, fn, recurse=True):
        # PyTorch changes parameters in place, but puts new buffers in place of the old.
        super()._apply(fn, recurse)
        for name, variable in self._variables.items():
            variable._value = getattr(self, name)
        return self


def module_tensors(module: torch.nn.Module) -> list[tuple[str, torch.Tensor, bool]]:
    """The name of each parameter and buffer, the tensor, and whether it is trained."""
    device = current_device()
    if device is not None:
        module.to(device)
    found = [(name, x, x.requires_grad) for name, x in module.named_parameters()]
    return found + [(name, x, False) for name, x in module.named_buffers()]


def call_module(module, values, training, args, kwargs):
    """Call a module; `values` by name stand in for its own tensors, if any."""
    if module.training is not bool(training):
        module.train(bool(training))
    if values:
        return torch.func.functional_call(module, values, args, kwargs)
    return module(*args, **kwargs)
