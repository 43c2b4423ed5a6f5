"""The base of layers that hold one other layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core.serialization import deserialize_keras_object
from hornbeam.layers.layer import Layer
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Config


class Wrapper(Layer):
    """Holds another layer as `self.layer`; a base for layers that change what it does.

    Args:
        layer: the layer to wrap.

    >>> import hornbeam as keras
    >>> class Twice(keras.layers.Wrapper):
    ...     def call(self, inputs):
    ...         return 2 * self.layer(inputs)
    >>> Twice(keras.layers.Dense(4))(keras.ops.ones((2, 3))).shape
    (2, 4)
    """

    def __init__(self, layer: Layer, **kwargs: Unpack[LayerArguments]) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Argument `layer` of {type(self).__name__} must be a Layer. Received: "
                f"layer={layer!r} (of type {type(layer).__name__})."
            )
        super().__init__(**kwargs)
        self.layer: Any = layer

    @overridable
    def build(self, input_shape: Any = None) -> None:
        """Build the wrapped layer, if it is not built yet."""
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True
        self.built = True

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make the wrapper and the layer in it from a config."""
        config = dict(config)
        if isinstance(config["layer"], dict):
            config["layer"] = deserialize_keras_object(
                config["layer"], custom_objects=custom_objects
            )
        return cls(**config)
