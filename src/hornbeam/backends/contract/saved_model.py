"""Functions written to a file that others serve. Optional: TensorFlow has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def tensor_spec(shape: Sequence[int | None], dtype: str, name: str | None = None):
    """What is known of an argument: sizes that are None may be any."""


def endpoint(fn: Callable, signature: Sequence[Any] | None) -> Any:
    """`fn` as a traced function of arguments such as `signature` says.

    A function that was traced may come without one. Raises TypeError for others.
    """


def write_saved_model(
    path: str,
    endpoints: Mapping[str, Any],
    variables: Mapping[str, Sequence[Any]],
    resources: Sequence[Any] = (),
    options: Any = None,
) -> None:
    """Write what `endpoint` gave, by name, and lists of the values of variables."""


def read_saved_model(path: str, name: str) -> tuple[Callable, list[Any]]:
    """The endpoint `name` as a function of one argument, and the variables' values."""
