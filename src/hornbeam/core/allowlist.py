"""What a file may name: a fixed table of the library's own classes and functions.

A name that comes from a file is only ever a key into these tables. They are read from
the public `.pyi` lists, so that what loads is what is public; a table's entry is
imported when it is first asked for.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any, TypeGuard

from hornbeam.core.errors import UnknownObjectError, UnsafeFileError, did_you_mean
from hornbeam.core.keras_names import explain_missing
from hornbeam.core.lazy import names_of, public

# The namespaces whose classes a config may name.
_CLASS_SPACES = (
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "optimizers.schedules",
    "initializers",
    "regularizers",
    "constraints",
    "dtype_policies",
    "random",
    "models",
    "utils",
)
# Those in which functions stand too, which begin with a small letter.
_WITH_FUNCTIONS = ("models", "random", "utils")
# The classes that configs name below `keras` itself.
_TOP_CLASSES = {
    "Model": "models",
    "Sequential": "models",
    "Functional": "models",
    "DTypePolicy": "dtype_policies",
    "FloatDTypePolicy": "dtype_policies",
    "InputSpec": "layers",
    "Layer": "layers",
}
FUNCTIONAL_MODULE = "keras.src.models.functional"
# Classes that are not public, which configs name by Keras's private module.
_PRIVATE_CLASSES = {
    ("keras.src.applications.convnext", "LayerScale"): (
        "hornbeam.applications.scale_layers"
    ),
    ("keras.src.applications.inception_resnet_v2", "CustomScaleLayer"): (
        "hornbeam.applications.scale_layers"
    ),
}
# These run foreign code or open what a path names.
_REFUSED = frozenset({"TFSMLayer", "TorchModuleWrapper"})

# The namespaces whose functions a config may name, the first that has it wins.
_FUNCTION_SPACES = ("activations", "losses", "metrics", "ops")
# These take functions or give back more than tensors.
_NO_FUNCTIONS = frozenset(
    "get serialize deserialize map scan associative_scan cond switch while_loop "
    "fori_loop vectorized_map vectorize custom_gradient jvp value_and_grad "
    "convert_to_numpy".split()
)
_DTYPES = (
    "bool float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64"
).split()


def public_names(space: str) -> dict[str, tuple[str, str]]:
    """Return `{public name: (module, name in it)}` of a namespace such as "layers"."""
    return names_of(f"hornbeam.{space}")


def resolve(space: str, name: str) -> Any:
    """Return the public object of that name in the namespace, or None."""
    place = public_names(space).get(name)
    if place is None:
        return None
    module, attribute = place
    return getattr(importlib.import_module(module), attribute, None)


def is_builtin_module(module: Any) -> TypeGuard[str]:
    """Whether a config's "module" stands for the library itself."""
    return isinstance(module, str) and (module + ".").startswith("keras.")


def _saved_ops():
    """Return the module that reads ops in configs."""
    return importlib.import_module("hornbeam.graph.saved_ops")


def _spaces_of(module):
    """Return the namespaces that a config's module string stands for."""
    parts = module.split(".")[1:]
    if parts and parts[0] == "src":
        parts = parts[1:]
        if parts[:1] == ["backend"]:
            # Optimizers of one engine, `keras.src.backend.torch.optimizers.torch_adam`.
            parts = parts[2:]
        if parts[:2] == ["optimizers", "schedules"]:
            return ("optimizers.schedules",)
        # Private modules of a family, `keras.src.layers.core.dense` among them.
        parts = parts[:1]
    return (".".join(parts),) if parts else ()


def builtin_class(module: str, name: str) -> Any:
    """Return the class that `module` and `name` of a config stand for.

    Raises `UnsafeFileError` if they stand for nothing that a file may hold.
    """
    if name in _REFUSED:
        raise UnsafeFileError(
            f"A file may not hold a `{name}`: it runs code that is not the library's. "
            "Build the model in code and load its weights with `load_weights()`."
        )
    if module.startswith("keras.src.ops.") or module.startswith(
        "keras.src.activations"
    ):
        return _saved_ops().operation_of_class_name(module, name)
    if (module, name) in _PRIVATE_CLASSES:
        place = importlib.import_module(_PRIVATE_CLASSES[module, name])
        return getattr(place, name)
    spaces = _spaces_of(module)
    if not spaces and name in _TOP_CLASSES:
        spaces = (_TOP_CLASSES[name],)
    if module == FUNCTIONAL_MODULE and name == "Functional":
        return public("models", "Functional")
    for space in spaces:
        cls = _class_in(space, name)
        if cls is not None:
            return cls
    # Only these namespaces are imported, whatever a config names.
    known = [
        n for space in spaces if space in _CLASS_SPACES for n in public_names(space)
    ]
    for space in spaces:
        if missing := explain_missing(f"{space}.{name}"):
            raise UnknownObjectError(f"A config names a missing class: {missing}")
    raise UnknownObjectError(
        f"A config names the class {name!r} of module {module!r}, which is not among "
        f"the classes that a file may hold.{did_you_mean(name, known)}"
    )


def _class_in(space, name):
    """Return the class of that name that a file may hold, or None.

    What is no class is not imported: `get_file` brings what opens addresses.
    """
    is_function = space in _WITH_FUNCTIONS and not name[:1].isupper()
    if space not in _CLASS_SPACES or is_function:
        return None
    cls = resolve(space, name)
    return cls if inspect.isclass(cls) and hasattr(cls, "from_config") else None


def find_builtin_class(name: str) -> Any:
    """Return the public class of that name in whichever namespace, or None.

    Configs of older versions do not say the module.
    """
    for space in _CLASS_SPACES:
        if _class_in(space, name) is not None:
            return builtin_class(f"keras.{space}", name)
    return None


def builtin_function(name: str) -> Callable[..., Any] | None:
    """Return the pure function that a config may name so, or None."""
    if name in _NO_FUNCTIONS:
        return None
    for space in _FUNCTION_SPACES:
        function = resolve(space, name)
        if inspect.isfunction(function):
            return function
    return None


def builtin_activation(name: str) -> Callable[..., Any] | None:
    """Return the function of `keras.activations` of that name, or None."""
    return None if name in _NO_FUNCTIONS else resolve("activations", name)


def is_array_dtype(name: str) -> bool:
    """Whether an array in a config may be of the dtype."""
    return name in _DTYPES or name in ("bfloat16", "str")


def builtin_dtype(name: str) -> type | None:
    """Return the NumPy scalar type of that name, or None."""
    import numpy as np

    return getattr(np, name) if name in _DTYPES else None


def module_of(cls: type) -> str | None:
    """Return the module as which configs name the class; None where it has none."""
    parts = cls.__module__.split(".")
    if parts[0] != "hornbeam":
        return None if cls.__module__ in ("__main__", "builtins") else cls.__module__
    name = cls.__name__
    if name == "Functional":
        return FUNCTIONAL_MODULE
    for (module, private), place in _PRIVATE_CLASSES.items():
        if (place, private) == (cls.__module__, name):
            return module
    if name in _TOP_CLASSES:
        return "keras"
    for space in _spaces_of_package(parts):
        if name in public_names(space):
            return f"keras.{space}"
    return f"keras.{parts[1]}" if len(parts) > 1 else "keras"


def _spaces_of_package(parts):
    if parts[1] == "optimizers":
        return ("optimizers", "optimizers.schedules")
    return (parts[1],) if parts[1] in _CLASS_SPACES else _CLASS_SPACES
