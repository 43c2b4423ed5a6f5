"""Messages to the user: on the screen, or to the log."""

from __future__ import annotations

import logging
import sys

from hornbeam.config.switches import is_interactive_logging_enabled

logger: logging.Logger = logging.getLogger("hornbeam")


def print_message(message: str) -> None:
    """Print a line, or log it at level INFO where interactive logging is off."""
    if is_interactive_logging_enabled():
        # A program without a console has no `sys.stdout`, which `print` allows.
        print(message, flush=True)
    else:
        logger.info(message)


def is_in_notebook() -> bool:
    """Whether the program runs in the kernel of a notebook, which shows HTML."""
    ask = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = None if ask is None else ask()
    return type(shell).__name__ == "ZMQInteractiveShell"
