"""Vocabularies in text files: read when a layer is made, never from a config."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbeam.core.errors import UnsafeFileError

if TYPE_CHECKING:
    from hornbeam.typing import Config, PathLike


def read(owner: str, path: PathLike, encoding: str) -> list[str]:
    """Return the tokens of a file with one in each line; `owner` is for errors."""
    file = Path(path)
    if not file.is_file():
        raise ValueError(
            f"{owner}: vocabulary file {str(path)!r} does not exist. `vocabulary` is a "
            "list of tokens, or the path of a text file with one in each line."
        )
    return file.read_text(encoding).splitlines()


def refuse_path(cls: Any, config: Config) -> None:
    """Raise if the vocabulary of a config is the path of a file: CVE-2025-12058."""
    if isinstance(config.get("vocabulary"), str):
        raise UnsafeFileError(
            f"The config of {cls.__name__} names a file, {config['vocabulary']!r}, and "
            "a config from a file may not have a file opened. Expected a list of "
            "tokens. Make the layer yourself with `vocabulary=path`: it is read then, "
            "and saved with the model."
        )
