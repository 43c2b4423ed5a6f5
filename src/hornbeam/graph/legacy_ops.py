"""Functions of TensorFlow in the graphs of tf.keras 2, rewritten as ops of Keras 3.

tf.keras 2 wrote `x + y` and `tf.concat([x, y], -1)` as layers of the classes TFOpLambda
and SlicingOpLambda, each with the name of a function of TensorFlow. Data becomes data
here: a config of one of the functions in the table becomes that of the op that computes
the same. Others are refused by name.
"""

from __future__ import annotations

import inspect
import itertools
from typing import Any

from hornbeam.core import allowlist
from hornbeam.core.errors import UnknownObjectError
from hornbeam.graph import op_format
from hornbeam.typing import Config

_CLASSES = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
_SPACES = ("", "math", "nn", "linalg", "__operators__")
_SECOND = {"y": "x2", "b": "x2"}
_REDUCED = {"keep_dims": "keepdims", "reduction_indices": "axis"}
# The op, and the names of its arguments where TensorFlow has others. What stands first
# in a call stands first in the op.
_TABLE: dict[str, tuple[str, dict[str, str]]] = {
    **{
        name: (op, _SECOND)
        for name, op in {
            "divide": "divide",
            "floor_div": "floor_divide",
            "floordiv": "floor_divide",
            "floormod": "mod",
            "pow": "power",
            "realdiv": "divide",
            "truediv": "divide",
        }.items()
    },
    **{
        name: (name, _SECOND)
        for name in (
            "add equal greater greater_equal less less_equal logical_and logical_or "
            "matmul maximum minimum mod multiply not_equal subtract"
        ).split()
    },
    **{
        name: (name, {"alpha": "negative_slope"} if name == "leaky_relu" else {})
        for name in (
            "abs ceil cos elu erf exp expm1 floor gelu leaky_relu log log1p "
            "logical_not negative ones_like reciprocal relu relu6 round rsqrt selu "
            "sigmoid sign silu sin softplus softsign sqrt square tan tanh zeros_like"
        ).split()
    },
    **{
        f"reduce_{name}": (name, _REDUCED)
        for name in ("all", "any", "logsumexp", "max", "mean", "min", "prod", "sum")
    },
    "atan2": ("arctan2", {"x": "x2"}),
    "argmax": ("argmax", {"dimension": "axis"}),
    "argmin": ("argmin", {"dimension": "axis"}),
    "cast": ("cast", {}),
    "clip_by_value": ("clip", {"clip_value_min": "x_min", "clip_value_max": "x_max"}),
    "concat": ("concatenate", {}),
    "cumsum": ("cumsum", {}),
    "expand_dims": ("expand_dims", {"dim": "axis"}),
    "gather": ("take", {}),
    "getitem": ("get_item", {"slice_spec": "key"}),
    "log_softmax": ("log_softmax", {"dim": "axis"}),
    "one_hot": ("one_hot", {"depth": "num_classes"}),
    "reshape": ("reshape", {"shape": "newshape"}),
    "softmax": ("softmax", {"dim": "axis"}),
    "split": ("split", {"num_or_size_splits": "indices_or_sections"}),
    "squeeze": ("squeeze", {"squeeze_dims": "axis"}),
    "stack": ("stack", {}),
    "stop_gradient": ("stop_gradient", {}),
    "swish": ("silu", {}),
    "tile": ("tile", {"multiples": "repeats"}),
    "transpose": ("transpose", {"perm": "axes"}),
    "unstack": ("unstack", {}),
    "where": ("where", {"x": "x1", "y": "x2"}),
}
# What TensorFlow takes where an argument is not there.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "argmax": {"axis": 0},
    "argmin": {"axis": 0},
    "cumsum": {"axis": 0},
    "gelu": {"approximate": False},
    "take": {"axis": 0},
}
# Arguments that may be left out where they have this value; None: whatever it is.
_NEUTRAL: dict[str, Any] = {
    "batch_dims": 0,
    "name": None,
    "output_type": None,
    "validate_indices": None,
    **dict.fromkeys(
        "adjoint_a adjoint_b a_is_sparse b_is_sparse conjugate exclusive reverse "
        "transpose_a transpose_b".split(),
        False,
    ),
}


def is_of_tensorflow(config: Config) -> bool:
    """Whether the config of a layer stands for a function of TensorFlow."""
    return config.get("class_name") in _CLASSES


def modern_op(config: Config) -> Config:
    """Return the config of the op that computes what a function of TensorFlow does.

    Args:
        config: the config of a layer in a graph of tf.keras 2, with its calls.

    Raises:
        UnknownObjectError: if there is no such op.
    """
    try:
        return _modern_op(config)
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        if isinstance(error, UnknownObjectError):
            raise
        raise ValueError(
            f"The config of a {config['class_name']} is damaged: {error!r}"
        ) from error


def _modern_op(config):
    function = str(config["config"].get("function", config["class_name"]))[:200]
    space, _, last = function.removeprefix("compat.v1.").rpartition(".")
    if last not in _TABLE or space not in _SPACES:
        raise _unknown(config, f"tf.{function}", "has no counterpart here")
    name, names = _TABLE[last]
    calls = [
        _call(config, function, name, names, node) for node in config["inbound_nodes"]
    ]
    arguments = [arguments for _, arguments in calls]
    if any(other != arguments[0] for other in arguments):
        raise _unknown(config, f"tf.{function}", "is called in two ways")
    layer = config["config"]["name"]
    return {
        "module": op_format.module_name(name),
        "class_name": op_format.class_name(name),
        "registered_name": op_format.class_name(name),
        "config": {"name": layer, **(arguments[0] if arguments else {})},
        "name": config.get("name", layer),
        "inbound_nodes": [{"args": args, "kwargs": {}} for args, _ in calls],
    }


def _call(config, function, name, names, node):
    """Return the operands of a call, and the other arguments of the op."""
    is_list = bool(node) and isinstance(node[0], list)
    places = node if is_list else [node]
    first = [_constant(p[2]) if p[0] == "_CONSTANT_VALUE" else p[:3] for p in places]
    parameters = inspect.signature(allowlist.resolve("ops", name).body).parameters
    given = {next(iter(parameters)): first if is_list else first[0]}
    for key, value in (places[0][3] if len(places[0]) > 3 else {}).items():
        key = names.get(key, key)
        if value is not None and key in parameters:
            given[key] = _key(value) if name == "get_item" else value
        elif value is not None and key not in _NEUTRAL:
            raise _unknown(config, f"tf.{function}", f"is called with {key}={value!r}")
        elif value is not None and _NEUTRAL[key] not in (None, value):
            raise _unknown(config, f"tf.{function}", f"is called with {key}={value!r}")
    given = _DEFAULTS.get(name, {}) | given
    sections = given.get("indices_or_sections")
    if isinstance(sections, list):
        given["indices_or_sections"] = list(itertools.accumulate(sections))[:-1]
    operands = op_format.operands(name, tuple(parameters))
    args = [_tensors(given.pop(key)) for key in operands if key in given]
    if any(map(_holds_tensor, given.values())):
        raise _unknown(config, f"tf.{function}", "takes numbers from a tensor")
    return args, given


def _is_tensor(value):
    kinds = [str, int, int]
    return isinstance(value, list) and [type(v) for v in value] == kinds


def _holds_tensor(value):
    if isinstance(value, list):
        return _is_tensor(value) or any(map(_holds_tensor, value))
    return isinstance(value, dict) and any(map(_holds_tensor, value.values()))


def _tensors(value):
    """Return an operand as files of Keras 3 have it."""
    if _is_tensor(value):
        return {"class_name": "__keras_tensor__", "config": {"keras_history": value}}
    if isinstance(value, list) and _holds_tensor(value):
        return [_tensors(item) for item in value]
    return _constant(value)


def _constant(value):
    """Return a list of numbers as an array; all else as it is."""
    if not isinstance(value, list) or not value or not _is_numbers(value):
        return value
    leaf = value
    while isinstance(leaf, list) and leaf:
        leaf = leaf[0]
    dtype = {bool: "bool", int: "int32"}.get(type(leaf), "float32")
    return {"class_name": "__numpy__", "config": {"value": value, "dtype": dtype}}


def _is_numbers(value):
    if isinstance(value, list):
        return all(map(_is_numbers, value))
    return isinstance(value, bool | int | float)


def _key(value):
    """Return the key of a slice as files of Keras 3 have it."""
    if isinstance(value, list) and not _is_tensor(value):
        return {"class_name": "__tuple__", "config": {"value": [*map(_key, value)]}}
    if isinstance(value, dict) and set(value) == {"start", "stop", "step"}:
        return {"class_name": "__slice__", "config": value}
    if isinstance(value, dict):
        return {"class_name": "__ellipsis__", "config": {}}
    return value


def _unknown(config, function, reason):
    return UnknownObjectError(
        f"Layer {config['config'].get('name')!r} is the function {function} of "
        f"TensorFlow, which {reason}. Build the model in code, with `keras.ops`, and "
        "load its weights with `load_weights()`."
    )
