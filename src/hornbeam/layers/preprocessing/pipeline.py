"""Layers one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core.configurable import serialize_argument
from hornbeam.core.errors import shown
from hornbeam.core.serialization import deserialize_keras_object
from hornbeam.layers.call import call_info
from hornbeam.layers.layer import Layer
from hornbeam.layers.preprocessing.data_layer import DataLayer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Self

    from hornbeam.typing import Config


class Pipeline(DataLayer):
    """Applies layers one after the other, in a model or to data that are read.

    Unlike `Sequential` it is no model, and leaves it to its layers what they take:
    dicts of images and labels, and tensors in `tf.data.Dataset.map`.

    Args:
        layers: the layers.
        name: a name. Default: generated.

    >>> import hornbeam as keras
    >>> pipeline = keras.layers.Pipeline(
    ...     [keras.layers.CenterCrop(4, 4), keras.layers.Rescaling(1 / 255)]
    ... )
    >>> pipeline(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 4, 4, 3)
    """

    _convert_input_args = False
    _allow_non_tensor_positional_args = True

    def __init__(self, layers: Sequence[Layer], name: str | None = None) -> None:
        super().__init__(name=name)
        wrong = [layer for layer in layers if not isinstance(layer, Layer)]
        if wrong:
            raise TypeError(
                "Argument `layers` of Pipeline must hold layers. Received: "
                f"{shown(wrong[0])} (of type {type(wrong[0]).__name__})"
            )
        self._pipeline_layers = list(layers)

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return self._pipeline_layers

    def build(self, input_shape: Any) -> None:
        """Prepare nothing: each layer builds itself when it is called."""

    def call(self, inputs: Any, training: bool | None = True, mask: Any = None) -> Any:
        """Return what the last layer makes of what the others make of the inputs."""
        for layer in self._pipeline_layers:
            takes = call_info(type(layer).call).takes
            given = {"training": training} if takes("training") else {}
            if mask is not None and takes("mask"):
                given["mask"] = mask
            inputs = layer(inputs, **given)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of what the last layer gives."""
        for layer in self._pipeline_layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the KerasTensors that the call would give."""
        for layer in self._pipeline_layers:
            inputs = layer.compute_output_spec(inputs)
        return inputs

    def get_config(self) -> Config:
        """Return the configs of the layers, and the name: there is nothing else."""
        layers = [serialize_argument(layer) for layer in self._pipeline_layers]
        return {"layers": layers, "name": self.name}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make a pipeline from what `get_config` returned."""
        if not isinstance(config.get("layers"), list | tuple):
            raise ValueError(
                "The config of a Pipeline must have a list of configs under 'layers'. "
                f"Received: {shown(config.get('layers'))}"
            )
        layers = [deserialize_keras_object(layer) for layer in config["layers"]]
        return cls(**{**config, "layers": layers})
