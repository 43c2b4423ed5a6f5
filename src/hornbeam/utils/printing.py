"""Messages to the user: on the terminal, or to the log."""

import logging
import sys

from hornbeam.core.errors import check_choice

logger = logging.getLogger("hornbeam")
_settings = {"interactive": True}


def enable_interactive_logging() -> None:
    """Let messages and progress bars go to standard output (the default)."""
    _settings["interactive"] = True


def disable_interactive_logging() -> None:
    """Let messages go to the logger `"hornbeam"`, at level INFO."""
    _settings["interactive"] = False


def is_interactive_logging_enabled() -> bool:
    """Return whether messages go to standard output.

    >>> import hornbeam as keras
    >>> keras.config.is_interactive_logging_enabled()
    True
    """
    return _settings["interactive"]


def set_logging_verbosity(level: str) -> None:
    """Set the level of the logger: FATAL, ERROR, WARNING, INFO or DEBUG."""
    choices = ("FATAL", "ERROR", "WARNING", "INFO", "DEBUG")
    logger.setLevel(check_choice("set_logging_verbosity()", "level", level, choices))


def print_message(message: str) -> None:
    """Print a line, or log it where interactive logging is off."""
    if is_interactive_logging_enabled():
        sys.stdout.write(f"{message}\n")
        sys.stdout.flush()
    else:
        logger.info(message)
