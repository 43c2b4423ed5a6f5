"""TensorFlow: functions written to a SavedModel, and read back. Optional."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import optree
import tensorflow as tf

from .arrays import tf_dtype

__all__ = ["endpoint", "read_saved_model", "tensor_spec", "write_saved_model"]


def tensor_spec(
    shape: Sequence[int | None], dtype: str, name: str | None = None
) -> Any:
    """What is known of an argument: sizes that are None may be any."""
    return tf.TensorSpec(tuple(shape), tf_dtype(dtype), name=name)


def endpoint(fn: Callable, signature: Sequence[Any] | None) -> Any:
    """`fn` as a traced function of arguments such as `signature` says.

    A `tf.function` that was called may come without one. Raises TypeError for others.
    """
    if signature is not None:
        function = tf.function(
            lambda *args: fn(*args), input_signature=signature, autograph=False
        )
        return function, function.get_concrete_function()
    # There is no public way to the traces of a function.
    traces: list = getattr(fn, "_list_all_concrete_functions", list)()
    if not traces:
        raise TypeError("It is not a `tf.function` that was called.")
    return fn, traces[-1]


def write_saved_model(
    path: str,
    endpoints: Mapping[str, Any],
    variables: Mapping[str, Sequence[Any]],
    resources: Sequence[Any] = (),
    options: Any = None,
) -> None:
    """Write what `endpoint` gave, by name, and lists of the values of variables.

    The endpoints are also signatures, the first one under "serving_default" too.
    """
    root = tf.Module()
    signatures = {}
    for name, (function, concrete) in endpoints.items():
        setattr(root, name, function)
        signatures[name] = concrete
        signatures.setdefault("serving_default", concrete)
    for name, values in variables.items():
        setattr(root, f"_{name}" if hasattr(type(root), name) else name, list(values))
    captured = [v for _, concrete in endpoints.values() for v in concrete.variables]
    root._captured = captured
    root._resources = list(resources)
    tf.saved_model.save(root, path, signatures=signatures, options=options)


def read_saved_model(path: str, name: str) -> tuple[Callable[..., Any], list[Any]]:
    """The endpoint `name` as a function of one argument, and the variables' values.

    Raises ValueError, with the names that there are.
    """
    loaded = tf.saved_model.load(path)
    result = getattr(loaded, name, None)
    if result is None and name in loaded.signatures:
        result = loaded.signatures[name]
    if not callable(result):
        raise ValueError(", ".join(map(repr, sorted(loaded.signatures))))
    concrete = getattr(result, "concrete_functions", [result])[0]

    def run(inputs):
        # What is read keeps the whole alive.
        _ = loaded
        if result is loaded.signatures.get(name):
            outputs = result(**_by_name(result, inputs))
            return next(iter(outputs.values())) if len(outputs) == 1 else outputs
        return result(inputs)

    return run, list(concrete.variables)


def _by_name(signature, inputs):
    names = list(signature.structured_input_signature[1])
    if isinstance(inputs, dict):
        return inputs
    return dict(zip(names, optree.tree_leaves(inputs), strict=True))
