"""Files and folders that are replaced as a whole: the old one or the new one is there.

What is new is made beside its target and takes its place in one step, so that neither a
kill at any moment nor a full disk leaves half of a file.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import re
import secrets
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hornbeam.core.errors import check_path
from hornbeam.core.warning import warn

_BLOCK = 4096
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def check_overwrite(path: Path, overwrite: bool) -> None:
    """Raise a `FileExistsError` if the path exists and may not be replaced."""
    if not overwrite and path.exists():
        raise FileExistsError(
            f"{str(path)!r} exists. Pass `overwrite=True` to replace it."
        )


@contextlib.contextmanager
def replacing(path: Path, group: str | None = None) -> Iterator[Path]:
    """Yield a path beside `path`; what is made there takes its place if all goes well.

    A link is followed, and the permissions of the target stay. What a killed process
    left behind is removed.

    Args:
        path: the path of the file or folder.
        group: the name of the files that are saved together, and whose leftovers are
            removed together. Default: the name of `path`.
    """
    check_folder(path)
    path = Path(os.path.realpath(path))
    if Path(os.path.realpath(os.curdir)).is_relative_to(path):
        raise ValueError(
            f"{str(path)!r} is, or holds, the current folder of this process, which "
            "would vanish when it is replaced. Save into a folder inside it"
        )
    group = group or path.name
    _sweep(path.parent, group)
    with _temporary(path, group) as temporary, _naming_what_is_full(path, temporary):
        yield temporary
        _put_in_place(temporary, path)


def file_to_write(owner: str, argument: str, value: Any) -> Path:
    """Return `value` as the path of a file that can be written, or raise at once."""
    path = check_path(owner, argument, value)
    if path.is_dir():
        raise IsADirectoryError(
            errno.EISDIR,
            f"Argument `{argument}` of {owner} must be the path of a file. "
            f"{str(path)!r} is a folder",
        )
    check_folder(path)
    return path


def folder_to_write(owner: str, argument: str, value: Any) -> Path:
    """Return `value` as the path of a folder that is there, or that can be made."""
    path = check_path(owner, argument, value)
    there = next(p for p in (path, *path.absolute().parents) if p.exists())
    if not there.is_dir():
        raise NotADirectoryError(
            errno.ENOTDIR,
            f"Argument `{argument}` of {owner} must be the path of a folder. "
            f"{str(there)!r} is a file",
        )
    return path


def check_folder(path: Path) -> None:
    """Raise if nothing can be made beside `path`."""
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise FileNotFoundError(
            errno.ENOENT,
            f"{str(path)!r} cannot be saved: there is no folder {str(folder)!r}. Make "
            "it first",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(
            errno.EACCES,
            f"{str(path)!r} cannot be saved: the folder {str(folder)!r} may not be "
            "written to",
        )


def append(path: str, line: bytes, end: int | None = None) -> int:
    """Add a line to a file of lines, or nothing at all; return the new size.

    Args:
        path: the path of the file.
        line: the line, with its newline.
        end: where the last line to be kept ends. Default: the last newline. What
            follows it, which a killed process left, is cut with a warning.
    """
    with _naming_what_is_full(Path(path)), open(path, "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        start = _end_of_lines(file, size, path) if end is None else min(end, size)
        try:
            file.truncate(start)
            file.seek(start)
            if file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            file.truncate(start)
            raise
    return start + len(line)


def _end_of_lines(file, size, path):
    """Return where the last whole line ends; the file is read from its end."""
    start, rest = size, b""
    while start > 0 and b"\n" not in rest:
        begin = max(0, start - _BLOCK)
        file.seek(begin)
        rest, start = file.read(start - begin) + rest, begin
    half = rest[rest.rfind(b"\n") + 1 :]
    if half:
        warn(f"The last line of {path!r} has no end and is cut: {half[:200]!r}.")
    return size - len(half)


class _NoRoomError(OSError):
    pass


@contextlib.contextmanager
def _naming_what_is_full(path, temporary=None):
    """A block in which a full disk is an error that names the file."""
    try:
        yield
    except _NoRoomError:
        raise
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        written = 0 if temporary is None else _size(temporary)
        needed = f"more than {written} bytes are needed and " if written else ""
        if temporary is not None:
            _remove(temporary)
        raise _NoRoomError(
            error.errno,
            f"There is no room for {str(path)!r} ({error.strerror}): {needed}"
            f"{shutil.disk_usage(path.parent).free} bytes are free. What was there "
            "before is unchanged.",
        ) from error


def _size(path):
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


@contextlib.contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`."""
    path = Path(os.path.realpath(path))
    with _temporary(path, path.name) as folder:
        folder.mkdir()
        yield folder


@contextlib.contextmanager
def _temporary(path, group):
    token = secrets.token_hex(4)
    temporary = path.with_name(f"{_prefix(group)}{os.getpid()}.{token}.tmp")
    try:
        yield temporary
    finally:
        _remove(temporary)


def _put_in_place(temporary, path):
    if not os.path.lexists(path):
        os.rename(temporary, path)
        return
    if path.is_dir() and not temporary.is_dir():
        raise IsADirectoryError(
            errno.EISDIR,
            f"{str(path)!r} is a folder, and a file does not take its place. Remove it "
            "first, or save under another name",
        )
    if path.is_dir() == temporary.is_dir():
        shutil.copymode(path, temporary)
    if path.is_dir() or temporary.is_dir():
        _exchange(temporary, path)
    else:
        os.replace(temporary, path)


def _exchange(temporary, path):
    """Exchange the names of two folders, in one step where the system can."""
    rename = None
    if sys.platform == "linux":
        rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    names = os.fsencode(temporary), os.fsencode(path)
    if rename is not None:
        if not rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE):
            return
    aside = temporary.with_suffix(".old.tmp")
    os.rename(path, aside)
    os.rename(temporary, path)
    _remove(aside)


def _prefix(group):
    """The start of the names of a group's temporary files, made on this machine."""
    machine = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]
    return f".{group[:64]}.{machine}-"


def _sweep(folder, group):
    """Remove what processes of this machine left that no longer run."""
    pattern = re.escape(_prefix(group)) + r"(\d+)\.[0-9a-f]{8}(\.old)?\.tmp"
    if not folder.is_dir():
        return
    for name in os.listdir(folder):
        match = re.fullmatch(pattern, name)
        if match and not _runs(int(match[1])):
            _remove(folder / name)


def _runs(process):
    if os.name != "posix":
        return True  # there `os.kill` ends a process, whatever the signal
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
