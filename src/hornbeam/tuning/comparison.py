"""`compare`: which of some networks is better, and whether that is more than chance."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hornbeam.core.errors import check_number
from hornbeam.core.errors import shown as shown_value
from hornbeam.tuning.arguments import (
    check_build,
    check_names,
    check_training,
    whole,
)
from hornbeam.tuning.ensembles import together
from hornbeam.tuning.losses import check_losses, loss_of
from hornbeam.tuning.searching import known_directions, objectives_of
from hornbeam.tuning.splits import splits_of
from hornbeam.tuning.states import StatesInMemory
from hornbeam.tuning.trainer import Trainer, Training, seed_of
from hornbeam.visualization.optional import optional


def compare(
    builds: Mapping[str, Callable[[], Any]],
    data: Any,
    *,
    seeds: int = 5,
    epochs: int = 10,
    objective: Any = None,
    validation: Any = 0.2,
    patience: int | None = None,
    callbacks: Any = None,
    seed: int = 0,
    confidence: float = 0.95,
    **fit_arguments: Any,
) -> Comparison:
    """Train some networks with several seeds each, together, and compare them.

    With each seed all networks are trained on the same rows and measured on the same
    others, so that their scores are paired.

    Args:
        builds: `{name: function}`; each function makes a compiled model.
        data: `(x, y)`, `(x, y, sample_weight)`, or a source of batches.
        seeds: with how many seeds each is trained. Default: 5.
        epochs: the number of epochs; the best one counts. Default: 10.
        objective: as for `search`. Default: None, `"val_loss"`.
        validation: as for `search`; what is cut off the data differs from seed to seed.
            Default: 0.2.
        patience: epochs without improvement after which a training ends. Default: None.
        callbacks: as for `search`. Default: None.
        seed: an integer. Default: 0.
        confidence: that of the intervals. Default: 0.95.
        **fit_arguments: further arguments of the model's `fit`.

    Returns:
        A Comparison: printed, it is a table and a sentence for each pair.

    >>> import numpy as np
    >>> import hornbeam as keras
    >>> def network(units):
    ...     model = keras.Sequential([keras.layers.Dense(units), keras.layers.Dense(1)])
    ...     model.compile("adam", "mse")
    ...     return model
    >>> x = np.linspace(-1.0, 1.0, 40).reshape(-1, 1)
    >>> found = keras.tuning.compare(
    ...     {"small": lambda: network(1), "large": lambda: network(8)}, (x, x), seeds=2,
    ...     epochs=1,
    ... )
    >>> list(found.scores), len(found.scores["small"])
    (['small', 'large'], 2)
    """
    name = "compare()"
    _check_builds(name, builds)
    check_names(compare, fit_arguments)
    check_training(name, data, validation, callbacks, fit_arguments)
    check_number(name, "confidence", confidence, above=0, below=1)
    patience = whole(name, "patience", patience, 0, optional=True)
    seeds, epochs = whole(name, "seeds", seeds, 2), whole(name, "epochs", epochs, 1)
    seed = whole(name, "seed", seed, 0)
    directions: Any = objectives_of(name, objective, validation, most=1)
    optional("scipy.stats", "tuning", name)
    splits = [splits_of(data, validation, seed_of(seed, i)) for i in range(seeds)]
    folds = len(splits[0])
    flat = [split for of_seed in splits for split in of_seed]
    trainings: list[tuple[Trainer, Training]] = []
    losses: dict[str, str] = {}
    for key, build in builds.items():
        trainer = Trainer(
            build, flat, directions, StatesInMemory(), patience, callbacks,
            fit_arguments, name,
        )  # fmt: skip
        if trainings:
            trainer.share_parts_with(trainings[0][0])
        model, directions = known_directions(trainer, lambda _: {}, directions, seed)
        trainer.directions = directions
        losses[repr(key)] = loss_of(model)
        trainings += [
            (trainer, Training(f"{key}-{i}", {}, epochs, i, seed_of(seed, i // folds)))
            for i in range(len(flat))
        ]
    check_losses(name, directions, losses)
    logs = together([lambda t=t, one=one: t.train(one) for t, one in trainings])
    first, direction = next(iter(directions.items()))
    sign = 1 if direction == "max" else -1
    scores = [
        sign * trainer.score(one.history, epochs)[0]
        for (trainer, _), one in zip(trainings, logs, strict=True)
    ]
    table = np.reshape(scores, (len(builds), seeds, folds)).mean(axis=2)
    named = dict(zip(builds, table.tolist(), strict=True))
    return Comparison(first, direction, named, _overlap(splits[0]), confidence)


def _check_builds(owner, builds):
    if not (isinstance(builds, Mapping) and len(builds) > 1):
        raise ValueError(
            f"Argument `builds` of {owner} must be a dict of at least two functions "
            f"that make models. Received: {shown_value(builds)}"
        )
    for key, build in builds.items():
        check_build(owner, f"builds[{key!r}]", build)


def _overlap(splits):
    """Return how many rows are measured for each that is trained on; 0: the same ones.

    Scores on rows that are cut off anew for each seed are not independent.
    """
    (x, _, _), valid = splits[0]
    if not (isinstance(valid, tuple) and hasattr(x, "shape")):
        return 0.0
    return len(valid[0]) / len(x)


@dataclass(frozen=True)
class Difference:
    """How much better one network is than another.

    Attributes:
        better: the name of the network with the better mean.
        worse: the name of the other one.
        mean: the mean difference of their scores, at least 0.
        low: the lower end of its confidence interval.
        high: the upper end.
        p_value: how likely a difference as large would be without one, adjusted for
            the number of pairs (Holm 1979).
        is_real: whether `p_value` is below 1 - confidence.
    """

    better: str
    worse: str
    mean: float
    low: float
    high: float
    p_value: float
    is_real: bool

    def __str__(self) -> str:
        if np.isnan(self.mean):
            return f"{self.better} and {self.worse} cannot be compared: a score is NaN"
        interval = f"{self.mean:.4g} ({self.low:.4g} to {self.high:.4g})"
        if self.is_real:
            words = f"{self.better} is better than {self.worse} by {interval}"
        else:
            words = (
                f"no difference is shown between {self.better} and {self.worse}: "
                f"{interval}"
            )
        return f"{words}, p = {self.p_value:.2g}"


class Comparison:
    """What `keras.tuning.compare` has found.

    The intervals are those of Student's t distribution. Where the rows that are
    measured are cut off anew for each seed, the variance of the differences is that of
    Nadeau and Bengio 2003, "Inference for the generalization error": the factor 1/n is
    1/n + (rows measured) / (rows trained on), since the trainings share rows.

    Args:
        objective: the name of the scores.
        direction: "max" or "min".
        scores: `{network: a score for each seed}`.
        overlap: rows measured for each row trained on; 0 where they are the same for
            all seeds. Default: 0
        confidence: that of the intervals. Default: 0.95
    """

    def __init__(
        self,
        objective: str,
        direction: str,
        scores: dict[str, list[float]],
        overlap: float = 0.0,
        confidence: float = 0.95,
    ) -> None:
        self.objective = objective
        self.direction = direction
        self.scores = scores
        self.overlap = overlap
        self.confidence = confidence

    @property
    def best(self) -> str:
        """The name of the network with the best mean."""
        choose = max if self.direction == "max" else min
        return choose(self.scores, key=lambda name: np.mean(self.scores[name]))

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each network, the best first."""
        rows = []
        for name, values in self.scores.items():
            mean, half = self._interval(np.array(values), 0.0)
            rows.append(
                {
                    "name": name,
                    "mean": mean,
                    "low": mean - half,
                    "high": mean + half,
                    "std": float(np.std(values, ddof=1)),
                    "seeds": len(values),
                }
            )
        is_max = self.direction == "max"
        return sorted(rows, key=lambda row: row["mean"], reverse=is_max)

    @property
    def differences(self) -> list[Difference]:
        """The difference of each pair, the smallest p value first."""
        sign = 1 if self.direction == "max" else -1
        found = []
        for a, b in itertools.combinations(self.scores, 2):
            difference = sign * (np.array(self.scores[a]) - np.array(self.scores[b]))
            if difference.mean() < 0:
                a, b, difference = b, a, -difference
            mean, half = self._interval(difference, self.overlap)
            found.append((self._p_value(difference), a, b, mean, half))
        found.sort(key=lambda pair: pair[0])
        adjusted, largest = [], 0.0
        for place, (p, a, b, mean, half) in enumerate(found):
            largest = max(largest, min(1.0, p * (len(found) - place)))
            is_real = largest < 1 - self.confidence
            adjusted.append(
                Difference(a, b, mean, mean - half, mean + half, largest, is_real)
            )
        return adjusted

    def _interval(self, values, overlap):
        """Return the mean and half of the width of its confidence interval."""
        t = optional("scipy.stats", "tuning", "compare()").t
        count = len(values)
        error = np.sqrt(values.var(ddof=1) * (1 / count + overlap))
        half = t.ppf((1 + self.confidence) / 2, count - 1) * error
        return float(values.mean()), float(half)

    def _p_value(self, difference):
        t = optional("scipy.stats", "tuning", "compare()").t
        count = len(difference)
        error = np.sqrt(difference.var(ddof=1) * (1 / count + self.overlap))
        if error == 0:
            return float(difference.mean() == 0)
        return float(2 * t.sf(abs(difference.mean()) / error, count - 1))

    def __repr__(self) -> str:
        width = max(len(str(name)) for name in [*self.scores, "network"])
        lines = [f"{'network':<{width}}  {self.objective} ({self.confidence:.0%})"]
        lines += [
            f"{row['name']!s:<{width}}  {row['mean']:.4g}"
            f" ({row['low']:.4g} to {row['high']:.4g})"
            for row in self.table()
        ]
        return "\n".join([*lines, *map(str, self.differences)])
