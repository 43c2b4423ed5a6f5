"""What a layer's `call` takes, and what is known while layers call each other."""

import contextvars
import functools
import inspect

_current = contextvars.ContextVar("hornbeam_call_context", default=None)


class CallInfo:
    """The signature of a layer's `call`, read once per class."""

    def __init__(self, call):
        parameters = [
            p for p in inspect.signature(call).parameters.values() if p.name != "self"
        ]
        parameter = inspect.Parameter
        named = (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        self.names = [p.name for p in parameters if p.kind in named]
        self.all_names = {p.name for p in parameters}
        self.takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.takes_varargs = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        defaults = {p.name: p.default for p in parameters}
        self.has_training = "training" in defaults
        default = defaults.get("training")
        self.training_default = None if default is inspect.Parameter.empty else default
        self.mask_names = {
            name: "mask" if position == 0 and "mask" in defaults else f"{name}_mask"
            for position, name in enumerate(self.names)
            if f"{name}_mask" in defaults or (position == 0 and "mask" in defaults)
        }
        self.simple = not self.mask_names and not self.takes_varargs

    def arguments(self, args, kwargs):
        """Return the arguments of a call by name."""
        if len(args) > len(self.names):
            extra = {f"args_{i}": x for i, x in enumerate(args[len(self.names) :])}
            return {**dict(zip(self.names, args, strict=False)), **extra, **kwargs}
        return {**dict(zip(self.names, args, strict=False)), **kwargs}


@functools.lru_cache(maxsize=4096)
def call_info(call):
    """Return the CallInfo of a class's `call` function."""
    return CallInfo(call)


class CallContext:
    """What holds for a call and all calls inside it."""

    __slots__ = ("entry_layer", "training", "values")

    def __init__(self, entry_layer, training, values=None):
        self.entry_layer = entry_layer
        self.training = training
        self.values = values or {}


def current_context():
    """Return the CallContext in force, or None."""
    return _current.get()
