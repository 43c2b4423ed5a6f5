"""Functional: a model drawn from symbolic inputs to symbolic outputs."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np

from hornbeam import backends, ops
from hornbeam.core import tree
from hornbeam.core.dtypes import is_int_dtype
from hornbeam.core.masking import get_keras_mask, set_keras_mask
from hornbeam.core.naming import distinct
from hornbeam.core.warning import warn
from hornbeam.graph.function import Function
from hornbeam.graph.host_part import AfterHost
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import Operation
from hornbeam.layers.core.input_layer import InputLayer
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer
from hornbeam.models import inputs_on_host
from hornbeam.models.functional_config import config_of, graph_from_config
from hornbeam.models.model import Model
from hornbeam.training.trainer import Trainer
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self, Unpack

    from hornbeam.layers.keyword_arguments import RegularizedArguments
    from hornbeam.typing import Config


class Functional(Function, Model):
    """A model that is the graph between symbolic inputs and outputs.

    Args:
        inputs: a KerasTensor or a nest (list, tuple, dict) of them.
        outputs: a KerasTensor or a nest of them.
        name: default: generated.
        trainable: whether training changes the weights.

    Attributes:
        output_names: the names of the layers that give the outputs, flat; a number
            behind a name that repeats.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        return Operation.__new__(cls, *args, **kwargs)

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        name: str | None = None,
        **kwargs: Unpack[RegularizedArguments],
    ) -> None:
        trainable = kwargs.pop("trainable", None)
        Trainer.__init__(self)
        Layer.__init__(self, name=name, **kwargs)
        inputs, outputs = _with_input_layers(inputs, outputs)
        self._set_graph(inputs, outputs)
        self._dtype_kinds = [x.dtype for x in self._inputs]
        self.output_names: list[str] = distinct(self._layers_of_outputs())
        self._graph_layers = [x for x in self._operations if isinstance(x, Layer)]
        _check_unique_names(self._graph_layers, self.name)
        self.built: bool = True
        self._backend_name = backends.current().name
        if trainable is False:
            # True is the default, and leaves frozen layers inside as they are.
            self.trainable = False

    # The inputs have dtypes of their own: they are not cast to the compute dtype.
    _compute_dtype_or_none = None
    _warned_of_structure = False
    _given_input_spec = None
    # Whether inputs must have the sizes of the symbolic inputs, beside the rank.
    checks_sizes = True

    # Read-only, unlike a layer's: they follow from the graph.
    @property  # type: ignore[misc]
    def _layers(self):
        layers = {id(x): x for x in self._graph_layers} if self.built else {}
        for layer in super()._layers:
            layers.setdefault(id(layer), layer)
        return list(layers.values())

    def build(self, input_shape: Any = None) -> None:
        """Do nothing: the layers were built when they were called."""
        self.built = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        inputs = inputs_on_host.with_string_arrays(self, inputs)
        return super().__call__(inputs, *args, **kwargs)

    @overridable
    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Compute the outputs for `inputs`; a list of one output is that output."""
        if isinstance(inputs, AfterHost):
            return _alone(self.host_part.after.run(self._cast_after_host(inputs)))
        inputs = self._standardize_inputs(inputs)
        if mask is None:
            return _alone(self.run(inputs))
        masked = list(zip(inputs, tree.flatten(mask), strict=False))
        before = [get_keras_mask(x) for x in inputs]
        try:
            for x, m in masked:
                if m is not None:
                    set_keras_mask(x, m)
            return _alone(self.run(inputs))
        finally:
            # The tensors are the caller's; the masks are for this call only.
            for (x, _), m in zip(masked, before, strict=False):
                set_keras_mask(x, m)

    _called_graph = property(
        lambda self: self if type(self).call is Functional.call else None
    )

    def compute_output_spec(
        self, inputs: Any, training: bool | None = None, mask: Any = None
    ) -> Any:
        """Return the symbols of the outputs for the symbols `inputs`."""
        if isinstance(inputs, AfterHost):
            return self.host_part.after.compute_output_spec(list(inputs.tensors))
        return Function.compute_output_spec(self, self._standardize_inputs(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shapes of the outputs for the shapes of the inputs."""
        return Function.compute_output_shape(self, input_shape)

    @property
    def host_part(self) -> Any:
        """The HostPart of the graph, None if nothing of it runs on the host."""
        return inputs_on_host.part_of(self)

    def _cast_after_host(self, inputs):
        """Return what the host part gave in the dtypes of its symbols."""
        symbols = self.host_part.after.inputs
        dtype_of = backends.current().dtype_of
        return [
            ops.cast(x, symbol.dtype)
            if dtype_of(x) != symbol.dtype and not is_int_dtype(symbol.dtype)
            else x
            for x, symbol in zip(inputs.tensors, symbols, strict=True)
        ]

    def _standardize_inputs(self, inputs):
        if any(x.dtype == "string" for x in self._inputs):
            return inputs_on_host.fitted(self, inputs)
        flat = self._flat_inputs(inputs)
        if len(flat) != len(self._inputs):
            raise ValueError(
                f"Model {self.name!r} expects {len(self._inputs)} inputs "
                f"{[x.name for x in self._inputs]}. Received {len(flat)}."
            )
        return [
            self._fit_input(x, symbol)
            for x, symbol in zip(flat, self._inputs, strict=True)
        ]

    @property
    def _input_names(self):
        """The names by which a dict gives the inputs, in their order."""
        if isinstance(self._inputs_struct, dict):
            return sorted(self._inputs_struct)
        return [x._keras_history.operation.name for x in self._inputs]

    def _flat_inputs(self, inputs):
        struct = self._inputs_struct
        if not isinstance(inputs, dict):
            if isinstance(struct, dict) and len(struct) > 1:
                self._check_order_is_clear(struct)
                self._warn_of_structure(f"a {type(inputs).__name__}")
            return tree.flatten(inputs)
        if isinstance(struct, dict) and any(map(tree.is_nested, struct.values())):
            return tree.flatten(inputs)
        names = self._input_names
        missing = [
            n for n, x in zip(names, self._inputs, strict=True)
            if n not in inputs and not _is_optional(x)
        ]  # fmt: skip
        if missing and len(names) == len(inputs) == 1 and not isinstance(struct, dict):
            self._warn_of_structure(f"{list(inputs)}, which is taken for it")
            return tree.flatten(inputs)
        if missing:
            raise ValueError(
                f"Model {self.name!r}: missing data for input {missing[0]!r}. "
                f"Expected the keys {names}. Received the keys {sorted(inputs)}."
            )
        extra = sorted(set(inputs) - set(names))
        if extra:
            self._warn_of_structure(f"{extra} beside them, which are ignored")
        return [inputs.get(n) for n in names]

    def _check_order_is_clear(self, struct):
        """Raise for a list in place of a dict whose keys are not sorted."""
        if list(struct) != sorted(struct):
            raise ValueError(
                "The structure of `inputs` doesn't match the expected structure of "
                f"model {self.name!r}: expected a dict with the keys {list(struct)}. "
                "Received a list, whose order is not clear. Give a dict."
            )

    def _warn_of_structure(self, received):
        if self._warned_of_structure:
            return
        self._warned_of_structure = True
        names = [x._keras_history.operation.name for x in self._inputs]
        warn(
            "The structure of `inputs` doesn't match the expected structure: model "
            f"{self.name!r} has the inputs {names}. Received {received}.",
        )

    def _fit_input(self, x, symbol):
        """Give `x` the rank and dtype of the input `symbol`, or say what is wrong."""
        if x is None:
            if _is_optional(symbol):
                return x
            raise ValueError(
                f"Input {symbol.name!r} of model {self.name!r} is not optional: "
                "received None."
            )
        return self._fit_dtype(self._fit_rank(x, symbol), symbol)

    def _fit_rank(self, x, symbol):
        shape = tuple(x.shape)
        expected = symbol.shape
        if len(shape) != len(expected):
            if len(shape) == len(expected) + 1 and shape[-1] == 1:
                return x[..., 0] if isinstance(x, np.ndarray) else ops.squeeze(x, -1)
            if len(shape) == len(expected) - 1 and expected[-1] == 1:
                is_host = isinstance(x, np.ndarray)
                return x[..., None] if is_host else ops.expand_dims(x, -1)
            self._raise_bad_input(x, symbol)
        elif self.checks_sizes and any(
            e is not None and s is not None and e != s
            for e, s in zip(expected[1:], shape[1:], strict=True)
        ):
            self._raise_bad_input(x, symbol)
        return x

    def _fit_dtype(self, x, symbol):
        dtype = (
            x.dtype if isinstance(x, KerasTensor) else backends.current().dtype_of(x)
        )
        if dtype != symbol.dtype:
            if dtype.startswith("complex"):
                raise ValueError(
                    f"Input {symbol.name!r} of model {self.name!r} has the dtype "
                    f"{symbol.dtype}. Received: {dtype}, whose imaginary part would be "
                    "lost. Give `keras.ops.real(x)`, or `keras.Input(dtype=...)`."
                )
            return ops.cast(x, symbol.dtype)
        return x

    def _raise_bad_input(self, x, symbol):
        expected, received = tuple(symbol.shape), tuple(x.shape)
        is_row = len(received) == len(expected) - 1 and all(
            size in (None, other)
            for size, other in zip(expected[1:], received, strict=True)
        )
        fix = " For one row add the axis of the batch: `x[None]`." if is_row else ""
        raise ValueError(
            f"Input {symbol.name!r} of model {self.name!r} has an invalid shape: "
            f"expected shape={expected}, received shape={received}.{fix}"
        )

    @property
    def input(self) -> Any:
        """The symbolic inputs."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The symbolic outputs."""
        return self._outputs_struct

    @property
    def input_shape(self) -> Any:
        """The shapes of the inputs; that of a list of one input is its shape."""
        return tree.map_structure(lambda x: x.shape, _alone(self._inputs_struct))

    @property
    def output_shape(self) -> Any:
        """The shapes of the outputs; that of a list of one output is its shape."""
        return tree.map_structure(lambda x: x.shape, _alone(self._outputs_struct))

    @property
    def input_spec(self) -> Any:
        """What the model expects of its inputs."""
        if not self.built or self._given_input_spec is not None:
            return self._given_input_spec

        def spec(x, name):
            shape = (None, *x.shape[1:])
            return InputSpec(shape=shape, allow_last_axis_squeeze=True, name=name)

        if isinstance(self._inputs_struct, dict):
            return [
                spec(self._inputs_struct[k], k) for k in sorted(self._inputs_struct)
            ]
        return [spec(x, x._keras_history.operation.name) for x in self._inputs]

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        self._given_input_spec = self._input_spec = value

    def _layers_of_outputs(self):
        return [x._keras_history.operation.name for x in self._outputs]

    def get_config(self) -> Config:
        """Return the graph as plain data, or `Layer`'s config for other subclasses."""
        if not takes_graph(type(self)):
            return Model.get_config(self)
        return config_of(self)

    def get_build_config(self) -> dict[str, Any] | None:
        return {"input_shape": None}


def takes_graph(cls: Any) -> bool:
    """Whether the class is made from `inputs` and `outputs`, like Functional."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    if [p.name for p in parameters[:2]] == ["inputs", "outputs"]:
        return True
    kinds = {p.kind for p in parameters}
    return {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} <= kinds


def _is_optional(x):
    return getattr(x._keras_history.operation, "optional", False)


def _check_unique_names(layers, model_name):
    names = [layer.name for layer in layers]
    repeated = {n for n in names if names.count(n) > 1}
    if repeated:
        raise ValueError(
            f'The name "{min(repeated)}" is used {names.count(min(repeated))} '
            f"times in model {model_name!r}. All layer names should be unique."
        )


def _with_input_layers(inputs, outputs):
    """Return the graph with an InputLayer before every input.

    An input may be a tensor inside another graph; then the part between is copied.
    """
    for x in tree.flatten((inputs, outputs)):
        if not isinstance(x, KerasTensor) or x._keras_history is None:
            what = "inputs" if any(x is y for y in tree.flatten(inputs)) else "outputs"
            raise ValueError(
                f"All `{what}` values of a Functional model must be KerasTensors that "
                f"come from `keras.Input` or a call on one. Received: {what}={x!r}"
            )
    flat = tree.flatten(inputs)
    if all(isinstance(x._keras_history.operation, InputLayer) for x in flat):
        return inputs, outputs
    return clone_graph(inputs, outputs)


def clone_graph(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """Return new symbolic inputs and outputs with the same operations between."""
    function = Function(inputs, outputs)

    def new_input(x):
        operation = x._keras_history.operation
        if isinstance(operation, InputLayer):
            return x
        return InputLayer(batch_shape=x.shape, dtype=x.dtype, name=x.name).output

    new = tree.map_structure(new_input, inputs)
    return new, function.run(new)


def functional_from_config(
    cls: Any, config: Config, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Make a Functional model from its config."""
    inputs, outputs, rest = graph_from_config(config, custom_objects)
    return cls(inputs=inputs, outputs=outputs, **rest)


def _alone(values):
    """Return the only value of a list or tuple of one."""
    is_one = isinstance(values, list | tuple) and len(values) == 1
    return values[0] if is_one else values
