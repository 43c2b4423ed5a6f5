"""Objects that candidates would share: each candidate gets copies of its own."""

from __future__ import annotations

import copy
import threading
import weakref
from collections.abc import Sequence
from typing import Any

from hornbeam.core import tree
from hornbeam.layers.layer import Layer
from hornbeam.metrics.metric import Metric
from hornbeam.models.cloning import clone_model
from hornbeam.models.functional import Functional
from hornbeam.models.sequential import Sequential
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


class SearchError(ValueError):
    """What would be wrong with every candidate; it ends a search."""


class SharedLayerError(SearchError):
    """Several candidates would train one layer."""


class OwnParts:
    """Gives models copies of parts that others have too: made outside of the function.

    Those are an optimizer, metrics, and layers. What is copied is the part as it was
    before a model trained it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # What was seen, and a copy of it from before it was used.
        self._unused: Any = weakref.WeakKeyDictionary()
        # Layers that were seen, by whom, and whether their model stays untrained.
        self._layers: Any = weakref.WeakKeyDictionary()

    def __reduce__(self) -> tuple[Any, ...]:
        return OwnParts, ()  # another process has objects of its own

    def separate(self, model: Any, is_probe: bool = False) -> Any:
        """Return a model that shares no part with another one.

        Args:
            model: a compiled model that was not trained yet.
            is_probe: whether it will not be. Default: False
        """
        given = model._compile_arguments
        shared = self._shared_layers(model, is_probe)
        copied = with_copies(model, shared) if shared else model
        names = [n for n in ("optimizer", "metrics", "weighted_metrics") if given[n]]
        with self._lock:
            own = {
                n: tree.map_structure(lambda one: self._own(one, is_probe), given[n])
                for n in names
            }
        parts = [(tree.flatten(own[n]), tree.flatten(given[n])) for n in names]
        if copied is not model or any(
            a is not b for one, other in parts for a, b in zip(one, other, strict=True)
        ):
            copied.compile(**given | own, auto_scale_loss=False)
        return copied

    def _shared_layers(self, model, is_probe):
        """Return the layers with weights, or without any yet, that another has too."""
        shared, is_first = [], object()
        for layer in model._flatten_layers():
            with self._lock:
                note = self._layers.setdefault(layer, (is_first, is_probe))
            if note[0] is not is_first and (layer.variables or not layer.built):
                if layer is model or not note[1]:
                    raise SharedLayerError(_is_shared(layer))
                shared.append(layer)
        return shared

    def _own(self, part, is_probe):
        if not isinstance(part, Optimizer | Metric):
            return part
        shared = getattr(part, "inner_optimizer", part)
        if shared in self._unused:
            return own_copy(self._unused[shared])
        self._unused[shared] = own_copy(part)
        return own_copy(part) if is_probe else part


def with_copies(model: Any, layers: Sequence[Any]) -> Any:
    """Return a model with copies of some layers, and otherwise the same ones.

    Args:
        model: a Sequential or Functional model.
        layers: layers in it, as it has them itself or inside of these.
    """
    outer = [one for one in model.layers if one in layers]
    inside = [one for layer in outer for one in layer._flatten_layers()]
    deeper = [one for one in layers if one not in inside]
    if deeper or not isinstance(model, Sequential | Functional):
        raise SharedLayerError(_is_shared((deeper or outer)[0]))
    return clone_model(
        model, clone_function=lambda one: own_copy(one) if one in outer else one
    )


def _is_shared(layer):
    return (
        f"{type(layer).__name__} {layer.name!r} was made outside of the function that "
        "makes models: all candidates would train its weights. Make it in the "
        "function, or let it be an argument and pass it in the space, of which each "
        "candidate gets a copy."
    )
