"""The READMEs and the pages of docs/: their Python blocks are right programs."""

import re

import pytest

from hornbeam import config
from tests.markdown import READMES, ROOT, numbered_blocks, pages, python_blocks

pytestmark = pytest.mark.slow

# Those that take more than a few seconds.
SLOW = [
    "docs/tuning.md",
    "docs/guides/search.md",
    "docs/guides/pretrained.md",
    "docs/coming-from/scikit-learn.md",
]
CHINESE = [page for page in pages() if page.startswith("docs/zh/")]


@pytest.fixture(autouse=True)
def _on_jax():
    """A page starts with JAX, and what it changes does not outlive it."""
    before = config.backend()
    config.set_backend("jax")
    yield
    config.set_backend(before)


def run(blocks, page, namespace):
    for line, code in blocks:
        exec(compile("\n" * line + code, page, "exec"), namespace)


@pytest.mark.parametrize("number", range(len(python_blocks("README.md"))))
def test_the_code_of_the_readme_runs(number, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run(numbered_blocks("README.md")[number : number + 1], "README.md", {})
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.slow] if page in SLOW else [])
        for page in pages()
        if page not in CHINESE
    ],
)
def test_the_blocks_of_a_page_are_one_program(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run(numbered_blocks(page), page, {"__name__": "page"})
    assert capsys.readouterr().out or list(tmp_path.iterdir())


def code(page):
    """Return the blocks without their comments, which are translated."""
    return [re.sub(r" *#.*", "", block) for block in python_blocks(page)]


def test_the_readmes_have_the_same_code():
    english, chinese = map(code, READMES)
    assert english == chinese


@pytest.mark.parametrize("page", CHINESE)
def test_a_chinese_page_has_the_code_of_the_english_one(page):
    text = (ROOT / page).read_text("utf-8")
    english = re.search(r"^\[English\]\(\.\./(.*?)\)", text, re.MULTILINE)[1]
    assert code(page) == code(f"docs/{english}")
