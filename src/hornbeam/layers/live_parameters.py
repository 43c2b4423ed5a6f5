"""A layer as a module of the engine's library: on torch, with live parameters.

Layers are one class on all engines, and the engine is chosen at run time. The base
class from an engine's library is therefore added when the first layer is created on
that engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core.naming import to_snake_case

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _needs_modules(method: str) -> Callable[..., Any]:
    def missing(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise self._has_no_module(method)

    missing.__doc__ = f"`torch.nn.Module.{method}` of a layer on the torch engine."
    return missing


class _NoModule:
    """The methods of a module while no engine with modules is in use: they raise."""

    parameters: Callable[..., Any] = _needs_modules("parameters")
    named_parameters: Callable[..., Any] = _needs_modules("named_parameters")
    state_dict: Callable[..., Any] = _needs_modules("state_dict")
    load_state_dict: Callable[..., Any] = _needs_modules("load_state_dict")
    to: Callable[..., Any] = _needs_modules("to")
    zero_grad: Callable[..., Any] = _needs_modules("zero_grad")


class LiveParameters(_NoModule):
    """The part of a layer that is a module of the engine's library; see `Layer`.

    >>> import torch
    >>> import hornbeam as keras
    >>> with keras.config.backend_scope("torch"):
    ...     net = torch.nn.Sequential(keras.layers.Dense(2), torch.nn.Linear(2, 1))
    ...     outputs = net(torch.ones(4, 3))
    >>> [(name, tuple(p.shape)) for name, p in net[0].named_parameters()]
    [('kernel', (3, 2)), ('bias', (2,))]
    """

    # The mode set by `module.train()` and `module.eval()`: the default of `training`
    # in outermost calls. None: neither was called.
    _mode: bool | None = None

    @staticmethod
    def join_modules(engine: Any) -> None:
        """Make all layers modules of the library of `engine`, if it has modules."""
        base = engine.LayerModule
        if base is not None and base not in LiveParameters.__bases__:
            setattr(LiveParameters, "__bases__", (base,))  # noqa: B010 - unseen by checkers

    def _has_no_module(self: Any, method):
        """The error of a layer of an engine without modules."""
        return AttributeError(
            f"`{method}()` of layer {self.path!r} needs the torch backend; the layer "
            f"belongs to {self.backend!r}. Move it with `layer.to_backend('torch')`, "
            "or write the step with `keras.value_and_grad`, which runs on every "
            "backend."
        )

    def _module_variables(self: Any):
        """The layer's own variables by name, those of the layers inside left out."""
        return _by_name(
            (v.name.replace(".", "_"), v)
            for v in [*self._own_weights(), *self._own_states()]
        )

    def _module_children(self: Any):
        """The layers directly inside by name: that of the attribute, or of the class.

        The names of layers are not used: they count through the whole process.
        """
        attributes = {id(v): k for k, v in vars(self).items() if k[0] != "_"}
        return _by_name(
            (attributes.get(id(layer)) or to_snake_case(type(layer).__name__), layer)
            for layer in self._layers
        )


def _by_name(pairs):
    """Return a dict of the pairs, in which later equal names have a number."""
    named = {}
    for base, value in pairs:
        name, number = base, 1
        while name in named:
            name, number = f"{base}_{number}", number + 1
        named[name] = value
    return named
