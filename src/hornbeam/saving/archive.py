"""`.keras` archives: zip files, or folders, with a config, weights and assets."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from hornbeam.core.zip_reader import MAX_MEMBERS, ZipReader, check_member_name
from hornbeam.typing import PathLike

CONFIG = "config.json"
METADATA = "metadata.json"
WEIGHTS = "model.weights.h5"
ASSETS = "assets"


class FolderReader:
    """A checked folder that was saved with `zipped=False`.

    Args:
        folder: its path.
    """

    def __init__(self, folder: PathLike):
        self._folder = Path(folder)
        self._members: dict[str, Path] = {}
        for path in self._folder.rglob("*"):
            name = check_member_name(path.relative_to(self._folder).as_posix())
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise UnsafeFileError(f"{name!r} in a saved model is a link.")
            if path.is_file():
                self._members[name] = path
            if len(self._members) > MAX_MEMBERS:
                raise UnsafeFileError(f"A folder has over {MAX_MEMBERS} files.")
        self.size: int = sum(path.stat().st_size for path in self._members.values())

    def names(self) -> list[str]:
        """Return the paths of all files in the folder."""
        return list(self._members)

    def member_size(self, name: str) -> int:
        """Return the number of bytes of the file, 0 where there is none."""
        return self._members[name].stat().st_size if name in self._members else 0

    def read(self, name: str, max_bytes: int | None = None) -> bytes:
        """Return the bytes of the file `name`, at most `max_bytes`."""
        if name not in self._members:
            raise DamagedFileError(f"The saved model is damaged: it has no {name!r}.")
        if max_bytes is not None and self.member_size(name) > max_bytes:
            raise UnsafeFileError(f"{name!r} has more than {max_bytes} bytes.")
        return self._members[name].read_bytes()

    def source(self, name: str, stack: contextlib.ExitStack | None = None) -> Path:
        """Return the path of the file `name`; there is no checksum to compare."""
        if name not in self._members:
            raise DamagedFileError(f"The saved model is damaged: it has no {name!r}.")
        return self._members[name]

    def close(self) -> None:
        """A folder needs no closing."""


@contextlib.contextmanager
def opened(source: Any) -> Iterator[ZipReader | FolderReader]:
    """Open an archive, a zip file or a folder, for reading."""
    reader: ZipReader | FolderReader
    if isinstance(source, Path) and source.is_dir():
        reader = FolderReader(source)
    else:
        reader = ZipReader(source)
    try:
        yield reader
    finally:
        reader.close()


@contextlib.contextmanager
def extracted_assets(reader: ZipReader | FolderReader) -> Iterator[Path | None]:
    """Yield a temporary folder with the archive's assets, None where it has none."""
    names = [n for n in reader.names() if n.startswith(f"{ASSETS}/")]
    if not names:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in names:
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(reader.read(name))
        yield root / ASSETS


def write_zip(target: Any, folder: Path) -> None:
    """Put the files of `folder` into a zip at `target`, a path or a file object."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in _files(folder):
            archive.write(path, path.relative_to(folder).as_posix())


def keep_other_files(folder: Path, new: Path) -> None:
    """Link what stands in `folder` beside the parts of a model into `new`."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name in (CONFIG, METADATA, WEIGHTS, ASSETS):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, new / path.name, symlinks=True, copy_function=os.link)
        else:
            os.link(path, new / path.name, follow_symlinks=False)


def _files(folder):
    """The small files first, as readers want them."""
    order = {METADATA: 0, CONFIG: 1, WEIGHTS: 2}
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return sorted(files, key=lambda path: order.get(path.name, 3))
