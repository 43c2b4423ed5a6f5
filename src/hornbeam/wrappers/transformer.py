"""KerasTransformer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import validate_data

from hornbeam import Model
from hornbeam.wrappers.default_network import ENCODING, default_autoencoder
from hornbeam.wrappers.estimator import KerasEstimator, arguments_of
from hornbeam.wrappers.features import as_rows, dense
from hornbeam.wrappers.network_outputs import output_shapes
from hornbeam.wrappers.targets import Classes, Numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from hornbeam.models.model import Model
    from hornbeam.typing import (
        LossLike,
        MetricLike,
        OptimizerLike,
        PerOutput,
        Verbosity,
    )


class KerasTransformer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, KerasEstimator
):
    __doc__ = f"""A network as a scikit-learn transformer: what a layer of it gives.
    {arguments_of(KerasEstimator).rstrip()}
        output_layer: the name of the layer whose output is the result. Default: the
            last one. Without a model: the middle one of an autoencoder.

    Without targets the network learns to give back its input.

    >>> import numpy as np
    >>> from hornbeam.wrappers import KerasTransformer
    >>> X = np.random.default_rng(0).normal(size=(64, 5))
    >>> transformer = KerasTransformer(n_components=3, epochs=5, random_state=0)
    >>> transformer.fit_transform(X).shape
    (64, 3)
    >>> transformer.get_feature_names_out().tolist()
    ['kerastransformer0', 'kerastransformer1', 'kerastransformer2']
    """

    _default_builder = staticmethod(default_autoencoder)
    _targets_are_numbers = False

    def __init__(
        self,
        model: Model | Callable[..., Any] | None = None,
        *,
        build_fn: Model | Callable[..., Any] | None = None,
        optimizer: OptimizerLike | None = None,
        loss: LossLike | PerOutput | None = None,
        metrics: MetricLike | PerOutput | None = None,
        callbacks: Any = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        output_layer: str | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        run_eagerly: bool = False,
        verbose: Verbosity = 0,
        **parameters: Any,
    ) -> None:
        super().__init__(
            model,
            build_fn=build_fn,
            optimizer=optimizer,
            loss=loss,
            metrics=metrics,
            callbacks=callbacks,
            epochs=epochs,
            batch_size=batch_size,
            validation_split=validation_split,
            shuffle=shuffle,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            warm_start=warm_start,
            random_state=random_state,
            run_eagerly=run_eagerly,
            verbose=verbose,
            **parameters,
        )
        self.output_layer = output_layer

    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, **fit_arguments: Any
    ) -> Self:
        """Train a new network (with `warm_start` the same); return the estimator.

        Args:
            X: the rows: an array, data frame or sparse matrix, which stays sparse in
                memory unless it is the target too.
            y: labels or numbers. Default: None, `X`; the default network ignores it.
            sample_weight: weights of the rows. Default: None.
            **fit_arguments: arguments of the network's `fit`, for this call alone.
        """
        return super().fit(X, y, sample_weight, **fit_arguments)

    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, **fit_arguments: Any
    ) -> Self:
        """Train for one more epoch; return the estimator.

        Args:
            X: the rows.
            y: labels or numbers, as for `fit`. Default: None.
            sample_weight: weights of the rows. Default: None.
            **fit_arguments: arguments of the network's `fit`.
        """
        return super().partial_fit(X, y, sample_weight, **fit_arguments)

    @property
    def _target_kind(self):
        return getattr(self.targets_, "kind", "numbers")

    def _validated(self, X, y, fresh):
        if y is not None and not self._is_default:
            return super()._validated(X, y, fresh)
        X = validate_data(self, X, reset=fresh, accept_sparse=True, allow_nd=True)
        y = dense(as_rows(X))
        return X, y.reshape(len(y), -1) if self._is_default else y

    def _learn_targets(self, y, classes):
        kind = type_of_target(y) if y.ndim <= 2 else "continuous"
        if kind.startswith("continuous") or self._is_default:
            self.targets_: Any = Numbers(scaled=self._is_default)
            self.targets_.fit(y)
        else:
            self.targets_ = Classes()
            self.targets_.fit(y, kind)
        self.target_type_: str = kind
        self.output_layers_: Any = [(self.targets_.columns, "linear")]

    def _encoded(self, y):
        return self.targets_.encode(y, self.outputs_)

    def transform(self, X: Any, **predict_arguments: Any) -> Any:
        """Return what the layer gives for the rows.

        Args:
            X: the rows.
            **predict_arguments: arguments of the network's `predict`.
        """
        return self._outputs_for(X, predict_arguments)

    def _predictor(self, model):
        layer = self.output_layer
        if layer is None and self._is_default:
            layer = ENCODING
        if layer is None:
            return model
        return Model(model.inputs, model.get_layer(layer).output)

    def _build(self, X, y, weight=None):
        super()._build(X, y, weight)
        shapes, _ = output_shapes(self.predictor_, self._features(X))
        self._n_features_out = sum(int(shape[-1]) for shape in shapes)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
