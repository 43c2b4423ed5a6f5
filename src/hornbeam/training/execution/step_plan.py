"""What one step of a pass is, for a model and a mode."""


class StepPlan:
    """What one step is, for a model and a mode.

    Args:
        mode: "train", "test" or "predict".
        step: `step(batch) -> logs` (or outputs), on tensors.
        finish: `finish() -> logs`, or None where a step's logs are all there is.
        reset: `reset()` starts the metrics anew, or None where it is the user's.
        watched: the Variable that turns NaN with the loss, or None.
        kind: a hashable that names step and finish in a program's key.
        masked: whether a batch may be padded and masked.
        recorded: whether a step may be repeated from a record of its operations.
        jit: whether the user asked for a compiled step.
    """

    def __init__(
        self, mode, step, finish, reset, watched, kind, masked,
        recorded=False, jit=False,
    ):  # fmt: skip
        self.mode = mode
        self.step = step
        self.finish = finish
        self.reset = reset
        self.watched = watched
        self.kind = kind
        self.masked = masked
        self.recorded = recorded
        self.jit = jit
