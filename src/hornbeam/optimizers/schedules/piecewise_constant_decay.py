"""PiecewiseConstantDecay: one rate between each two boundaries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hornbeam import ops
from hornbeam.core.config import floatx
from hornbeam.core.errors import check_number
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule
from hornbeam.typing import Tensor


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and with step `boundaries[0]`, then `values[1]`, and so on.

    Args:
        boundaries: increasing numbers of updates.
        values: the rates, one more than there are boundaries.
        name: a name.

    >>> import hornbeam as keras
    >>> rate = keras.optimizers.schedules.PiecewiseConstantDecay([100], [0.5, 0.125])
    >>> float(rate(100)), float(rate(101))
    (0.5, 0.125)
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of `boundaries` should be 1 less than the length of "
                f"`values`. Received: boundaries={boundaries} of length "
                f"{len(boundaries)}, and values={values} of length {len(values)}."
            )
        for argument, numbers in (("boundaries", boundaries), ("values", values)):
            for number in numbers:
                check_number(type(self).__name__, argument, number, low=0)
        if list(boundaries) != sorted(boundaries):
            raise ValueError(
                f"`boundaries` of {type(self).__name__} must rise. Received: "
                f"boundaries={boundaries}"
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Tensor) -> Tensor:
        # Whole numbers are compared as such: float32 confuses those above 2**24.
        passed = ops.greater(step, np.asarray(self.boundaries))
        place = ops.sum(ops.cast(passed, "int32"))
        return ops.take(np.asarray(self.values, floatx()), place)
