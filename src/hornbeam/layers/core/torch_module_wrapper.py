"""TorchModuleWrapper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import backends
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import infer
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import RegularizedArguments
    from hornbeam.typing import Config, InputShape, Shape, ShapeLike, Tensor


class TorchModuleWrapper(Layer):
    """A `torch.nn.Module` as a layer, on the torch engine.

    Its parameters are the layer's weights, its buffers weights that are not trained;
    they stay the module's own tensors. The module is put into the mode of the call's
    `training`.

    A module is code and is not saved. Save the weights with `model.save_weights`, and
    load them into a new model.

    Args:
        module: a `torch.nn.Module`.
        name: default: generated.
        output_shape: the shape of the outputs, for symbolic calls. Default: inferred
            by evaluating the module abstractly.
        **kwargs: the other arguments are those of `Layer`.

    Call arguments: those of the module; `training`: its mode.

    >>> import torch
    >>> import hornbeam as keras
    >>> with keras.config.backend_scope("torch"):
    ...     layer = keras.layers.TorchModuleWrapper(torch.nn.Linear(3, 2))
    ...     layer(torch.ones(4, 3)).shape
    torch.Size([4, 2])
    """

    def __init__(
        self,
        module: Any,
        name: str | None = None,
        output_shape: ShapeLike | None = None,
        **kwargs: Unpack[RegularizedArguments],
    ) -> None:
        super().__init__(name=name, **kwargs)
        engine = backends.get("torch")
        if not engine.is_module(module):
            raise ValueError(
                f"Argument `module` of TorchModuleWrapper {self.name!r} must be a "
                f"torch.nn.Module. Received: module={module!r} (of type "
                f"{type(module).__name__})"
            )
        self.module = module
        self._given_output_shape: Any = output_shape
        self._names: list[tuple[str, Any]] = []
        with backends.scope(engine):
            for tensor_name, tensor, trainable in engine.module_tensors(module):
                self._adopt(engine, tensor_name, tensor, trainable)
            self._mark_built()

    def _adopt(self, engine, name, tensor, trainable):
        """Make a weight that holds the module's own tensor."""
        variable = self.add_weight(
            shape=tuple(tensor.shape),
            initializer=lambda shape, dtype: tensor.detach(),
            dtype=engine.dtype_of(tensor),
            trainable=trainable,
            autocast=False,
            name=name.replace("/", "_"),
        )
        variable._value = tensor
        self._names.append((name, variable))

    def call(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Tensor:
        """Call the module."""
        values = {n: v.value for n, v in self._names if v.value is not v._value}
        engine = backends.current()
        return engine.call_module(self.module, values, training, args, kwargs)

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the shape of the outputs for the shape of the input."""
        if self._given_output_shape is not None:
            return tuple(self._given_output_shape)
        spec = self.compute_output_spec(KerasTensor(input_shape, self.compute_dtype))
        return spec.shape

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the symbols of the outputs."""
        if self._given_output_shape is not None:
            return super().compute_output_spec(*args, **kwargs)
        return infer(self.call, args, kwargs)

    def get_config(self) -> Config:
        """A module is code: there is no config that a file could hold."""
        raise NotImplementedError(
            f"TorchModuleWrapper {self.name!r} has no config: a torch.nn.Module is "
            "code, which no file of ours holds. Save the weights with "
            "`model.save_weights('file.weights.h5')`, make the model anew, and load "
            "them."
        )
