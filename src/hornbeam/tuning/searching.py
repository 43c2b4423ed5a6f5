"""`search`: find hyperparameters, with candidates that train together."""

from __future__ import annotations

import contextlib
import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hornbeam import backends
from hornbeam.core import scopes
from hornbeam.core.errors import check_choice, shown
from hornbeam.core.replacing import folder_to_write
from hornbeam.core.warning import warn
from hornbeam.training.concurrent.progress import SearchProgress
from hornbeam.tuning.arguments import (
    check_build,
    check_names,
    check_sampler,
    check_training,
    whole,
)
from hornbeam.tuning.candidates import Candidate, PlainStudy
from hornbeam.tuning.copies import SearchError
from hornbeam.tuning.identity import of_data, of_validation, of_value
from hornbeam.tuning.losses import is_loss, loss_of
from hornbeam.tuning.places import place_of
from hornbeam.tuning.points import (
    PointTrial,
    distinct_points,
    random_points,
    sobol_points,
)
from hornbeam.tuning.population import Population
from hornbeam.tuning.result import SearchResult
from hornbeam.tuning.schedules import Plan, Step, dominators, schedule_of
from hornbeam.tuning.space import space_of
from hornbeam.tuning.splits import splits_of
from hornbeam.tuning.states import StatesInFolder, StatesInMemory
from hornbeam.tuning.trainer import Trainer, Training, seed_of
from hornbeam.typing import PathLike
from hornbeam.visualization.optional import optional

_POINTS = {"random": random_points, "sobol": sobol_points}
# How many candidates are asked for at once: points need not wait for scores. Of other
# samplers it is 8.
_BATCHES = {"random": 256, "sobol": 256, "tpe": 8, "gp": 4, "cma": 8}
_MOST_PROBES = 3


def search(
    build: Callable[..., Any],
    space: Any = None,
    data: Any = None,
    *,
    budget: int = 50,
    epochs: int = 10,
    objective: str | Sequence[str] | Mapping[str, str] | None = None,
    validation: Any = 0.2,
    sampler: Any = "tpe",
    schedule: Any = "asha",
    batch: int | None = None,
    patience: int | None = None,
    callbacks: Any = None,
    seeds: int = 0,
    seed: int = 0,
    directory: PathLike | None = None,
    workers: Any = None,
    verbose: int | bool = 1,
    **fit_arguments: Any,
) -> SearchResult:
    """Find the hyperparameters with which a network learns best.

    Candidates of equal structure share compiled programs and train together; what
    differs by numbers alone, such as rates and decays, needs no other program. A
    candidate that goes on after a rung of the schedule goes on from its state.

    A candidate that fails (an error, NaN, no memory) is recorded with its message.
    Ctrl-C ends the search with what is there. The result depends on the arguments and
    on `seed`, not on the number of cores.

    Args:
        build: a function that makes a compiled model, such as
            `create_model(dropout_rate=0.2, units=64)`. Hyperparameters that are none of
            its arguments are arguments of `fit` (`batch_size`, `class_weight`,
            `shuffle`, `steps_per_epoch`) or attributes of the optimizer
            (`learning_rate`, `weight_decay` ...).
        space: `{name: range}`. A range is a pair (numbers between them; integers if
            both are), `keras.tuning.Log(1e-4, 1e-1)`, a `range`, a list of choices, a
            distribution of SciPy or of Optuna, or one value. Or a function of a trial
            that asks for values, `trial.suggest_float("rate", 0.0, 0.5)`, and returns
            a dict of them. Default: None, the annotations and defaults of `build`.
        data: `(x, y)`, `(x, y, sample_weight)`, or a source of batches.
        budget: how many candidates there are; "random" and "sobol" ask for none twice,
            so that a small space has fewer. Default: 50.
        epochs: the most epochs of a candidate. Default: 10.
        objective: the name in the logs of what is sought; a list of several gives a
            Pareto front; a dict `{name: "max" or "min"}` says what is good. Default:
            None, `"val_loss"` (without validation `"loss"`).
        validation: what candidates are measured on: the fraction of the rows that is
            held out, a number of folds (trained together), a splitter of scikit-learn,
            `(x, y)`, a source of batches, or None. Default: 0.2.
        sampler: "random", "sobol", and by Optuna "tpe", "gp" (Gaussian process), "cma"
            (CMA-ES), or a sampler of Optuna. Default: "tpe".
        schedule: "asha", "halving", "hyperband", an object of these classes, or
            `keras.tuning.Population()`; None: every candidate trains for all epochs.
            Default: "asha".
        batch: how many candidates are asked for and trained together. Default: None,
            256 where the sampler needs no scores, 8 for "tpe" and "cma", 4 for "gp".
        patience: epochs without improvement after which a training ends. Default: None,
            none. A model always has the weights of its best epoch.
        callbacks: callbacks, of which each training gets copies, or a function that
            makes a list of them. Default: None.
        seeds: with how many other seeds the best candidate is trained again, for the
            spread and the ensemble of the result. Default: 0.
        seed: an integer. Default: 0.
        directory: a folder in which the search is kept: after a kill at any moment the
            same call goes on. `trials.journal` in it is a journal of Optuna. Default:
            None.
        workers: a Client of dask.distributed, or "ray": where candidates are trained
            instead of in this process. Default: None.
        verbose: whether progress is shown. Default: 1.
        **fit_arguments: further arguments of the model's `fit`.

    Raises:
        ValueError: if candidates whose losses differ are to be ranked by their loss.
        RuntimeError: if all candidates fail.
        KeyboardInterrupt: if Ctrl-C comes before a candidate has a score.

    >>> import numpy as np
    >>> import hornbeam as keras
    >>> def create_model(units=4, learning_rate=0.01):
    ...     model = keras.Sequential([
    ...         keras.layers.Dense(units, activation="relu"), keras.layers.Dense(1),
    ...     ])
    ...     model.compile(keras.optimizers.Adam(learning_rate), "mse")
    ...     return model
    >>> x = np.linspace(-1.0, 1.0, 40).reshape(-1, 1)
    >>> space = {"units": [4, 8], "learning_rate": keras.tuning.Log(1e-3, 1e-1)}
    >>> result = keras.tuning.search(
    ...     create_model, space, (x, x**2), budget=4, epochs=2, sampler="random",
    ...     verbose=0,
    ... )
    >>> len(result.candidates), sorted(result.best_params)
    (4, ['learning_rate', 'units'])
    """
    name = "search()"
    check_build(name, "build", build)
    check_names(search, fit_arguments)
    check_training(name, data, validation, callbacks, fit_arguments)
    directions = objectives_of(name, objective, validation)
    check_sampler(name, sampler, _BATCHES, directions)
    check_choice(name, "verbose", verbose, (0, 1, 2, "auto", None))
    patience = whole(name, "patience", patience, 0, optional=True)
    seeds, seed = whole(name, "seeds", seeds, 0), whole(name, "seed", seed, 0)
    batch = whole(name, "batch", batch, 1, optional=True) or _BATCHES.get(sampler, 8)
    budget, epochs = whole(name, "budget", budget, 1), whole(name, "epochs", epochs, 1)
    plan, schedule = Plan(budget, batch, epochs, seed), schedule_of(schedule)
    folder = (
        None if directory is None else folder_to_write(name, "directory", directory)
    )
    states = StatesInMemory() if folder is None else StatesInFolder(folder / "states")
    splits = splits_of(data, validation, seed)
    trainer = Trainer(
        build, splits, directions, states, patience, callbacks, fit_arguments
    )
    points = space_of(build, space)
    model, trainer.directions = known_directions(trainer, points, directions, seed)
    trainer.loss = loss_of(model) if any(map(is_loss, directions)) else None
    identity = None if folder is None else {
        "budget": budget, "epochs": epochs, "seed": seed, "batch": plan.batch,
        "objective": trainer.directions, "folds": len(splits),
        "sampler": sampler if isinstance(sampler, str) else type(sampler).__name__,
        "schedule": [type(schedule).__name__, vars(schedule)],
        "data": of_data(data), "validation": of_validation(validation),
        "space": of_value(space), "build": of_value(build), "patience": patience,
        "fit_arguments": of_value(fit_arguments), "engine": backends.current().name,
    }  # fmt: skip
    place = place_of(trainer, workers)
    unit, plan = _points_of(sampler, points, schedule, plan)
    study = _study(sampler, unit, points, len(directions), seed, folder, identity)
    run = Run(trainer, study, schedule, plan, bool(verbose), place)
    with contextlib.closing(study):
        run.run()
    return SearchResult(run, splits_of(data, None, seed)[0], seeds)


def objectives_of(
    owner: str, objective: Any, validation: Any, most: int | None = None
) -> dict[str, Any]:
    """Return `{name in the logs: "max", "min" or None}`.

    Args:
        owner: the name of the function, for errors.
        objective: what was received.
        validation: the same.
        most: how many there may be. Default: None, any number
    """
    if objective is None:
        has_validation = validation is not None and validation is not False
        objective = "val_loss" if has_validation else "loss"
    given = objective
    if isinstance(objective, str):
        objective = [objective]
    if isinstance(objective, list | tuple) and all(
        isinstance(one, str) for one in objective
    ):
        objective = dict.fromkeys(objective)
    if not (isinstance(objective, Mapping) and objective):
        raise TypeError(
            f"Argument `objective` of {owner} must be a name in the logs such as "
            "'val_accuracy', a list of names, or a dict `{name: 'max' or 'min'}`. "
            f"Received: {shown(given)}"
        )
    if most is not None and len(objective) > most:
        raise ValueError(
            f"Argument `objective` of {owner} must be a single one. Received: "
            f"{shown(given)}"
        )
    for direction in objective.values():
        check_choice(owner, "objective", direction, ("max", "min", None))
    return dict(objective)


def known_directions(
    trainer: Any, points: Any, directions: Mapping[str, Any], seed: int
) -> tuple[Any, dict[str, str]]:
    """Return a random candidate's model, and the directions: it tells some."""
    errors: list[Exception] = []
    unit = random_points(seed_of(seed, "probe"))
    for number in range(_MOST_PROBES):
        params = points(PointTrial(number, unit))
        try:
            model = trainer.prepared(params, seed)
        except SearchError:
            raise
        except Exception as error:
            errors.append(error)
            continue
        return model, {
            name: direction or trainer.direction(model, name)
            for name, direction in directions.items()
        }
    raise errors[0]


def _points_of(sampler, space, schedule, plan):
    """Return the points of a sampler that needs no scores, or None, and the plan."""
    if sampler not in _POINTS:
        return None, plan
    unit, count = distinct_points(space, _POINTS[sampler](plan.seed), plan.budget)
    if isinstance(schedule, Population):  # which makes equals different
        count = plan.budget
    return unit, plan._replace(budget=count)


def _study(sampler, unit, space, objectives, seed, folder, identity):
    """Return the study: Optuna's where it is needed."""
    if unit is not None and folder is None:
        return PlainStudy(space, unit)
    what = f"search(sampler={sampler!r})" if unit is None else "search(directory=...)"
    optional("optuna", "tuning", what)
    with_optuna = importlib.import_module("hornbeam.tuning.optuna_study")
    if isinstance(sampler, str):
        sampler = with_optuna.sampler_named(sampler, seed, unit)
    path = None if folder is None else folder / "trials.journal"
    return with_optuna.OptunaStudy(space, sampler, objectives, path, identity)


class Run:
    """A search under way.

    Attributes:
        candidates: the candidates so far.
        is_complete: whether it came to its end.
        place: where candidates are trained.
    """

    def __init__(
        self,
        trainer: Any,
        study: Any,
        schedule: Any,
        plan: Plan,
        verbose: bool,
        place: Any,
    ) -> None:
        self.trainer: Any = trainer
        self.place: Any = place
        self.plan = plan
        self.candidates: list[Candidate] = []
        self.is_complete: bool = False
        self._study = study
        self._schedule = schedule
        self._verbose = verbose
        # The candidates whose states are kept: those than which none is better.
        self._best: list[Candidate] = []

    def run(self) -> None:
        """Run it to its end, or until Ctrl-C."""
        self.candidates, wave = self._study.restore()
        wave = [step for step in wave if self._is_to_run(step)]
        progress = None
        if self._verbose:
            total = self._schedule.steps_in_all(self.plan)
            progress = SearchProgress(total, sign=self.trainer.signs[0])
            progress.begin()
        for candidate in self.candidates:
            if not candidate.is_open:
                self._hold_if_best(candidate)
        display = scopes.display_scope(progress or scopes.display())
        try:
            with display, self.place as place, _no_warnings_of_nan():
                while wave or (wave := self._next_wave()):
                    self._run_wave(place, wave, progress)
                    wave = []
            self.is_complete = True
        except KeyboardInterrupt:
            if not any(candidate.scores for candidate in self.candidates):
                raise KeyboardInterrupt(
                    "The search was interrupted before a candidate had a score."
                ) from None
            warn("The search was interrupted. Its result is of what it had found.")
        finally:
            if progress is not None:
                progress.end(self.is_complete)

    def _is_to_run(self, step):
        candidate = self.candidates[step.number]
        return candidate.is_open and step.epochs not in candidate.scores

    def _next_wave(self):
        """Return the steps that the schedule wants, with new candidates in them."""
        steps = self._schedule.next_steps(self.candidates, self.plan)
        # Those that an interrupted search had asked for, and not begun.
        waiting = [c.number for c in self.candidates if c.is_open and not c.scores]
        going = {step.number for step in steps} | set(waiting)
        for candidate in self.candidates:
            if candidate.is_open and candidate.number not in going:
                is_done = candidate.epochs >= self.plan.epochs
                self._end(candidate, "done" if is_done else "stopped")
        wave = []
        for step in steps:
            number = step.number
            if number is None:
                number = waiting.pop(0) if waiting else self._ask()
            if step.source is not None:
                self._take_over(self.candidates[number], step)
            wave.append(step._replace(number=number))
        self._study.assign(wave)
        return wave

    def _ask(self):
        candidate = self._study.ask()
        self.candidates.append(candidate)
        return candidate.number

    def _take_over(self, candidate, step):
        """Give a candidate the state of another one, and other numbers."""
        for fold in range(len(self.trainer.splits)):
            names = f"{step.source}-{fold}", f"{candidate.number}-{fold}"
            self.trainer.states.copy(*names)
        candidate.changes = dict(step.changes)
        self._study.keep(candidate)

    def _run_wave(self, place, wave, progress):
        """Train the steps together; note each candidate when its folds are done."""
        folds = range(len(self.trainer.splits))
        parts_of, trainings = {}, []
        for step in wave:
            candidate = self.candidates[step.number]
            number = progress.start() if progress is not None else None
            parts = _Parts(candidate, step, number, [None] * len(folds))
            for fold in folds:
                training = self.training(candidate, step.epochs, fold, step.changes)
                parts_of[training.name] = parts
                trainings.append(training)
        for training, outcome in place.train(trainings):
            parts = parts_of[training.name]
            parts.outcomes[training.fold] = outcome
            if all(part is not None for part in parts.outcomes):
                self._note(parts, progress)

    def training(
        self, candidate: Candidate, epochs: int, fold: int = 0, changes: Any = None
    ) -> Training:
        """Return the training of a candidate on a fold."""
        return Training(
            f"{candidate.number}-{fold}",
            candidate.params,
            epochs,
            fold,
            seed_of(self.plan.seed, fold),
            bool(changes),
        )

    def _note(self, parts, progress):
        """Note what a step has shown."""
        candidate, epochs = parts.candidate, parts.step.epochs
        failures = [part for part in parts.outcomes if isinstance(part, str)]
        if not failures:
            logs = parts.outcomes
            candidate.histories = [part.history for part in logs]
            candidate.seconds += sum(part.seconds for part in logs)
            folds = [self.trainer.score(part.history, epochs) for part in logs]
            failures = [self.trainer.failure(part.history) for part in logs]
        if any(failures):
            candidate.message = next(filter(None, failures))
            self._end(candidate, "failed")
        else:
            candidate.folds = folds
            candidate.scores[epochs] = tuple(np.mean(folds, axis=0).tolist())
            last = [self.trainer.last_score(part.history) for part in logs]
            candidate.latest = tuple(np.mean(last, axis=0).tolist())
            self._study.keep(candidate)
        if progress is not None:
            sign = self.trainer.signs[0]
            score = sign * candidate.score[0] if candidate.score else None
            progress.done(parts.number, [{"test_scores": {"score": score}}])

    def _end(self, candidate, state):
        candidate.state = state
        self._study.keep(candidate)
        self._hold_if_best(candidate)

    def _hold_if_best(self, candidate):
        """Drop the states of a candidate that has ended, unless none is better."""
        if candidate.score is None or candidate.state == "failed":
            self._drop(candidate)
            return
        held = [*self._best, candidate]
        beaten = dominators(np.array([one.rank[0] for one in held]))
        if len(self.trainer.signs) == 1:
            best = max(held, key=lambda one: one.rank)
            beaten = [one is not best for one in held]
        for one, is_beaten in zip(held, beaten, strict=True):
            if is_beaten:
                self._drop(one)
        self._best = [one for one, is_b in zip(held, beaten, strict=True) if not is_b]

    def _drop(self, candidate):
        for fold in range(len(self.trainer.splits)):
            self.trainer.states.drop(f"{candidate.number}-{fold}")


class _Parts:
    """The outcomes of a step on each fold."""

    def __init__(self, candidate: Candidate, step: Step, number: Any, outcomes: Any):
        self.candidate = candidate
        self.step = step
        self.number = number
        self.outcomes = outcomes


@contextlib.contextmanager
def _no_warnings_of_nan():
    """A block without the warnings that a loss is NaN: its candidate is recorded."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The loss of model .* became NaN")
        yield
