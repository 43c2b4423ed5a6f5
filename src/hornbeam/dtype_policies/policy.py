"""The dtype policy of a layer, and the one in force."""

from __future__ import annotations

from typing import Any

from hornbeam import backends
from hornbeam.core import dtypes
from hornbeam.core.budget import BoundedConfig
from hornbeam.core.config import floatx
from hornbeam.core.errors import did_you_mean
from hornbeam.core.session import on_clear
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.typing import Config, DTypePolicyLike

_MIXED = {
    "mixed_float16": ("float16", "float32"),
    "mixed_bfloat16": ("bfloat16", "float32"),
}
_default = None


class DTypePolicy(BoundedConfig):
    """The dtypes of a layer.

    Args:
        name: a dtype for both weights and computation, or "mixed_float16" or
            "mixed_bfloat16": computation in 16 bits, weights in float32. Default: the
            name of the default policy, `keras.config.dtype_policy()`.

    >>> import hornbeam as keras
    >>> policy = keras.DTypePolicy("mixed_bfloat16")
    >>> policy.compute_dtype, policy.variable_dtype
    ('bfloat16', 'float32')
    """

    def __init__(self, name: str | None = None):
        name = name_or_default(name)
        self._name = name
        self._compute_dtype, self._variable_dtype = self._dtypes(name)
        self._quantization_mode: str | None = None

    def _dtypes(self, name):
        """Return the compute dtype and the variable dtype of a policy of this name."""
        if name in _MIXED:
            return _MIXED[name]
        if name == "int":
            return "int32", "int32"
        if name not in dtypes.ALLOWED:
            names = [*_MIXED, *dtypes.ALLOWED]
            raise ValueError(
                f"Cannot convert `name` of {type(self).__name__} into dtypes. Expected "
                "a dtype such as 'float32', or 'mixed_float16' or 'mixed_bfloat16'. "
                f"Received: name={name!r}.{did_you_mean(name, names)}"
            )
        return name, name

    @property
    def name(self) -> str:
        """The policy's name."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype of the computation, to which inputs and weights are cast."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How the weights are quantized, or None."""
        return self._quantization_mode

    def convert_input(self, x: Any, autocast: bool, dtype: str) -> Any:
        """Return the input `x` as a tensor, of `dtype` if it is float and autocast."""
        engine = backends.current()
        dtype = dtypes.standardize_dtype(dtype)

        def is_cast(source):
            return autocast and dtypes.is_float_dtype(source) and source != dtype

        if isinstance(x, KerasTensor):
            if not is_cast(x.dtype):
                return x
            return KerasTensor(x.shape, dtype, name=x.name)
        if engine.is_tensor(x):
            return engine.cast(x, dtype) if is_cast(engine.dtype_of(x)) else x
        if hasattr(x, "__array__"):
            x = engine.convert(x)
            return engine.cast(x, dtype) if is_cast(engine.dtype_of(x)) else x
        return x

    def get_config(self) -> Config:
        """Return the name."""
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: Config) -> DTypePolicy:
        """Make a policy from what `get_config` returned."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((type(self), self._name))

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self._name}">'


# Another name in the API for the same class.
FloatDTypePolicy = DTypePolicy


def dtype_policy() -> DTypePolicy:
    """Return the default policy of layers.

    >>> import hornbeam as keras
    >>> keras.config.dtype_policy()
    <DTypePolicy "float32">
    """
    return DTypePolicy(floatx()) if _default is None else _default


def set_dtype_policy(policy: DTypePolicyLike) -> None:
    """Set the default policy of layers.

    Args:
        policy: a policy or the name of one.
    """
    from hornbeam.dtype_policies.lookup import get

    global _default
    if isinstance(policy, str):
        policy = get(policy)
    if not isinstance(policy, DTypePolicy):
        raise ValueError(
            "Invalid `policy` argument. Expected the name of a dtype policy or a "
            f"`DTypePolicy`. Received: policy={policy!r} (of type "
            f"{type(policy).__name__})"
        )
    _default = policy


on_clear(lambda free_memory: set_dtype_policy("float32"))


def name_or_default(name: str | None) -> str:
    if name is None:
        return dtype_policy().name
    if not isinstance(name, str):
        raise TypeError(
            "'name' must be a string, such as 'mixed_bfloat16'. Received: "
            f"name={name!r} (of type {type(name).__name__})"
        )
    return name
