"""KerasRegressor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.base import RegressorMixin

from hornbeam.wrappers.estimator import KerasEstimator, arguments_of
from hornbeam.wrappers.targets import Numbers

if TYPE_CHECKING:
    import numpy as np


class KerasRegressor(RegressorMixin, KerasEstimator):
    __doc__ = f"""A network as a scikit-learn regressor.
    {arguments_of(KerasEstimator)}
    The default network is trained on targets of mean 0 and variance 1.

    >>> import numpy as np
    >>> from hornbeam.wrappers import KerasRegressor
    >>> X = np.linspace(-1, 1, 64).reshape(-1, 1)
    >>> regressor = KerasRegressor(random_state=0).fit(X, 3 * X[:, 0] + 1)
    >>> regressor.score(X, 3 * X[:, 0] + 1) > 0.99
    True
    """

    _targets_are_numbers = True
    _target_kind = "numbers"

    def _learn_targets(self, y, classes):
        self.targets_: Any = Numbers(scaled=self._is_default)
        self.targets_.fit(y)
        self.target_type_: str = (
            "continuous" if y.ndim == 1 else "continuous-multioutput"
        )
        self.n_outputs_: int = self.targets_.columns
        self.n_outputs_expected_: int = 1
        self.output_layers_: Any = [(self.n_outputs_, "linear")]
        self.y_dtype_: Any = y.dtype
        self.y_ndim_: int = y.ndim

    def _encoded(self, y):
        return self.targets_.encode(y, self.outputs_)

    def predict(self, X: Any, **predict_arguments: Any) -> np.ndarray:
        """Return the predicted numbers, in the form of the targets.

        Args:
            X: the rows.
            **predict_arguments: arguments of the network's `predict`.
        """
        predicted = self._outputs_for(X, predict_arguments)
        return self.targets_.decode(predicted)
