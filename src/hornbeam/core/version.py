"""The version of the package."""

from __future__ import annotations


def version() -> str:
    """Return the version of hornbeam."""
    import hornbeam

    return hornbeam.__version__
