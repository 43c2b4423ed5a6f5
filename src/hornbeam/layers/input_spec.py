"""InputSpec: what a layer expects of an input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core import tree
from hornbeam.core.budget import BoundedConfig
from hornbeam.core.dtypes import standardize_dtype
from hornbeam.core.variable import standardize_shape

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    from hornbeam.layers.layer import Layer
    from hornbeam.typing import Config, DTypeLike, Shape, ShapeLike


class InputSpec(BoundedConfig):
    """What a layer expects of an input: rank, shape, sizes of axes.

    Args:
        dtype: expected dtype.
        shape: expected shape; None is any size.
        ndim: expected rank.
        max_ndim: largest rank.
        min_ndim: smallest rank.
        axes: `{axis: size}`.
        allow_last_axis_squeeze: whether a last axis of size 1 may be missing or extra.
        name: the key of the input where inputs come as a dict.
        optional: whether the input may be None.

    >>> import hornbeam as keras
    >>> keras.InputSpec(ndim=2, axes={-1: 8})
    InputSpec(ndim=2, axes={-1: 8})
    """

    def __init__(
        self,
        dtype: DTypeLike = None,
        shape: ShapeLike | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype: str | None = None if dtype is None else standardize_dtype(dtype)
        self.shape: Shape | None = None if shape is None else standardize_shape(shape)
        self.ndim: int | None = ndim if self.shape is None else len(self.shape)
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.name = name
        self.optional = optional
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        try:
            self.axes: dict[int, int | None] = {
                int(k): v for k, v in (axes or {}).items()
            }
        except (TypeError, ValueError):
            raise TypeError(
                "Argument `axes` of InputSpec expects a dict of integers. "
                f"Received: axes={axes}"
            ) from None
        rank = self.ndim or self.max_ndim
        if self.axes and rank and max(self.axes) >= rank:
            raise ValueError(
                f"Argument `axes` of InputSpec names axis {max(self.axes)}, but the "
                f"rank is at most {rank}."
            )

    def __repr__(self) -> str:
        fields = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        shown = [
            f"{f}={getattr(self, f)}"
            for f in fields
            if getattr(self, f) and not (f == "ndim" and self.shape)
        ]
        return f"InputSpec({', '.join(shown)})"

    def get_config(self) -> Config:
        """Return the arguments that make an equal object."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make an object from what `get_config` returned."""
        return cls(**config)

    def problem_with(self, x: Any) -> tuple[str, str] | None:
        """Return what is wrong with `x`, as (expected, found), or None."""
        shape = tuple(x.shape)
        rank = len(shape)
        if self.ndim is not None and not self.allow_last_axis_squeeze:
            if rank != self.ndim:
                return f"rank (ndim) {self.ndim}", f"rank {rank}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"rank (max_ndim) at most {self.max_ndim}", f"rank {rank}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"rank (min_ndim) at least {self.min_ndim}", f"rank {rank}"
        if self.dtype is not None:
            if standardize_dtype(x.dtype) != self.dtype:
                return f"dtype {self.dtype}", f"dtype {standardize_dtype(x.dtype)}"
        for axis, size in self.axes.items():
            if not -rank <= axis < rank or shape[axis] not in {size, None}:
                if size is not None:
                    return f"size {size} on axis {axis}", f"shape {shape}"
        if self.shape is not None and not self._fits(self.shape, shape):
            return f"shape {self.shape}", f"shape {shape}"
        return None

    def _fits(self, expected, shape):
        if self.allow_last_axis_squeeze and len(shape) != len(expected):
            if expected and expected[-1] == 1:
                expected = expected[:-1]
            elif shape and shape[-1] == 1:
                shape = shape[:-1]
        if len(shape) != len(expected):
            return False
        return all(
            e is None or s is None or e == s
            for e, s in zip(expected, shape, strict=True)
        )


def check_inputs(input_spec: Any, inputs: Any, layer: Layer) -> None:
    """Raise a ValueError if `inputs` do not fit `input_spec` of `layer`."""
    if isinstance(inputs, dict) and isinstance(input_spec, list | tuple):
        named = [spec.name for spec in input_spec]
        missing = [
            n for n, s in zip(named, input_spec, strict=True)
            if n is not None and n not in inputs and not s.optional
        ]  # fmt: skip
        if missing:
            raise ValueError(
                f"layer {layer.path!r}: missing data for input {missing[0]!r}. "
                f"Expected the keys {named}. Received the keys {list(inputs)}."
            )
        if all(n is not None for n in named):
            inputs = [inputs.get(n) for n in named]
    if isinstance(input_spec, InputSpec) and hasattr(inputs, "shape"):
        specs, values = [input_spec], [inputs]
    else:
        specs, values = tree.flatten(input_spec), tree.flatten(inputs)
    if len(specs) != len(values):
        raise ValueError(
            f"layer {layer.path!r} expects {len(specs)} inputs, but received "
            f"{len(values)} input tensors: {[getattr(v, 'shape', v) for v in values]}."
        )
    for position, (spec, x) in enumerate(zip(specs, values, strict=True)):
        if spec is None or (x is None and spec.optional):
            continue
        if not hasattr(x, "shape"):
            hint = "" if x is not None else " Does the `call()` before it return them?"
            raise ValueError(
                f"layer {layer.path!r}: input {position} is not a tensor: {x!r}.{hint}"
            )
        problem = spec.problem_with(x)
        if problem:
            expected, received = problem
            raise ValueError(
                f"Input {position} of layer {layer.path!r} is incompatible with the "
                f"layer: expected {expected}, found {received}. Full shape received: "
                f"{tuple(x.shape)}"
            )
