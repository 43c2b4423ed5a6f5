"""`python -m hornbeam.backends`: all that the author of an engine writes."""

import importlib
import inspect
import pkgutil

from hornbeam.backends import contract


def declared_ops() -> dict:
    """Return all ops by name: `is_primitive` says which an engine must have."""
    # For authors and tests: the engines themselves know of no op.
    from hornbeam import ops
    from hornbeam.ops.declare import registry

    for module in pkgutil.walk_packages(ops.__path__, "hornbeam.ops."):
        importlib.import_module(module.name)
    return registry


def main() -> None:
    """Print the contract's names and the primitives, with signatures and meanings."""
    print("Attributes")
    for name, meaning in contract.CAPABILITIES.items():
        print(f"\n    {name}\n        {meaning}")
    declared = [
        value
        for value in vars(contract).values()
        if getattr(value, "__module__", None) == contract.__name__
        and value is not contract.optional
        and (inspect.isfunction(value) or inspect.isclass(value))
    ]
    required = [x for x in declared if x.__name__ not in contract.OPTIONAL]
    _print("Functions", required)
    ops = declared_ops().values()
    _print("Functions of primitive ops", [op.body for op in ops if op.is_primitive])
    optional = [x for x in declared if x.__name__ in contract.OPTIONAL]
    _print("Optional: None on an engine without them", optional)
    names = sorted(op.name for op in ops if not op.is_primitive)
    print("\nComposite ops, of which an engine may have faster functions")
    print("\n    " + " ".join(names))


def _print(title: str, declared: list) -> None:
    print(f"\n{title}")
    for one in declared:
        signature = "" if inspect.isclass(one) else inspect.signature(one)
        print(f"\n    {one.__name__}{signature}")
        meaning = inspect.getdoc(one) or ""
        print(f"        {meaning.partition(chr(10) + chr(10))[0]}")


if __name__ == "__main__":
    main()
