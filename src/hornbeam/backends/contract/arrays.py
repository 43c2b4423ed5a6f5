"""Arrays in and out of an engine: dtypes, shapes, Variables, devices."""

from __future__ import annotations

from typing import Any


def assign(old: Any, new: Any) -> Any:
    """What a Variable of value `old` holds after `new` is assigned."""


def cast(x: Any, dtype: Any) -> Any:
    """`x` converted to `dtype`."""


def convert(x: Any, dtype: Any = None) -> Any:
    """`x` as a tensor; Python floats become floatx, Python integers int32."""


def default_device() -> str:
    """The name of the device on which new tensors are made, such as "cpu:0"."""


def device_scope(name: str) -> Any:
    """Place new tensors on the device `name`, such as "cpu:0", inside the block."""


def devices(device_type: Any = None) -> Any:
    """Names of the devices, such as "cpu:0"."""


def dtype_of(x: Any) -> Any:
    """The standard name of the dtype that `x` has as a tensor."""


def is_tensor(x: Any) -> Any:
    """Whether `x` is a tensor of this engine."""


def as_argument(x: Any, dtype: Any = None) -> Any:
    """`x` as programs take it: an engine may leave host numbers on the host.

    What the owner of `x` does to it later changes nothing.
    """


def new_variable(value: Any, trainable: bool) -> Any:
    """What a new Variable of the tensor `value` holds."""


def on_device(x: Any) -> Any:
    """The nest `x`, with tensors of the CPU moved to the device in force."""


def set_default_device(name: str | None) -> None:
    """Make new tensors on the device `name`; None leaves it to the engine."""


def free_bytes() -> int:
    """How many bytes of memory the device can still give."""


def shape_of(x: Any) -> Any:
    """The shape of `x`."""


def to_numpy(x: Any) -> Any:
    """`x` as a NumPy array."""
