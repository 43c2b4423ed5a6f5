"""Tar and zip archives of unknown origin, extracted member by member.

Nothing of an archive decides where a file is written, except a name that stays inside
the folder, and nothing but files and folders is made: no links, no devices, no owners,
no permissions. It is extracted beside the folder first, and moved when it is whole.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

from hornbeam.core.errors import DamagedFileError, UnsafeFileError, damage_of
from hornbeam.core.zip_reader import check_list

FORMATS = ("tar", "zip")
# What an archive may hold: more than any data set in it takes.
_MAX_MEMBERS = 10_000_000
_EXPANSION = 200
_SLACK = 64 << 20
_MAX_NAME = 4096
# The list of a zip file is read as a whole.
_MAX_LIST = 64 << 20
_CHUNK = 1 << 20
# Headers of tar are read whole; members in pieces.
_MAX_READ = 4 << 20
_COMPRESSIONS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
# What the libraries raise at damage.
_DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError),
    *(EOFError, ValueError, LookupError, OSError, RuntimeError, NotImplementedError),
)
# A member: its name, its size, and its bytes; None is a folder.
Member = tuple[str, int, IO[bytes] | None]


def extract_into(archive: Path, folder: Path, formats: Sequence[str] = FORMATS) -> None:
    """Extract an archive into a folder, all of it or, where it raises, nothing.

    Files of the folder that the archive does not hold stay.

    Args:
        archive: the path of the archive.
        folder: the folder, which is made if need be.
        formats: those of `"tar"` and `"zip"` that the archive may have.
    """
    formats = FORMATS if "auto" in formats else formats
    members = _reader(archive, formats)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:60]}"))
    try:
        with open(archive, "rb") as file, damage_of(str(archive), *_DAMAGE):
            _write_members(members, file, temporary)
        os.chmod(temporary, 0o755)
        _move(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _reader(archive, formats):
    """Return the generator function of the archive's members."""
    if "tar" in formats and _is_tar(archive):  # one may end with a zip file
        return _of_tar
    if "zip" in formats and zipfile.is_zipfile(archive):
        return _of_zip
    raise DamagedFileError(
        f"{archive} cannot be extracted: it is no {' and no '.join(formats)} archive, "
        "or it is cut off."
    )


def _is_tar(archive):
    try:
        with open(archive, "rb") as file:
            _opened_tar(file, _MAX_READ).close()
        return True
    except UnsafeFileError:
        return True  # it is told when the members are read
    except _DAMAGE:
        return False


def _write_members(members, file, folder):
    size = os.fstat(file.fileno()).st_size
    limit = min(_EXPANSION * size + _SLACK, shutil.disk_usage(folder).free)
    total = count = 0
    for name, declared, source in members(file, limit):
        place = folder.joinpath(*_parts(name))
        count, total = count + 1, total + declared
        if total > limit or count > _MAX_MEMBERS:
            raise UnsafeFileError(
                f"The archive of {size} bytes holds more than {limit} bytes, or than "
                f"{_MAX_MEMBERS} members: a decompression bomb, or more than fits on "
                "the disk. If it is trusted, extract it with `tarfile` or `zipfile`."
            )
        if source is None:
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(place, "wb") as target:
            _copy(source, target, declared, name)


def _copy(source, target, size, name):
    left = size
    while left:
        chunk = source.read(min(left, _CHUNK))
        if not chunk:
            raise DamagedFileError(f"The member {name!r} is cut off.")
        target.write(chunk)
        left -= len(chunk)
    if source.read(1):
        raise UnsafeFileError(f"The member {name!r} is longer than it declares.")


def _parts(name):
    """Return the parts of a member's name, which must stay inside the folder."""
    path = PurePosixPath(name)
    bad = (
        not 0 < len(name) <= _MAX_NAME
        or path.is_absolute()
        or ".." in path.parts
        or any(c in name for c in "\\\0")
        or re.match("[A-Za-z]:", name)
    )
    if bad:
        raise UnsafeFileError(f"The archive has the member name {name[:200]!r}.")
    return path.parts


def _opened_tar(file, limit):
    """Return a `TarFile` that reads at most so many bytes, compressed or not."""
    start = file.read(max(map(len, _COMPRESSIONS)))
    file.seek(0)
    opened = next((o for m, o in _COMPRESSIONS.items() if start.startswith(m)), None)
    plain = file if opened is None else opened(file, "rb")
    return tarfile.open(fileobj=_Bounded(plain, limit), mode="r:")  # type: ignore[call-overload]


def _of_tar(file, limit) -> Iterator[Member]:
    # Padding and headers stand between the members.
    with _opened_tar(file, 2 * limit) as archive:
        while (member := archive.next()) is not None:
            archive.members.clear()  # it would keep them all
            if member.isdir():
                yield member.name, 0, None
            elif member.isreg():
                yield member.name, member.size, archive.extractfile(member)
            else:
                raise UnsafeFileError(
                    f"The member {member.name[:200]!r} is a link or a device: only "
                    "files and folders are extracted."
                )


class _Bounded:
    """A file that is read in pieces, up to a limit."""

    def __init__(self, file, limit):
        self._file, self._limit = file, limit
        self.tell = file.tell

    def seek(self, offset, whence=os.SEEK_SET):
        if whence == os.SEEK_SET and offset > self._limit:
            raise UnsafeFileError("The archive is a decompression bomb.")
        return self._file.seek(offset, whence)

    def read(self, size=-1):
        if not 0 <= size <= _MAX_READ or self._file.tell() > self._limit:
            raise UnsafeFileError("The archive has a header of megabytes, or no end.")
        return self._file.read(size)


def _of_zip(file, limit) -> Iterator[Member]:
    check_list(file, file.seek(0, os.SEEK_END), most=_MAX_LIST)
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            name = info.orig_filename
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir():
                yield name, 0, None
            elif kind not in (0, stat.S_IFREG):
                raise UnsafeFileError(
                    f"The member {name[:200]!r} is a link or a device: only files and "
                    "folders are extracted."
                )
            else:
                with archive.open(info) as source:
                    yield name, info.file_size, source


def _move(source, folder):
    """Move what was extracted to its place, or into the folder that is there."""
    try:
        os.rename(source, folder)
        return
    except OSError:
        if not folder.is_dir():
            raise
    inside = folder.resolve()
    for path in sorted(source.rglob("*")):
        target = folder / path.relative_to(source)
        if not target.parent.resolve().is_relative_to(inside):
            raise UnsafeFileError(f"{target.parent} is a link out of {folder}.")
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            os.replace(path, target)
