"""Objects that candidates would share: each candidate gets copies of its own."""

from __future__ import annotations

import copy
import threading
import weakref
from typing import Any

from hornbeam.core import tree
from hornbeam.layers.layer import Layer
from hornbeam.metrics.metric import Metric
from hornbeam.optimizers.optimizer import Optimizer

_PLAIN = bool | int | float | str | bytes | None


def own_copy(value: Any) -> Any:
    """Return a hyperparameter for one candidate alone.

    What has a config is made from it, so that what it draws follows from the seed of
    the training; a layer with weights is copied with them. What cannot be copied stays.

    Args:
        value: a hyperparameter, such as a number, an optimizer, or a list of layers.
    """
    if isinstance(value, _PLAIN | type):
        return value
    if type(value) in (list, tuple):
        return type(value)(map(own_copy, value))
    if type(value) is dict:
        return {key: own_copy(item) for key, item in value.items()}
    has_weights = isinstance(value, Layer) and value.built
    makers = [copy.deepcopy] if has_weights else [_from_config, copy.deepcopy]
    for make in makers:
        try:
            return make(value)
        except Exception:
            continue
    return value


def _from_config(value):
    return type(value).from_config(value.get_config())


class CompiledParts:
    """Gives models copies of an optimizer and of metrics that others were given too.

    They are shared where they were made outside of the function that makes models.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # What was seen, and a copy of it from before it was used.
        self._unused: Any = weakref.WeakKeyDictionary()

    def __reduce__(self) -> tuple[Any, ...]:
        return CompiledParts, ()  # another process has objects of its own

    def separate(self, model: Any) -> None:
        """Compile a model again if another has its optimizer or one of its metrics.

        Args:
            model: a compiled model that was not trained yet.
        """
        given = model._compile_arguments
        names = [n for n in ("optimizer", "metrics", "weighted_metrics") if given[n]]
        with self._lock:
            own = {n: tree.map_structure(self._own, given[n]) for n in names}
        parts = [(tree.flatten(own[n]), tree.flatten(given[n])) for n in names]
        if any(
            a is not b for one, other in parts for a, b in zip(one, other, strict=True)
        ):
            model.compile(**given | own, auto_scale_loss=False)

    def _own(self, part):
        if not isinstance(part, Optimizer | Metric):
            return part
        shared = getattr(part, "inner_optimizer", part)
        if shared in self._unused:
            return own_copy(self._unused[shared])
        self._unused[shared] = own_copy(part)
        return part
