"""Zip archives of unknown origin.

One is checked as a whole before anything in it is read: the names of its members, their
kinds, and the bytes that they declare.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Any

from hornbeam.core.budget import declared_limit
from hornbeam.core.errors import DamagedFileError, UnsafeFileError, damage_of
from hornbeam.core.other_kinds import HEAD_SIZE, check_kind

MAX_MEMBERS = 10_000
_MAX_NAME = 1024
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# The list of members at the end of a zip file, and what follows it.
_MAX_LIST = 2 << 20
_END_SIZE, _MAX_COMMENT = 22, 65535
_ZIP64_LOCATOR, _ZIP64_END = 20, 56
# What stands before the name of a member, in front of its bytes.
_HEADER_SIZE = 30
_CHUNK = 1 << 20


def check_member_name(name: str) -> str:
    """Return the relative path `name` if it stays inside its archive, or raise."""
    parts = PurePosixPath(name).parts
    good = (
        0 < len(name) <= _MAX_NAME
        and not name.startswith("/")
        and not any(part in ("..", ".") for part in name.split("/"))
        and not any(c in name for c in "\\:\0")
        and parts
    )
    if not good:
        raise UnsafeFileError(f"An archive has the member name {name[:200]!r}.")
    return name


class ZipReader:
    """A checked zip archive.

    Args:
        source: a path or a binary file object.
        what: what it is, for errors.
    """

    def __init__(
        self, source: Any, what: str = "The file, which should be a `.keras` archive,"
    ):
        with contextlib.ExitStack() as stack:
            file = source
            if not hasattr(source, "read"):
                file = stack.enter_context(open(source, "rb"))
            self.size: int = file.seek(0, os.SEEK_END)
            self._members: dict[str, zipfile.ZipInfo] = {}
            file.seek(0)
            with damage_of(what, Exception):
                check_kind(file.read(HEAD_SIZE), what, b"PK\x03\x04")
                check_list(file, self.size)
                self._zip = stack.enter_context(zipfile.ZipFile(file))
                self._check_members()
            self._file = file
            self._open = stack.pop_all()

    def _check_members(self):
        infos = self._zip.infolist()
        if len(infos) > MAX_MEMBERS:
            raise UnsafeFileError(f"An archive has {len(infos)} members.")
        for info in infos:
            name = check_member_name(info.orig_filename)
            if info.is_dir():
                continue
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise UnsafeFileError(f"The member {name!r} of an archive is no file.")
            bad = info.flag_bits & _ENCRYPTED or info.compress_type not in _COMPRESSIONS
            if bad or name in self._members:
                raise UnsafeFileError(
                    f"The member {name!r} of an archive is encrypted, of an unknown "
                    "compression, or there twice."
                )
            self._members[name] = info
        declared = sum(info.file_size for info in infos)
        if declared > declared_limit(self.size):
            raise UnsafeFileError(
                f"The archive is a decompression bomb: its {self.size} bytes declare "
                f"to hold {declared}."
            )

    def names(self) -> list[str]:
        """Return the paths of all files in the archive."""
        return list(self._members)

    def member_size(self, name: str) -> int:
        """Return the number of bytes of the member, 0 where there is none."""
        return self._members[name].file_size if name in self._members else 0

    def read(self, name: str, max_bytes: int | None = None) -> bytes:
        """Return the bytes of the member `name`, at most `max_bytes`."""
        if name not in self._members:
            raise DamagedFileError(f"The archive is damaged: it has no {name!r}.")
        info = self._members[name]
        if max_bytes is not None and info.file_size > max_bytes:
            raise UnsafeFileError(
                f"{name!r} in the archive has {info.file_size} bytes; at most "
                f"{max_bytes} are read."
            )
        with (
            damage_of(f"{name!r} in the archive", Exception),
            self._zip.open(info) as member,
        ):
            data = member.read(info.file_size + 1)
        if len(data) != info.file_size:
            raise DamagedFileError(
                f"{name!r} in the archive is damaged: it is cut off."
            )
        return data

    def source(self, name: str, stack: contextlib.ExitStack | None = None) -> io.IOBase:
        """Return the member `name` as a file object, checked for damage.

        What is stored as it is stays on the disk.

        Args:
            name: its path in the archive.
            stack: where given, a thread computes the checksum while the member is
                read, and damage raises when `stack` is left.
        """
        info = self._members.get(name)
        if info is None or info.compress_type != zipfile.ZIP_STORED:
            return io.BytesIO(self.read(name))
        what = f"{name!r} in the archive"

        def check(checksum):
            with damage_of(what, Exception):
                if checksum() != info.CRC:
                    raise DamagedFileError(
                        f"{what} is damaged: its checksum is another."
                    )

        with damage_of(what, Exception):
            part = _Part(self._file, *_place_of(self._file, info))
        if stack is None or part.descriptor is None:
            check(part.checksum)
        else:
            pool = stack.enter_context(ThreadPoolExecutor(1))
            stack.callback(check, pool.submit(part.checksum).result)
        return part

    def close(self) -> None:
        self._open.close()


def _place_of(file, info):
    """Return where the bytes of a stored member start, and their number."""
    file.seek(info.header_offset)
    header = file.read(_HEADER_SIZE)
    names = int.from_bytes(header[26:28], "little")
    extra = int.from_bytes(header[28:30], "little")
    return info.header_offset + _HEADER_SIZE + names + extra, info.file_size


class _Part(io.RawIOBase):
    """A part of a file that is open, as a file.

    `descriptor` is that of a file which several threads can read at a time, or None.
    """

    def __init__(self, file, start, size):
        self._file, self._start, self._size = file, start, size
        self._position = 0
        own = isinstance(getattr(file, "raw", None), io.FileIO)
        self.descriptor = file.fileno() if own and hasattr(os, "preadv") else None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def readinto(self, buffer: Any) -> int:
        read = self._read_at(self._position, buffer)
        self._position += read
        return read

    def _read_at(self, position, buffer):
        view = memoryview(buffer).cast("B")[: max(0, self._size - position)]
        if self.descriptor is not None:
            return os.preadv(self.descriptor, [view], self._start + position)
        self._file.seek(self._start + position)
        return self._file.readinto(view)

    def checksum(self) -> int:
        """Return the CRC-32 of the bytes."""
        value, position, chunk = 0, 0, bytearray(_CHUNK)
        while read := self._read_at(position, chunk):
            value = zlib.crc32(memoryview(chunk)[:read], value)
            position += read
        return value


def check_list(file: Any, size: int, most: int = _MAX_LIST) -> None:
    """Raise if the list of a zip file's members, which is read as a whole, is too long.

    Args:
        file: the binary file.
        size: its number of bytes.
        most: how many bytes the list may have.
    """
    start = max(0, size - _END_SIZE - _ZIP64_LOCATOR - _MAX_COMMENT)
    file.seek(start)
    tail = file.read(size - start)
    place = tail.rfind(b"PK\5\6")
    if place < 0:
        return  # `zipfile` says that it is no archive
    (length,) = struct.unpack_from("<L", tail, place + 12)
    locator = place - _ZIP64_LOCATOR
    if locator >= 0 and tail[locator : locator + 4] == b"PK\6\7":
        # `zipfile` reads the record of 64-bit sizes here, too.
        file.seek(max(0, start + locator - _ZIP64_END))
        (length,) = struct.unpack_from("<Q", file.read(_ZIP64_END), 40)
    if length > most:
        raise UnsafeFileError(f"An archive has a list of members of {length} bytes.")
