"""HostLayer: a layer that computes on the host, with NumPy, before the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hornbeam import backends
from hornbeam.core import tree
from hornbeam.core.strings import holds_strings, string_array
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.layers.layer import Layer
from hornbeam.layers.preprocessing import adapt_data

if TYPE_CHECKING:
    from typing import Any

    from hornbeam.typing import Config, Tensor


class HostLayer(Layer):
    """A layer of what no program computes with, such as strings.

    A subclass writes `compute_on_host(inputs)`, which takes NumPy arrays and returns a
    NumPy array (or a sparse one of SciPy), and `compute_output_spec`. In a Functional
    or Sequential model these layers are the host part (`graph/host_part.py`), which
    runs over the data before the compiled steps. Called on tensors of TensorFlow, also
    in a function of `tf.data.Dataset.map`, the layer returns tensors of TensorFlow.
    """

    _is_stateless = True
    _convert_input_args = False
    _allow_non_tensor_positional_args = True
    # The input has a dtype of its own.
    _compute_dtype_or_none = None
    # Whether the input is a list of tensors.
    _takes_several = False

    @property
    def runs_on_host(self) -> bool:
        """Whether the layer belongs to the host part of a model."""
        return True

    def compute_on_host(self, inputs: Any) -> Any:
        """Return the outputs for NumPy arrays."""
        raise NotImplementedError

    def build_from_config(self, config: Config | None) -> None:
        """Do nothing: there is nothing to build."""

    def _convert_inputs(self, args, kwargs, engine):
        if not args:
            args, kwargs = (kwargs.pop("inputs"),), kwargs
        first, *others = args
        if any(isinstance(x, KerasTensor) for x in tree.flatten(first)):
            return args, kwargs, True
        several = self._takes_several and isinstance(first, list | tuple)
        inputs = [self._host_input(x) for x in (first if several else [first])]
        return (inputs if several else inputs[0], *others), kwargs, False

    def _host_input(self, x):
        """Return a tensor as it is, anything else as a NumPy array."""
        if backends.of(x) is not None or type(x) is np.ndarray:
            return x
        if isinstance(x, np.ma.MaskedArray):
            return adapt_data.host(x)
        if holds_strings(x):
            return string_array(x, self._described())
        return adapt_data.host(x)

    def _described(self):
        return f"{type(self).__name__} layer {self.path!r}"

    def call(self, inputs: Any) -> Tensor:
        """Return the outputs for tensors or arrays."""
        leaves = inputs if self._takes_several else [inputs]
        owners = [owner for x in leaves if (owner := backends.of(x)) is not None]
        engine: Any = owners[0] if owners else backends.current()

        def compute(*arrays):
            return self.compute_on_host(arrays if self._takes_several else arrays[0])

        if engine.call_on_host is not None:
            spec = self.compute_output_spec(tree.map_structure(_symbol, inputs))
            return engine.call_on_host(compute, leaves, spec.shape, spec.dtype)
        try:
            arrays = [adapt_data.host(x) for x in leaves]
        except Exception as error:
            if engine.asks_for_values(error):
                raise self._not_in_a_program() from error
            raise
        result = compute(*arrays)
        if isinstance(result, np.ndarray) and result.dtype.kind == "O":
            return result
        return engine.convert(result)

    def _not_in_a_program(self):
        return RuntimeError(
            f"{self._described()} computes on the host, and was called inside a "
            "compiled step. Apply it to the data before `fit`, or make the model from "
            "`keras.Input` as a Functional or Sequential model, which runs it first."
        )


def _symbol(x):
    engine: Any = backends.of(x) or backends.current()
    dtype = "string" if holds_strings(x) else engine.dtype_of(x)
    return KerasTensor(tuple(x.shape), dtype)


def check_string_symbol(layer: Layer, symbol: Any) -> None:
    """Raise if a symbolic input is none of strings."""
    if symbol.dtype != "string":
        raise TypeError(
            f"{type(layer).__name__} layer {layer.path!r} expects strings. Received: a "
            f"symbolic input of dtype {symbol.dtype}. Make it with "
            '`keras.Input(shape, dtype="string")`.'
        )
