"""Count what makes the library easy or hard to change, and hold the limits.

    python scripts/count.py             # print the table, hold the limits
    python scripts/count.py --root DIR  # the same for another checkout

The source is only parsed, never imported.
"""

import argparse
import ast
import configparser
import io
import pathlib
import re
import sys
import tokenize

# The name of each row that has a limit, and the limit.
LIMITS = {
    "files that name `rot90`, a composite op": 3,
    # It is one of `keras.activations` too, and has a rule for sparse tensors.
    "files that name `softsign`, a composite op": 5,
    "files that name `cumprod`, a primitive": 7,  # three, and each of the four engines
    "modules over 500 lines": 0,
    "functions over 60 lines without their docstring": 0,
    "imports inside functions": 80,
    "... of the library's own modules": 30,
    "undeclared names asked of an engine": 0,
    "comparisons with an engine's name": 0,
    "engines imported outside of `backends`": 0,
    "modules in the largest circle of imports": 8,
    "imports that run upward": 3,  # `model.save()` and `model.export()`
}
PACKAGE = "hornbeam"
ENGINES = ("jax", "numpy", "tensorflow", "torch")
# Files that are written for users of one engine's library import it by its name.
OF_ONE_LIBRARY = ("layers/core/jax_layer.py", "layers/core/flax_layer.py")
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


class House:
    """The parsed modules of a checkout, and what they import."""

    def __init__(self, root):
        self.root = root
        source = root / "src"
        self.paths = {_module_name(p, source): p for p in source.rglob("*.py")}
        self.texts = {m: p.read_text("utf-8") for m, p in self.paths.items()}
        self.trees = {m: ast.parse(text) for m, text in self.texts.items()}
        self.nodes = {m: list(ast.walk(tree)) for m, tree in self.trees.items()}
        self.for_types = {m: _for_types_alone(n) for m, n in self.nodes.items()}
        self._lists = {}
        self.imports = {m: set(self._imports_of(m)) for m in self.trees}

    def place(self, module):
        """Return the module's path below the package's folder."""
        return str(self.paths[module].relative_to(self.root / "src" / PACKAGE))

    def listed(self, module):
        """Return `{public name: (module, name)}` from the `.pyi` beside a module."""
        if module not in self._lists:
            self._lists[module] = dict(self._read_list(module))
        return self._lists[module]

    def _read_list(self, module):
        path = self.paths[module].with_suffix(".pyi")
        for node in ast.parse(path.read_text("utf-8")).body if path.exists() else ():
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    if alias.name == "*":
                        yield from self.listed(node.module).items()
                    else:
                        yield alias.asname or alias.name, (node.module, alias.name)

    def _imports_of(self, module):
        """Yield the modules that running all of `module` imports.

        A list of names counts as importing all that it names.
        """
        if module != PACKAGE:
            for source, name in self.listed(module).values():
                yield self._home(source, name)
        for node in self.nodes[module]:
            if node in self.for_types[module]:
                continue
            if isinstance(node, ast.Import):
                yield from (a.name for a in node.names if a.name in self.paths)
            elif isinstance(node, ast.ImportFrom):
                source = _source(node, module, self.paths[module])
                if source in self.paths:
                    yield from (self._home(source, a.name) for a in node.names)

    def _home(self, module, name):
        """Return the module that `from module import name` runs last."""
        place = self.listed(module).get(name)
        if f"{module}.{name}" in self.paths:
            return f"{module}.{name}"
        return module if place is None else self._home(*place)


def _module_name(path, source):
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _source(node, module, path):
    if not node.level:
        return node.module
    parts = module.split(".")
    up = node.level - (path.name == "__init__.py")
    return ".".join([*parts[: len(parts) - up], *filter(None, [node.module])])


def _for_types_alone(nodes):
    """Return those of a module's nodes that are below `if TYPE_CHECKING:`."""
    blocks = [
        statement
        for node in nodes
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for statement in node.body
    ]
    return {node for block in blocks for node in ast.walk(block)}


def lines_of_code(house):
    """Return the numbers of lines of code, docstrings, comments, and blank ones."""
    counts = dict.fromkeys(("code", "docstrings", "comments", "blank", "lists"), 0)
    for module, text in house.texts.items():
        lines = text.splitlines()
        docs = _docstring_lines(house.nodes[module])
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        empty = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
                 tokenize.COMMENT, tokenize.ENDMARKER)  # fmt: skip
        code = {
            line
            for token in tokens
            if token.type not in empty
            for line in range(token.start[0], token.end[0] + 1)
        } - docs
        for number, line in enumerate(lines, 1):
            if number in code:
                counts["code"] += 1
            elif number in docs:
                counts["docstrings"] += 1
            else:
                counts["comments" if line.strip() else "blank"] += 1
    for path in (house.root / "src").rglob("*.pyi"):
        counts["lists"] += len(path.read_text("utf-8").splitlines())
    return counts


def _docstring_lines(nodes):
    lines = set()
    for node in nodes:
        if isinstance(node, FUNCTIONS | ast.ClassDef | ast.Module):
            lines.update(_docstring_range(node))
    return lines


def _docstring_range(node):
    if ast.get_docstring(node, clean=False) is None:
        return range(0)
    return range(node.body[0].lineno, node.body[0].end_lineno + 1)


def files_that_name(house, op):
    """Return the files that an author of the op has to write its name into.

    Those are the op's function, lists of names, other tables, the engines and the table
    of laws. Code that merely calls the op does not count.
    """
    quoted = re.compile(rf"[\"'\s]{op}[\"'\s]")
    written = []
    for module, nodes in house.nodes.items():
        if any(_writes(node, op, quoted) for node in nodes):
            written.append(house.place(module))
    lists = (house.root / "src").rglob("*.pyi")
    for path in (*lists, house.root / "tests" / "ops" / "table.py"):
        if re.search(rf"\b{op}\b", path.read_text("utf-8")):
            written.append(str(path.relative_to(house.root)))  # noqa: PERF401
    return sorted(written)


def _writes(node, op, quoted):
    """Whether the node defines the name, imports it for others, or lists it."""
    if isinstance(node, FUNCTIONS):
        return node.name == op
    if isinstance(node, ast.Assign):
        return any(isinstance(t, ast.Name) and t.id == op for t in node.targets)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        words = f" {node.value} "
        is_list = len(node.value.split()) == 1 or "\n" in node.value
        return bool(quoted.search(words)) and is_list and ">>>" not in node.value
    return False


def long_functions(house, limit=60):
    """Return the functions with more lines than `limit` without their docstring."""
    return [
        f"{house.place(module)}:{node.lineno} {node.name}"
        for module, nodes in house.nodes.items()
        for node in nodes
        if isinstance(node, FUNCTIONS)
        and node.end_lineno - node.lineno + 1 - len(_docstring_range(node)) > limit
    ]


def long_modules(house, limit=500):
    """Return the modules with more lines than `limit`."""
    return [
        house.place(m) for m, t in house.texts.items() if len(t.splitlines()) > limit
    ]


def deferred_imports(house, own=False):
    """Return the imports inside functions: all, or those of our `own` modules."""
    places = []
    for module, nodes in house.nodes.items():
        inside = {
            node
            for function in nodes
            if isinstance(function, FUNCTIONS)
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        places += [
            f"{house.place(module)}:{node.lineno}"
            for node in inside
            if not own or PACKAGE in ast.unparse(node)
        ]
    return sorted(places)


def _of_an_engine(node):
    """Whether an expression is an engine, by the names that the library uses."""
    if isinstance(node, ast.Call):
        return re.match(r"backends\.(current|get|of)\(", ast.unparse(node)) is not None
    if isinstance(node, ast.Attribute):
        is_dotted = isinstance(node.value, ast.Name | ast.Attribute)
        return is_dotted and node.attr in ("engine", "_engine", "backend")
    return isinstance(node, ast.Name) and node.id in ("engine", "_engine")


def undeclared(house):
    """Return where code asks an engine for a name that the contract does not have."""
    names = contract_names(house)
    places = []
    for module, node in _outside_backends(house):
        probe = isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
            "getattr",
            "hasattr",
        )
        if probe and _of_an_engine(node.args[0]):
            name = node.args[1]
            # Ops are asked for by names that are declared.
            unknown = isinstance(name, ast.Constant) or not module.startswith(
                f"{PACKAGE}.ops."
            )
        elif isinstance(node, ast.Attribute) and _of_an_engine(node.value):
            unknown = names and node.attr not in names
        else:
            continue
        if unknown:
            places.append(f"{house.place(module)}:{node.lineno} {ast.unparse(node)}")
    return places


def contract_names(house):
    """Return the names of the contract: those of its file, and of the primitives."""
    names = {"__name__"}
    for node in house.nodes.get(f"{PACKAGE}.backends.contract", ()):
        if isinstance(node, FUNCTIONS | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Dict):  # CAPABILITIES
            names.update(ast.literal_eval(node))
    if len(names) < 40:
        return set()  # of a time when the contract was a folder
    for module, tree in house.trees.items():
        if module.startswith(f"{PACKAGE}.ops."):
            names |= {n.name for n in tree.body if isinstance(n, FUNCTIONS)}
    return names


def name_comparisons(house):
    """Return where code outside of `backends` compares an engine's name."""
    places = []
    for module, node in _outside_backends(house):
        sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else ()
        if any(isinstance(s, ast.Constant) and s.value in ENGINES for s in sides):
            places.append(f"{house.place(module)}:{node.lineno} {ast.unparse(node)}")
    return places


def engine_imports(house):
    """Return where code outside of `backends` imports an engine's library."""
    places = []
    for module, node in _outside_backends(house):
        if isinstance(node, ast.Import):
            sources = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            sources = [node.module]
        else:
            continue
        if house.place(module) not in OF_ONE_LIBRARY and any(
            s != "numpy" and s.partition(".")[0] in ENGINES for s in sources
        ):
            places.append(f"{house.place(module)}:{node.lineno} {ast.unparse(node)}")
    return places


def _outside_backends(house):
    for module, nodes in house.nodes.items():
        if not module.startswith(f"{PACKAGE}.backends"):
            hidden = house.for_types[module]
            yield from ((module, node) for node in nodes if node not in hidden)


def largest_circle(house):
    """Return the most modules that all import each other, at once or in calls."""
    reached = {m: _reachable(m, house.imports) for m in house.imports}
    circles = [[n for n in reached[m] if m in reached[n]] for m in reached]
    return sorted(max(circles, key=len))


def _reachable(start, graph):
    seen, todo = set(), [start]
    while todo:
        for module in graph.get(todo.pop(), ()):
            if module not in seen:
                seen.add(module)
                todo.append(module)
    return seen


def upward_imports(house):
    """Return the imports from a layer of `.importlinter` to one above it."""
    rules = configparser.ConfigParser()
    rules.read(house.root / ".importlinter", "utf-8")
    layers = rules["importlinter:contract:layers"]["layers"].strip().splitlines()
    height = {
        room.strip(): level
        for level, line in enumerate(reversed(layers))
        for room in re.split("[|:]", line)
    }

    def level(module):
        while module:
            if module in height:
                return height[module]
            module = module.rpartition(".")[0]
        return None

    return sorted(
        f"{module} -> {target}"
        for module, targets in house.imports.items()
        for target in targets
        if None not in (level(module), level(target)) and level(module) < level(target)
    )


def main():
    """Print the table; exit with 1 where a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    here = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--root", type=pathlib.Path, default=here)
    parser.add_argument("--list", action="store_true", help="show every place")
    options = parser.parse_args()
    house = House(options.root)
    values = [
        *[files_that_name(house, op) for op in ("rot90", "softsign", "cumprod")],
        long_modules(house),
        long_functions(house),
        deferred_imports(house),
        deferred_imports(house, own=True),
        undeclared(house),
        name_comparisons(house),
        engine_imports(house),
        largest_circle(house),
        upward_imports(house),
    ]
    print("lines:", ", ".join(f"{n} {k}" for k, n in lines_of_code(house).items()))
    exceeded = False
    for (title, limit), places in zip(LIMITS.items(), values, strict=True):
        print(f"{len(places):5} of at most {limit:3}  {title}")
        if options.list or len(places) > limit:
            print(*(f"        {place}" for place in places), sep="\n")
        exceeded |= len(places) > limit
    sys.exit(exceeded)


if __name__ == "__main__":
    main()
