"""Write docs/coverage.md: which public names of Keras hornbeam has, and which not yet.

python scripts/coverage.py           # write the page
python scripts/coverage.py --check   # fail if the page is not up to date
"""

import functools
import importlib
import pathlib
import sys

from hornbeam.core import keras_names

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "coverage.md"

HEAD = """# Which names of Keras 3.15.1 are here

Written by `python scripts/coverage.py`, from the list of Keras's public names in
`src/hornbeam/core/keras_names.txt`; `make test` checks that it is up to date. A name
that is missing says so, and what to use instead, in the error that it raises.
"""


@functools.cache
def is_here(path):
    """Whether `keras.<path>` exists in hornbeam."""
    space, _, name = path.rpartition(".")
    if space and not is_here(space):
        return False
    module = importlib.import_module(f"hornbeam.{space}".rstrip("."))
    return hasattr(module, name)


def page():
    """Return the text of the page."""
    table, lists = [], []
    total = missing_total = 0
    for space, listed in keras_names.names().items():
        missing = [n for n in listed if not is_here(f"{space}.{n}".lstrip("."))]
        total += len(listed)
        missing_total += len(missing)
        label = f"keras.{space}".rstrip(".")
        table.append(f"| `{label}` | {len(listed)} | {len(listed) - len(missing)} |")
        if missing:
            lists.append(f"\n**`{label}`**\n")
            lists += _lines(space, missing)
    return "\n".join(
        [
            HEAD,
            f"{total - missing_total} of {total} names are here.\n",
            "| namespace | names in Keras | here |",
            "| --- | --- | --- |",
            *table,
            "\n## Missing",
            *lists,
            "",
        ]
    )


def _lines(space, missing):
    """Return a line for the names that share one piece of advice.

    A namespace that is missing has its advice where it is listed itself.
    """
    by_advice = {}
    for name in missing:
        path = f"{space}.{name}".lstrip(".")
        advice = keras_names.advice(path) if not space or is_here(space) else None
        by_advice.setdefault(advice, []).append(f"`{name}`")
    return [
        f"- {', '.join(names)}" + (f": {advice}" if advice else "")
        for advice, names in by_advice.items()
    ]


def main():
    """Write the page, or check it."""
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text, "utf-8")
    elif not PAGE.exists() or PAGE.read_text("utf-8") != text:
        sys.exit("docs/coverage.md is out of date: run `python scripts/coverage.py`.")


if __name__ == "__main__":
    main()
