"""Steps that take the state and return it: Keras's form of custom steps for JAX.

    train_step(self, state, data)    state: values of the trainable variables, of the
                                     others, of the optimizer and of the metrics
    test_step(self, state, data)     the same without the optimizer
    predict_step(self, state, data)  trainable and other variables

They return what the step gives and the new state; a step of predict returns the new
values of the variables that are not trained only.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from hornbeam.core import scopes
from hornbeam.core.configurable import parameters_of
from hornbeam.core.variable import values_of

_GROUPS = {
    "train": (
        "trainable_variables",
        "non_trainable_variables",
        "optimizer_variables",
        "metrics_variables",
    ),
    "test": ("trainable_variables", "non_trainable_variables", "metrics_variables"),
    "predict": ("trainable_variables", "non_trainable_variables"),
}


def takes_state(step: Any, engine: Any) -> bool:
    """Whether a bound step is written as `step(state, data)`.

    One that takes `*args` is, on an engine with that form: in code for several engines
    it passes them on.
    """
    kinds = [p.kind for p in parameters_of(step) if p.default is p.empty]
    if kinds and kinds[0] is inspect.Parameter.VAR_POSITIONAL:
        return engine.takes_state
    named = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )
    return sum(kind in named for kind in kinds) == 2


def on_variables(model: Any, mode: str, step: Any) -> Any:
    """Turn a `step(state, data)` into a `step(data)` that assigns Variables."""
    groups = _GROUPS[mode]

    def step_on_variables(data):
        variables = _variables(model, groups)
        state = tuple([v.value for v in group] for group in variables)
        returned = step(state, data)
        outputs, new = _checked(model, mode, returned)
        for group, owned, values in zip(groups, variables, new, strict=True):
            if len(owned) != len(values):
                raise ValueError(
                    f"`{mode}_step()` of model {model.name!r} must return the new "
                    f"state with the {len(owned)} values of `{group}`. Received "
                    f"{len(values)}."
                )
            for variable, value in zip(owned, values, strict=True):
                if value is not variable.value:
                    variable.assign(value)
        return outputs

    return step_on_variables


def _checked(model, mode, returned):
    """Return the outputs of a step, and its new state in as many groups as it got."""
    groups = _GROUPS[mode]
    if isinstance(returned, tuple) and len(returned) == 2:
        outputs, new = returned
        if mode == "predict":
            return outputs, ([v.value for v in model.trainable_variables], new)
        if isinstance(new, tuple | list) and len(new) == len(groups):
            return outputs, new
    expected = f"(logs, ({', '.join(groups)}))"
    if mode == "predict":
        expected = "(outputs, non_trainable_variables)"
    raise ValueError(
        f"`{mode}_step(state, data)` of model {model.name!r} must return {expected}. "
        f"Received: {_described(returned)}"
    )


def _described(x):
    if isinstance(x, tuple | list):
        return f"({', '.join(map(_described, x))})"
    return f"a {type(x).__name__}"


def _variables(model, groups):
    optimizer = getattr(model, "optimizer", None)
    of_optimizer = [] if optimizer is None else optimizer.variables
    return [
        of_optimizer if group == "optimizer_variables" else list(getattr(model, group))
        for group in groups
    ]


def also_on_state(step: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method `step(data)` also be called as `step(state, data)`.

    So that a step which a subclass wrote in the form with a state can call `super()`.
    """
    mode = step.__name__.removesuffix("_step")
    groups = _GROUPS[mode]

    @functools.wraps(step)
    def step_or_stateless_step(self, *args, **kwargs):
        if len(args) + len(kwargs) != 2:
            return step(self, *args, **kwargs)
        state, data = inspect.signature(_form).bind(*args, **kwargs).args
        variables = _variables(self, groups)
        mapping = [
            pair
            for owned, values in zip(variables, state, strict=True)
            for pair in zip(owned, values, strict=True)
        ]
        with scopes.StatelessScope(mapping, collect_losses=True) as scope:
            outputs = values_of(step(self, data))
        new = tuple([scope.get_current_value(v) for v in owned] for owned in variables)
        return outputs, (new[1] if mode == "predict" else new)

    return step_or_stateless_step


def _form(state, data):
    """How a step with a state is called."""
