"""The choice of the engine."""

from hornbeam import backends


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


def backend_scope(backend: str):
    """Return a block in which this thread uses the engine `backend`.

    >>> import hornbeam as keras
    >>> with keras.config.backend_scope("numpy"):
    ...     layer = keras.layers.Dense(2)
    ...     y = layer(keras.ops.ones((1, 3)))
    >>> layer.backend
    'numpy'
    """
    return backends.scope(backend)
