"""Sequential: a model that is a list of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core import legacy_configs, scopes
from hornbeam.core.configurable import parameters_of
from hornbeam.core.dtypes import is_float_dtype, standardize_dtype
from hornbeam.core.errors import shown
from hornbeam.core.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.core.variable import standardize_shape
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import infer
from hornbeam.layers import Lambda
from hornbeam.layers.core.input_layer import InputLayer
from hornbeam.layers.layer import Layer
from hornbeam.models import inputs_on_host
from hornbeam.models.functional import Functional
from hornbeam.models.model import Model
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Self

    from hornbeam.typing import Config, Tensor


class Sequential(Model):
    """A model whose layers are called one after the other.

    Without an `Input` at its start it is built when it first sees data.

    Args:
        layers: a list of layers. Default: none yet; see `add`.
        trainable: whether training changes the weights.
        name: default: generated.

    >>> import hornbeam as keras
    >>> model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1)])
    >>> model(keras.ops.ones((2, 3))).shape
    (2, 1)
    """

    # The structure of the model is that of its layers in order.
    is_only_its_layers = True
    # The input has a dtype of its own: it is not cast to the compute dtype.
    _compute_dtype_or_none = None

    def __init__(
        self,
        layers: Iterable[Any] | None = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(trainable=trainable, name=name)
        self._sequence: list[Any] = []
        self._made_input = False
        self._functional: Functional | None = None
        if isinstance(layers, Layer | str):
            raise TypeError(
                f"Argument `layers` of Sequential must be a list of layers, such as "
                f"[{layers!r}]. Received: {layers!r}"
            )
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._maybe_rebuild()

    def add(
        self, layer: Layer | KerasTensor | Callable[..., Any], rebuild: bool = True
    ) -> None:
        """Add `layer` at the end.

        Args:
            layer: a layer, or the symbol that `keras.Input` returns.
            rebuild: whether the model is built now, if its input is known.
        """
        if isinstance(layer, KerasTensor) and layer._keras_history is not None:
            layer = layer._keras_history.operation
        shape = getattr(layer, "_input_shape_argument", None)
        if not self._sequence and shape is not None:
            self.add(InputLayer(shape=shape), rebuild=False)
        if not isinstance(layer, Layer):
            if not callable(layer) or isinstance(layer, type):
                raise ValueError(
                    "Only instances of `keras.Layer` can be added to a Sequential "
                    f"model. Received: {layer} (of type {type(layer)})"
                )
            layer = Lambda(layer)
        if any(layer.name == other.name for other in self._sequence):
            raise ValueError(
                "All layers added to a Sequential model should have unique names. "
                f'Name "{layer.name}" is already the name of a layer in this model. '
                "Update the `name` argument to pass a unique name."
            )
        if isinstance(layer, InputLayer) and self._sequence:
            if isinstance(self._sequence[0], InputLayer):
                raise ValueError(
                    f"Sequential model {self.name!r} has already been configured to "
                    f"use input shape {self._sequence[0].batch_shape}. You cannot add "
                    f"a different Input layer to it."
                )
            self._sequence.insert(0, layer)
        else:
            self._sequence.append(layer)
        if rebuild:
            self._maybe_rebuild()
        else:
            self.built: bool = False
            self._functional = None

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove the last layer and return it."""
        if not self._sequence:
            raise IndexError(f"Sequential model {self.name!r} has no layers to pop.")
        layer = self._sequence.pop()
        self.built = False
        self._functional = None
        if rebuild:
            self._maybe_rebuild()
        return layer

    def _maybe_rebuild(self):
        self.built = False
        self._functional = None
        self._forget_programs()
        if len(self._sequence) > 1 and isinstance(self._sequence[0], InputLayer):
            self.build(self._sequence[0].batch_shape)
        elif self._sequence and not isinstance(self._sequence[0], InputLayer):
            first = self._sequence[0]
            if isinstance(first._graph_within, Functional):
                self.build(first._graph_within.input_shape)

    def build(self, input_shape: Any = None) -> None:
        """Build every layer for inputs of shape `input_shape`."""
        if _is_nest_of_shapes(input_shape):
            # For several inputs the first call builds the model.
            return
        input_shape = self._checked_shape(input_shape)
        if not self._sequence:
            raise ValueError(
                f"Sequential model {self.name!r} cannot be built because it has no "
                "layers. Call `model.add(layer)`."
            )
        start, layers = self._input_for(input_shape), self.layers
        x = start.output
        try:
            for layer in layers:
                _check_takes_one_input(layer, self.name)
                x = layer(x)
        except NotImplementedError:
            # A layer cannot infer its output shape: the first call builds the model.
            return
        functional = Functional(inputs=start.output, outputs=x, name=self.name)
        self._made_input |= start is not self._sequence[0]
        # Sizes inferred from the first batch are not enforced; layers check theirs.
        functional.checks_sizes = not self._made_input
        self._sequence = [start, *layers]
        self._functional = functional
        self.built = True

    def _input_for(self, input_shape):
        """Return the Input at the start: the declared one, or one of that shape."""
        first = self._sequence[0]
        if isinstance(first, InputLayer):
            if not self._made_input:
                self._check_conflict(input_shape)
                return first
            if first.batch_shape == input_shape:
                return first
        dtype = getattr(self, "_given_input_dtype", None) or first._taken_dtype
        return InputLayer(batch_shape=input_shape, dtype=dtype)

    def _check_conflict(self, input_shape):
        declared = self._sequence[0].batch_shape
        sizes = zip(declared[1:], input_shape[1:], strict=False)
        fits = all(a == b or None in (a, b) for a, b in sizes)
        if not fits or len(declared) != len(input_shape):
            raise ValueError(
                f"Sequential model {self.name!r} has already been configured to use "
                f"input shape {declared}. It cannot be built for "
                f"input_shape={input_shape}."
            )

    def _checked_shape(self, input_shape):
        if input_shape is None:
            if not self._sequence or not isinstance(self._sequence[0], InputLayer):
                raise ValueError(
                    f"You must provide the `input_shape` argument to build Sequential "
                    f"model {self.name!r}."
                )
            return self._sequence[0].batch_shape
        if isinstance(input_shape, list) and len(input_shape) == 1:
            if isinstance(input_shape[0], list | tuple):
                input_shape = input_shape[0]
        try:
            return standardize_shape(input_shape)
        except (TypeError, ValueError):
            raise ValueError(
                f"Sequential model {self.name!r} takes one input. Received: "
                f"input_shape={input_shape}"
            ) from None

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Tensor:
        inputs = inputs_on_host.with_string_arrays(self, inputs)
        if not self.built and hasattr(inputs, "shape") and self._sequence:
            self._build_for(inputs)
        return super().__call__(inputs, *args, **kwargs)

    def _build_for(self, inputs):
        shape = tuple(inputs.shape)
        is_text = inputs_on_host.holds_strings(inputs)
        dtype = "string" if is_text else standardize_dtype(inputs.dtype)
        if not is_float_dtype(dtype):
            self._given_input_dtype = dtype
        with scopes.autocast_scope(None):
            self.build((None, *shape[1:]) if shape else shape)

    @overridable
    def call(
        self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any
    ) -> Any:
        """Call the layers in turn."""
        if self._functional is not None:
            return self._functional.call(inputs, training=training, mask=mask)
        x = inputs
        for layer in self.layers:
            x = layer(x)
        return x

    _graph_within = property(lambda self: self._functional)
    _called_graph = property(
        lambda self: self._functional if type(self).call is Sequential.call else None
    )

    # Read-only, unlike a layer's: `add` and `pop` change them.
    @property  # type: ignore[misc]
    def _layers(self):
        return list(self.__dict__.get("_sequence", ()))

    @property
    def layers(self) -> list[Any]:
        """The layers, without the Input."""
        sequence = self.__dict__.get("_sequence", [])
        if sequence and isinstance(sequence[0], InputLayer):
            return sequence[1:]
        return sequence[:]

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError(
            "`Sequential.layers` attribute is reserved and should not be used. Use "
            "`add()` and `pop()` to change the layers in this model."
        )

    def compute_output_spec(
        self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any
    ) -> Any:
        """Return the symbol of the output for the symbol `inputs`."""
        if self._functional is not None:
            return self._functional.compute_output_spec(inputs)
        return infer(self.call, (inputs,), {})

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output for the shape of the input."""
        if self._functional is not None:
            return self._functional.compute_output_shape(input_shape)
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def _attribute_of_graph(self, name):
        if self._functional is None:
            raise AttributeError(
                f"Sequential model {self.name!r} has no defined {name} yet: call it on "
                "data, or put an `Input` at its start."
            )
        return getattr(self._functional, name)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs."""
        return self._attribute_of_graph("inputs")

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs."""
        return self._attribute_of_graph("outputs")

    @property
    def input_shape(self) -> Any:
        """The shape of the input."""
        return self._attribute_of_graph("input_shape")

    @property
    def output_shape(self) -> Any:
        """The shape of the output."""
        return self._attribute_of_graph("output_shape")

    @property
    def input_dtype(self) -> str:
        """The dtype of the input."""
        if self._sequence and isinstance(self._sequence[0], InputLayer):
            return self._sequence[0].dtype
        return super().input_dtype

    @property
    def input_spec(self) -> Any:
        """What the model expects of its input."""
        if self._functional is None or self._made_input:
            return None
        return self._functional.input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        """Ignored: the layers define what is expected."""

    def get_build_config(self) -> dict[str, Any] | None:
        if self._functional is None:
            return None
        return {"input_shape": self._sequence[0].batch_shape}

    def get_config(self) -> Config:
        """Return the layers' configs."""
        layers = [serialize_keras_object(layer) for layer in self._sequence]
        config = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "layers": layers,
        }
        if self._functional is not None:
            config["build_input_shape"] = self._sequence[0].batch_shape
        return config

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make a model from what `get_config` returned."""
        own_init = cls.__init__ is not Sequential.__init__
        if own_init and "layers" not in config:
            return cls(**config)
        if isinstance(config, list):
            config = {"name": None, "layers": config}
        config = legacy_configs.with_input_layer(config)
        if "name" not in config or "layers" not in config:
            raise ValueError(
                "A Sequential model configuration must be a dictionary containing the "
                f"'name' and 'layers' keys. Received: config={shown(config)}"
            )
        model = cls(name=config["name"])
        for layer_config in config["layers"]:
            if not isinstance(layer_config, dict) or "config" not in layer_config:
                raise ValueError(
                    "A layer of a Sequential model's config is damaged. Expected a "
                    "dictionary containing a 'config' key. Received: "
                    f"{str(layer_config)[:200]}"
                )
            layer = deserialize_keras_object(
                layer_config, custom_objects=custom_objects
            )
            model.add(layer, rebuild=False)
        model._maybe_rebuild()
        if not model._functional and config.get("build_input_shape") and model.layers:
            if isinstance(config["build_input_shape"], list | tuple):
                model.build(tuple(config["build_input_shape"]))
        if config.get("trainable") is False:
            model.trainable = False
        return model


def _is_nest_of_shapes(shape):
    if isinstance(shape, dict):
        return True
    is_list = isinstance(shape, list | tuple) and len(shape) > 1
    return is_list and all(isinstance(s, list | tuple) for s in shape)


def _check_takes_one_input(layer, model_name):
    required = [
        p.name
        for p in parameters_of(layer.call)
        if p.default is p.empty
        and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if len(required) > 1:
        raise ValueError(
            "Layers added to a Sequential model can only have a single positional "
            f"argument, the input. Layer {layer.name!r} of {model_name!r} needs "
            f"{required}."
        )
