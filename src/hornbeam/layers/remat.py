"""Layers whose intermediate values are computed again for the gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hornbeam import backends
from hornbeam.core import scopes, tree
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import infer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from hornbeam.layers.layer import Layer


def applies_to(
    scope: Any, layer: Layer, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> bool:
    """Whether the RematScope in which `layer` was created covers its calls."""
    if scope.mode == "full":
        return True
    if scope.mode == "list_of_layers":
        return layer.name in scope.layer_names
    if scope.mode == "activations":
        activation = getattr(layer, "activation", None)
        return getattr(activation, "__name__", "linear") != "linear"
    if scope.mode == "larger_than":
        # `call` itself: the layer's `compute_output_spec` may call this function.
        outputs = infer(layer.call, *tree.map_structure(_symbol_of, (args, kwargs)))
        sizes = [math.prod(d or 1 for d in x.shape) for x in tree.flatten(outputs)]
        return max(sizes) > scope.output_size_threshold
    return False


def _symbol_of(x):
    if not hasattr(x, "shape") or isinstance(x, KerasTensor):
        return x
    engine = backends.current()
    return KerasTensor(tuple(x.shape), engine.dtype_of(x), sparse=engine.is_sparse(x))


def rematerialized(layer: Layer, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return `call`, whose assignments and added losses take effect once.

    The engine gets a pure function of tensors: the variables' values are arguments and
    results, as the recomputed part must not assign anything.
    """

    def run(*args, **kwargs):
        engine = backends.current()
        variables = layer.variables
        with scopes.autocast_scope(None):
            values = [v.value for v in variables]
        leaves, spec = tree.flatten_with_spec((args, kwargs))
        places = [i for i, x in enumerate(leaves) if engine.is_tensor(x)]
        assigned: list[Any] = []
        owners: list[int] = []

        def compute(values, tensors):
            filled = list(leaves)
            for place, tensor in zip(places, tensors, strict=True):
                filled[place] = tensor
            inner_args, inner_kwargs = tree.unflatten(spec, filled)
            mapping = zip(variables, values, strict=True)
            with scopes.StatelessScope(mapping, collect_losses=True) as scope:
                outputs = call(*inner_args, **inner_kwargs)
            assigned[:] = [v for v, _ in scope.updates]
            owners[:] = scope.loss_owners
            return outputs, [x for _, x in scope.updates], list(scope.losses)

        tensors = [leaves[i] for i in places]
        outputs, new, losses = engine.remat(compute)(values, tensors)
        for variable, value in zip(assigned, new, strict=True):
            variable.assign(value)
        by_id = {id(x): x for x in layer._flatten_layers()}
        for owner, loss in zip(owners, losses, strict=True):
            by_id[owner].add_loss(loss)
        return outputs

    return run
