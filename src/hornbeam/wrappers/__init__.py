"""Networks as scikit-learn estimators.

scikit-learn is imported when a name is first used; it is the extra `sklearn`.
"""

import importlib.util

from hornbeam.core.lazy import attach

_resolved, __dir__, __all__ = attach(__name__)


def __getattr__(name):
    try:
        return _resolved(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "sklearn":
            raise
        raise ImportError(
            f"hornbeam.wrappers.{name} needs scikit-learn, which is not installed. "
            "Install it with `pip install hornbeam[sklearn]`."
        ) from error


if importlib.util.find_spec("joblib"):
    # Registers the backend for joblib.parallel_config(backend="hornbeam").
    importlib.import_module("hornbeam.wrappers.joblib_backend")
