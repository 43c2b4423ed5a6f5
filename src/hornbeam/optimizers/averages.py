"""Averages of the variables, which `use_ema=True` keeps beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam import ops
from hornbeam.core.variable import Variable
from hornbeam.optimizers.state import OptimizerState
from hornbeam.typing import Tensor


class Averages(OptimizerState):
    """The part of an optimizer that keeps moving averages; see `Optimizer`."""

    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    iterations: Tensor
    _is_swapped: bool
    _trainable_variables: list[Variable]
    _model_variables_moving_average: list[Variable]
    _get_variable_index: Any

    def _update_averages(self, variables):
        """Move the averages; the first update sets them to the variables."""
        started = ops.cast(ops.not_equal(self.iterations, 0), "float32")
        momentum = started * self.ema_momentum
        n = self.ema_overwrite_frequency
        is_due = ops.equal(ops.mod(self.iterations + 1, n), 0) if n else False
        for variable in variables:
            average = self._model_variables_moving_average[
                self._get_variable_index(variable)
            ]
            a = ops.cast(momentum, variable.dtype)
            mean = a * average.value + (1 - a) * variable.value
            average.assign(mean)
            if n:
                variable.assign(ops.where(is_due, mean, variable.value))

    def swap_averages(self) -> None:
        """Let the variables and their averages (`use_ema=True`) change places."""
        self._is_swapped = not self._is_swapped
        pairs = zip(
            self._trainable_variables, self._model_variables_moving_average, strict=True
        )
        for variable, average in pairs:
            weights = variable.numpy()
            variable.assign(average.numpy())
            average.assign(weights)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Set the variables to what training ends with: their average, if kept."""
        if not self.use_ema:
            return
        if self._is_swapped:
            self.swap_averages()
        for variable in var_list:
            average = self._model_variables_moving_average[
                self._get_variable_index(variable)
            ]
            # A copy: an engine may give the memory of a variable to its next program.
            variable.assign(ops.copy(average))
