"""The version of the package."""


def version() -> str:
    """Return the version of hornbeam."""
    import hornbeam

    return hornbeam.__version__
