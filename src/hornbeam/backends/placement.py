"""What engines say of devices."""

from __future__ import annotations

import os
import pathlib

_LINUX_MEMORY = pathlib.Path("/proc/meminfo")


def bytes_of_host() -> int:
    """How many bytes of memory the host has; 4 GiB where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on every system
        return 1 << 32


def free_bytes_of_host() -> int:
    """How many bytes of memory the host can still give, those of caches included."""
    try:
        lines = _LINUX_MEMORY.read_text().splitlines()
        sizes = dict(line.split(":", 1) for line in lines)
        return int(sizes["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):  # no Linux
        return bytes_of_host() // 2


def no_such_device(engine: str, name: str, there: list[str]) -> ValueError:
    """The error for a device that is not one of those `there`."""
    return ValueError(
        f"The {engine} engine has no device {name!r}. Devices here: "
        f"{', '.join(there)}. Name one of them in `keras.device(...)`, "
        "`keras.config.set_device(...)` or the environment variable HORNBEAM_DEVICE; "
        f"a GPU is there only with a driver and a build of {engine} for it."
    )
