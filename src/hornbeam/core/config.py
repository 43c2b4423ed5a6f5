"""Settings of the process: default float type, epsilon, image layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hornbeam.core.errors import check_choice

if TYPE_CHECKING:
    from hornbeam.typing import DataFormat

_settings: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
}


def floatx() -> str:
    """Return the default float dtype, such as `"float32"`.

    >>> import hornbeam as keras
    >>> keras.config.floatx()
    'float32'
    """
    return _settings["floatx"]


def set_floatx(value: str) -> None:
    """Set the default float dtype: "bfloat16", "float16", "float32" or "float64"."""
    choices = ("bfloat16", "float16", "float32", "float64")
    _settings["floatx"] = check_choice("set_floatx()", "value", value, choices)


def epsilon() -> float:
    """Return the small number that keeps quotients and logarithms finite (1e-7)."""
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Set the small number that `epsilon()` returns."""
    _settings["epsilon"] = value


def image_data_format() -> DataFormat:
    """Return the default image layout, `"channels_last"` or `"channels_first"`."""
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Set the default image layout, `"channels_last"` or `"channels_first"`."""
    _settings["image_data_format"] = standardize_data_format(data_format)


def settings() -> dict[str, Any]:
    """Return all settings, for `set_settings` in another process."""
    return dict(_settings)


def set_settings(settings: dict[str, Any]) -> None:
    """Set all settings: what `settings()` returned."""
    _settings.update(settings)


def standardize_data_format(data_format: str | None) -> DataFormat:
    """Return `data_format` checked, or the default where it is None."""
    if data_format is None:
        return image_data_format()
    choices = ("channels_first", "channels_last")
    return check_choice(
        "an image operation", "data_format", str(data_format).lower(), choices
    )
