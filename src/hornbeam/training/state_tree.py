"""The values of a model's variables as a nested dict, and back."""

from __future__ import annotations

from typing import Any

from hornbeam.core.errors import check_choice

_GROUPS = {
    "trainable_variables": lambda model: model.trainable_variables,
    "non_trainable_variables": lambda model: model.non_trainable_variables,
    "optimizer_variables": lambda model: getattr(
        getattr(model, "optimizer", None), "variables", []
    ),
    "metrics_variables": lambda model: model.metrics_variables,
}


def get_state_tree(model: Any, value_format: str) -> dict[str, Any]:
    """Return `{group: nested dict by the parts of the paths: value}`."""
    check_choice(
        "get_state_tree()",
        "value_format",
        value_format,
        ("backend_tensor", "numpy_array"),
    )
    state: dict[str, Any] = {}
    for group, variables_of in _GROUPS.items():
        state[group] = {}
        for variable in variables_of(model):
            *parents, name = variable.path.split("/")
            place = state[group]
            for parent in parents:
                place = place.setdefault(parent, {})
            if name in place:
                raise ValueError(
                    f"Two variables of model {model.name!r} have the path "
                    f"{variable.path!r}: give their layers different names."
                )
            is_tensor = value_format == "backend_tensor"
            place[name] = variable.value if is_tensor else variable.numpy()
    return state


def set_state_tree(model: Any, state_tree: dict[str, Any]) -> None:
    """Assign the values in `state_tree` to the variables of the same paths."""
    assignments = []
    for group, values in state_tree.items():
        if group not in _GROUPS:
            raise ValueError(f"Unknown variable name: {group}")
        by_path = {v.path: v for v in _GROUPS[group](model)}
        for path, value in _leaves(values):
            if path not in by_path:
                raise ValueError(f"Model {model.name!r} has no variable {path!r}.")
            assignments.append((by_path[path], value))
    for variable, value in assignments:
        variable.assign(value)


def _leaves(nest, prefix=""):
    for name, value in nest.items():
        path = f"{prefix}/{name}" if prefix else name
        if isinstance(value, dict):
            yield from _leaves(value, path)
        else:
            yield path, value
