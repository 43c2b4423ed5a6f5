"""How a `lambda` is written to a file, so that Keras can read it.

It is written as Keras writes it; reading such bytecode is refused, see
`core.serialization`.
"""

from __future__ import annotations

import base64
import marshal
from collections.abc import Callable
from typing import Any

from hornbeam.core.live_config import LiveConfig
from hornbeam.core.warning import warn


def warn_of_lambdas(config: Any) -> None:
    """Warn of the lambdas in a config that is about to be written."""
    if not _holds_lambda(config):
        return
    warn(
        "A `lambda` is being saved. Its bytecode cannot be loaded here: whoever loads "
        "the file must pass the function as `custom_objects={layer name: function}`. "
        "Use a named function and register it with "
        "`@keras.saving.register_keras_serializable()`.",
    )


def _holds_lambda(config):
    if isinstance(config, dict):
        is_lambda = config.get("class_name") == "__lambda__"
        return is_lambda or any(map(_holds_lambda, config.values()))
    return isinstance(config, list | tuple) and any(map(_holds_lambda, config))


def serialize_lambda(function: Callable[..., Any]) -> LiveConfig:
    """Return the config of a lambda outside of a Lambda layer."""
    config = {"class_name": "__lambda__", "config": {"value": list(_parts(function))}}
    return LiveConfig(config, function)


def serialize_layer_lambda(function: Callable[..., Any]) -> LiveConfig:
    """Return the config of the lambda of a Lambda layer."""
    code, defaults, closure = _parts(function)
    config = {"code": code, "defaults": defaults, "closure": closure}
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
