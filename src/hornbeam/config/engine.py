"""The choice of the engine, and of its device."""

from __future__ import annotations

from contextlib import AbstractContextManager

from hornbeam import backends
from hornbeam.backends import program_files
from hornbeam.typing import PathLike


def backend() -> str:
    """Return the name of the engine in force, such as `"jax"`.

    >>> import hornbeam as keras
    >>> with keras.config.backend_scope("numpy"):
    ...     print(keras.config.backend())
    numpy
    """
    return backends.default_name()


def set_backend(backend: str) -> None:
    """Use the engine `backend`, such as "jax" or "torch", from now on, in all threads.

    It may be called at any time. Models keep the engine that they were built on.
    """
    backends.set_default(backend)


def backend_scope(backend: str) -> AbstractContextManager[None]:
    """Return a block in which this thread uses the engine `backend`.

    >>> import hornbeam as keras
    >>> with keras.config.backend_scope("numpy"):
    ...     layer = keras.layers.Dense(2)
    ...     y = layer(keras.ops.ones((1, 3)))
    >>> layer.backend
    'numpy'
    """
    return backends.scope(backend)


def device() -> str:
    """Return the name of the device on which the engine in force makes new tensors.

    >>> import hornbeam as keras
    >>> with keras.config.backend_scope("numpy"):
    ...     print(keras.config.device())
    cpu:0
    """
    return backends.current().default_device()


def set_device(device: str | None) -> None:
    """Let the engine in force make new tensors on `device` from now on, in all threads.

    New weights, and the data of `fit`, `evaluate` and `predict`, go there. Each engine
    has its own setting; the environment variable `HORNBEAM_DEVICE` sets that of all
    but NumPy, and `with keras.device(...)` takes precedence over both. By default, a
    GPU that the engine can use comes first.

    Args:
        device: a name such as "cpu", "cuda:0" or "gpu:1"; None leaves it to the engine.

    Raises:
        ValueError: if there is no such device; the error lists the devices.
        RuntimeError: if TensorFlow, which can be told only before its first tensor,
            would have to change the GPUs that it uses.

    >>> import hornbeam as keras
    >>> keras.config.set_device("cpu")
    >>> keras.config.device()
    'cpu:0'
    >>> keras.config.set_device(None)
    """
    backends.current().set_default_device(device)


def compilation_cache() -> str | None:
    """Return the folder in which compiled programs are kept, or None.

    >>> import hornbeam as keras
    >>> keras.config.set_compilation_cache(None)
    >>> print(keras.config.compilation_cache())
    None
    """
    folder = program_files.folder()
    return None if folder is None else str(folder)


def set_compilation_cache(folder: PathLike | None) -> None:
    """Keep compiled programs in `folder` from now on, for later processes to use.

    A process that trains a structure that an earlier one trained need not compile it.
    The default folder is `hornbeam` in the user's cache folder; the
    environment variable `HORNBEAM_COMPILATION_CACHE` (a path, or "off") sets it too.
    The files take up to 512 MiB; the least recently used are deleted first. They are
    machine code: a folder in which other users may write is not used. JAX's programs
    are kept; PyTorch and TensorFlow manage their own.

    Args:
        folder: a path; it is created when needed. None: no programs are kept.
    """
    program_files.set_folder(folder)
