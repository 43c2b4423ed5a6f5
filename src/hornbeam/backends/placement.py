"""What engines say of devices."""

from __future__ import annotations


def no_such_device(engine: str, name: str, there: list[str]) -> ValueError:
    """The error for a device that is not one of those `there`."""
    return ValueError(
        f"The {engine} engine has no device {name!r}. Devices here: "
        f"{', '.join(there)}. Name one of them in `keras.device(...)`, "
        "`keras.config.set_device(...)` or the environment variable HORNBEAM_DEVICE; "
        f"a GPU is there only with a driver and a build of {engine} for it."
    )
