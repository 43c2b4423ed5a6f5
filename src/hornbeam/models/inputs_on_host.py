"""Inputs of models that begin on the host, such as strings."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from hornbeam import backends
from hornbeam.core.dtypes import is_int_dtype
from hornbeam.core.strings import columns_of, holds_strings, string_array
from hornbeam.data.host import host_array, host_tree
from hornbeam.data.stored import StoredRows, stored_rows
from hornbeam.graph.host_part import AfterHost, HostPart, host_part, runs_on_host
from hornbeam.graph.keras_tensor import KerasTensor

# The parts of graphs, while nothing changes about which operations are on the host.
_parts: weakref.WeakKeyDictionary[Any, tuple[Any, HostPart | None]] = (
    weakref.WeakKeyDictionary()
)


def part_of(graph: Any) -> HostPart | None:
    """Return the HostPart of a Functional model, None if it has none."""
    flags = [runs_on_host(x) for x in graph.operations]
    if not any(flags):
        return None
    kept = _parts.get(graph)
    if kept is None or kept[0] != flags:
        kept = _parts[graph] = flags, host_part(graph)
    return kept[1]


def on_host(model: Any, x: Any) -> Any:
    """Return what the program of a model takes for the inputs `x`.

    That is what its host part makes of them. A Sequential model that is not built is
    built for strings, so that it has a graph. Several inputs may be columns of a table.
    """
    if isinstance(x, AfterHost):
        return x
    if not model.built and hasattr(model, "_build_for") and holds_strings(x):
        model._build_for(string_array(x, f"Model {model.name!r}"))
    graph = model._called_graph
    if graph is None:
        return x
    x, part = _by_names(graph, x), graph.host_part
    if part is None:
        return x
    if part.strings_after:
        raise ValueError(
            f"Model {model.name!r} gives strings ({part.strings_after[0]!r}), which no "
            "program can. Leave the layer that makes them out of the model and apply "
            "it to what `predict` returns; or call the model: `model(x)`."
        )
    return part.run(fitted(graph, x), lambda output: host_tree(output, "x"))


def _by_names(graph, x):
    """Return the columns of a table that are named as inputs, or else `x`."""
    if len(graph._inputs) == 1:
        return x
    columns = columns_of(x) or {}
    return {n: columns[n] for n in graph._input_names if n in columns} or x


def with_string_arrays(model: Any, x: Any) -> Any:
    """Return the inputs of a call with lists and series of strings as arrays."""
    if (
        isinstance(x, AfterHost | np.ndarray | KerasTensor)
        or backends.of(x) is not None
    ):
        return x
    if isinstance(x, dict):
        return {k: with_string_arrays(None, v) for k, v in x.items()}
    if isinstance(x, list | tuple) and len(getattr(model, "_inputs", "")) > 1:
        parts = (with_string_arrays(None, v) for v in x)
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    is_text = not isinstance(x, str | bytes) and holds_strings(x)
    return string_array(x, "A model") if is_text else x


def fitted(graph: Any, inputs: Any) -> list[Any]:
    """Return the inputs of a Functional model flat, in the ranks of its symbols.

    Strings become arrays on the host, and tensors stay as they are.
    """
    symbols = graph._inputs
    flat = _flat(graph, inputs)
    if len(flat) != len(symbols):
        raise ValueError(
            f"Model {graph.name!r} expects {len(symbols)} inputs "
            f"{[x.name for x in symbols]}. Received {len(flat)}."
        )
    return [_fit(graph, x, symbol) for x, symbol in zip(flat, symbols, strict=True)]


def _flat(graph, inputs):
    if isinstance(inputs, dict):
        return graph._flat_inputs(inputs)
    if not isinstance(inputs, list | tuple):
        return [inputs]
    if len(graph._inputs) == 1 and (
        len(inputs) != 1 or not hasattr(inputs[0], "shape")
    ):
        return [inputs]
    return list(inputs)


def _fit(graph, x, symbol):
    if isinstance(x, KerasTensor) or x is None:
        return graph._fit_input(x, symbol)
    is_text, name = symbol.dtype == "string", f"Input {symbol.name!r}"
    x = _in_memory(x)
    if is_text != holds_strings(x):
        raise _other_kind(graph, x, name, is_text)
    if is_text and backends.of(x) not in (None, backends.current()):
        x = string_array(x, name)  # Only TensorFlow has tensors of strings.
    if backends.of(x) is None:
        x = string_array(x, name) if is_text else host_array(x, name)
    x = graph._fit_rank(x, symbol)
    if isinstance(x, np.ndarray):
        # Floats are cast in the program.
        return x.astype(symbol.dtype) if is_int_dtype(symbol.dtype) else x
    return graph._fit_dtype(x, symbol)


def _in_memory(x):
    """Return what is stored in files as an array; anything else as it is."""
    stored = stored_rows(x)
    if isinstance(stored, StoredRows):
        return stored.take(np.arange(len(stored)))
    return x if stored is None else stored


def _other_kind(graph, x, name, is_text):
    """Return the error for numbers where strings are expected, or the opposite."""
    expected, received = ("strings", "numbers")[:: 1 if is_text else -1]
    columns = columns_of(x) or {}
    wrong = [n for n, column in columns.items() if holds_strings(column) != is_text]
    dtype = getattr(x, "dtype", getattr(x, "type", type(x).__name__))
    where = f"in the columns {wrong}" if wrong else f"of dtype {dtype}"
    advice = " Columns of both kinds need an input each." if wrong else ""
    return TypeError(
        f"{name} of model {graph.name!r} expects {expected}. Received {received}, "
        f"{where}. The dtype of an input is an argument of `keras.Input`, such as "
        f'`dtype="string"`.{advice}'
    )
