"""What one step of a pass is, for a model and a mode."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hornbeam.core.variable import Variable


@dataclasses.dataclass(frozen=True)
class StepPlan:
    """What one step is, for a model and a mode.

    Attributes:
        mode: "train", "test" or "predict".
        step: `step(batch) -> logs` (or outputs), on tensors.
        kind: a hashable that names step and finish in a program's key.
        masked: whether a batch may be padded and masked.
        finish: `finish() -> logs`, or None where a step's logs are all there is.
        reset: `reset()` starts the metrics anew, or None where it is the user's.
        watched: the Variable that turns NaN with the loss, or None.
        recorded: whether a step may be repeated from a record of its operations.
        jit: whether the user asked for a compiled step.
    """

    mode: str
    step: Callable[[Any], Any]
    kind: tuple[Any, ...]
    masked: bool
    recorded: bool
    jit: bool
    finish: Callable[[], Any] | None = None
    reset: Callable[[], Any] | None = None
    watched: Variable | None = None

    @property
    def resets(self) -> bool:
        """Whether a pass that begins with its first step starts the metrics anew."""
        return self.finish is not None and self.reset is not None

    @property
    def assigns(self) -> bool:
        """Whether a step may assign Variables.

        One of predict does so only if a part may keep state (stateful, a user's).
        """
        return self.mode != "predict" or not self.masked
