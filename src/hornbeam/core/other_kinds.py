"""What a file is that should be another one: told by its first bytes."""

from __future__ import annotations

from hornbeam.core.errors import DamagedFileError

# More than any of the starts, and the spaces before a page.
HEAD_SIZE = 64

_STARTS = {
    b"version https://git-lfs": "a pointer of Git LFS. `git lfs pull` gets the file",
    b"\x1f\x8b": "compressed with gzip. Unpack it first",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file. Its name should end in `.h5`",
    b"PK\x03\x04": "a zip archive. The name of a model in it should end in `.keras`",
    b"\x80": "a pickle, which holds code and is not read",
    b"<": "a page of the web. The download gave that instead of the file",
}


def check_kind(head: bytes, what: str, expected: bytes) -> None:
    """Raise if a file is known to be of another kind.

    Args:
        head: its first bytes.
        what: the name of the file, for the error.
        expected: what a file of the right kind begins with.
    """
    if not head:
        raise DamagedFileError(f"{what} is damaged: it is empty.")
    for start, kind in _STARTS.items():
        if start != expected and head.lstrip().startswith(start):
            raise DamagedFileError(
                f"{what} is damaged, or of another kind: it is {kind}."
            )
