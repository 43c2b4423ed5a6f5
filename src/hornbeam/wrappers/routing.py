"""Objects from routed parameters: `optimizer="adam"` and `{"learning_rate": 0.1}`."""

from __future__ import annotations

import copy
import inspect
from typing import Any

from hornbeam.core.errors import did_you_mean
from hornbeam.core.naming import to_snake_case
from hornbeam.wrappers.parameters import accepted_arguments


def make(value: Any, options: Any, family: Any = None) -> Any:
    """Return what `value` stands for, with the options taken into account.

    Args:
        value: a name, class, instance, function, or a list or dict of these.
        options: arguments by name. `0__patience` is for the first of a list,
            `stop__patience` for the entry "stop" of a dict, `learning_rate__decay` for
            the argument `learning_rate`; plain names are for all that take them.
        family: the module in which a name is looked up, e.g. `hornbeam.optimizers`.
    """
    if isinstance(value, list | tuple | dict):
        return _make_each(value, options, family)
    if not options:
        return value() if inspect.isclass(value) else copy.deepcopy(value)
    if isinstance(value, str):
        value = _class_named(value, family)
    arguments, nested = _split(options)
    if inspect.isclass(value):
        check_arguments(value, (*arguments, *nested), value.__name__)
        for name, inner in nested.items():
            arguments[name] = make(arguments.get(name), inner, family)
        return value(**arguments)
    return _changed(value, arguments, nested, family)


def _make_each(values, options, family):
    entries = values.items() if isinstance(values, dict) else enumerate(values)
    entries = {str(key): value for key, value in entries}
    shared: dict[str, Any] = {}
    by_entry: dict[str, dict[str, Any]] = {key: {} for key in entries}
    for name, option in options.items():
        head, _, rest = name.partition("__")
        if rest and head in by_entry:
            by_entry[head][rest] = option
        else:
            shared[name] = option
    objects = {}
    for key, value in entries.items():
        fitting = {n: o for n, o in shared.items() if _takes(value, n, family)}
        objects[key] = make(value, fitting | by_entry[key], family)
    unused = [
        n for n in shared if not any(_takes(v, n, family) for v in entries.values())
    ]
    if unused:
        names = {*entries}.union(*(_accepted(v, family)[0] for v in entries.values()))
        raise ValueError(
            f"The routed parameter {unused[0]!r} fits none of {list(values)!r}: no "
            "entry has that name, and none takes such an argument."
            f"{did_you_mean(unused[0].partition('__')[0], names)}"
        )
    if isinstance(values, dict):
        return dict(zip(values, objects.values(), strict=True))
    return list(objects.values())


def _takes(value, name, family):
    accepted, takes_any = _accepted(value, family)
    return takes_any or name.partition("__")[0] in accepted


def _accepted(value, family):
    """Return which arguments some part of `value` takes, and whether it takes any."""
    if isinstance(value, list | tuple | dict):
        inner = value.values() if isinstance(value, dict) else value
        each = [_accepted(v, family) for v in inner]
        names: set[str] = set().union(*(names for names, _ in each))
        return names, any(takes_any for _, takes_any in each)
    if isinstance(value, str):
        value = _class_named(value, family)
    return accepted_arguments(value if inspect.isclass(value) else type(value))


def check_arguments(function: Any, names: Any, owner: str) -> None:
    """Raise for a routed parameter that names no argument of a function or class.

    Args:
        function: the function or class.
        names: the names of its arguments that are to be set.
        owner: what the error calls it.
    """
    accepted, takes_any = accepted_arguments(function)
    for name in names:
        if not (takes_any or name in accepted):
            raise ValueError(
                f"{owner} has no argument {name!r}, which a routed parameter would "
                f"set. Its arguments: {sorted(accepted)}.{did_you_mean(name, accepted)}"
            )


def _split(options):
    arguments = {n: v for n, v in options.items() if "__" not in n}
    nested: dict[str, dict] = {}
    for name, value in options.items():
        head, _, rest = name.partition("__")
        if rest:
            nested.setdefault(head, {})[rest] = value
    return arguments, nested


def _changed(value, arguments, nested, family):
    """Return a copy of an object with some arguments changed."""
    if hasattr(value, "get_config") and hasattr(type(value), "from_config"):
        config = names = value.get_config()
        for name, inner in nested.items():
            arguments[name] = make(getattr(value, name), inner, family)
        unknown = [n for n in arguments if n not in config]
        if not unknown:
            return type(value).from_config(config | arguments)
    else:
        names = vars(value)
        unknown = [n for n in (*arguments, *nested) if not hasattr(value, n)]
        if not unknown:
            changed = copy.deepcopy(value)
            for name, inner in nested.items():
                arguments[name] = make(getattr(value, name), inner, family)
            for name, argument in arguments.items():
                setattr(changed, name, argument)
            return changed
    raise ValueError(
        f"{value!r} has no argument {unknown[0]!r} that a routed parameter could set."
        f"{did_you_mean(unknown[0], names)}"
    )


def _class_named(name, family):
    classes = {
        n: v
        for n in getattr(family, "__all__", ())
        if inspect.isclass(v := getattr(family, n))
    }
    plain = {to_snake_case(n).replace("_", ""): v for n, v in classes.items()}
    cls = plain.get(to_snake_case(name).replace("_", ""))
    if cls is None:
        raise ValueError(
            f"Unknown name: {name!r}. Expected one of {sorted(classes)}."
            f"{did_you_mean(to_snake_case(name), map(to_snake_case, classes))}"
        )
    return cls
