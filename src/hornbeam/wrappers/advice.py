"""A warning where fits would run better under the joblib backend "hornbeam".

scikit-learn clones an estimator for each task that it gives to `joblib.Parallel`, in
the process of the user. So the stack at that moment says how the fits will run.
"""

from __future__ import annotations

import sys
import weakref

from joblib.parallel import BACKENDS, Parallel

from hornbeam.core.warning import warn

# Backends that joblib takes by itself: on one core the fits come one by one.
_BY_ITSELF = ("loky", "multiprocessing", "sequential")

_BETTER_HERE = (
    '`with joblib.parallel_config(backend="hornbeam"):` around the search, or '
    "`hornbeam.wrappers.GridSearchCV`, trains them together in this process."
)
_BETTER_ON_RAY = (
    '`with joblib.parallel_config(backend="hornbeam", workers="ray"):` around the '
    "search sends them to Ray's processes in groups that train together."
)

_told: weakref.WeakSet = weakref.WeakSet()


def advise_on_parallel_fits() -> None:
    """Warn, once for a `Parallel` with `n_jobs`, what to write instead of it."""
    frame, parallel = sys._getframe(1), None
    while frame is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package == "joblib" and parallel is None:
            caller = frame.f_locals.get("self")
            parallel = caller if isinstance(caller, Parallel) else None
        if package not in ("hornbeam", "sklearn", "joblib") and parallel is not None:
            break
        frame = frame.f_back
    if parallel is None or parallel.n_jobs in (None, 1) or parallel in _told:
        return
    backend = parallel._backend
    kinds = tuple(BACKENDS[name] for name in _BY_ITSELF if name in BACKENDS)
    if not isinstance(backend, kinds) or backend.nesting_level:
        return
    _told.add(parallel)
    # Ray's backend is a kind of multiprocessing's.
    is_ray = type(backend).__module__.partition(".")[0] == "ray"
    warn(
        f"With n_jobs={parallel.n_jobs} joblib gives these fits to other processes, "
        "each of which compiles the network again (on one core it runs them one by "
        f"one). {_BETTER_ON_RAY if is_ray else _BETTER_HERE}",
    )
