"""Regular expressions that a config brings with it."""

from __future__ import annotations

import re
from typing import Any

from hornbeam.core import budget
from hornbeam.core.errors import UnsafeFileError

_LONGEST_PATTERN = 200
_QUANTIFIER_OF_GROUP = re.compile(r"[)*+?}][*+?{]")


def check(pattern: Any) -> None:
    """Raise if a pattern in a config could match in more than linear time or so.

    Python's regular expressions backtrack: nested repetition takes exponential time.
    """
    if not budget.in_force() or not isinstance(pattern, str):
        return
    plain = re.sub(r"\\[^1-9]", "a", pattern[: _LONGEST_PATTERN + 1])
    plain = re.sub(r"\[\^?\]?[^\]]*\]", "a", plain)
    plain = re.sub(r"([*+?}])\?", r"\1", plain).replace("(?:", "(")
    repeats = sum(map(plain.count, "*+{"))
    if (
        len(pattern) > _LONGEST_PATTERN
        or _QUANTIFIER_OF_GROUP.search(plain)
        or "(?" in plain
        or "\\" in plain
        or repeats > 2
        or plain.count("?") > 4
        or plain.count("(") > 3
    ):
        raise UnsafeFileError(
            f"The regular expression {pattern[:100]!r} in the config may take "
            f"very long. In configs they have at most {_LONGEST_PATTERN} characters, 2 "
            "repetitions, 3 groups, and no repeated groups. Set it in code."
        )
