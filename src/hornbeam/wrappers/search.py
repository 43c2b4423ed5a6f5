"""scikit-learn's searches, with all candidates trained together."""

from __future__ import annotations

import contextlib
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

from joblib import parallel_config
from joblib.parallel import BACKENDS, get_active_backend
from sklearn import model_selection
from sklearn.base import is_classifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import ParameterGrid, ParameterSampler

from hornbeam.training.concurrent.progress import SearchProgress
from hornbeam.visualization.as_html import to_html
from hornbeam.wrappers.joblib_backend import HornbeamBackend

if TYPE_CHECKING:
    from sklearn.model_selection._search import BaseSearchCV as _SearchCV
else:
    _SearchCV = object

# The backends of one machine, which ours replaces.
_LOCAL_BACKENDS = {"loky", "multiprocessing", "threading", "sequential"}


class _Together(_SearchCV):
    """`fit` runs under the joblib backend "hornbeam".

    Inside a task of that backend it joins the tasks around it; under a backend for
    several machines (dask, ray) it leaves the tasks to that one. `verbose=1` and more
    shows the progress.
    """

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Train all candidates together; see scikit-learn for the arguments."""
        active, _ = get_active_backend()
        local = [BACKENDS[name] for name in _LOCAL_BACKENDS & BACKENDS.keys()]
        scope = contextlib.nullcontext()
        if type(active) in local:  # Ray's backend is a kind of multiprocessing's
            backend = HornbeamBackend(progress=self._progress(X, y, params))
            scope = parallel_config(backend=backend)
        with scope:
            return super().fit(X, y, **params)

    def _progress(self, X, y, params) -> SearchProgress | None:
        if not self.verbose:
            return None
        splits = 1
        if isinstance(self.cv, Integral | None) or hasattr(self.cv, "get_n_splits"):
            classifier = is_classifier(self.estimator)
            cv = model_selection.check_cv(self.cv, y, classifier=classifier)
            splits = cv.get_n_splits(X, y, params.get("groups"))
        metric = self.refit if isinstance(self.refit, str) else None
        return SearchProgress(self._candidates() * splits, splits, metric)

    def _candidates(self) -> int:
        return 0  # the search decides

    def _html_repr(self) -> str:
        """Return what a notebook shows: the ranking, and scikit-learn's diagram."""
        diagram = super()._html_repr()
        return to_html(self) + diagram if hasattr(self, "cv_results_") else diagram


class GridSearchCV(_Together, model_selection.GridSearchCV):
    """scikit-learn's `GridSearchCV`, with all candidates trained together.

    >>> import hornbeam as keras
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]
    >>> search = keras.wrappers.GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2)
    >>> search.fit(X, y).best_params_
    {'C': 1.0}
    """

    def _candidates(self) -> int:
        return len(ParameterGrid(self.param_grid))


class RandomizedSearchCV(_Together, model_selection.RandomizedSearchCV):
    """scikit-learn's `RandomizedSearchCV`, with all candidates trained together."""

    def _candidates(self) -> int:
        return len(ParameterSampler(self.param_distributions, self.n_iter))


class HalvingGridSearchCV(_Together, model_selection.HalvingGridSearchCV):
    """scikit-learn's `HalvingGridSearchCV`: each rung trains at once."""


class HalvingRandomSearchCV(_Together, model_selection.HalvingRandomSearchCV):
    """scikit-learn's `HalvingRandomSearchCV`: each rung trains at once."""
