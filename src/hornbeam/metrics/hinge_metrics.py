"""Means of the hinge losses."""

from __future__ import annotations

from hornbeam.losses.hinge_losses import categorical_hinge, hinge, squared_hinge
from hornbeam.metrics.reduction import MeanMetricWrapper
from hornbeam.typing import DTypePolicyLike


class Hinge(MeanMetricWrapper):
    """The mean of the hinge loss for labels -1 and 1.

    Args:
        name: default "hinge".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.Hinge()
    >>> metric.update_state([[1.0, -1.0]], [[0.5, -3.0]])
    >>> float(metric.result())
    0.25
    """

    def __init__(self, name: str | None = "hinge", dtype: DTypePolicyLike = None):
        super().__init__(fn=hinge, name=name, dtype=dtype)


class SquaredHinge(MeanMetricWrapper):
    """The mean of the squared hinge loss for labels -1 and 1.

    Args:
        name: default "squared_hinge".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.SquaredHinge()
    >>> metric.update_state([[1.0, -1.0]], [[0.0, -3.0]])
    >>> float(metric.result())
    0.5
    """

    def __init__(
        self, name: str | None = "squared_hinge", dtype: DTypePolicyLike = None
    ):
        super().__init__(fn=squared_hinge, name=name, dtype=dtype)


class CategoricalHinge(MeanMetricWrapper):
    """The mean of the hinge loss of one-hot labels.

    Args:
        name: default "categorical_hinge".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.CategoricalHinge()
    >>> metric.update_state([[0.0, 1.0]], [[1.0, 1.5]])
    >>> float(metric.result())
    0.5
    """

    def __init__(
        self, name: str | None = "categorical_hinge", dtype: DTypePolicyLike = None
    ):
        super().__init__(fn=categorical_hinge, name=name, dtype=dtype)
