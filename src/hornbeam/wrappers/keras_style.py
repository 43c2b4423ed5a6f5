"""Keras's own estimators: the builder sees the data, and a dict holds its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from hornbeam.wrappers.classifier import KerasClassifier
from hornbeam.wrappers.estimator import KerasEstimator
from hornbeam.wrappers.regressor import KerasRegressor
from hornbeam.wrappers.targets import Numbers
from hornbeam.wrappers.transformer import KerasTransformer

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from hornbeam.models.model import Model

_ARGUMENTS = """
    Args:
        model: a model, compiled or not, of which each `fit` takes a copy, or a function
            `(X, y, **model_kwargs)` that makes one; `y` has the form in which the
            network gets it: class labels are one-hot, numbers a table.
        warm_start: whether `fit` continues with the network of the last one. Default:
            False.
        model_kwargs: arguments of the function. Default: None.
        fit_kwargs: arguments of the model's `fit`. Default: None.
"""


class _KerasStyle(KerasEstimator):
    """What the three share: four parameters, and nothing is written into them."""

    # What the parent reads of an estimator and these do not have as parameters.
    build_fn = optimizer = loss = metrics = callbacks = epochs = batch_size = None
    class_weight = random_state = output_layer = None
    early_stopping = run_eagerly = False
    validation_split, shuffle, verbose = 0.0, True, 0
    _default_builder = None
    __metadata_request__fit = {"sample_weight": None}  # noqa: RUF012

    def __init__(
        self,
        model: Model | Callable[..., Any],
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    # Keras's signature has no `sample_weight`; it is one of the keywords.
    def fit(self, X: Any, y: Any, **kwargs: Any) -> Self:  # type: ignore[override]
        """Train a network from scratch (or on, with `warm_start`).

        Args:
            X: the rows.
            y: the targets.
            **kwargs: arguments of the model's `fit`, for this call alone.
        """
        arguments = {**(self.fit_kwargs or {}), **kwargs}
        sample_weight = arguments.pop("sample_weight", None)
        fresh = not (self.warm_start and self.initialized_)
        return self._fit(X, y, sample_weight, arguments, fresh)

    def _routed(self, route):
        return {}

    def _call_builder(self, builder, X, y):
        return builder(X, self._for_builder(y), **(self.model_kwargs or {}))

    def _for_builder(self, y):
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # How well it does is up to the user's network and one epoch, as in Keras.
        for kind in (tags.classifier_tags, tags.regressor_tags):
            if kind is not None:
                kind.poor_score = True
        return tags

    @property
    def epoch_(self) -> int:
        """How many epochs the network was trained for."""
        return self.current_epoch


class SKLearnClassifier(_KerasStyle, KerasClassifier):
    __doc__ = f"""A classifier with the arguments of Keras's own.
    {_ARGUMENTS}
    >>> import numpy as np
    >>> import hornbeam as keras
    >>> from hornbeam.wrappers import SKLearnClassifier
    >>> def build(X, y, units=8):
    ...     model = keras.Sequential([
    ...         keras.Input(X.shape[1:]), keras.layers.Dense(units, "relu"),
    ...         keras.layers.Dense(y.shape[1], "softmax")])
    ...     model.compile(loss="categorical_crossentropy", optimizer="adam")
    ...     return model
    >>> X, y = np.array([[0.0], [1.0]] * 32), np.array(["no", "yes"] * 32)
    >>> classifier = SKLearnClassifier(build, fit_kwargs={{"epochs": 60}})
    >>> classifier.fit(X, y).classes_.tolist()
    ['no', 'yes']
    """

    def _for_builder(self, y):
        if self.target_type_ not in ("binary", "multiclass"):
            return y
        labels = self.targets_.labels[0]
        return labels.encode(y, max(2, len(labels.classes)), one_hot=True)

    def decision_function(self, X: Any) -> Any:
        """Return the scores of the classes: with two, of the second over the first.

        Args:
            X: the rows.
        """
        return self._decisions(X, {})


class SKLearnRegressor(_KerasStyle, KerasRegressor):
    __doc__ = f"""A regressor with the arguments of Keras's own.
    {_ARGUMENTS}
    >>> import numpy as np
    >>> import hornbeam as keras
    >>> from hornbeam.wrappers import SKLearnRegressor
    >>> def build(X, y):
    ...     return keras.Sequential([keras.layers.Dense(y.shape[1])])
    >>> X = np.arange(8.0).reshape(-1, 1)
    >>> SKLearnRegressor(build).fit(X, X[:, 0]).predict(X).shape
    (8,)
    """


class SKLearnTransformer(_KerasStyle, KerasTransformer):  # type: ignore[misc]
    __doc__ = f"""A transformer with the arguments of Keras's own.
    {_ARGUMENTS}
    >>> import numpy as np
    >>> import hornbeam as keras
    >>> from hornbeam.wrappers import SKLearnTransformer
    >>> def build(X, y):
    ...     return keras.Sequential([keras.layers.Dense(2)])
    >>> X = np.ones((8, 3))
    >>> SKLearnTransformer(build).fit(X, X[:, :2]).transform(X).shape
    (8, 2)
    """

    def _learn_targets(self, y, classes):
        self.targets_: Any = Numbers(scaled=False)
        self.targets_.fit(y)

    def predict(self, X: Any) -> np.ndarray:
        """Return what the network gives for the rows, in the form of the targets.

        Args:
            X: the rows.
        """
        predicted = self._outputs_for(X, {})
        return self.targets_.decode(predicted)
