"""The tests themselves: each compares something, or expects an error."""

import ast
import functools
import pathlib

HERE = pathlib.Path(__file__).parent
FILES = sorted(HERE.rglob("*.py"))


@functools.cache
def parsed(path):
    return ast.parse(path.read_text("utf-8"))


@functools.cache
def functions_of(path):
    """Return a file's functions and methods by name."""
    nodes = ast.walk(parsed(path))
    return {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}


@functools.cache
def imported_helpers(path):
    """Return `{name here: (file, name there)}` of what is imported from `tests`."""
    helpers = {}
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom):
            module = (node.module or "").removeprefix("tests.").replace(".", "/")
            for file in (HERE / f"{module}.py", path.parent / f"{module}.py"):
                if file.exists():
                    for alias in node.names:
                        helpers[alias.asname or alias.name] = file, alias.name
    return helpers


def names_in(node):
    """Yield the names and attributes that code mentions."""
    for part in ast.walk(node):
        name = getattr(part, "id", None) or getattr(part, "attr", None)
        if isinstance(name, str):
            yield name


def compares(node):
    """Tell whether code has an `assert`, `pytest.raises` or `assert_...` of NumPy's."""
    return any(isinstance(part, ast.Assert) for part in ast.walk(node)) or any(
        name in ("raises", "warns") or name.startswith("assert_")
        for name in names_in(node)
    )


def compares_somewhere(path, name, seen):
    """Tell whether a function compares something, or a helper that it mentions."""
    if (path, name) in seen or name not in functions_of(path):
        return False
    seen.add((path, name))
    node = functions_of(path)[name]
    return compares(node) or any(
        compares_somewhere(*imported_helpers(path).get(used, (path, used)), seen)
        for used in names_in(node)
    )


def is_test(function):
    """Tell whether pytest collects a function, or `programs.catalogue` lists it."""
    decorators = [name for d in function.decorator_list for name in names_in(d)]
    return function.name.startswith("test_") or "program" in decorators


def collected(path):
    for node in parsed(path).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        if not isinstance(node, ast.ClassDef) or node.name.startswith("Test"):
            for function in inside:
                if isinstance(function, ast.FunctionDef) and is_test(function):
                    yield function.name


def test_every_test_compares_something():
    # A program of the catalogue, which is listed here too, is what it runs.
    silent = [
        f"{path.relative_to(HERE)}: {name}"
        for path in FILES
        for name in collected(path)
        if not compares_somewhere(path, name, set()) and name != "test_a_program_learns"
    ]
    assert silent == []


def test_names_of_test_files_are_unique():
    """Pytest imports them as modules of one folder."""
    names = [path.name for path in FILES if path.name.startswith("test_")]
    assert len(names) == len(set(names))
