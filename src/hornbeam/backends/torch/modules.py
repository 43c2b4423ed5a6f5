"""PyTorch: our layers as its modules, and its modules called. Optional."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .arrays import dtype_of, torch_dtype
from .devices import current_device

__all__ = ["LayerModule", "call_module", "is_module", "module_tensors"]


def is_module(x: Any) -> bool:
    """Whether `x` is a `torch.nn.Module`."""
    return isinstance(x, torch.nn.Module)


class _Live:
    """An attribute of a module that is looked up anew in the layer each time."""

    def __init__(self, look_up: Callable[[Any], Any]):
        self._look_up = look_up

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        return self if layer is None else self._look_up(layer)


class _LiveTensors(dict):
    """The values of variables by name; a tensor that is put in is the new value."""

    def __init__(self, layer, are_parameters):
        if layer._backend_name not in (None, "torch"):
            # `__getattr__` says what to do.
            raise AttributeError(layer._backend_name)
        self._variables = {
            name: variable
            for name, variable in layer._module_variables().items()
            if _is_parameter(variable) is are_parameters
        }
        super().__init__((name, v._value) for name, v in self._variables.items())

    def __setitem__(self, name, tensor):
        super().__setitem__(name, tensor)
        self._variables[name]._value = tensor


def _is_parameter(variable):
    return variable.trainable and isinstance(variable._value, torch.nn.Parameter)


class _NoHooks(dict):
    def __setitem__(self, key, value):
        raise NotImplementedError(
            "A layer calls no hooks of PyTorch. Put it into a module that does: "
            "`torch.nn.Sequential(layer).register_forward_hook(...)`."
        )


class LayerModule(torch.nn.Module):
    """What layers are besides: modules, without any state of a module's own.

    Parameters, buffers and inner modules are looked up in the layer whenever PyTorch
    asks for them. So they are always those that the layer has, and layers are made,
    called, copied and saved as on any engine.
    """

    # PyTorch's own are for modules that keep their state themselves.
    __setattr__ = object.__setattr__  # type: ignore[assignment]
    __delattr__ = object.__delattr__
    __dir__ = object.__dir__

    _parameters = _Live(lambda layer: _LiveTensors(layer, True))
    _buffers = _Live(lambda layer: _LiveTensors(layer, False))
    _modules = _Live(lambda layer: layer._module_children())
    training: Any = _Live(lambda layer: bool(layer._mode))
    _non_persistent_buffers_set: set[str] = set()
    _is_full_backward_hook = None
    for _name in (
        *("_backward_pre_hooks", "_backward_hooks", "_forward_hooks"),
        *("_forward_hooks_with_kwargs", "_forward_hooks_always_called"),
        *("_forward_pre_hooks", "_forward_pre_hooks_with_kwargs"),
        *("_state_dict_hooks", "_state_dict_pre_hooks"),
        *("_load_state_dict_pre_hooks", "_load_state_dict_post_hooks"),
    ):
        vars()[_name] = _NoHooks()
    del _name

    @property
    def torch_params(self) -> Any:
        """All live tensors of the layer and the layers inside, by path, as in Keras."""
        return {variable.path: variable._value for variable in self.variables}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer."""
        return self(*args, **kwargs)

    def train(self, mode: Any = True) -> Any:
        """Let `training` be `mode` where a call does not say it; also in layers inside.

        As long as neither this nor `eval()` was called it is False, as in Keras.
        """
        for child in self.children():
            child.train(mode)
        self._mode = bool(mode)
        return self

    def _apply(self, fn, recurse=True):
        super()._apply(fn, recurse)
        for variable in self._module_variables().values():
            if variable._value.is_floating_point():
                variable._dtype = dtype_of(variable._value)
        dtype = dtype_of(fn(torch.empty(0, dtype=torch_dtype(self.variable_dtype))))
        if dtype != self.variable_dtype:
            self.dtype_policy = dtype
        return self

    def __getattr__(self, name: Any) -> Any:
        if name in ("_parameters", "_buffers"):
            raise self._has_no_module("parameters")
        failed = getattr(type(self), name, None)
        if isinstance(failed, property):
            # It raised AttributeError, so Python asks here: its own error says more.
            return failed.__get__(self)
        child = None if name.startswith("_") else self._modules.get(name)
        if child is None:
            owner = type(self).__name__
            raise AttributeError(f"{owner!r} object has no attribute {name!r}")
        return child


def module_tensors(module: torch.nn.Module) -> list[tuple[str, torch.Tensor, bool]]:
    """The name of each parameter and buffer, the tensor, and whether it is trained."""
    device = current_device()
    if device is not None:
        module.to(device)
    tensors = [(name, x, x.requires_grad) for name, x in module.named_parameters()]
    return tensors + [(name, x, False) for name, x in module.named_buffers()]


def call_module(module: Any, values: Any, training: Any, args: Any, kwargs: Any) -> Any:
    """Call a module; `values` by name stand in for its own tensors, if any."""
    if module.training is not bool(training):
        module.train(bool(training))
    if values:
        return torch.func.functional_call(module, values, args, kwargs)
    return module(*args, **kwargs)
