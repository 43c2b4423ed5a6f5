"""Dtype policies of layers with quantized weights."""

from __future__ import annotations

from hornbeam.dtype_policies.policy import DTypePolicy, name_or_default
from hornbeam.typing import Config

QUANTIZATION_MODES = ("int8", "float8", "int4", "gptq", "awq")


class QuantizedDTypePolicy(DTypePolicy):
    """The dtypes of a layer whose weights are quantized.

    Args:
        mode: "int8", "int4", "float8", "gptq/<bits>/<group size>" and the like.
        source_name: the name of the policy before. Default: the one in force.

    >>> import hornbeam as keras
    >>> keras.dtype_policies.QuantizedDTypePolicy("int8", "float32").name
    'int8_from_float32'
    """

    def __init__(self, mode: str, source_name: str | None = None):
        source_name = name_or_default(source_name)
        self._mode = mode
        self._quantization_mode = mode.split("/")[0]
        if self._quantization_mode not in QUANTIZATION_MODES:
            raise ValueError(
                "Invalid quantization mode. Expected one of "
                f"{', '.join(map(repr, QUANTIZATION_MODES))}. Received: mode={mode!r}"
            )
        self._compute_dtype, self._variable_dtype = self._dtypes(source_name)
        if self._compute_dtype == "float16" and self._quantization_mode == "int8":
            raise ValueError(
                f"Quantization mode 'int8' doesn't work well with compute dtype "
                f"'float16'. Use 'mixed_bfloat16' or 'float32'. Received: "
                f"source_name={source_name!r}"
            )
        self._source_name = source_name
        self._name = f"{mode}_from_{source_name}"

    def get_config(self) -> Config:
        """Return the mode and the name of the policy before."""
        return {"mode": self._mode, "source_name": self._source_name}


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """The dtypes of a layer that computes in float8.

    Args:
        mode: "float8".
        source_name: the name of the policy before. Default: the one in force.
        amax_history_length: the number of steps over which the largest value, which
            scales the numbers, is kept. Default: 1024.

    >>> import hornbeam as keras
    >>> policy = keras.dtype_policies.QuantizedFloat8DTypePolicy("float8", "float32")
    >>> policy.amax_history_length
    1024
    """

    default_amax_history_length = 1024

    def __init__(
        self,
        mode: str,
        source_name: str | None = None,
        amax_history_length: int = 1024,
    ):
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError(
                "Argument `amax_history_length` of QuantizedFloat8DTypePolicy must be "
                f"an integer. Received: amax_history_length={amax_history_length!r}"
            )
        self._amax_history_length = amax_history_length

    @property
    def amax_history_length(self) -> int:
        """The number of steps over which the largest value is kept."""
        return self._amax_history_length

    def get_config(self) -> Config:
        """Return the arguments."""
        return {
            **super().get_config(),
            "amax_history_length": self._amax_history_length,
        }


class _GroupedDTypePolicy(QuantizedDTypePolicy):
    """A policy whose mode contains numbers: `"<mode>/<number>/..."`."""

    # The mode, and the attributes that the numbers become.
    _kind: str
    _numbers: tuple[str, ...]

    def __init__(self, mode: str, source_name: str | None = None):
        kind, *numbers = mode.split("/")
        if kind != self._kind or len(numbers) != len(self._numbers):
            expected = "/".join([self._kind, *(f"<{name}>" for name in self._numbers)])
            raise ValueError(
                f"Invalid mode for {type(self).__name__}. Expected format "
                f"'{expected}'. Received: mode={mode!r}"
            )
        self.mode = kind
        for name, number in zip(self._numbers, numbers, strict=True):
            try:
                setattr(self, name, int(number))
            except ValueError:
                raise ValueError(
                    f"Invalid mode for {type(self).__name__}: <{name}> must be an "
                    f"integer. Received: mode={mode!r}"
                ) from None
            if getattr(self, name) < 1 and getattr(self, name) != -1:
                raise ValueError(
                    f"Invalid {name} for {type(self).__name__}: it must be -1 or "
                    f"positive. Received: mode={mode!r}"
                )
        super().__init__(mode, source_name)


class Int4DTypePolicy(_GroupedDTypePolicy):
    """The dtypes of a layer with weights of 4 bits, scaled block by block.

    Args:
        mode: "int4/<block size>"; -1 is one block per channel.
        source_name: the name of the policy before. Default: the one in force.

    >>> import hornbeam as keras
    >>> keras.dtype_policies.Int4DTypePolicy("int4/64", "float32").block_size
    64
    """

    _kind = "int4"
    _numbers = ("block_size",)
    block_size: int


class GPTQDTypePolicy(_GroupedDTypePolicy):
    """The dtypes of a layer whose weights GPTQ quantized.

    Args:
        mode: "gptq/<bits>/<group size>"; -1 is one group per channel.
        source_name: the name of the policy before. Default: the one in force.

    >>> import hornbeam as keras
    >>> keras.dtype_policies.GPTQDTypePolicy("gptq/4/128", "float32").group_size
    128
    """

    _kind = "gptq"
    _numbers = ("weight_bits", "group_size")
    weight_bits: int
    group_size: int

    def __init__(self, mode: str, source_name: str | None = None):
        super().__init__(mode, source_name)
        if self.weight_bits not in (2, 3, 4, 8):
            raise ValueError(
                "Invalid weight_bits for GPTQDTypePolicy: expected 2, 3, 4 or 8. "
                f"Received: mode={mode!r}"
            )


class AWQDTypePolicy(_GroupedDTypePolicy):
    """The dtypes of a layer whose weights AWQ quantized.

    Args:
        mode: "awq/4/<group size>"; -1 is one group per channel.
        source_name: the name of the policy before. Default: the one in force.

    >>> import hornbeam as keras
    >>> keras.dtype_policies.AWQDTypePolicy("awq/4/128", "float32").group_size
    128
    """

    _kind = "awq"
    _numbers = ("weight_bits", "group_size")
    weight_bits: int
    group_size: int

    def __init__(self, mode: str, source_name: str | None = None):
        super().__init__(mode, source_name)
        if self.weight_bits != 4:
            raise ValueError(
                f"AWQDTypePolicy only supports 4-bit weights. Received: mode={mode!r}"
            )


_BY_MODE = {
    "float8": QuantizedFloat8DTypePolicy,
    "gptq": GPTQDTypePolicy,
    "awq": AWQDTypePolicy,
}


def quantized_policy(name: str) -> QuantizedDTypePolicy:
    """Return the quantized policy of a name such as "int8_from_float32"."""
    if not isinstance(name, str):
        raise TypeError(
            f"The name of a quantized policy must be a string. Received: {name!r}"
        )
    if not name.startswith(QUANTIZATION_MODES):
        raise ValueError(
            f"The name {name!r} is incompatible with the current supported "
            f"quantization. Expected a name that starts with one of "
            f"{QUANTIZATION_MODES}."
        )
    mode, separator, source_name = name.partition("_from_")
    if not separator:
        raise ValueError(
            "Cannot convert `policy` into a valid pair (mode, source_name). Expected "
            f"'<mode>_from_<policy>'. Received: {name!r}"
        )
    kind = mode.split("/")[0]
    cls = _BY_MODE.get(kind, QuantizedDTypePolicy)
    if kind == "int4" and kind != mode:
        cls = Int4DTypePolicy
    return cls(mode, source_name)
