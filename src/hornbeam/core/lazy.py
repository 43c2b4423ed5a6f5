"""Names of a package, resolved on first use from the `.pyi` file beside it.

The `.pyi` is the only list: type checkers and editors read it, and so does `attach`.
It holds lines such as `from hornbeam.layers.core.dense import Dense as Dense`, and
`from hornbeam import layers as layers` for a submodule.
"""

import ast
import functools
import importlib
import sys
import threading
from pathlib import Path

# Python 3.11 fails where two threads parse at a time (python/cpython#106905).
_parsing = threading.Lock()
_attached: set[str] = set()


@functools.cache
def names_of(package):
    """Return `{public name: (module, name in it)}` from the package's `.pyi`."""
    source = Path(sys.modules[package].__file__).with_suffix(".pyi").read_text("utf-8")
    found = {}
    with _parsing:
        nodes = ast.parse(source).body
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = (node.module, alias.name)
    return found


def attach(package):
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
