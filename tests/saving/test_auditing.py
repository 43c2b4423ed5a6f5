"""The audit hook sees what it is there for, and what a file names decides no import."""

import importlib
import inspect
import marshal
import os
import pathlib
import pickle
import socket
import subprocess
import sys
import types

import pytest

import hornbeam as keras
from hornbeam.core import allowlist
from tests.saving.attack_table import BYTECODE, function, layer


def import_by_statement():
    import this  # noqa: F401


def replace_code():
    replace_code.__code__.replace(co_name="x")


WRONG = {
    "import_module": lambda: importlib.import_module("this"),
    "a module of ours": lambda: importlib.import_module("hornbeam.legacy"),
    "__import__": lambda: __import__("this"),
    "a statement that is no library's": import_by_statement,
    "exec": lambda: exec("1"),
    "eval": lambda: eval("1"),
    "compile": lambda: compile("1", "x", "eval"),
    "code": replace_code,
    "marshal": lambda: marshal.loads(marshal.dumps(1)),
    "pickle": lambda: pickle.loads(pickle.dumps(os.getcwd)),
    "open": lambda: open("/etc/hostname", "rb").close(),
    "socket": lambda: socket.socket().close(),
    "system": lambda: os.system("true"),
    "process": lambda: subprocess.run(["true"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_reading_must_not_do_is_seen(name, audit):
    for module in ("this", "hornbeam.legacy"):
        sys.modules.pop(module, None)
    with pytest.raises(AssertionError, match="reading did"), audit():
        WRONG[name]()


def test_the_table_imports_its_modules(audit):
    module = "hornbeam.layers.core.masking"
    kept = {name: sys.modules.pop(name) for name in [module] if name in sys.modules}
    with audit():
        keras.layers.deserialize(layer("Masking"))
    assert module in sys.modules
    sys.modules.update(kept)


CODE = """
import sys
sys.path.insert(0, sys.argv[1])
import hornbeam as keras
from hornbeam.core import serialization
from hornbeam.saving import UnsafeFileError
for module, name in (("keras.layers", "Dense"), ("keras.src.ops.numpy", "Tilex")):
    try: serialization.deserialize_keras_object(
        {"module": module, "class_name": name, "config": {"units": 1}})
    except UnsafeFileError: pass
before = set(sys.modules)
for module in sys.stdin.read().split():
    for name in ("X", "Dense", "L3", "get_filex"):
        for item in (
            {"module": module, "class_name": name},
            {"module": None, "class_name": name, "registered_name": f"{module}>x"},
            {"module": "keras", "class_name": f"{module}.{name}"},
            {"module": module, "class_name": "function", "registered_name": module},
        ):
            config = module if item["class_name"] == "function" else {}
            try:
                serialization.deserialize_keras_object({**item, "config": config})
            except UnsafeFileError:
                continue
            raise SystemExit(f"{item} was made")
print(sorted(set(sys.modules) - before))
"""


def test_a_module_that_a_config_names_is_not_imported(tmp_path):
    """Modules of ours, by all their names, of engines, and one that stands there."""
    root = pathlib.Path(keras.__file__).parent
    ours = [
        ".".join(("hornbeam", *path.relative_to(root).with_suffix("").parts))
        for path in root.rglob("*.py")
    ]
    names = {name.removesuffix(".__init__") for name in ours} - {"hornbeam"}
    for start in ("keras", "keras.src"):
        names |= {name.replace("hornbeam", start, 1) for name in names}
    names |= {*"torch tensorflow flax sklearn pandas antigravity canary".split()}
    # What the table holds is imported from where it stands.
    held = {f"{k}.{s}" for s in allowlist._CLASS_SPACES for k in ("keras", "keras.src")}
    names = {n for n in names if not any(f"{n}.".startswith(f"{h}.") for h in held)}
    (tmp_path / "canary.py").write_text("raise SystemExit('imported')\n")
    done = subprocess.run(
        [sys.executable, "-c", CODE, tmp_path],
        input="\n".join(sorted(names)),
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


KINDS = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY


def classes():
    """The classes that a file may name; the others run what is given to them."""
    found = {
        allowlist.resolve(space, name)
        for space in allowlist._CLASS_SPACES
        for name in set(allowlist.public_names(space)) - allowlist._REFUSED
    }
    found = [c for c in found if inspect.isclass(c) and hasattr(c, "from_config")]
    return sorted(found, key=lambda cls: (cls.__module__, cls.__name__))


@pytest.mark.parametrize("part", [BYTECODE, function("exec"), layer("system", "os")])
def test_no_argument_of_any_class_runs_what_it_is_given(part, audit):
    """By `from_config` of each class; what it takes as data stays data."""
    for cls in classes():
        names = [
            name
            for name, parameter in inspect.signature(cls).parameters.items()
            if parameter.kind
            in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        ]
        for name in names:
            config = {**dict.fromkeys(names[:1], part), name: part}
            with audit():
                try:
                    made = cls.from_config(config)
                except (ValueError, TypeError):
                    continue
            value = getattr(made, name, None)
            assert not isinstance(value, types.BuiltinFunctionType), (cls, name)
