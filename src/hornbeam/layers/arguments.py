"""Checks of arguments that many layers share."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING

from hornbeam import constraints, initializers, regularizers
from hornbeam.core.errors import check_choice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from hornbeam.layers.layer import Layer
    from hornbeam.typing import InputShape


_FAMILIES = {
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}


def keep_weight_arguments(layer: Layer, **identifiers: Any) -> None:
    """Store each `..._initializer`, `..._regularizer`, `..._constraint` on the layer.

    What each name, config or object stands for is looked up in its family.
    """
    for name, identifier in identifiers.items():
        family = _FAMILIES[name.rpartition("_")[2]]
        setattr(layer, name, family.get(identifier))


def positive_integer(layer: Layer, argument: str, value: Any) -> int:
    """Return `value` if it is an integer above zero."""
    good = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if good and value > 0:
        return int(value)
    raise ValueError(
        f"Invalid value for argument `{argument}` of {_owner(layer)}. Expected a "
        f"positive integer. Received: {argument}={value!r} "
        f"(of type {type(value).__name__})."
    )


def sequence(layer: Layer, argument: str, value: Any) -> Any:
    """Return `value` if it is a sequence, such as a tuple of sizes."""
    if hasattr(value, "__iter__"):
        return value
    raise TypeError(
        f"Invalid value for argument `{argument}` of {_owner(layer)}. Expected a "
        f"tuple, such as ({value},). Received: {argument}={value!r}"
    )


def integer_tuple(
    layer: Layer, argument: str, value: Any, rank: int, low: int = 1
) -> tuple[int, ...]:
    """Return `value` as a tuple of `rank` integers >= `low`; an int stands for all."""
    if isinstance(value, numbers.Integral):
        value = (value,) * rank
    try:
        items = tuple(int(item) for item in value)
        good = len(items) == rank and all(
            item >= low and item == given
            for item, given in zip(items, value, strict=True)
        )
    except (TypeError, ValueError):
        good = False
    if good:
        return items
    raise ValueError(
        f"Invalid value for argument `{argument}` of {_owner(layer)}. Expected an "
        f"integer >= {low}, or a tuple of {rank} of them. "
        f"Received: {argument}={value!r}"
    )


def padding_mode(
    layer: Layer, padding: Any, choices: Sequence[str] = ("valid", "same")
) -> str:
    """Return the padding's name in lower case."""
    mode = padding.lower() if isinstance(padding, str) else padding
    return check_choice(_owner(layer), "padding", mode, choices)


def reject_unsupported(layer: Layer, **arguments: Any) -> None:
    """Raise for arguments that are accepted in signatures as None only."""
    for name, value in arguments.items():
        if value is not None:
            raise NotImplementedError(
                f"Argument `{name}` of {_owner(layer)} is not supported yet. Leave it "
                f"out, or pass None. Received: {name}={value!r}"
            )


def known_size(
    layer: Layer, input_shape: InputShape, axis: int, what: str = "size"
) -> int:
    """Return the input's size at `axis`, which the layer needs to make its weights."""
    size = input_shape[axis] if -len(input_shape) <= axis < len(input_shape) else None
    if size is None:
        raise ValueError(
            f"Layer {layer.path!r} ({_owner(layer)}) cannot make its weights: the "
            f"{what} of its input, at axis {axis}, is unknown. Received: "
            f"input_shape={tuple(input_shape)}. Give that size, for example in "
            "`keras.Input(shape=...)`."
        )
    return size


def normalized_axes(
    layer: Layer, axis: int | Sequence[int], rank: int, argument: str = "axis"
) -> tuple[int, ...]:
    """Return `axis`, an int or a sequence, as a sorted tuple of axes >= 0."""
    axes: Any = (axis,) if isinstance(axis, numbers.Integral) else axis
    axes = tuple(axes)
    if any(not -rank <= a < rank for a in axes) or len({a % rank for a in axes}) < len(
        axes
    ):
        raise ValueError(
            f"Argument `{argument}` of {_owner(layer)} must hold distinct axes of an "
            f"input of rank {rank}. Received: {argument}={axis!r}"
        )
    return tuple(sorted(a % rank for a in axes))


def channel_axis(data_format: str) -> int:
    """Return the axis of the channels: 1 or -1."""
    return 1 if data_format == "channels_first" else -1


def spatial_axes(data_format: str, rank: int) -> range:
    """Return the axes of the spatial dimensions, as a range."""
    return range(2, 2 + rank) if data_format == "channels_first" else range(1, 1 + rank)


def _owner(layer):
    return type(layer).__name__
