"""Metric: a running quantity, kept in Variables, so that programs can update it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam.core import config, dtypes
from hornbeam.core.configurable import Configurable
from hornbeam.core.errors import check_number
from hornbeam.core.naming import auto_name
from hornbeam.core.scopes import StatelessScope, name_scope
from hornbeam.core.variable import Aggregation, Variable, values_of
from hornbeam.losses.loss import is_ours, standardize_compute_dtype
from hornbeam.typing import (
    Config,
    DTypeLike,
    DTypePolicyLike,
    ShapeLike,
    Tensor,
    TensorLike,
)


class Metric(Configurable):
    """The base of metrics: subclasses write `update_state` and `result`.

    State is made with `add_variable` in `__init__` and changed with `assign`.
    `_direction`, of a class or an object, is "up" or "down": which values are better,
    for callbacks with `mode="auto"`.

    Args:
        dtype: dtype of the state, or a dtype policy (its compute dtype); default
            `floatx()`.
        name: default: generated from the class name.

    >>> import hornbeam as keras
    >>> class Largest(keras.metrics.Metric):
    ...     def __init__(self, name="largest"):
    ...         super().__init__(name=name)
    ...         self.largest = self.add_variable((), "zeros", name="largest")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         value = keras.ops.max(y_pred)
    ...         self.largest.assign(keras.ops.maximum(self.largest, value))
    ...     def result(self):
    ...         return keras.ops.convert_to_tensor(self.largest)
    >>> metric = Largest()
    >>> metric.update_state([0.0], [3.0])
    >>> float(metric.result())
    3.0
    """

    _set_by_init: str = "_dtype"
    _direction: str | None = None
    # Whether the state must be floats, even where `dtype` is an integer one.
    _is_real = False

    def __init__(self, dtype: DTypePolicyLike = None, name: str | None = None):
        self.name: str = name or auto_name(type(self).__name__)
        self._dtype = standardize_compute_dtype(dtype)
        self._variables: list[Variable] = []

    @property
    def dtype(self) -> str:
        """The dtype of the state."""
        if self._is_real and not dtypes.is_float_dtype(self._dtype):
            return config.floatx()
        return self._dtype

    def get_config(self) -> Config:
        """Return the arguments that make an equal metric."""
        settings = super().get_config()
        return {**settings, "dtype": self._dtype} if "dtype" in settings else settings

    @property
    def variables(self) -> list[Variable]:
        """The metric's Variables, and those of metrics that it holds."""
        variables = {id(v): v for v in self._variables}
        _collect(list(vars(self).values()), variables)
        return list(variables.values())

    @property
    def accepts_padding(self) -> bool:
        """Whether rows with weight 0 are ignored exactly, as a padded batch needs.

        True for the library's metrics; unknown for others.
        """
        return is_ours(type(self))

    def add_variable(
        self,
        shape: ShapeLike,
        initializer: str | Callable[..., Any] | TensorLike,
        dtype: DTypeLike = None,
        aggregation: Aggregation = "sum",
        name: str | None = None,
    ) -> Variable:
        """Add a Variable to the state.

        Args:
            shape: its shape.
            initializer: a name, an initializer or a value.
            dtype: default: the metric's dtype.
            aggregation: how replicas combine; default "sum".
            name: default: generated.
        """
        self._check_initialized()
        with name_scope(self.name.replace("/", ">"), caller=self):
            variable = Variable(
                initializer,
                shape=shape,
                dtype=dtype or self.dtype,
                trainable=False,
                autocast=False,
                aggregation=aggregation,
                synchronization="on_read",
                name=name,
            )
        self._variables.append(variable)
        return variable

    def add_weight(
        self,
        shape: ShapeLike = (),
        initializer: str | Callable[..., Any] | TensorLike | None = None,
        dtype: DTypeLike = None,
        name: str | None = None,
    ) -> Variable:
        """Add a Variable to the state, by default a scalar zero."""
        return self.add_variable(
            shape=shape, initializer=initializer or "zeros", dtype=dtype, name=name
        )

    def build(self, y_true_shape: ShapeLike, y_pred_shape: ShapeLike) -> None:
        """Make the state that depends on the shapes of targets and predictions."""

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Update the state with a batch; subclasses write this."""
        raise NotImplementedError(f"{type(self).__name__} must write `update_state`.")

    def result(self) -> Tensor:
        """Return the metric's value, a tensor or a dict; subclasses write this."""
        raise NotImplementedError(f"{type(self).__name__} must write `result`.")

    def reset_state(self) -> None:
        """Set the state to zeros."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape))

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        """Update the state with a batch and return the value so far."""
        self._check_initialized()
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(
        self, metric_variables: Sequence[Tensor], *args: Any, **kwargs: Any
    ) -> list[Tensor]:
        """Return the state after a batch, given the state before it as a list."""
        with self._stateless(metric_variables) as scope:
            self.update_state(*args, **kwargs)
        return [scope.get_current_value(v) for v in self.variables]

    def stateless_result(self, metric_variables: Sequence[Tensor]) -> Tensor:
        """Return the value for a given state."""
        with self._stateless(metric_variables):
            return values_of(self.result())

    def stateless_reset_state(self) -> list[Tensor]:
        """Return the state as `reset_state` would leave it."""
        with StatelessScope() as scope:
            self.reset_state()
        values = [scope.get_current_value(v) for v in self.variables]
        return [
            v.value if new is None else new
            for v, new in zip(self.variables, values, strict=True)
        ]

    def _stateless(self, metric_variables):
        variables = self.variables
        if len(metric_variables) != len(variables):
            raise ValueError(
                "Argument `metric_variables` must hold one tensor for each variable of "
                f"{self!r}. Expected {len(variables)}, received "
                f"{len(metric_variables)}."
            )
        return StatelessScope(
            state_mapping=zip(variables, metric_variables, strict=True)
        )

    def _check_initialized(self):
        if "_variables" not in vars(self):
            raise RuntimeError(
                f"{type(self).__name__}.__init__ must call `super().__init__()` before "
                "the metric is used."
            )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _collect(values, variables):
    """Add to `found` the Variables in lists, dicts and metrics."""
    for value in values:
        if isinstance(value, Variable):
            variables.setdefault(id(value), value)
        elif isinstance(value, Metric):
            _collect(value.variables, variables)
        elif isinstance(value, list | tuple | dict):
            _collect(value.values() if isinstance(value, dict) else value, variables)


def positive_count(metric: Metric, argument: str, value: Any, low: int = 1) -> Any:
    """Return `value` if it is an integer >= `low`, or None."""
    if value is None:
        return None
    return check_number(type(metric).__name__, argument, value, low, integer=True)


def check_two_axes(
    owner: str, y_true_shape: ShapeLike, y_pred_shape: ShapeLike
) -> None:
    """Raise unless predictions are `(batch, outputs)` and targets the same.

    Targets of one output may lack the last axis.
    """
    target, output = tuple(y_true_shape), tuple(y_pred_shape)
    if len(target) == 1 and len(output) == 2 and output[1] == 1:
        target = (*target, 1)
    shapes = f"Received input shapes: y_pred.shape={output} and y_true.shape={target}."
    if len(output) != 2 or len(target) != 2:
        one_hot = len(output) == 2 and len(target) == 1
        fix = " Class indices must be one-hot: `keras.ops.one_hot(y_true, n)`."
        raise ValueError(
            f"{owner} expects 2D inputs with shape (batch_size, output_dim). {shapes}"
            f"{fix if one_hot else ''}"
        )
    if output[-1] is None or target[-1] is None:
        raise ValueError(
            f"{owner} expects 2D inputs with shape (batch_size, output_dim), with "
            f"output_dim fully defined (not None). {shapes}"
        )
