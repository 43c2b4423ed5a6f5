"""How a `lambda` is written to a file, so that Keras can read it.

It is written as Keras writes it; reading such bytecode is refused, see
`core.serialization`.
"""

import base64
import marshal
import warnings


def serialize_lambda(function):
    """Return the config of a lambda outside of a Lambda layer."""
    return {"class_name": "__lambda__", "config": {"value": list(_parts(function))}}


def serialize_layer_lambda(function):
    """Return the config of the lambda of a Lambda layer."""
    code, defaults, closure = _parts(function)
    config = {"code": code, "defaults": defaults, "closure": closure}
    return {"class_name": "__lambda__", "config": config}


def _parts(function):
    warnings.warn(
        "A `lambda` is being saved. Its bytecode cannot be loaded here: whoever loads "
        "the file must pass the function as `custom_objects={layer name: function}`. "
        "Use a named function and register it with "
        "`@keras.saving.register_keras_serializable()`.",
        stacklevel=4,
    )
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    closure = function.__closure__
    if closure is not None:
        closure = [_plain(cell.cell_contents) for cell in closure]
    defaults = function.__defaults__
    return code, list(defaults) if defaults else None, closure


def _plain(value):
    return value if isinstance(value, bool | int | float | str) else None
