"""WAVE files as arrays: integers of 8 to 32 bits, and floats."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.core.errors import DamagedFileError

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


def read_wave(path: Any) -> tuple[np.ndarray, int]:
    """Return the sound of a WAVE file from -1 to 1, and its sampling rate.

    Args:
        path: the path.

    Returns:
        A float32 array of shape (samples, channels), and the samples per second.
    """
    content = Path(path).read_bytes()
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise _damaged(path, "it does not begin as one")
    header, data = None, None
    position = 12
    while position + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, position)
        start = position + 8
        if name == b"fmt ":
            header = content[start : start + size]
        elif name == b"data":
            data = content[start : start + size]
            if len(data) < size:
                raise _damaged(
                    path, f"it ends after {len(data)} of {size} bytes of sound"
                )
        position = start + size + size % 2
    if header is None or len(header) < 16 or data is None:
        raise _damaged(path, "its format or its sound is missing")
    kind, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", header)
    if kind == _EXTENSIBLE and len(header) >= 26:
        kind = struct.unpack_from("<H", header, 24)[0]
    if channels < 1 or frame != channels * bits // 8:
        raise _damaged(path, f"{channels} channels of {bits} bits in {frame} bytes")
    data = data[: len(data) // frame * frame]
    return _samples(path, data, kind, bits).reshape(-1, channels), rate


def _samples(path, data, kind, bits):
    if kind == _PCM and bits == 8:
        return (np.frombuffer(data, "u1").astype(np.float32) - 128) / 128
    if kind == _PCM and bits == 24:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return (padded.view("<i4")[:, 0] / 2.0**31).astype(np.float32)
    if kind == _PCM and bits in (16, 32):
        whole = np.frombuffer(data, f"<i{bits // 8}")
        return (whole / 2.0 ** (bits - 1)).astype(np.float32)
    if kind == _FLOAT and bits in (32, 64):
        return np.frombuffer(data, f"<f{bits // 8}").astype(np.float32)
    raise ValueError(
        f"{path} holds sound in format {kind} with {bits} bits. Expected integers of "
        "8, 16, 24 or 32 bits, or floats of 32 or 64."
    )


def _damaged(path, why):
    return DamagedFileError(f"{path} cannot be read as a WAVE file: {why}.")
