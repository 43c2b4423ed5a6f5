"""The Python blocks of Markdown pages."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
READMES = ["README.md", "README.zh-CN.md"]


def python_blocks(page):
    """Return the Python code in a Markdown file, block by block."""
    return [code for _, code in numbered_blocks(page)]


def numbered_blocks(page):
    """Return (line, code) of each Python block."""
    text = (ROOT / page).read_text("utf-8")
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, match.start(1)), match[1]) for match in found]


def pages():
    """Return the pages of the documentation that have Python blocks.

    Those of the gallery are run when the site is built (scripts/gallery.py).
    """
    folder = ROOT / "docs"
    elsewhere = {folder / "api", folder / "gallery"}
    return [
        str(path.relative_to(ROOT))
        for path in sorted(folder.rglob("*.md"))
        if not elsewhere & set(path.parents) and python_blocks(path)
    ]
