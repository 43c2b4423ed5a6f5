"""Candidates from Optuna's samplers, and their storage in Optuna's journal."""

from __future__ import annotations

import contextlib
import json
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, TPESampler
from optuna.storages.journal import BaseJournalBackend, JournalStorage
from optuna.trial import FixedTrial, Trial, TrialState

from hornbeam.tuning.candidates import Candidate
from hornbeam.tuning.points import Unit, choice_at, number_at
from hornbeam.tuning.schedules import Step
from hornbeam.visualization.optional import optional

_NAME = "search"
_STATES = {
    "done": TrialState.COMPLETE,
    "stopped": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
_FINISHED = tuple(_STATES.values())


class OptunaStudy:
    """Asks a sampler of Optuna for candidates, and keeps them in a storage of Optuna.

    A sampler is made anew for each candidate, with a seed that follows from the
    candidate's number: what it gives depends on the storage alone, so a search that
    was interrupted goes on as it would have.

    Args:
        space: a function from a trial to hyperparameters.
        sampler: a function from a number to a sampler, or a sampler.
        objectives: how many objectives there are.
        path: the path of the journal. Default: None, nothing outlives the process
        identity: what tells this search from others: plain data.
    """

    def __init__(
        self,
        space: Callable[[Any], dict[str, Any]],
        sampler: Any,
        objectives: int = 1,
        path: Path | None = None,
        identity: Any = None,
    ) -> None:
        self._space = space
        self._sampler = sampler
        self._journal = None if path is None else Journal(path)
        storage = None if self._journal is None else JournalStorage(self._journal)
        with quiet():
            self._study = optuna.create_study(
                storage=storage,
                sampler=None if callable(sampler) else sampler,
                study_name=_NAME,
                directions=["maximize"] * objectives,
                load_if_exists=True,
            )
        self._is_single = objectives == 1
        self._asked: int = len(self._study.get_trials(deepcopy=False))
        self._trials: dict[int, Trial] = {}
        self._told: set[int] = set()
        self._reported: dict[int, set[int]] = {}
        if self._journal is not None:
            self._check_identity(path, identity)

    def _check_identity(self, path, identity):
        known = self._study.user_attrs.get("identity")
        identity = json.loads(json.dumps(identity))
        if known is None:
            self._study.set_user_attr("identity", identity)
        elif known != identity:
            different = [k for k in identity if known.get(k) != identity[k]]
            self.close()
            listed = ", ".join(
                f"{k}={known.get(k)!r} (now {identity[k]!r})" for k in different
            )
            raise ValueError(
                f"The folder {str(path.parent)!r} holds another search: {listed}. Pass "
                "another `directory`, or remove this one to start anew."
            )

    def ask(self) -> Candidate:
        """Return a new candidate."""
        self._set_sampler(self._asked)
        self._asked += 1
        with quiet():
            trial = self._study.ask()
            return self._candidate(trial)

    def _set_sampler(self, number):
        if callable(self._sampler):
            self._study.sampler = self._sampler(number)

    def _candidate(self, trial):
        self._trials[trial.number] = trial
        return Candidate(trial.number, self._space(trial))

    def keep(self, candidate: Candidate) -> None:
        """Keep what is new of a candidate."""
        trial = self._trials[candidate.number]
        if self._journal is not None:
            trial.set_user_attr("candidate", candidate.as_plain())
        reported = self._reported.setdefault(candidate.number, set())
        for epochs in candidate.scores.keys() - reported if self._is_single else ():
            trial.report(candidate.scores[epochs][0], epochs)
            reported.add(epochs)
        if not candidate.is_open:
            self._tell(candidate)

    def _tell(self, candidate):
        if candidate.number in self._told:
            return
        self._told.add(candidate.number)
        state = _STATES[candidate.state]
        values = candidate.score if state == TrialState.COMPLETE else None
        with quiet():
            self._study.tell(candidate.number, values, state=state)

    def assign(self, steps: Sequence[Step]) -> None:
        """Keep the wave that begins."""
        if self._journal is not None:
            self._study.set_user_attr("wave", [list(step) for step in steps])
            self._journal.flush()

    def restore(self) -> tuple[list[Candidate], list[Step]]:
        """Return the candidates of an interrupted search, and the wave it was in."""
        candidates = []
        for frozen in self._study.get_trials():
            self._reported[frozen.number] = set(frozen.intermediate_values)
            if frozen.state in _FINISHED:
                self._told.add(frozen.number)
                fixed = FixedTrial(frozen.params, frozen.number)
                candidate = Candidate(frozen.number, self._space(fixed))
            else:
                self._set_sampler(frozen.number)
                with quiet():
                    trial = Trial(self._study, frozen._trial_id)
                    candidate = self._candidate(trial)
            if "candidate" in frozen.user_attrs:
                candidate.learn(frozen.user_attrs["candidate"])
            if not candidate.is_open:
                self._tell(candidate)
            candidates.append(candidate)
        wave = self._study.user_attrs.get("wave", [])
        return candidates, [Step(*step) for step in wave]

    def close(self) -> None:
        """Close the files."""
        if self._journal is not None:
            self._journal.close()


def sampler_named(name: str, seed: int, unit: Unit | None) -> Callable[[int], Any]:
    """Return a function from a candidate's number to a sampler of Optuna.

    Args:
        name: "tpe", "gp", "cma", or anything else with `unit`.
        seed: the seed of the search.
        unit: the points of "random" and "sobol".
    """
    if unit is not None:
        points = PointSampler(unit)
        return lambda number: points
    if name == "cma":
        optional("cmaes", "tuning", "The sampler 'cma'")
    if name == "gp":
        optional("torch", "torch", "The sampler 'gp' of Optuna")
    made: Any = {
        "tpe": _tpe,
        "gp": lambda seed: GPSampler(seed=seed, warn_independent_sampling=False),
        "cma": lambda seed: CmaEsSampler(seed=seed, warn_independent_sampling=False),
    }[name]
    return lambda number: made((seed * 1_000_003 + number) % 2**31)


def _tpe(seed):
    """Return TPE for batches: a candidate is far from those whose scores are awaited.

    So asked, and with hyperparameters drawn together, it found better candidates within
    an equal number of epochs, in batches of 8 and of 4.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


class PointSampler(BaseSampler):
    """Gives the points that follow from the numbers of trials."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        """No hyperparameter depends on another."""
        return {}

    def sample_relative(
        self, study: Any, trial: Any, search_space: Any
    ) -> dict[str, Any]:
        """No hyperparameter depends on another."""
        return {}

    def sample_independent(
        self, study: Any, trial: Any, param_name: str, param_distribution: Any
    ) -> Any:
        """Return the value at the point."""
        unit, of = self._unit(trial.number, param_name), param_distribution
        if isinstance(of, CategoricalDistribution):
            return choice_at(unit, of.choices)
        is_int = isinstance(of, IntDistribution)
        return number_at(unit, of.low, of.high, of.step, of.log, is_int)


class Journal(BaseJournalBackend):
    """Optuna's journal as a file of lines, which one process at a time writes.

    A line that a killed process left unfinished is cut. The format is that of
    `optuna.storages.journal.JournalFileBackend`, which can read the file.
    """

    def __init__(self, path: Path) -> None:
        self._file = open(path, "a+b")  # noqa: SIM115 - closed by `close`
        _lock(self._file, path)
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        self._file.truncate(whole)
        self._logs = []
        for number, line in enumerate(content[:whole].splitlines(), 1):
            try:
                self._logs.append(json.loads(line))
            except ValueError:
                self._file.close()
                raise ValueError(
                    f"Line {number} of {str(path)!r}, in which a search was kept, is "
                    "damaged. Remove it and the lines after it to go on from there, or "
                    "the folder to start anew."
                ) from None

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        """Return the logs from a number on."""
        return self._logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add logs; they outlive this process at once, and the system after a flush."""
        lines = [json.dumps(log, separators=(",", ":")) for log in logs]
        self._file.write("".join(f"{line}\n" for line in lines).encode())
        self._file.flush()
        self._logs.extend(map(json.loads, lines))

    def flush(self) -> None:
        """Write to the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Write to the disk, and let others have the file."""
        if not self._file.closed:
            self.flush()
            self._file.close()


def _lock(file, path):
    """Take the file for this process; the system frees it when the process ends."""
    try:
        import fcntl
    except ImportError:
        return  # Windows
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise RuntimeError(
            f"Another process runs the search in the folder {str(path.parent)!r}."
        ) from None


def importances(points: Sequence[tuple[dict[str, Any], float]]) -> dict[str, float]:
    """Return what part of the scores' variance each hyperparameter explains.

    Args:
        points: pairs of hyperparameters and a score.
    """
    names = dict.fromkeys(name for params, _ in points for name in params)
    if len({score for _, score in points}) < 2:
        return dict.fromkeys(names, 0.0)
    with quiet():
        study = optuna.create_study(direction="maximize")
        for params, score in points:
            held, kinds = {}, {}
            for name, value in params.items():
                values = [other[name] for other, _ in points if name in other]
                kinds[name], held[name] = _kind(values, value)
            trial = optuna.trial.create_trial(
                params=held, distributions=kinds, value=score
            )
            study.add_trial(trial)
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        return optuna.importance.get_param_importances(study, evaluator=evaluator)


def _kind(values, value):
    """Return a distribution that the values fit, and the value in it."""
    are_numbers = all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in values
    )
    if not are_numbers:
        labels = sorted({str(one) for one in values})
        return CategoricalDistribution(labels), str(value)
    low, high = float(min(values)), float(max(values))
    return FloatDistribution(low, high, log=low > 0 and high > 100 * low), float(value)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """A block in which Optuna writes warnings alone into its log."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(verbosity, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)
