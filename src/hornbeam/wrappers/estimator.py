"""What all estimators share: from parameters to a network, training, prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from hornbeam.core import tree
from hornbeam.core.naming import own_names
from hornbeam.core.random import seed_scope
from hornbeam.core.strings import holds_strings
from hornbeam.models.model import Model
from hornbeam.training.concurrent.scheduler import fit_slot
from hornbeam.wrappers import estimator_files, fitting
from hornbeam.wrappers.advice import advise_on_parallel_fits
from hornbeam.wrappers.default_network import default_network
from hornbeam.wrappers.distinct_rows import distinct
from hornbeam.wrappers.features import as_rows, dense, filled_up, network_rows
from hornbeam.wrappers.network_outputs import NetworkOutputs, outputs_of
from hornbeam.wrappers.parameters import Parameters
from hornbeam.wrappers.seeds import fit_seed

if TYPE_CHECKING:
    import numpy as np

    from hornbeam.models.model import Model
    from hornbeam.typing import (
        CustomObjects,
        LossLike,
        MetricLike,
        OptimizerLike,
        PathLike,
        PerOutput,
        Verbosity,
    )


class KerasEstimator(Parameters):
    """The base of `KerasClassifier`, `KerasRegressor` and `KerasTransformer`.

    Args:
        model: a function or class that makes the network, or a network, compiled or
            not, of which each `fit` takes a copy. Default: None, a multi-layer
            perceptron on standardised features.
        build_fn: an older name for `model`.
        optimizer: a name, class or object. Default: None: that of a compiled network,
            else "adam".
        loss: a name, class or object, or one for each output. Default: None: that of
            a compiled network, else one that suits the targets.
        metrics: a list of metrics. Default: None.
        callbacks: callbacks or classes of callbacks, in a list or a dict; each `fit`
            takes copies. Default: None.
        epochs: passes over the data. Default: 1; with the default network 200, or the
            number that makes 500 steps.
        batch_size: rows per batch. Default: 32; with the default network 200.
        validation_split: the fraction of the rows, from the end, of which every epoch
            reports the loss. Default: 0.
        shuffle: whether every epoch visits the rows in a new order. Default: True.
        class_weight: `{class: weight}` or "balanced". Default: None.
        early_stopping: whether some rows are held out of training, and training stops
            when the loss on them no longer falls. Default: False.
        validation_fraction: the fraction of the rows that is held out. Default: 0.1.
        n_iter_no_change: epochs to wait without improvement. Default: 10.
        warm_start: whether `fit` continues with the network of the last one. Default:
            False.
        random_state: an integer: the result depends on the parameters, the data and
            this number alone. Default: None, the seed of `keras.utils.set_random_seed`.
        run_eagerly: whether steps run one operation at a time, for debugging.
        verbose: 0 silent, 1 a live display, 2 one line per epoch. Default: 0.
        **parameters: arguments of the builder (`dropout_rate` or
            `model__dropout_rate`), and routed ones: `optimizer__learning_rate`,
            `callbacks__patience`, `fit__steps_per_epoch`, `predict__batch_size` ...

    To the default network, weights say how often rows occur: a row of weight 2 is two
    rows, one of weight 0 is none, and the order of the rows has no effect (unless some
    are held out for validation, or `shuffle` is false). To a network of your own,
    weights are factors of the losses, as in Keras.
    """

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
        validation_split: float = 0.0,
        shuffle: bool = True,
        class_weight: Mapping[Any, Any] | str | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        run_eagerly: bool = False,
        verbose: Verbosity = 0,
        **parameters: Any,
    ) -> None:
        self.model = model
        self.build_fn = build_fn
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = metrics
        self.callbacks = callbacks
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_split = validation_split
        self.shuffle = shuffle
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.run_eagerly = run_eagerly
        self.verbose = verbose
        self.__dict__.update(parameters)

    def _model_argument(self):
        return self.build_fn if self.model is None else self.model

    def _builder(self):
        model = self._model_argument()
        if model is None:
            return getattr(self, "_keras_build_fn", self._default_builder)
        if callable(model) and not _is_model(model):
            return model
        return None

    _default_builder: Callable[..., Any] | None = staticmethod(default_network)
    # Numbers or Classes, which know the form of the targets.
    targets_: Any
    target_type_: str
    output_layers_: list[tuple[int, str]]
    n_outputs_: int
    n_outputs_expected_: int
    y_dtype_: Any
    y_ndim_: int
    X_shape_: tuple[int, ...]
    X_dtype_: Any
    # The network, and the model whose outputs are the predictions.
    model_: Any
    predictor_: Any
    outputs_: NetworkOutputs
    history_: dict[str, list[Any]]
    n_iter_: int

    @property
    def _is_default(self):
        builder = self._builder()
        return builder is not None and builder is self._default_builder

    def __sklearn_clone__(self) -> Any:
        advise_on_parallel_fits()
        return super().__sklearn_clone__()

    # Fitting

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, **fit_arguments: Any
    ) -> Self:
        """Train a new network (with `warm_start` the same); return the estimator.

        Args:
            X: the rows: an array, data frame or sparse matrix, which stays sparse in
                memory.
            y: the targets.
            sample_weight: weights of the rows. Default: None.
            **fit_arguments: arguments of the network's `fit`, for this call alone.
        """
        fresh = not (self.warm_start and self.initialized_)
        return self._fit(X, y, sample_weight, fit_arguments, fresh)

    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, **fit_arguments: Any
    ) -> Self:
        """Train for one more epoch; return the estimator.

        Args:
            X: the rows.
            y: the targets.
            sample_weight: weights of the rows. Default: None.
            **fit_arguments: arguments of the network's `fit`.
        """
        fit_arguments = {"epochs": 1, **fit_arguments}
        return self._fit(X, y, sample_weight, fit_arguments, not self.initialized_)

    def initialize(self, X: Any, y: Any = None) -> Self:
        """Make the network for data such as this, without training it."""
        estimator_files.check_complete(self)
        X, y, _ = self._checked(X, y, None, fresh=True)
        with seed_scope(self._seed(X, y, None, 0)), own_names():
            self._build(X, y)
        return self

    def _fit(self, X, y, sample_weight, fit_arguments, fresh, classes=None):
        estimator_files.check_complete(self)
        with fit_slot():
            X, y, weight = self._checked(X, y, sample_weight, fresh, classes)
            arguments = fitting.arguments_of_fit(self, fit_arguments)
            if fitting.is_distribution(self, arguments):
                X, y, weight = distinct(X, y, weight)
            epoch = 0 if fresh else self.current_epoch
            with seed_scope(self._seed(X, y, weight, epoch)), own_names():
                if fresh:
                    self._build(X, y, weight)
                fitting.train(self, X, y, weight, arguments)
        return self

    def _seed(self, X, y, weight, epoch):
        return fit_seed(self.random_state, (X, y, weight), epoch)

    def _checked(self, X, y, sample_weight, fresh, classes=None):
        """Return the data as arrays; learn its form if the estimator starts afresh."""
        X, y = self._validated(X, y, fresh)
        X = as_rows(X)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        if fresh:
            self.X_shape_, self.X_dtype_ = X.shape, X.dtype
            self._learn_targets(y, classes)
        return X, y, sample_weight

    def _validated(self, X, y, fresh):
        return validate_data(
            self,
            X,
            y,
            reset=fresh,
            accept_sparse=True,
            allow_nd=True,
            multi_output=True,
            y_numeric=self._targets_are_numbers,
            **self._text_options(X),
        )

    def _text_options(self, X):
        """Return how scikit-learn checks strings, which a network of yours may take."""
        is_text = self._model_argument() is not None and holds_strings(X)
        return {"dtype": None, "ensure_2d": False} if is_text else {}

    def _build(self, X, y, weight=None):
        self.targets_.learn_scale(y, weight)
        features = self._features(X)
        model = fitting.make_model(self, features, y, weight)
        self.model_ = model
        self.predictor_ = self._predictor(model)
        self.outputs_ = outputs_of(model, features)
        self.history_ = {}
        self.n_iter_ = 0

    def _predictor(self, model):
        """Return the model whose outputs are what the estimator predicts with."""
        return model

    def _call_builder(self, builder, X, y):
        on_demand = {
            "meta": self.get_metadata,
            "compile_kwargs": lambda: fitting.compile_arguments(self),
        }
        return builder(**self._builder_arguments(on_demand))

    def _features(self, X):
        encoder = self.feature_encoder
        return X if encoder is None else encoder.fit_transform(dense(X))

    @property
    def feature_encoder(self) -> Any:
        """A transformer of `X` for the network, e.g. into a list; to be overridden."""
        return None

    @property
    def initialized_(self) -> bool:
        """Whether there is a network."""
        return "model_" in vars(self)

    @property
    def current_epoch(self) -> int:
        """How many epochs the network was trained for."""
        return len(next(iter(self.history_.values()), ())) if self.initialized_ else 0

    def get_metadata(self) -> dict[str, Any]:
        """Return what was learned from the data, as the builder's argument `meta`."""
        names = [n for n in vars(self) if n.endswith("_") and not n.startswith("_")]
        return {name: getattr(self, name) for name in names}

    # Predicting

    def _outputs_for(self, X, predict_arguments):
        """Return what the network gives for `X`."""
        check_is_fitted(self, "model_")
        X = as_rows(
            validate_data(
                self,
                X,
                reset=False,
                accept_sparse=True,
                allow_nd=True,
                **self._text_options(X),
            )
        )
        arguments = {"verbose": 0, **self._routed("predict"), **predict_arguments}
        rows = X.shape[0]
        features = network_rows(self._features(filled_up(X)), self.predictor_)
        with seed_scope(0):
            outputs = self.predictor_.predict(features, **arguments)
        return tree.map_structure(lambda output: output[:rows], outputs)

    # Files

    def save(self, filepath: PathLike, overwrite: bool = True) -> None:
        """Save the estimator: network, parameters, and what `fit` learned.

        The file holds data and no code, unlike a pickle: functions of yours, such as
        the builder, are left out. `keras.saving.load_model` reads the network in it.

        Args:
            filepath: a path that ends in `.keras`.
            overwrite: whether an existing file is replaced. Default: True.
        """
        estimator_files.save(self, filepath, overwrite)

    @classmethod
    def load(
        cls, filepath: PathLike, custom_objects: CustomObjects = None, **parameters: Any
    ) -> Self:
        """Return an estimator that was saved with `save`; nothing in the file is run.

        It predicts as it did. To `fit` it again, pass what the file could not hold.

        Args:
            filepath: the path.
            custom_objects: `{name: class or function}` that the network needs.
            **parameters: parameters in place of those in the file: the builder, as
                `model=create_model`, or callbacks.

        Raises:
            ValueError: if the file is damaged, or of another class.

        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> from hornbeam.wrappers import KerasClassifier
        >>> X, y = np.array([[0.0], [1.0]] * 8), np.array(["no", "yes"] * 8)
        >>> classifier = KerasClassifier(epochs=1, random_state=0).fit(X, y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     classifier.save(pathlib.Path(folder) / "classifier.keras")
        ...     loaded = KerasClassifier.load(pathlib.Path(folder) / "classifier.keras")
        >>> loaded.classes_.tolist()
        ['no', 'yes']
        """
        return estimator_files.load(cls, filepath, custom_objects, parameters)

    def __sklearn_is_fitted__(self) -> Any:
        return self.initialized_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = True
        return tags


def arguments_of(estimator: Any) -> Any:
    """Return what the docstring of a class says after its first sentence."""
    return (estimator.__doc__ or "").partition(".")[2]


def _is_model(x):
    return isinstance(x, Model)
