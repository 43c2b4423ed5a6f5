"""Objects to configs and back.

A config is plain data that JSON can hold. `serialize_keras_object` makes one,
`deserialize_keras_object` makes the object again; what a config may name is fixed by
`core.allowlist`, by what was registered, and by the caller's `custom_objects`.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import types
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np

from hornbeam import backends
from hornbeam.core import allowlist, array_configs, legacy_configs, registry
from hornbeam.core.arguments import arguments_of
from hornbeam.core.budget import bounded
from hornbeam.core.errors import (
    UnknownObjectError,
    UnsafeFileError,
    is_from_users_code,
    shown,
)
from hornbeam.core.lambdas import refuse_lambda, serialize_lambda
from hornbeam.core.lazy import public
from hornbeam.core.live_config import LiveConfig, target_of
from hornbeam.typing import Config, CustomObjects

_LONGEST_NAME = 1000
_PLAIN = (bool, int, float, str, types.NoneType)
_shared_configs: ContextVar[Any] = ContextVar("shared_configs", default=None)
_shared_objects: ContextVar[Any] = ContextVar("shared_objects", default=None)


@contextlib.contextmanager
def object_sharing(shares: bool = True) -> Iterator[None]:
    """Inside, an object that is met twice is written, or made, as one object.

    Args:
        shares: False for a config that stands for itself inside of another one.
    """
    made: list[Any] = [{}, {}] if shares else [None, None]
    tokens = _shared_configs.set(made[0]), _shared_objects.set(made[1])
    try:
        yield
    finally:
        _shared_configs.reset(tokens[0])
        _shared_objects.reset(tokens[1])


def serialize_keras_object(obj: Any) -> Any:
    """Return the config of an object or function: plain data that JSON can hold.

    Args:
        obj: plain data, arrays, functions, objects with a `get_config()` method, or
            nests of them.

    >>> import hornbeam as keras
    >>> keras.saving.serialize_keras_object(keras.regularizers.L2(0.5))["class_name"]
    'L2'
    """
    for kinds, serialize in _SERIALIZERS:
        if isinstance(obj, kinds):
            return serialize(obj)
    if hasattr(obj, "__name__") and callable(obj) and not hasattr(obj, "get_config"):
        return _serialize_function(obj)
    engine = backends.of(obj)
    if engine is not None:
        return array_configs.written("__tensor__", engine.to_numpy(obj))
    if not hasattr(obj, "get_config"):
        raise TypeError(
            f"Cannot serialize {obj!r} of type {type(obj).__name__}: objects in a "
            "config need a `get_config()` method that returns the arguments of "
            "`__init__`."
        )
    return _serialize_object(obj)


def serialize_sharing(obj: Any) -> Any:
    """Return the config of `obj`, in which an object that is met twice has an id."""
    with object_sharing():
        config = serialize_keras_object(obj)
    counts = collections.Counter(_shared_ids(config))
    _forget_ids(config, {shared_id for shared_id, n in counts.items() if n == 1})
    return config


def _shared_ids(config):
    if isinstance(config, dict):
        if "shared_object_id" in config:
            yield config["shared_object_id"]
        config = config.values()
    for value in config:
        if isinstance(value, dict | list | tuple):
            yield from _shared_ids(value)


def _forget_ids(config, ids):
    if isinstance(config, dict):
        if config.get("shared_object_id") in ids:
            del config["shared_object_id"]
        config = config.values()
    for value in config:
        if isinstance(value, dict | list | tuple):
            _forget_ids(value, ids)


def _serialize_object(obj):
    shared = _shared_configs.get()
    if shared is not None and id(obj) in shared:
        return shared[id(obj)][1].copy()
    header = object_header(obj)
    config = {
        "module": header["module"],
        "class_name": header["class_name"],
        "config": serialize_keras_object(obj.get_config()),
        "registered_name": header["registered_name"],
    }
    if not allowlist.is_builtin_module(header["module"]):
        config = LiveConfig(config, _class_as_written(obj))
    if shared is not None:
        # The object is kept, so that no other one gets its id.
        shared[id(obj)] = (obj, config)
        config["shared_object_id"] = id(obj)
    for key, method in (
        ("build_config", "get_build_config"),
        ("compile_config", "get_compile_config"),
    ):
        extra = getattr(obj, method)() if hasattr(obj, method) else None
        if extra is not None:
            config[key] = serialize_keras_object(extra)
    return config


def object_header(obj: Any) -> Config:
    """Return the part of a config that names the object's class."""
    if hasattr(obj, "config_header"):
        return obj.config_header()
    cls = _class_as_written(obj)
    registered_name = registry.get_registered_name(cls)
    module = allowlist.module_of(cls)
    if module is not None and module.startswith("keras."):
        public = module != allowlist.FUNCTIONAL_MODULE
        registered_name = None if public else registered_name
    elif module == "keras":
        registered_name = None
    return {
        "module": module,
        "class_name": vars(cls).get("_public_name", cls.__name__),
        "registered_name": registered_name,
    }


def _class_as_written(obj):
    """Return the class; of a subclass of Model that became Functional, the user's."""
    return vars(type(obj)).get("_twin_of", type(obj))


def _serialize_dict(obj):
    plain = {key: serialize_keras_object(value) for key, value in obj.items()}
    target = target_of(obj)
    return plain if target is None else LiveConfig(plain, target)


def _serialize_sequence(obj):
    items = [serialize_keras_object(value) for value in obj]
    return tuple(items) if isinstance(obj, tuple) else items


def _serialize_slice(obj):
    parts = {name: getattr(obj, name) for name in ("start", "stop", "step")}
    return {"class_name": "__slice__", "config": _serialize_dict(parts)}


def _serialize_function(obj):
    if isinstance(obj, type):
        if issubclass(obj, np.generic):
            return _function_config("type", np.dtype(obj).name)
        return LiveConfig(_function_config("type", obj.__name__), obj)
    if obj.__name__ == "<lambda>":
        return serialize_lambda(obj)
    config = _function_config("function", registry.get_registered_name(obj))
    is_builtin = allowlist.builtin_function(obj.__name__) is obj
    return config if is_builtin else LiveConfig(config, obj)


def _function_config(kind, name):
    return {
        "module": "builtins",
        "class_name": kind,
        "config": name,
        "registered_name": kind,
    }


def _serialize_keras_tensor(obj):
    history = obj._keras_history
    if history is not None:
        history = [history.operation.name, history.node_index, history.tensor_index]
    config = {"shape": list(obj.shape), "dtype": obj.dtype, "keras_history": history}
    return {"class_name": "__keras_tensor__", "config": config}


class _Symbolic(type):
    """Makes `isinstance` ask for KerasTensors, which `core` may not import."""

    def __instancecheck__(cls, obj):
        return hasattr(obj, "_keras_history") and hasattr(obj, "record_history")


class _KerasTensors(metaclass=_Symbolic):
    pass


_SERIALIZERS = (
    (_PLAIN, lambda obj: obj),
    (
        bytes,
        lambda b: {"class_name": "__bytes__", "config": {"value": b.decode("utf-8")}},
    ),
    (dict, _serialize_dict),
    ((list, tuple), _serialize_sequence),
    (slice, _serialize_slice),
    (types.EllipsisType, lambda obj: {"class_name": "__ellipsis__", "config": {}}),
    (np.generic, lambda obj: obj.item()),
    (np.ndarray, functools.partial(array_configs.written, "__numpy__")),
    (np.dtype, lambda obj: obj.name),
    (_KerasTensors, _serialize_keras_tensor),
)


@bounded
def deserialize_keras_object(
    config: Any,
    custom_objects: CustomObjects = None,
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """Make the object that a config describes.

    Args:
        config: what `serialize_keras_object` returned, a nest of such, or a name.
        custom_objects: `{name: class or function}` that the config may name besides
            the library's own and those that are registered. Default: none.
        safe_mode: accepted; code from a config is never run, whatever it says.
        **kwargs: `module_objects`, a table such as `custom_objects`: the name of a
            class in it gives an object that is made without arguments, where one in
            `custom_objects` gives the class.

    >>> import hornbeam as keras
    >>> config = keras.saving.serialize_keras_object(keras.regularizers.L2(0.5))
    >>> float(keras.saving.deserialize_keras_object(config).l2)
    0.5
    """
    module_objects = kwargs.pop("module_objects", None)
    kwargs.pop("printable_module_name", None)
    if kwargs:
        raise ValueError(
            f"deserialize_keras_object() received unknown arguments: {sorted(kwargs)}"
        )
    customs, ours = custom_objects or {}, module_objects or {}
    if isinstance(config, str) and config in {**ours, **customs}:
        if config in customs:
            return customs[config]
        named = ours[config]
        return named() if isinstance(named, type) else named
    with registry.scope_of({**ours, **customs}):
        return _deserialize(config)


def _deserialize(config):
    if isinstance(config, list | tuple):
        return type(config)(_deserialize(value) for value in config)
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: _deserialize(value) for key, value in config.items()}
    name, inner = config["class_name"], config["config"]
    if not isinstance(name, str):
        raise TypeError(f"A config's 'class_name' must be a string. Received: {name!r}")
    for text in (name, inner.get("name") if isinstance(inner, dict) else None):
        if isinstance(text, str) and len(text) > _LONGEST_NAME:
            raise UnsafeFileError(
                f"A config holds a name of {len(text)} characters: {text[:50]!r} ..."
            )
    if name in _FUNCTION_KINDS:
        return _FUNCTION_KINDS[name](config)
    if name == "__lambda__" and target_of(config) is not None:
        return target_of(config)
    if name in _SPECIAL:
        kinds, deserialize = _SPECIAL[name]
        _check_type(config, inner, kinds)
        return deserialize(inner)
    if not _is_custom(config):
        config = legacy_configs.modern_class(config)
        name, inner = config["class_name"], config["config"]
    _check_type(config, inner, dict)
    return _deserialize_object(config, name, inner)


def _check_type(config, inner, kinds):
    if isinstance(inner, kinds):
        return
    names = [k.__name__ for k in (kinds if isinstance(kinds, tuple) else (kinds,))]
    raise TypeError(
        f"Expected 'config' to be a {' or a '.join(names)} for "
        f"{config['class_name']!r}. Received: {shown(inner)}"
    )


def _deserialize_object(config, name, inner):
    shared, shared_id = _shared_objects.get(), config.get("shared_object_id")
    if shared is not None and shared_id is not None and shared_id in shared:
        return shared[shared_id]
    cls = find_class(config)
    if not hasattr(cls, "from_config"):
        raise TypeError(
            f"Unable to reconstruct an instance of {name!r}: the class has no "
            "`from_config()` method. Write `@classmethod def from_config(cls, config)`."
        )
    if isinstance(cls, type) and cls.__module__.startswith("hornbeam."):
        accepted = arguments_of(cls)[0]
        inner = legacy_configs.modern_arguments(cls.__name__, inner, accepted)
    instance = _from_config(cls, name, inner)
    if config.get("build_config") and hasattr(instance, "build_from_config"):
        if not getattr(instance, "built", False):
            instance.build_from_config(_deserialize(config["build_config"]))
            instance.built = True
    if config.get("compile_config") and hasattr(instance, "compile_from_config"):
        instance.compile_from_config(config["compile_config"])
    if shared is not None and shared_id is not None:
        shared[shared_id] = instance
    return instance


def _from_config(cls, name, inner):
    inner = _with_custom_lambda(dict(inner))
    try:
        return cls.from_config(inner)
    except TypeError as error:
        if isinstance(error, UnsafeFileError):
            raise
        if isinstance(error.__cause__, UnsafeFileError):
            raise error.__cause__ from None
        advice = (
            "Objects in what `get_config()` returns are explicitly deserialized by the "
            "class: call `keras.saving.deserialize_keras_object()` on them in "
            f"`from_config()`. The config: {shown(inner)}"
        )
        if is_from_users_code(error):
            error.add_note(advice)
            raise
        is_told = isinstance(error.__cause__, TypeError)
        prefix = "" if is_told else f"{name!r} cannot be made from its config: "
        raise TypeError(f"{prefix}{error} {advice}") from error


def _with_custom_lambda(inner):
    """Take the caller's function in place of bytecode: it goes by the layer's name."""
    function = inner.get("function")
    if isinstance(function, dict) and function.get("class_name") == "__lambda__":
        given = registry.get_registered_object(inner.get("name"))
        if given is not None:
            return {**inner, "function": given}
        if target_of(function) is None and "graph" not in function["config"]:
            refuse_lambda(inner)
    return inner


def _is_custom(config):
    """Whether the config names something of the caller's or of the user's."""
    name = config["class_name"]
    return target_of(config) is not None or (
        registry.get_registered_object(name) is not None
    )


def find_class(config: Config) -> Any:
    """Return the class that a config names, or raise `UnknownObjectError`."""
    name, module = config["class_name"], config.get("module")
    registered_name = config.get("registered_name")
    scoped = registry.scoped_objects()
    for key in (registered_name, name):
        if isinstance(key, str) and key in scoped:
            return scoped[key]
    if target_of(config) is not None:
        return target_of(config)
    if allowlist.is_builtin_module(module):
        cls = allowlist.builtin_class(module, name)
        _check_registered_name(config, cls.__name__, (name,))
        return cls
    for key in (registered_name, name):
        cls = registry.get_custom_objects().get(key) if key else None
        if cls is not None:
            return cls
    cls = allowlist.find_builtin_class(name) if module is None else None
    if cls is not None and registered_name in (None, "", name):
        return cls
    raise _unknown("class", registered_name or name)


def _check_registered_name(config, name, accepted):
    registered_name = config.get("registered_name")
    if registered_name not in (None, "", *accepted):
        raise UnsafeFileError(
            f"A config names {name!r}, which resolved to a Keras built-in, as "
            f"registered under {registered_name!r}. What is registered cannot take the "
            "place of a built-in."
        )


def _unknown(kind, name):
    return UnknownObjectError(
        f"Could not locate {kind} {name!r}. A custom {kind} must be known before it is "
        "loaded: decorate it with `@keras.saving.register_keras_serializable()`, or "
        f"pass `custom_objects={{{name!r}: ...}}`."
    )


def _find_function(config):
    name = config["config"]
    if not isinstance(name, str) or not name:
        raise TypeError(
            f"Expected 'config' to be a non-null str for a function. Received: {name!r}"
        )
    scoped = registry.scoped_objects()
    if name in scoped:
        return scoped[name]
    if target_of(config) is not None:
        return target_of(config)
    function = allowlist.builtin_function(name)
    if function is not None:
        _check_registered_name(config, name, ("function", name))
        return function
    function = registry.get_custom_objects().get(name)
    if function is None:
        function = registry.registered_by_short_name(name)
    if function is None:
        raise _unknown("function", name)
    return function


def _find_type(config):
    if target_of(config) is not None:
        return target_of(config)
    dtype = allowlist.builtin_dtype(config["config"])
    if dtype is None:
        raise _unknown("type", config["config"])
    return dtype


def _tensor(inner):
    return backends.current().convert(array_configs.read(inner))


def _keras_tensor(inner):
    return public("", "KerasTensor")(tuple(inner["shape"]), dtype=inner["dtype"])


def _unsupported_typespec(inner):
    raise UnknownObjectError(
        f"TensorFlow's type specs cannot be loaded: {shown(inner)}"
    )


_FUNCTION_KINDS = {
    "function": _find_function,
    "builtin_function_or_method": _find_function,
    "type": _find_type,
}
_SPECIAL = {
    "__tuple__": (dict, lambda c: tuple(_deserialize(c["value"]))),
    "__bytes__": (dict, lambda c: c["value"].encode("utf-8")),
    "__slice__": (
        dict,
        lambda c: slice(*(_deserialize(c[k]) for k in ("start", "stop", "step"))),
    ),
    "__ellipsis__": (dict, lambda c: Ellipsis),
    "__numpy__": (dict, array_configs.read),
    "__tensor__": (dict, _tensor),
    "__keras_tensor__": (dict, _keras_tensor),
    "__lambda__": (dict, refuse_lambda),
    "__typespec__": ((list, tuple), _unsupported_typespec),
}
