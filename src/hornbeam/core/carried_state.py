"""State through functions that an engine runs on stand-ins of their arguments.

The body of a loop, a branch, a function to differentiate: what it assigns to Variables
(seeds, statistics, counters) must leave it as a value. It is run once with none. If it
assigns some, that run is given up, and another takes their values in and out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hornbeam.core.scopes import StatelessScope, autocast_scope, stateless_scope

if TYPE_CHECKING:
    from hornbeam.core.variable import Variable


class AssignsError(BaseException):
    """A function assigned Variables that are not carried; nobody else handles it."""

    def __init__(self, variables: list[Variable]) -> None:
        super().__init__()
        self.variables = variables


def carrying(call: Callable[..., tuple[Any, Any]], *functions: Callable) -> Any:
    """Return the result of `call(values, *functions)`, and assign its new values.

    Args:
        call: gives the functions to the engine and returns `(result, new values)`.
        functions: functions of tensors. `call` receives them as functions
            `(values, *args) -> (output, new values)`.
    """
    variables: list[Variable] = []
    while True:
        with autocast_scope(None):
            values = [v.value for v in variables]
        try:
            result, new = call(values, *(lifted(f, variables) for f in functions))
            break
        except AssignsError as found:
            variables = [*variables, *found.variables]
    for variable, value in zip(variables, new, strict=True):
        variable.assign(value)
    return result


def lifted(function: Callable, variables: list[Variable]) -> Callable:
    """Return `(values, *args) -> (output, new values)`, which touches no Variable.

    Raises:
        AssignsError: if `function` assigns one that is not among `variables`.
    """

    def run(values, *args, **kwargs):
        outer = stateless_scope()
        mapping = zip(variables, values, strict=True)
        with StatelessScope(mapping, outer is None or outer.collect_losses) as scope:
            output = function(*args, **kwargs)
        carried = {id(v) for v in variables}
        found = [v for v, _ in scope.updates if id(v) not in carried]
        if found:
            raise AssignsError(found)
        if scope.losses:
            raise ValueError(
                "A layer called `add_loss` in a function that is run as a part of a "
                "program: the body of a loop or a branch (`ops.scan`, `ops.cond`, "
                "...). Return the loss from that function, and add it after the loop."
            )
        return output, [scope.get_current_value(v) for v in variables]

    return run
