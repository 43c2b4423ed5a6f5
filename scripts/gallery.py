"""Run the pages of docs/gallery/, whose Python blocks make the pictures that they show.

conf.py of the documentation calls `run`. The blocks of a page are one program, in a
folder of its own, docs/gallery/pictures/<page>/. A page that has not changed, of a
library that has not, is not run again.
"""

import contextlib
import hashlib
import io
import pathlib
import re

import hornbeam as keras

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(folder):
    """Run the pages that are not up to date."""
    for page in sorted(pathlib.Path(folder).glob("*.md")):
        blocks = BLOCK.findall(page.read_text("utf-8"))
        if not blocks:
            continue
        pictures = page.parent / "pictures" / page.stem
        pictures.mkdir(parents=True, exist_ok=True)
        code, made = "".join(blocks), pictures / "made-by.txt"
        mark = hashlib.sha256(f"{keras.version()} {code}".encode()).hexdigest()
        if made.exists() and made.read_text() == mark:
            continue
        with contextlib.chdir(pictures), contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, str(page), "exec"), {"__name__": "page"})
        made.write_text(mark)
