"""The blocks of docs/debugging.md and docs/looking.md run."""

import pathlib
import re

import pytest

from hornbeam import backends

GUIDE = pathlib.Path(__file__).parents[2] / "docs" / "debugging.md"


@pytest.mark.skipif(not GUIDE.exists(), reason="the guide is not installed")
def test_blocks_of_looking(tmp_path, monkeypatch):
    text = GUIDE.with_name("looking.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    with backends.scope("torch"):
        exec("\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)), {})
    assert "Confusion" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.skipif(not GUIDE.exists(), reason="the guide is not installed")
def test_blocks(capsys):
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    with backends.scope("torch"):
        exec("\n".join(blocks), {})
    printed = capsys.readouterr().out
    assert "inputs-not-scaled" in printed and "all is well" in printed
    kinds = set(re.findall(r"`([a-z]+(?:-[a-z0-9]+)+)`", GUIDE.read_text("utf-8")))
    rules = pathlib.Path(backends.__file__).parents[1] / "diagnosis" / "rules"
    source = "".join(path.read_text("utf-8") for path in rules.glob("*.py"))
    unknown = {k for k in kinds if f'"{k}"' not in source and "-not-finite" not in k}
    assert unknown <= {"refused"}
