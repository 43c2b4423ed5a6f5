"""What is shown while a program is compiled."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from hornbeam.config.switches import is_interactive_logging_enabled
from hornbeam.utils.printing import is_in_notebook, logger

_SECONDS_BETWEEN_DISPLAYS = 0.2


@contextlib.contextmanager
def compile_notice(show: Callable[[str], None] | None = None) -> Iterator[None]:
    """A block that compiles, shown as "compiling ..." with its seconds.

    Args:
        show: `show(text)` puts a text into a live display; it is called a few times a
            second, and with "" at the end. Default: None (a line of text)
    """
    started = time.perf_counter()
    ended = threading.Event()
    seconds = lambda: f"{time.perf_counter() - started:.1f}s"  # noqa: E731

    def keep_showing(show):
        while not ended.is_set():
            show(f"compiling ... {seconds()}")
            ended.wait(_SECONDS_BETWEEN_DISPLAYS)
        show("")

    if show is None:
        _write("compiling ... ", "compiling ...")
        try:
            yield
        finally:
            _write(f"{seconds()}\n", f"compiled in {seconds()}")
        return
    thread = threading.Thread(target=keep_showing, args=(show,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        # Above a bar of a terminal a line of it stays; a notebook's display is enough.
        if not is_in_notebook():
            _write(f"compiling ... {seconds()}\n", f"compiled in {seconds()}")


def _write(text, log):
    if is_interactive_logging_enabled():
        print(text, end="", flush=True)
    else:
        logger.info(log)
