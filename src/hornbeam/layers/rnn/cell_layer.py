"""The base of layers that create their cell: LSTM, GRU and others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.rnn.rnn import RNN

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class OfCell:
    """A descriptor: the attribute of the same name of the layer's cell.

    Args:
        settable: whether it may be set. Default: False.
    """

    def __init__(self, settable: bool = False) -> None:
        self.settable = settable

    def __set_name__(self, owner: Any, name: str) -> None:
        self.name: str = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else getattr(instance.cell, self.name)

    def __set__(self, instance: Any, value: Any) -> None:
        if self.settable:
            return setattr(instance.cell, self.name, value)
        raise AttributeError(
            f"Attribute {self.name!r} of {type(instance).__name__} cannot be set: it "
            f"is `layer.cell.{self.name}`."
        )


class CellLayer(RNN):
    """A base: an `RNN` whose cell is made from the layer's own arguments.

    A subclass sets `cell_class`, and `cell_name` as paths and files have it.
    """

    # The cell follows from the other arguments, and `use_cudnn` is not saved.
    state_arguments: tuple[str, ...] = ("cell", "use_cudnn")
    cell_class: Callable[..., Any]
    cell_name: str
    # Whether each gate has dropout masks of its own (1) or all share them (2).
    implementation = 2

    activation: OfCell = OfCell()
    use_bias: OfCell = OfCell()
    kernel_initializer: OfCell = OfCell()
    recurrent_initializer: OfCell = OfCell()
    bias_initializer: OfCell = OfCell()
    kernel_regularizer: OfCell = OfCell()
    recurrent_regularizer: OfCell = OfCell()
    bias_regularizer: OfCell = OfCell()
    kernel_constraint: OfCell = OfCell()
    recurrent_constraint: OfCell = OfCell()
    bias_constraint: OfCell = OfCell()
    dropout: OfCell = OfCell()
    recurrent_dropout: OfCell = OfCell()
    seed: OfCell = OfCell()

    def _init(self, arguments):
        """Initialise the layer; `arguments` are the `locals()` of its `__init__`."""
        arguments.pop("self")
        kwargs = arguments.pop("kwargs")
        use_cudnn = arguments.pop("use_cudnn", "auto")
        own = {name: arguments.pop(name) for name in _OWN if name in arguments}
        shared = {k: kwargs[k] for k in ("dtype", "trainable") if k in kwargs}
        shared["implementation"] = kwargs.pop("implementation", self.implementation)
        cell = self.cell_class(**arguments, **shared, name=self.cell_name)
        cell.use_cudnn = use_cudnn
        super().__init__(cell, **own, **kwargs)
        self.input_spec = InputSpec(ndim=3)


# Arguments that are not the cell's.
_OWN = (
    "activity_regularizer",
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
)
