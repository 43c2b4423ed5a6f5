"""Everything that CI runs: format, lint, types, import rules, wheel, tests, doctests.

    python scripts/check.py [--quick | --all | --coverage]

The tests run against the built wheel: it is installed into a folder of its own, which
comes before the source tree. With `--all` the documentation is built, and the tests
marked slow run, which look at it. With `--quick` the
tests run in the source tree: the laws on NumPy alone, and what type checkers say. With
`--coverage` all tests run under the branch coverage, which takes half as long again.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = [sys.executable, "-m"]
PYTEST = [*PYTHON, "pytest", "-n", "2", "--dist", "loadgroup"]
CODE = ["src", "tests", "benchmarks", "examples", "scripts"]
ENVIRONMENT = {"JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1"}
QUICK = [
    *("tests/test_house.py", "tests/typing", "tests/ops", "tests/layers"),
    *("tests/losses", "tests/metrics", "tests/optimizers", "tests/initializers"),
    *("-k", "numpy and not to_numpy or typing and not run or house"),
]


def run(title, command, **environment):
    """Run a step; stop at the first that fails."""
    print(f"== {title}: {' '.join(map(str, command))}", flush=True)
    started = time.time()
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment})
    print(f"   {time.time() - started:.0f} s", flush=True)
    if done.returncode:
        sys.exit(done.returncode)


def check_source():
    """Run the steps that only read the code."""
    run("format", [*PYTHON, "ruff", "format", "--check", *CODE])
    run("lint", [*PYTHON, "ruff", "check", *CODE])
    run("types", [*PYTHON, "mypy"])
    run("import rules", ["lint-imports"])
    run("counts", [sys.executable, "scripts/count.py"])
    run("coverage page", [sys.executable, "scripts/coverage.py", "--check"])


def build_documentation():
    """Build the site as `make docs` does: warnings are errors."""
    sphinx = [*PYTHON, "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    run("documentation", [*sphinx, "docs", "build/docs"], **ENVIRONMENT)


def check_wheel(options):
    """Build the wheel and run the tests against it, with these options."""
    with tempfile.TemporaryDirectory() as folder:
        run("wheel", [*PYTHON, "build", "--wheel", "--outdir", folder])
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        site = pathlib.Path(folder) / "site"
        install = [*PYTHON, "pip", "install", "--quiet", "--no-deps", "--target"]
        run("install", [*install, str(site), str(wheel)])
        tests = [*PYTEST, *options, "--wheel", str(site), "tests"]
        run("tests", tests, PYTHONPATH=str(site), **ENVIRONMENT)
    if not all(map(shutil.which, ("chromium", "chromedriver"))):
        print(
            "   left out: tests of pages in a browser "
            "(`apt-get install chromium chromium-driver` brings one)"
        )


def main():
    """Run all steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--quick", action="store_true", help="the laws on NumPy alone")
    group.add_argument("--all", action="store_true", help="slow tests too")
    group.add_argument(
        "--coverage", action="store_true", help="and which code they ran"
    )
    options = parser.parse_args()
    check_source()
    if options.quick:
        run("tests on NumPy", [*PYTEST, *QUICK], PYTHONPATH="src", **ENVIRONMENT)
        return
    if options.coverage:
        check_wheel(["--cov", "--cov-report=term"])
        return
    if options.all:
        build_documentation()
    check_wheel([] if options.all else ["-m", "not slow"])


if __name__ == "__main__":
    main()
