"""Threads that use one model at the same time.

A model is trained by one thread at a time, and its metrics belong to one pass: `fit`
in a second thread is an error, and short calls wait for each other. While another
thread trains, `predict` may run, the model or a layer of it may be called, and weights
may be read: all see the weights of one step. They wait for the steps that are under
way, whose program takes the memory of the weights for their new values.
"""

from __future__ import annotations

import collections
import contextlib
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

from hornbeam.core import scopes

_WAIT_SECONDS = 0.02


# How many fits each thread is in. A thread changes its own entry alone.
_fits_of_threads: collections.Counter[int] = collections.Counter()


def another_thread_trains() -> bool:
    """Whether a fit is under way, of whatever model, and none in this thread."""
    fits = _fits_of_threads
    return bool(fits) and threading.get_ident() not in fits


class Turns:
    """Who uses a model.

    Attributes:
        steps: a lock that is held while steps run.
    """

    def __init__(self) -> None:
        self.steps: threading.RLock = threading.RLock()
        self._metrics = threading.RLock()
        self._fits = 0
        self._trained_in: int | None = None

    @contextlib.contextmanager
    def of(self, model: Any, method: str) -> Iterator[None]:
        """A block in which `method` uses the model's weights and metrics alone."""
        while not self._metrics.acquire(timeout=_WAIT_SECONDS):
            if self._fits:
                raise RuntimeError(
                    f"Model {model.name!r} is being trained by fit() in another "
                    f"thread, so {method}() cannot use its weights and metrics now. "
                    "Wait for that thread, or give each thread a model: "
                    "`keras.models.clone_model(model)`. predict() can be called "
                    "meanwhile."
                )
        self._fits += method == "fit"
        self._trained_in = thread = threading.get_ident()
        fits = 1 if method == "fit" else 0
        _fits_of_threads[thread] += fits
        try:
            yield
        finally:
            self._fits -= fits
            _fits_of_threads[thread] -= fits
            if not _fits_of_threads[thread]:
                del _fits_of_threads[thread]
            self._metrics.release()

    def is_training_elsewhere(self) -> bool:
        """Whether a fit is under way in another thread."""
        return self._fits > 0 and self._trained_in != threading.get_ident()


@contextlib.contextmanager
def between_steps(variables: Iterable[Any]) -> Iterator[None]:
    """A block in which no model's steps run that assign one of the variables."""
    used = {turns for v in variables for turns in v._turns or ()}
    if not used or scopes.stateless_scope() is not None:
        yield
        return
    first, *others = (turns.steps for turns in used)
    while True:
        with contextlib.ExitStack() as held:
            held.enter_context(first)
            for steps in others:
                # Whoever has this one may wait for those that are held here.
                if not steps.acquire(timeout=_WAIT_SECONDS):
                    break
                held.callback(steps.release)
            else:
                yield
                return


# Apart from the models, which are copied and pickled.
_turns: weakref.WeakKeyDictionary[Any, Turns] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def turns(model: Any) -> Turns:
    """Return the Turns of a model."""
    with _making:
        return _turns.setdefault(model, Turns())
