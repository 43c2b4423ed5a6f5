"""Doctor: the methods of a model that look for what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from hornbeam.diagnosis.diagnose import diagnose
from hornbeam.diagnosis.not_finite import explain_step
from hornbeam.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hornbeam.diagnosis.findings import Diagnosis


class Doctor(Trainer):
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
        >>> model.diagnose(x, y).kinds
        ['logits-for-probabilities']
        """
        return diagnose(
            self, x, y, batch_size, validation_split, validation_data, class_weight,
            sample_weight, steps,
        )  # fmt: skip

    def _explain_step(self, batch):
        return explain_step(self, batch)
