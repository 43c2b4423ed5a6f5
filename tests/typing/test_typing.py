"""What editors and type checkers say of the library, as it is installed.

`right_*.py` are programs as users write them: they run, and no checker has an error to
report. In `wrong_*.py` each wrong line names basedpyright's rule for it (`# error:
reportCallIssue`), and no other line has an error. The examples and the Python blocks of
the two READMEs are right programs too.

The mode is basedpyright's "standard", the most that users of Pylance see by default.
"""

import importlib.util
import json
import os
import pathlib
import re
import runpy
import subprocess
import sys

import pytest

import hornbeam
from tests.markdown import READMES, python_blocks

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
SITE = pathlib.Path(hornbeam.__file__).parent.parent

# The public names (those without an underscore, in modules without one) whose types
# are known, in percent. It only rises.
TYPE_COMPLETENESS = 98.0

# Other libraries are Any to mypy: reading all of torch and JAX takes minutes.
MYPY_SETTINGS = """
[mypy]
check_untyped_defs = true
ignore_missing_imports = true
follow_imports = silent

[mypy-jax.*,torch.*,tensorflow.*,sklearn.*,pandas.*,scipy.*,matplotlib.*,h5py.*]
follow_imports = skip
"""

pytestmark = [
    pytest.mark.xdist_group("type checkers"),
    pytest.mark.skipif(
        importlib.util.find_spec("basedpyright") is None, reason="needs basedpyright"
    ),
]


def right_programs():
    """Return the code of every right program by file name."""
    files = [*HERE.glob("right_*.py"), *(ROOT / "examples").glob("*.py")]
    programs = {path.name: path.read_text("utf-8") for path in files}
    for readme in READMES:
        for number, code in enumerate(python_blocks(readme), 1):
            programs[f"{readme.replace('.', '_').replace('-', '_')}_{number}.py"] = code
    return programs


def wrong_programs():
    return {path.name: path.read_text("utf-8") for path in HERE.glob("wrong_*.py")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project of the programs, in which hornbeam is the one that is tested."""
    folder = tmp_path_factory.mktemp("programs")
    for name, code in {**right_programs(), **wrong_programs()}.items():
        (folder / name).write_text(code, "utf-8")
    # The one import that is not installed for tests: examples/pima.py reads R's files.
    (folder / "rdata.pyi").write_text("def read_rda(path): ...\n")
    settings = {"typeCheckingMode": "standard", "extraPaths": [str(SITE)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    return folder


def basedpyright(*arguments):
    command = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, "--outputjson", *arguments], capture_output=True, text=True
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def errors(folder):
    """The errors that basedpyright reports: (line, rule, message) by file name."""
    report = basedpyright("--project", str(folder))
    assert report["summary"]["filesAnalyzed"] == len(list(folder.glob("*.py*")))
    errors = {}
    for error in report["generalDiagnostics"]:
        if error["severity"] == "error":
            entry = (
                error["range"]["start"]["line"] + 1,
                error.get("rule"),
                error["message"],
            )
            errors.setdefault(pathlib.Path(error["file"]).name, []).append(entry)
    return errors


@pytest.mark.parametrize("name", right_programs())
def test_basedpyright_accepts_right_programs(name, errors):
    assert errors.get(name, []) == []


@pytest.mark.parametrize("name", wrong_programs())
def test_basedpyright_reports_what_is_wrong(name, errors):
    expected = {
        (number, rule)
        for number, line in enumerate(wrong_programs()[name].splitlines(), 1)
        for rule in re.findall(r"# error: (\w+)$", line)
    }
    assert expected
    assert {(line, rule) for line, rule, _ in errors.get(name, [])} == expected


def test_mypy_accepts_right_programs(folder):
    (folder / "mypy.ini").write_text(MYPY_SETTINGS, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *right_programs()],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(SITE)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# They pass their classes in `custom_objects`, as the warning says.
@pytest.mark.filterwarnings("ignore:What is being saved names classes")
@pytest.mark.parametrize("name", [path.name for path in HERE.glob("right_*.py")])
def test_right_programs_run(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(HERE / name), run_name="__main__")
    assert capsys.readouterr().out


def test_public_types_are_known(folder):
    report = basedpyright("--verifytypes", "hornbeam", "--ignoreexternal")
    completeness = report["typeCompleteness"]
    assert completeness["packageRootDirectory"] == str(SITE / "hornbeam")
    assert 100 * completeness["completenessScore"] >= TYPE_COMPLETENESS
