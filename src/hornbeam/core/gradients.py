"""Gradients with respect to Variables, the same on every engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from hornbeam import backends
from hornbeam.core.scopes import StatelessScope
from hornbeam.typing import Tensor

if TYPE_CHECKING:
    from hornbeam.core.variable import Variable


def value_and_grad(
    fn: Callable[[], Any], variables: Iterable[Variable], has_aux: bool = False
) -> tuple[Any, list[Tensor]]:
    """Call `fn()` and return its value and the gradients for `variables`.

    Works eagerly and inside a compiled step. What `fn` assigns to other Variables
    (statistics, seeds, metrics) is carried out.

    Args:
        fn: a function without arguments that returns a scalar loss, or
            `(loss, aux)` with `has_aux=True`.
        variables: a list of Variables.
        has_aux: whether `fn` returns something beside the loss.

    Returns:
        `(value, gradients)` where value is what `fn` returned and the gradients are
        in the order of `variables`.
    """
    variables = list(variables)
    assigned: list[Variable] = []

    def run(values):
        with StatelessScope(
            zip(variables, values, strict=True), collect_losses=True
        ) as scope:
            output = fn()
        loss, aux = output if has_aux else (output, None)
        assigned[:] = [v for v, _ in scope.updates]
        return loss, (aux, [value for _, value in scope.updates])

    engine = variables[0].backend if variables else backends.current()
    values = [v.value for v in variables]
    (loss, (aux, new)), gradients = engine.value_and_grad(run, has_aux=True)(values)
    for variable, value in zip(assigned, new, strict=True):
        variable.assign(value)
    return ((loss, aux) if has_aux else loss), gradients
