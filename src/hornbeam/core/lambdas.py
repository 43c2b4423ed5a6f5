"""What a file cannot hold: code. How a `lambda` is written nevertheless.

It is written as Keras writes it, as bytecode; reading that is refused. The
lambda of a Lambda layer is written as a graph besides, which is data.
"""

from __future__ import annotations

import base64
import marshal
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from hornbeam.core import registry
from hornbeam.core.errors import UnsafeFileError
from hornbeam.core.live_config import LiveConfig, target_of
from hornbeam.core.warning import warn

# While a file is written: why a lambda of a layer cannot be traced, by layer.
_reasons: ContextVar[dict[str, str] | None] = ContextVar("reasons", default=None)


def config_for_file(make: Callable[[], Any]) -> Any:
    """Return the config that `make()` gives, for a file or another process.

    Lambdas are traced, where they can be. A warning names what loading needs besides:
    lambdas that were not, and classes and functions that are not registered.
    """
    reasons: dict[str, str] = {}
    token = _reasons.set(reasons)
    try:
        config = make()
    finally:
        _reasons.reset(token)
    names = dict.fromkeys(_unregistered(config))
    if names:
        objects = ", ".join(f"{name!r}: ..." for name in names)
        warn(
            "What is being saved names classes or functions that are not registered. "
            f"Whoever loads it must pass `custom_objects={{{objects}}}`. Register them "
            "with `@keras.saving.register_keras_serializable()`."
        )
    for layer, reason in reasons.items():
        warn(
            f"The `lambda` of layer {layer!r} is being saved as bytecode, which cannot "
            f"be loaded here: whoever loads it must pass `custom_objects={{{layer!r}: "
            f"function}}`. It could not be traced as a graph of ops: {reason}."
        )
    if not reasons and _bare_lambda(config):
        warn(
            "A `lambda` outside of the function of a Lambda layer is being saved. It "
            "cannot be loaded. Use a named function and register it with "
            "`@keras.saving.register_keras_serializable()`."
        )
    return config


def _configs(config):
    """Yield each config of an object or a function that stands in `config`."""
    left = [config]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            if "class_name" in item:
                yield item
            left += reversed(item.values())
        elif isinstance(item, list | tuple):
            left += reversed(item)


def _unregistered(config):
    for item in _configs(config):
        target = target_of(item)
        if target is None or item["class_name"] == "__lambda__":
            continue
        is_object = isinstance(item.get("config"), dict)
        name = item["class_name"] if is_object else item["config"]
        registered = registry.get_custom_objects()
        keys = (item.get("registered_name"), name)
        if not any(registered.get(key) is target for key in keys):
            yield name


def _bare_lambda(config):
    return any(
        item["class_name"] == "__lambda__" and "graph" not in item["config"]
        for item in _configs(config)
    )


def serialize_lambda(function: Callable[..., Any]) -> LiveConfig:
    """Return the config of a lambda outside of a Lambda layer."""
    config = {"class_name": "__lambda__", "config": {"value": list(_parts(function))}}
    return LiveConfig(config, function)


def serialize_layer_lambda(
    function: Callable[..., Any],
    name: str | None = None,
    trace: Callable[[], Any] | None = None,
) -> LiveConfig:
    """Return the config of the lambda of a Lambda layer.

    Args:
        function: the lambda.
        name: the name of the layer.
        trace: returns the lambda as a graph, or raises a ValueError. It is called where
            the config is for a file.
    """
    code, defaults, closure = _parts(function)
    config = {"code": code, "defaults": defaults, "closure": closure}
    reasons = _reasons.get()
    if trace is not None and name is not None and reasons is not None:
        try:
            config["graph"] = trace()
        except ValueError as error:
            reasons[name] = str(error)[:300]
    return LiveConfig({"class_name": "__lambda__", "config": config}, function)


def _parts(function):
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    closure = function.__closure__
    if closure is not None:
        closure = [_plain(cell.cell_contents) for cell in closure]
    defaults = function.__defaults__
    return code, list(defaults) if defaults else None, closure


def _plain(value):
    return value if isinstance(value, bool | int | float | str) else None


def refuse_lambda(inner: dict[str, Any]) -> None:
    """Raise for bytecode, which stands in the config `inner`."""
    remedy = "Where it is a loss or metric, `load_model(path, compile=False)` omits it"
    if "name" in inner:
        remedy = (
            f"Give the function yourself: `custom_objects={{{inner['name']!r}: "
            "function}`, by the name of the Lambda layer"
        )
    raise UnsafeFileError(
        "The config holds the bytecode of a `lambda`. Running it would be arbitrary "
        "code execution, so it is never loaded, with `safe_mode=False` neither. "
        f"{remedy}; or save a named, registered function instead."
    )
