"""Doctor: the methods of a model that look for what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from hornbeam.diagnosis.diagnose import diagnose
from hornbeam.diagnosis.learning_rate import LearningRates, find_lr
from hornbeam.diagnosis.memory import MemoryPlan, memory_plan
from hornbeam.diagnosis.not_finite import explain_step
from hornbeam.diagnosis.sanity import (
    Overfit,
    Sanity,
    overfit_one_batch,
    sanity_check,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hornbeam.diagnosis.findings import Diagnosis


class Doctor:
    """The part of a model that looks at it and its training; see `Model`."""

    def diagnose(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        class_weight: Mapping[Any, Any] | Literal["balanced"] | None = None,
        sample_weight: Any = None,
        steps: int = 10,
    ) -> Diagnosis:
        """Return what seems wrong with the model, its data and its training.

        Looks at the data, at each layer in a forward and a backward pass, and at some
        training steps. Each finding says what, where, with which numbers, and what to
        do. The model is built as `fit` would build it; nothing else changes: weights,
        optimizer, metrics and seeds are bit for bit what they were. Of data that comes
        batch by batch, at most eight batches are taken.

        Args:
            x: inputs, as for `fit`.
            y: targets, unless `x` gives them.
            batch_size: rows per batch, as for `fit`. Default: 32.
            validation_split: as for `fit`. Default: 0.
            validation_data: as for `fit`. Default: None.
            class_weight: as for `fit`. Default: None.
            sample_weight: weights of the rows. Default: None.
            steps: training steps to make, on one batch, and to take back. Default: 10.

        Returns:
            A list of `Finding`s (`kind`, `where`, `evidence`, `advice`, `severity`),
            the gravest first, which prints as a table; `healthy` says whether there is
            neither an error nor a warning.

        >>> import numpy as np
        >>> import hornbeam as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        >>> model.compile("adam", "sparse_categorical_crossentropy")
        >>> x, y = np.random.normal(size=(60, 2)), np.arange(60) % 3
        >>> "logits-for-probabilities" in model.diagnose(x, y).kinds
        True
        """
        return diagnose(
            self, x, y, batch_size, validation_split, validation_data, class_weight,
            sample_weight, steps,
        )  # fmt: skip

    def find_lr(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        *,
        low: float = 1e-6,
        high: float = 10.0,
        steps: int = 100,
        class_weight: Mapping[Any, Any] | Literal["balanced"] | None = None,
        sample_weight: Any = None,
    ) -> LearningRates:
        """Try rising learning rates, and return the losses and a suggestion.

        The learning-rate range test (Smith, "Cyclical learning rates for training
        neural networks", 2017): mini-batches are trained on with a rate that grows
        exponentially, until the loss diverges. Then all is as before: weights,
        optimizer, metrics and seeds; a model that was not built is built.

        Args:
            x: inputs, as for `fit`.
            y: targets, unless `x` gives them.
            batch_size: rows per batch; use that of the training. Default: 32.
            low: the first rate. Default: 1e-6.
            high: the last rate. Default: 10.
            steps: the number of steps. Default: 100.
            class_weight: as for `fit`. Default: None.
            sample_weight: weights of the rows. Default: None.

        Returns:
            `LearningRates`: `rates`, `losses`, `smoothed`, `suggestion` (None, with a
            warning, where the loss did not fall) and `plot(ax=None, path=None)`.

        >>> import numpy as np
        >>> import hornbeam as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.random.normal(size=(64, 2))
        >>> found = model.find_lr(x, x.sum(axis=1))
        >>> 1e-3 < found.suggestion < 1
        True
        """
        return find_lr(
            self, x, y, batch_size, low, high, steps, class_weight, sample_weight
        )

    def overfit_one_batch(
        self, x: Any, y: Any = None, batch_size: int | None = None, steps: int = 2000
    ) -> Overfit:
        """Say whether the model can learn one batch by heart.

        A model that cannot has a fault; one that can may still learn nothing general.
        Afterwards all is as before, as after `find_lr`.

        Args:
            x: inputs, as for `fit`; of arrays, rows from all over are taken.
            y: targets, unless `x` gives them.
            batch_size: rows of the batch. Default: 32.
            steps: the most steps; after 500 it goes on as long as the loss falls.
                Default: 2000.

        Returns:
            `Overfit`: `losses`, `learned`, `rows`, and `falling`: the batch is not
            learnt yet, and the loss still falls.

        >>> import numpy as np
        >>> import hornbeam as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> x = np.random.normal(size=(8, 2))
        >>> model.overfit_one_batch(x, x.sum(axis=1)).learned
        True
        """
        return overfit_one_batch(self, x, y, batch_size, steps)

    def sanity_check(
        self, x: Any, y: Any = None, batch_size: int | None = None, steps: int = 2000
    ) -> Sanity:
        """Try what every model that can be trained must do, and report.

        The data fits, the loss starts near chance, gradients reach all weights, one
        batch can be learnt by heart, two evaluations give the same, and a copy from
        config and weights predicts the same. Afterwards all is as before, as after
        `find_lr`.

        Args:
            x: inputs, as for `fit`.
            y: targets, unless `x` gives them.
            batch_size: rows of the batch. Default: 32.
            steps: the most steps on the batch; after 500 it goes on as long as the
                loss falls. Default: 2000.

        Returns:
            A table that prints itself; `passed` says whether nothing failed, `results`
            has the result of each check: True, False, or None where it is unknown.

        >>> import numpy as np
        >>> import hornbeam as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> x = np.random.normal(size=(8, 2))
        >>> model.sanity_check(x, x.sum(axis=1)).passed
        True
        """
        return sanity_check(self, x, y, batch_size, steps)

    def memory_plan(self, batch_size: int = 32, inputs: Any = None) -> MemoryPlan:
        """Return how many bytes training and prediction take, by what they are for.

        Weights, gradients and the optimizer's variables are exact; activations are
        those of all layers, which a compiler may keep fewer of. The optimizer is built
        as `fit` would build it; nothing is computed.

        Args:
            batch_size: rows per batch, where `inputs` is not given. Default: 32.
            inputs: the shape of the inputs with their rows, such as `(32, 8)`. Default:
                what the graph of the model says.

        Returns:
            `MemoryPlan`: `weights`, `gradients`, `optimizer`, `activations`, `training`
            and `prediction` in bytes, `layers`, and a table that prints itself.

        >>> import hornbeam as keras
        >>> model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(10)])
        >>> model.compile("sgd", "mse")
        >>> plan = model.memory_plan(batch_size=8)
        >>> plan.weights, plan.gradients, plan.activations
        (4040, 4040, 320)
        """
        return memory_plan(self, batch_size, inputs)

    def _explain_step(self, batch):
        return explain_step(self, batch)
