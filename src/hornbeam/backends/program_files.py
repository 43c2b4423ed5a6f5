"""Compiled programs kept in files, for the processes that come later.

A file is written aside and renamed, so processes that run at the same time see whole
files or none, and one that cannot be read counts as missing. A file holds machine code:
a folder in which others may write is not used. The files used least recently are
removed when all take more than `LARGEST_BYTES`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import tempfile
import zlib
from pathlib import Path
from typing import Any

LARGEST_BYTES = 1 << 29
_SUFFIX = ".program"
_OFF = ("0", "off", "none", "")

_folder: Path | None = None
_is_set = False


def folder() -> Path | None:
    """Return where programs are kept, or None if they are not.

    That is what `set_folder` said, else the environment variable
    `HORNBEAM_COMPILATION_CACHE` (a path or "off"), else the user's cache folder.
    """
    if _is_set:
        return _folder
    path = os.environ.get("HORNBEAM_COMPILATION_CACHE")
    if path is None:
        return _user_folder()
    return None if path.lower() in _OFF else Path(path)


def set_folder(path: Any) -> None:
    """Keep programs in `path` from now on, or, with None, keep none."""
    global _folder, _is_set
    _folder = None if path is None else Path(path)
    _is_set = True


@functools.cache
def _user_folder():
    import platformdirs

    return platformdirs.user_cache_path("hornbeam", appauthor=False) / "programs"


def read(key: str) -> bytes | None:
    """Return what was written under `key`, or None."""
    home = _usable_folder()
    if home is None:
        return None
    path = home / f"{key}{_SUFFIX}"
    try:
        data = zlib.decompress(path.read_bytes())
        os.utime(path)
    except (OSError, zlib.error):
        return None
    return data


def write(key: str, data: bytes) -> None:
    """Keep `data` under `key`, if there is any and that is possible."""
    home = _usable_folder() if data else None
    if home is None:
        return
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=home, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(zlib.compress(data, 1))
        os.replace(temporary, home / f"{key}{_SUFFIX}")
        _make_room(home)
    except OSError:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.remove(temporary)


def _usable_folder():
    """Return the folder, made if need be; None if it is not this user's alone."""
    home = folder()
    if home is None:
        return None
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = home.stat()
    except OSError:
        return None
    if hasattr(os, "getuid"):
        others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if status.st_uid != os.getuid() or others:
            return None
    return home


def _make_room(home):
    """Remove the files used least recently while all take too many bytes."""
    files = []
    for entry in os.scandir(home):
        with contextlib.suppress(OSError):
            status = entry.stat()
            files.append((status.st_mtime, status.st_size, entry.path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= LARGEST_BYTES:
            break
        with contextlib.suppress(OSError):
            os.remove(path)
        total -= size
