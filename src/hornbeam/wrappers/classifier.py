"""KerasClassifier."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from hornbeam.core import tree
from hornbeam.wrappers.estimator import KerasEstimator, arguments_of
from hornbeam.wrappers.targets import Classes, one_column


def _gives_probabilities(estimator):
    outputs: Any = getattr(estimator, "outputs_", None)
    return outputs is None or not any(outputs.margins)


def _gives_scores(estimator):
    outputs: Any = getattr(estimator, "outputs_", None)
    return outputs is not None and any(outputs.margins + outputs.logits)


class KerasClassifier(ClassifierMixin, KerasEstimator):
    __doc__ = f"""A network as a scikit-learn classifier.
    {arguments_of(KerasEstimator)}
    >>> import numpy as np
    >>> import hornbeam as keras
    >>> from hornbeam.wrappers import KerasClassifier
    >>> def create_model(units=8):
    ...     return keras.Sequential(
    ...         [keras.layers.Dense(units, "relu"), keras.layers.Dense(1, "sigmoid")])
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]] * 8)
    >>> y = np.array(["low", "low", "high", "high"] * 8)
    >>> classifier = KerasClassifier(create_model, units=16, epochs=100, random_state=0)
    >>> classifier.fit(X, y).predict([[0.0], [3.0]])
    array(['low', 'high'], dtype='<U4')
    """

    classes_: Any
    n_classes_: int | list[int]
    _targets_are_numbers = False

    @property
    def _target_kind(self):
        return self.target_type_

    # The order of the arguments is that of scikit-learn's classifiers.
    def partial_fit(  # type: ignore[override]
        self,
        X: Any,
        y: Any,
        classes: Any = None,
        sample_weight: Any = None,
        **fit_arguments: Any,
    ) -> Self:
        """Train for one more epoch; return the estimator.

        Args:
            X: the rows.
            y: the labels.
            classes: all labels that will occur; needed where `y` lacks some at first.
            sample_weight: weights of the rows. Default: None.
            **fit_arguments: arguments of the network's `fit`.
        """
        fit_arguments = {"epochs": 1, **fit_arguments}
        fresh = not self.initialized_
        return self._fit(X, y, sample_weight, fit_arguments, fresh, classes)

    def _validated(self, X, y, fresh):
        X, y = super()._validated(X, y, fresh)
        return X, one_column(y, self)

    def _learn_targets(self, y, classes):
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if classes is not None and kind in ("binary", "multiclass"):
            kind = "multiclass" if len(np.unique(classes)) > 2 else "binary"
        self.targets_: Any = Classes()
        self.targets_.fit(y, kind, classes)
        self.target_type_: str = kind
        self.classes_ = self.targets_.classes
        counts = [len(labels.classes) for labels in self.targets_.labels]
        self.n_classes_ = counts[0]
        if kind == "multiclass-multioutput":
            self.n_classes_ = counts
            layers = [(n, "softmax") for n in counts]
        elif kind == "multilabel-indicator":
            self.n_classes_ = self.targets_.columns
            layers = [(self.targets_.columns, "sigmoid")]
        else:
            layers = [(1, "sigmoid") if counts[0] <= 2 else (counts[0], "softmax")]
        self.output_layers_: Any = layers
        self.n_outputs_: int = self.targets_.columns
        self.n_outputs_expected_: int = len(layers)
        self.y_dtype_: Any = y.dtype
        self.y_ndim_: int = y.ndim

    def _encoded(self, y):
        return self.targets_.encode(y, self.outputs_)

    def predict(self, X: Any, **predict_arguments: Any) -> np.ndarray:
        """Return the predicted labels.

        Args:
            X: the rows.
            **predict_arguments: arguments of the network's `predict`.
        """
        predicted = self._outputs_for(X, predict_arguments)
        return self.targets_.decode(predicted, self.outputs_)

    @available_if(_gives_probabilities)
    def predict_proba(self, X: Any, **predict_arguments: Any) -> Any:
        """Return the probability of each class; with several outputs a list.

        Args:
            X: the rows.
            **predict_arguments: arguments of the network's `predict`.
        """
        predicted = self._outputs_for(X, predict_arguments)
        return self.targets_.probabilities(predicted, self.outputs_)

    @available_if(_gives_probabilities)
    def predict_log_proba(self, X: Any, **predict_arguments: Any) -> Any:
        """Return the logarithm of the probability of each class.

        Args:
            X: the rows.
            **predict_arguments: arguments of the network's `predict`.
        """
        probabilities = self.predict_proba(X, **predict_arguments)
        with np.errstate(divide="ignore"):
            return tree.map_structure(np.log, probabilities)

    @available_if(_gives_scores)
    def decision_function(self, X: Any, **predict_arguments: Any) -> Any:
        """Return the scores of the classes, of a network that gives no probabilities.

        With two classes it is one score, positive for the second class; with several
        outputs a list.

        Args:
            X: the rows.
            **predict_arguments: arguments of the network's `predict`.
        """
        return self._decisions(X, predict_arguments)

    def _decisions(self, X, predict_arguments):
        predicted = self._outputs_for(X, predict_arguments)
        if self.target_type_ == "multilabel-indicator" and not self.outputs_.several:
            limit = self.outputs_.thresholds[0]
            if self.targets_.exclude(self.outputs_):
                limit = np.partition(predicted, -2, axis=1)[:, -2:-1]
            return predicted - limit
        if self.target_type_ != "binary":
            return predicted
        if predicted.shape[-1] == 1:
            return predicted.reshape(-1) - self.outputs_.thresholds[0]
        return predicted[:, 1] - predicted[:, 0]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the fraction of rows of which all labels are right.

        Args:
            X: the rows.
            y: the labels.
            sample_weight: weights of the rows. Default: None.
        """
        check_is_fitted(self)
        if self.target_type_ != "multiclass-multioutput":
            return super().score(X, y, sample_weight)
        right = np.all(self.predict(X) == np.asarray(y), axis=1)
        return float(np.average(right, weights=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
