"""What the author of an engine writes; `python -m hornbeam.ops.required` prints it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import Any

from hornbeam import ops
from hornbeam.backends import contract
from hornbeam.ops.declare import registry


def declared_names() -> dict[str, Any]:
    """Return the functions and classes of the contract by name."""
    return {
        name: value
        for name, value in vars(contract).items()
        if inspect.getdoc(value)
        and getattr(value, "__module__", None) == contract.__name__
        and name not in ("optional", "Declared")
    }


def declared_ops() -> dict[str, Any]:
    """Return all ops by name: `is_primitive` says which an engine must have."""
    for module in pkgutil.walk_packages(ops.__path__, "hornbeam.ops."):
        importlib.import_module(module.name)
    return registry


def main() -> None:
    """Print the contract's names and the primitives, with signatures and meanings."""
    print("Attributes")
    for name, meaning in contract.CAPABILITIES.items():
        print(f"\n    {name}\n        {meaning}")
    names, declared = declared_names(), declared_ops().values()
    _print("Functions", [v for n, v in names.items() if n not in contract.OPTIONAL])
    _print(
        "Functions of primitive ops", [op.body for op in declared if op.is_primitive]
    )
    _print(
        "Optional functions: None on an engine without them",
        [v for n, v in names.items() if n in contract.OPTIONAL],
    )
    print("\nComposite ops, of which an engine may have faster functions\n")
    print("    " + " ".join(sorted(op.name for op in declared if not op.is_primitive)))


def _print(title: str, declared: list[Any]) -> None:
    print(f"\n{title}")
    for one in declared:
        signature = "" if inspect.isclass(one) else str(inspect.signature(one))
        # Annotations are strings: they are shown without quotes.
        signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", signature)
        meaning = (inspect.getdoc(one) or "").partition("\n\n")[0]
        print(f"\n    {one.__name__}{signature}\n        {meaning}")


if __name__ == "__main__":
    main()
