"""`get_file`: a file of the network, kept in the cache folder.

A file appears under its name only when it is whole and its hash is right: it is written
under a name of its own beside it, and renamed. So two processes may ask for it at the
same time, and a failure leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import ipaddress
import os
import shutil
import socket
import stat
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

from hornbeam.core.errors import (
    DamagedFileError,
    UnsafeFileError,
    check_choice,
    check_path,
)
from hornbeam.typing import PathLike
from hornbeam.utils.extraction import FORMATS, extract_into
from hornbeam.utils.printing import print_message
from hornbeam.utils.progbar import Progbar

_ALGORITHMS = ("auto", "sha256", "md5")
_CHUNK = 1 << 18
_SECONDS = 60
_SCHEMES = ("http", "https", "ftp", "file")
# Of two suffixes, such as `.tar.gz`, both belong to the format.
_BEFORE_COMPRESSION = ".tar"


def get_file(
    fname: PathLike | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: PathLike = "datasets",
    hash_algorithm: Literal["auto", "sha256", "md5"] = "auto",
    extract: bool = False,
    archive_format: Literal["auto", "tar", "zip"] | Sequence[str] | None = "auto",
    cache_dir: PathLike | None = None,
    force_download: bool = False,
) -> str:
    """Return the path of a file in the cache folder; download it if it is not there.

    The file is downloaded under another name and renamed when it is whole and its hash
    is right. Give a `file_hash` where you know it: without one, what the server sends
    is taken. An archive is extracted member by member: a member that is a link or a
    device, or that lies outside of the folder, and more data than an archive of its
    size holds, raise `keras.saving.UnsafeFileError`, and nothing is extracted. A folder
    that was extracted before is used as it is.

    Args:
        fname: the name of the file in the cache folder, without a folder. With
            `extract`, the name of the folder where it has no suffix, and else that of
            the archive; `"x.zip"` is extracted to `"x_extracted"`. Default: None (the
            last part of `origin`)
        origin: the address of the file: `http`, `https`, `ftp` or `file`. A public
            server may not redirect to a file or into the network of this machine.
        untar: an older name for `extract`, for tar archives. Default: False
        md5_hash: an older name for `file_hash`. Default: None
        file_hash: the SHA-256 or MD5 hash in hexadecimal digits. A cached file with
            another is downloaded again. Default: None (not compared)
        cache_subdir: the folder below the cache folder; an absolute path is used as
            it is. Default: `"datasets"`
        hash_algorithm: `"sha256"`, `"md5"`, or `"auto"` (by the number of digits).
            Default: `"auto"`
        extract: whether the file is an archive to extract. Default: False
        archive_format: `"tar"` (also compressed), `"zip"`, a list of these, or
            `"auto"` for both. Default: `"auto"`
        cache_dir: the cache folder. Default: None (the environment variable
            `KERAS_HOME`, or `~/.keras`)
        force_download: whether to download the file although it is there.
            Default: False

    Returns:
        The path of the file, or with `extract` that of the folder.

    Raises:
        OSError: there is no connection, or no such file; the message says where to put
            the file by hand.
        keras.saving.DamagedFileError: the hash is another, or the archive is cut off.

    >>> import pathlib, tempfile
    >>> import hornbeam as keras
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / "datasets").mkdir()
    >>> (folder / "datasets" / "numbers.txt").write_text("1 2 3")
    5
    >>> path = keras.utils.get_file(  # it is there, so nothing is downloaded
    ...     origin="https://example.org/numbers.txt",
    ...     file_hash="5ba48b6e5a7c4d4930fda256f411e55b",
    ...     cache_dir=folder,
    ... )
    >>> pathlib.Path(path).name
    'numbers.txt'
    """
    if not origin:
        raise ValueError("`get_file` needs `origin`, the address of the file.")
    check_choice("get_file()", "hash_algorithm", hash_algorithm, _ALGORITHMS)
    formats = _formats(archive_format) if extract else ("tar",) if untar else ()
    if (extract or untar) and not formats:
        raise ValueError(
            "`get_file(extract=True)` needs a format: archive_format='auto', 'tar' or "
            f"'zip'. Received: archive_format={archive_format!r}"
        )
    expected = _Hash(file_hash or md5_hash, hash_algorithm if file_hash else "md5")
    name = _name(fname, origin)
    folder = _cache_folder(cache_dir, cache_subdir)
    path, extracted = _places(folder, name, fname is None, formats)
    if path.is_dir():
        raise IsADirectoryError(
            f"`get_file` would save {origin} as {path}, which is a folder: an archive "
            "was extracted there. Give another `fname`, or `extract=True`."
        )
    fresh = force_download or not path.exists()
    if not fresh and not expected.fits(path):
        print_message(f"{path} has another {expected.algorithm} hash: it is replaced.")
        fresh = True
    if fresh:
        _download(origin, path, expected)
    if extracted is None:
        return os.fspath(path)
    if fresh or not extracted.is_dir():
        try:
            extract_into(path, extracted, formats)
        except (DamagedFileError, UnsafeFileError):
            if fresh:
                path.unlink()
            raise
    return os.fspath(extracted)


def _formats(archive_format):
    if archive_format == "auto":
        return FORMATS
    given = [archive_format] if isinstance(archive_format, str) else archive_format
    for name in given or ():
        check_choice("get_file()", "archive_format", name, ("auto", *FORMATS))
    return tuple(given or ())


class _Hash:
    """A hash that a file should have; `""` fits every file."""

    def __init__(self, digits, algorithm):
        digits = digits or ""
        if not isinstance(digits, str):
            raise TypeError(
                "`file_hash` of get_file() must be a string of hexadecimal digits. "
                f"Received: file_hash={digits!r}"
            )
        self.digits = digits.lower()
        if algorithm == "auto":
            algorithm = "sha256" if len(digits) == 64 else "md5"
        self.algorithm = algorithm

    def of(self, path):
        with open(path, "rb") as file:
            kind = hashlib.new(self.algorithm, usedforsecurity=False)
            return hashlib.file_digest(file, lambda: kind).hexdigest()

    def fits(self, path):
        return not self.digits or self.of(path) == self.digits


def _name(fname, origin):
    """Return the name of the file, which is no path."""
    if fname is None:
        parsed = urllib.parse.urlsplit(origin).path
        name = urllib.parse.unquote(PurePosixPath(parsed).name)
        if not name or parsed.endswith("/"):
            raise ValueError(
                f"{origin!r} does not end with the name of a file. Please specify the "
                "`fname` argument of get_file()."
            )
    else:
        name = os.fspath(check_path("get_file()", "fname", fname))
    bad = any(c in name for c in "/\\\0") or PureWindowsPath(name).drive
    if bad or name in (".", ".."):
        raise ValueError(
            "Paths are no longer accepted as the `fname` argument of get_file(): give "
            "the name of a file, and its folder as `cache_dir` or `cache_subdir`. "
            f"Received: fname={name!r}"
        )
    return name


def _places(folder, name, is_default, formats):
    """Return where the file is kept, and the folder of what is extracted or None."""
    if not formats:
        return folder / name, None
    suffix = PurePosixPath(name).suffix
    if is_default or not suffix:
        return folder / f"{name}_archive", folder / name
    stem = name.removesuffix(suffix).removesuffix(_BEFORE_COMPRESSION)
    return folder / name, folder / f"{stem}_extracted"


def _cache_folder(cache_dir, cache_subdir):
    """Return the folder of the file; make it if need be."""
    if cache_dir is None:
        default = os.environ.get("KERAS_HOME") or Path("~", ".keras").expanduser()
    else:
        default = check_path("get_file()", "cache_dir", cache_dir).expanduser()
    subfolder = check_path("get_file()", "cache_subdir", cache_subdir).expanduser()
    folder = Path(default) / subfolder
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if os.access(folder, os.W_OK) or cache_dir is not None or subfolder.is_absolute():
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    if folder.is_dir() and os.access(folder, os.R_OK):
        return folder  # what is there can be read
    return _temporary_cache() / subfolder


def _temporary_cache():
    """Return `.keras` in the folder of temporary files, if it is this user's alone."""
    folder = Path(tempfile.gettempdir(), ".keras")
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.stat()
    others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if hasattr(os, "getuid") and (status.st_uid != os.getuid() or others):
        raise PermissionError(
            f"The home folder cannot be written to, and others may write to {folder}. "
            "Set the environment variable KERAS_HOME to a folder for downloads."
        )
    return folder


def _download(origin, path, expected):
    """Save the file at `origin` as `path` when it is whole and has the hash."""
    scheme = urllib.parse.urlsplit(origin).scheme
    if scheme not in _SCHEMES:
        raise ValueError(
            f"`origin` of get_file() must be an address that begins with one of "
            f"{', '.join(f'{s}://' for s in _SCHEMES)}. Received: origin={origin!r}"
        )
    print_message(f"Downloading data from {origin}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _beside(path) as temporary:
        try:
            with _opened(origin) as response, open(temporary, "wb") as file:
                _copy(response, file, origin)
        except (OSError, http.client.HTTPException) as error:
            raise OSError(_unreachable(origin, path, expected, error)) from error
        if not expected.fits(temporary):
            raise DamagedFileError(
                f"Incomplete or corrupted file detected: what {origin} sent has the "
                f"{expected.algorithm} hash {expected.of(temporary)}, not "
                f"{expected.digits}. It was not saved."
            )
        os.replace(temporary, path)


@contextlib.contextmanager
def _beside(path):
    """Yield the path of a new file beside `path`, which is removed if it is left."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:60]}.")
    os.close(handle)
    os.chmod(name, 0o666 & ~_umask())
    try:
        yield name
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(name)


def _umask():
    value = os.umask(0o077)
    os.umask(value)
    return value


def _unreachable(origin, path, expected, error):
    reason = getattr(error, "reason", None) or error
    code = f"{error.code} " if isinstance(error, urllib.error.HTTPError) else ""
    its_hash = (
        f" Its {expected.algorithm} hash is {expected.digits}."
        if expected.digits
        else ""
    )
    return (
        f"URL fetch failure on {origin}: {code}{reason}. Without a connection, put the "
        f"file at {path}; it is used from there.{its_hash}"
    )


@contextlib.contextmanager
def _opened(origin) -> Iterator[Any]:
    opener = urllib.request.build_opener(_Redirects(origin))
    with opener.open(origin, timeout=_SECONDS) as response:
        yield response


def _copy(response, file, origin):
    """Copy what the server sends; it must be as long as it says."""
    length = response.headers.get("Content-Length")
    total = int(length) if length and length.isdigit() else None
    if total is not None and total > shutil.disk_usage(os.path.dirname(file.name)).free:
        raise OSError(f"its {total} bytes do not fit on the disk")
    bar = Progbar(total, unit_name="byte", interval=0.5)
    done = 0
    while chunk := response.read(_CHUNK):
        file.write(chunk)
        done += len(chunk)
        bar.update(done, finalize=False)
    bar.update(done, finalize=True)
    if total is not None and done != total:
        raise DamagedFileError(
            f"Incomplete or corrupted file detected: {origin} sent {done} of {total} "
            "bytes. Nothing was saved; try again."
        )


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirection, but from a public server to public ones alone."""

    def __init__(self, origin):
        self._from_public = not _is_private(origin)

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        scheme = urllib.parse.urlsplit(newurl).scheme
        if scheme not in ("http", "https"):
            raise UnsafeFileError(f"{req.full_url} redirects to {newurl}: refused.")
        if self._from_public and _is_private(newurl):
            raise UnsafeFileError(
                f"{req.full_url} redirects to {newurl}, an address in the network of "
                "this machine: refused."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_private(address):
    """Whether an address is one of this machine or its network; unknown ones are."""
    host = urllib.parse.urlsplit(address).hostname
    try:
        found = {item[4][0] for item in socket.getaddrinfo(host, None)}
        return not all(ipaddress.ip_address(ip).is_global for ip in found)
    except (OSError, UnicodeError, ValueError):
        return True
