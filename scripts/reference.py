"""Write the pages of the API reference: one for each namespace, from its list of names.

conf.py of the documentation calls `write`. A name is described once, where people look
for it first; its other names link there. Docstrings are Markdown with sections of
Google's style, which griffe reads. Notes "Differs from Keras" are the lines of
docs/differences.md about the name.
"""

import collections
import functools
import importlib
import inspect
import logging
import pathlib
import re
import textwrap
import types

import griffe

import hornbeam as keras
from hornbeam.core import lazy

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Where a name is described if several namespaces have it: later ones are other names.
LAST = [
    "keras.metrics",
    "keras.models",
    "keras.config",
    "keras.ops",
    "keras.utils.legacy",
    "keras.legacy.saving",
    "keras.mixed_precision",
    "keras.preprocessing",
    "keras.preprocessing.image",
    "keras.preprocessing.sequence",
    "keras.optimizers.legacy",
    "keras.backend",
]
OPS = ["keras.ops", "keras.ops.numpy", "keras.ops.nn", "keras.ops.linalg"]
OPS += ["keras.ops.image", "keras.random", "keras.tree"]
# What is called on layers of a kind; their other methods are called by the library.
CALLED = {"adapt", "update_state", "finalize_state", "reset_state", "reset_states"}
CALLED |= {"get_vocabulary", "set_vocabulary", "vocabulary_size", "enable_lora"}
CALLED |= {"lora_enabled", "states", "get_initial_state"}
INNER = {"structure_key", "convert_weight", "accepts_padding", "jax_state_sync"}
# The class of a name that stands in several places: its home is this namespace.
BASES = {"Model": "keras", "Sequential": "keras", "Layer": "keras", "Input": "keras"}

logging.getLogger("griffe").setLevel(logging.ERROR)


def modules(module="hornbeam"):
    """Yield the names of all public namespaces."""
    yield module
    for value in names_of(module).values():
        if isinstance(value, types.ModuleType):
            yield from modules(value.__name__)


def names_of(module):
    """Return `{name: object}` of a namespace: its list, or else what it defines."""
    loaded = importlib.import_module(module)
    try:
        return {name: getattr(loaded, name) for name in lazy.names_of(module)}
    except ValueError:
        return {
            name: value
            for name, value in vars(loaded).items()
            if getattr(value, "__module__", None) == module
        }


@functools.cache
def public():
    """Return `{namespace: {name: object}}`, without the namespaces in namespaces."""
    found = {}
    for module in dict.fromkeys(modules()):
        space = "keras" + module.removeprefix("hornbeam")
        found[space] = {
            name: value
            for name, value in names_of(module).items()
            if not isinstance(value, types.ModuleType) and not name.startswith("_")
        }
    return found


@functools.cache
def places():
    """Return `{id of an object: its paths}`, the one where it is described first."""
    found = collections.defaultdict(list)
    for space, names in public().items():
        for name, value in names.items():
            found[id(value)].append((space, name))
    return {key: sorted(paths, key=_order) for key, paths in found.items()}


def _order(path):
    space, name = path
    home = BASES.get(name) == space
    last = LAST.index(space) + 1 if space in LAST else 0
    top = space == "keras"
    return (not home, last, top, -space.count("."), space, name.lower() == name)


def home(value):
    """Return the path under which an object is described."""
    return places()[id(value)][0]


def page_of(space):
    """Return the file name of a namespace's page, without its ending."""
    return space.partition(".")[2] or "keras"


def link(value, text=None):
    """Return a link to where an object is described."""
    space, name = home(value)
    return f"{{py:obj}}`{text or name} <{space}.{name}>`"


def write(folder):
    """Write all pages into a folder; those that are up to date are not touched."""
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    pages = {"index": overview()}
    for space, names in public().items():
        pages[page_of(space)] = page(space, names)
    for path in folder.glob("*.md"):
        if path.stem not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def overview():
    """Return the page that lists the namespaces."""
    lines = ["# API reference\n"]
    lines.append(
        "Every public name, by namespace, under the names that `import hornbeam as "
        "keras` gives. The examples run in the tests.\n"
    )
    lines += ["| namespace | what it holds |", "| --- | --- |"]
    for space in public():
        module = importlib.import_module("hornbeam" + space.removeprefix("keras"))
        about = first_sentence(module).replace("The names are listed in", "")
        lines.append(f"| [`{space}`]({page_of(space)}.md) | {about} |")
    lines += ["", "```{toctree}", ":hidden:", ":titlesonly:", ""]
    lines += [f"{space} <{page_of(space)}>" for space in public()]
    return "\n".join([*lines, "```", ""])


def page(space, names):
    """Return the page of a namespace."""
    module = importlib.import_module("hornbeam" + space.removeprefix("keras"))
    about = inspect.getdoc(module) or ""
    about = re.sub(
        r"The (only )?(list of )?names (are|is) (listed )?in[^.]*\.pyi`\.", "", about
    )
    lines = [f"# `{space}`\n", markdown(about), ""]
    inner = [other for other in public() if other.rpartition(".")[0] == space]
    if inner and space != "keras":
        links = (f"[`{other}`]({page_of(other)}.md)" for other in inner)
        lines += [f"Namespaces in it: {', '.join(links)}.", ""]
    lines += ["| name | |", "| --- | --- |"]
    for name, value in names.items():
        lines.append(f"| {link(value, name)} | {first_sentence(value)} |")
    lines.append("")
    described = [v for n, v in names.items() if home(v) == (space, n)]
    for value in described:
        lines += [entry(value), ""]
    return "\n".join(lines)


def entry(value):
    """Return what the reference says about an object, in Markdown."""
    space, name = home(value)
    lines = [f"## {name}", ""]
    kind = "class" if inspect.isclass(value) else "function"
    if not callable(value):
        kind = "data"
    body = [description(value)]
    others = [f"`{s}.{n}`" for s, n in places()[id(value)][1:]]
    if others:
        body.append(f"Other names: {', '.join(others)}.\n")
    notes = differences()[space in OPS, name]
    if notes:
        body += ["````{admonition} Differs from Keras", *notes, "````", ""]
    if kind == "class":
        body += members(value)
    lines += directive(kind, f"{space}.{name}{signature(value)}", body, ":" * 6)
    return "\n".join(lines)


def directive(kind, argument, body, fence):
    """Return a directive of Sphinx's Python domain."""
    return [f"{fence}{{py:{kind}}} {argument}", "", *body, fence]


def signature(value):
    """Return the arguments and their defaults, without the types."""
    if not callable(value):
        return ""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return "()"
    parameters = [
        p.replace(annotation=p.empty, default=_default(p))
        for n, p in found.parameters.items()
        if n not in ("self", "cls")
    ]
    try:
        return str(inspect.Signature(parameters))
    except ValueError:
        return "(...)"


class _Written(str):
    """A default as people write it."""

    def __repr__(self):
        return str(self)


def _default(parameter):
    default = parameter.default
    if default is parameter.empty or isinstance(
        default, str | int | float | type(None)
    ):
        return default
    if default is parameter.empty:
        return default
    if callable(default):
        return _Written(getattr(default, "__name__", "..."))
    text = repr(default)
    return _Written("..." if " at 0x" in text or "<" in text else text)


def description(value):
    """Return an object's docstring in Markdown, with the types of its arguments."""
    text = inspect.getdoc(value) or ""
    if not callable(value):
        return "" if text == inspect.getdoc(type(value)) else markdown(text)
    lines = []
    for section in griffe.Docstring(text, lineno=1).parse("google", warnings=False):
        kind = section.kind.value
        if kind == "text":
            lines.append(markdown(section.value))
        elif kind in ("parameters", "other parameters", "attributes"):
            title = "Arguments" if kind == "parameters" else kind.capitalize()
            lines.append(f"**{title}**\n")
            known = types_of(value)
            lines += [argument(item, known) for item in section.value]
        elif kind in ("returns", "yields", "raises", "warns"):
            lines.append(f"**{kind.capitalize()}**\n")
            lines += [outcome(item) for item in section.value]
        elif kind == "examples":
            lines += [markdown(text) for _, text in section.value]
        elif kind == "admonition":
            title = section.title or section.value.kind
            lines.append(f"**{title}**\n\n{markdown(section.value.contents)}")
        else:
            raise ValueError(f"A section {kind!r} in the docstring of {value!r}.")
        lines.append("")
    return "\n".join(lines)


def types_of(value):
    """Return the types of the arguments, as they are written."""
    try:
        parameters = inspect.signature(value).parameters
    except (TypeError, ValueError):
        return {}
    return {
        name: text
        for name, p in parameters.items()
        if (text := _type(p.annotation)) and "Unpack" not in text
    }


def _type(annotation):
    if annotation is inspect.Parameter.empty:
        return ""
    text = (
        annotation
        if isinstance(annotation, str)
        else inspect.formatannotation(annotation)
    )
    text = re.sub(r"\b[\w.]+\.(\w+)", r"\1", text)
    return text if text != "Any" and len(text) <= 48 and "<" not in text else ""


def argument(item, known):
    """Return the line of an argument."""
    kind = known.get(item.name.strip("*`")) or (
        item.annotation and str(item.annotation)
    )
    kind = f" (`{kind}`)" if kind else ""
    return f"- `{item.name.strip('`')}`{kind}: {hanging(item.description)}"


def outcome(item):
    """Return the line of a result or an error."""
    label = getattr(item, "name", "") or ""
    kind = str(item.annotation or "")
    label = ": ".join(f"`{part}`" for part in (label, kind) if part)
    return f"- {label + ': ' if label else ''}{hanging(item.description)}"


def hanging(text):
    """Return a text for an item of a list."""
    return textwrap.indent(markdown(text), "  ").strip()


def markdown(text):
    """Return a docstring's text as Markdown: examples in fences, addresses as links."""
    out, example = [], False
    for line in text.splitlines():
        if line.lstrip().startswith(">>> ") and not example:
            if out and out[-1]:
                out.append("")
            out.append("```pycon")
            example = True
        elif example and not line.strip():
            out.append("```")
            example = False
        if not example and not line.startswith("    "):
            line = re.sub(r"(?<![<\w(`\"'\]])(https?://[^\s)>]*[\w/])", r"<\1>", line)
            line = re.sub(r"\((https?://[^\s)>]*[\w/])\)", r"(<\1>)", line)
        out.append(line)
    if example:
        out.append("```")
    return "\n".join(out)


def first_sentence(value):
    """Return the first sentence of a docstring, for a cell of a table."""
    if not callable(value) and not isinstance(value, types.ModuleType):
        return ""
    text = " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())
    sentence = re.split(r"(?<=[.])\s+(?=[A-Z`])", text)[0]
    return sentence.replace("|", "\\|").rstrip(":")


def members(cls):
    """Return the entries of the methods and properties that are a class's own.

    Those of bases that have no entry of their own count as its own.
    """
    lines, described = [], [b for b in cls.__mro__[1:] if id(b) in places()]
    inherited = {name for base in described for name in dir(base)}
    names = {}
    for base in cls.__mro__:
        if base.__module__.startswith("hornbeam") and base not in described:
            for name, member in vars(base).items():
                names.setdefault(name, member)
    if {keras.Layer, keras.Initializer} & set(described) and cls is not keras.Model:
        names = {name: names[name] for name in names if name in CALLED}
    for name, member in names.items():
        if not name.startswith("_") and name not in inherited and name not in INNER:
            lines += method(cls, name, member)
    if described:
        links = ", ".join(link(base, ".".join(home(base))) for base in described)
        lines += [f"Other methods and properties are those of {links}.", ""]
    return lines


def method(cls, name, member):
    """Return the entry of a method or property with a docstring."""
    space, class_name = home(cls)
    path = f"{space}.{class_name}.{name}"
    if isinstance(member, property | functools.cached_property):
        text = markdown(inspect.getdoc(member) or "")
        return directive("property", path, [text, ""], ":" * 5) + [""] if text else []
    function = getattr(cls, name)
    if not inspect.isroutine(function) or not inspect.getdoc(function):
        return []
    body = [description(function), ""]
    return [*directive("method", path + signature(function), body, ":" * 5), ""]


@functools.cache
def differences():
    """Return the lines of docs/differences.md about a name of an op, or another name.

    Names of ops are words such as "map": they count in the section about ops alone.
    """
    known = {name for names in public().values() for name in names}
    found, section = collections.defaultdict(list), ""
    for line in (ROOT / "docs" / "differences.md").read_text("utf-8").splitlines():
        section = line if line.startswith("## ") else section
        if line.startswith("- "):
            spans = re.findall(r"`([^`]+)`", line)
            names = (re.match(r"(?:\w+\.)*(\w+)", span) for span in spans)
            for name in dict.fromkeys(n[1] for n in names if n and n[1] in known):
                found[section == "## Ops", name].append(line)
    return found
