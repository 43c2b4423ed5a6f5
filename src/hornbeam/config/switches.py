"""Switches of the process."""

from __future__ import annotations

import os
from typing import Any

_switches: dict[str, Any] = {
    "interactive_logging": True,
    "traceback_filtering": True,
    "flash_attention": None,
    "max_epochs": None,
    "max_steps_per_epoch": None,
}


def enable_interactive_logging() -> None:
    """Show the progress of training on the screen (the default)."""
    _switches["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Send the progress of training to the log instead of the screen."""
    _switches["interactive_logging"] = False


def is_interactive_logging_enabled() -> bool:
    """Return whether the progress of training is shown on the screen."""
    return _switches["interactive_logging"]


def enable_traceback_filtering() -> None:
    """Accepted for compatibility: tracebacks are never filtered."""
    _switches["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """Accepted for compatibility: tracebacks are never filtered."""
    _switches["traceback_filtering"] = False


def is_traceback_filtering_enabled() -> bool:
    """Return the last setting."""
    return _switches["traceback_filtering"]


def enable_flash_attention() -> None:
    """Let attention use the engine's flash kernels where it can."""
    _switches["flash_attention"] = True


def disable_flash_attention() -> None:
    """Let attention use no flash kernels."""
    _switches["flash_attention"] = False


def is_flash_attention_enabled() -> bool | None:
    """Return whether flash kernels are used; None: where possible."""
    return _switches["flash_attention"]


def is_nnx_enabled() -> bool:
    """Return False: layers are never Flax NNX modules."""
    return False


def enable_unsafe_deserialization() -> None:
    """Refused: loading never runs code from a file."""
    raise NotImplementedError(
        "hornbeam never runs code from a model file. Give the functions and classes "
        "that a file names with `custom_objects={...}`."
    )


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit every `fit` to `max_epochs` epochs (None: no limit)."""
    _switches["max_epochs"] = max_epochs


def max_epochs() -> int | None:
    """Return the largest number of epochs of a `fit`, or None."""
    limit = _switches["max_epochs"]
    return limit if limit is not None else _from_environment("KERAS_MAX_EPOCHS")


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit every epoch to `max_steps_per_epoch` steps (None: no limit)."""
    _switches["max_steps_per_epoch"] = max_steps_per_epoch


def max_steps_per_epoch() -> int | None:
    """Return the largest number of steps of an epoch, or None."""
    limit = _switches["max_steps_per_epoch"]
    if limit is not None:
        return limit
    return _from_environment("KERAS_MAX_STEPS_PER_EPOCH")


def _from_environment(name):
    value = os.environ.get(name)
    return int(value) if value else None
