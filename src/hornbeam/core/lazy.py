"""Names of a package, resolved on first use from the `.pyi` file beside it.

The `.pyi` is the only list: type checkers and editors read it, and so does `attach`.
It holds lines such as `from hornbeam.layers.core.dense import Dense as Dense`,
`from hornbeam import layers as layers` for a submodule, `from hornbeam.ops.numpy
import *` for all names of another list (a `.pyi`, or the `__all__` of a module), and
`MaxPool2D = MaxPooling2D` for another name: checkers take an import under another name
as private.
"""

from __future__ import annotations

import ast
import functools
import importlib
import re
import sys
import threading
from pathlib import Path

TYPE_CHECKING = False  # without `typing`: this module alone runs at `import hornbeam`
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Python 3.11 fails where two threads parse at a time (python/cpython#106905).
_parsing = threading.Lock()
_attached: set[str] = set()
_ROOT = Path(__file__).resolve().parent.parent


@functools.cache
def names_of(module: str) -> dict[str, tuple[str, str]]:
    """Return `{public name: (module, name in it)}` of a module with a list of names."""
    path = _ROOT.joinpath(*module.split(".")[1:])
    lists = [p for p in (path / "__init__.pyi", path.with_suffix(".pyi")) if p.exists()]
    if not lists:
        return {name: (module, name) for name in _all_of(path.with_suffix(".py"))}
    names = {}
    with _parsing:
        nodes = ast.parse(lists[0].read_text("utf-8")).body
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if alias.name == "*":
                    names.update(names_of(node.module))
                else:
                    names[alias.asname or alias.name] = (node.module, alias.name)
        elif isinstance(node, ast.Assign):
            other_name, name = ast.unparse(node).split(" = ")
            names[other_name] = names[name]
    return names


def public(space: str, name: str) -> Any:
    """Return the public object `name` of a namespace such as "ops"; "" is the top.

    So a room names what the rooms above it offer: operators are ops, and a config names
    layers. The list is read first, the module that holds the object on first use.
    """
    module, attribute = names_of(f"hornbeam.{space}".rstrip("."))[name]
    return getattr(importlib.import_module(module), attribute)


def _all_of(path: Path) -> list[str]:
    """Return the `__all__` of a module without running it."""
    written = re.search(
        r"^__all__ = (\[.*?\])", path.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    if written is None:
        raise ValueError(f"{path} has neither a `.pyi` beside it nor an `__all__`.")
    return ast.literal_eval(written[1])


def attach(
    package: str,
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` for the package's `__init__.py`."""
    table = names_of(package)
    namespace = sys.modules[package].__dict__
    _attached.add(package)

    def __getattr__(name):
        try:
            module, attribute = table[name]
        except KeyError:
            raise AttributeError(_no_such_name(package, name)) from None
        if module == package:
            value = importlib.import_module(f"{module}.{attribute}")
        else:
            value = getattr(importlib.import_module(module), attribute)
        namespace[name] = value
        return value

    def __dir__():
        return sorted({*table, *namespace})

    return __getattr__, __dir__, list(table)


def _no_such_name(package, name):
    from hornbeam.core.errors import did_you_mean
    from hornbeam.core.keras_names import explain_missing

    path = f"{package}.{name}".partition(".")[2]
    return explain_missing(path) or (
        f"module {package!r} has no attribute {name!r}."
        f"{did_you_mean(name, names_of(package))}"
    )


class _MissingModules:
    """Explains `from hornbeam.layers import Denze` and `import hornbeam.datasets`.

    Python asks for a submodule where a package has no such name, the finders in turn:
    this one comes last.
    """

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        package, _, name = fullname.rpartition(".")
        if package.partition(".")[0] == "hornbeam" and not name.startswith("_"):
            if package in _attached:
                raise ImportError(_no_such_name(package, name), name=fullname)


sys.meta_path.append(_MissingModules)
