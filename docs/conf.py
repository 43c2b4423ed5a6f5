"""How Sphinx builds these pages; `make docs` runs it, with warnings as errors."""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scripts"))

import gallery  # noqa: E402
import reference  # noqa: E402

reference.write(HERE / "api")
gallery.run(HERE / "gallery")

project = "hornbeam"
author = "The hornbeam developers"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "attrs_block"]
myst_heading_anchors = 4
highlight_language = "none"
python_maximum_signature_line_length = 88
toc_object_entries = False
add_module_names = True

html_show_copyright = False
html_theme = "furo"  # with no font or script from the network
html_title = "hornbeam"
html_copy_source = html_show_sourcelink = False
html_static_path = ["static"]
html_css_files = ["hornbeam.css"]

# Files beside docs/ are pages of their own here.
OUTSIDE = {"SECURITY.md": "security.md"}


def _links(app, name, source):
    for path, page in OUTSIDE.items():
        up = "../" * (name.count("/"))
        source[0] = re.sub(rf"\((\.\./)+{re.escape(path)}", f"({up}{page}", source[0])


def setup(app):
    """Let links to files beside docs/ lead to their pages."""
    app.connect("source-read", _links)
