"""Everything that CI runs: format, lint, types, import rules, wheel, tests, doctests.

    python scripts/check.py [--all]

The tests run against the built wheel: it is installed into a folder of its own, which
comes before the source tree. Those marked slow run with `--all`.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = [sys.executable, "-m"]
CODE = ["src", "tests", "benchmarks", "examples", "scripts"]


def run(title, command, **environment):
    """Run a step; stop at the first that fails."""
    print(f"== {title}: {' '.join(map(str, command))}", flush=True)
    started = time.time()
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment})
    print(f"   {time.time() - started:.0f} s", flush=True)
    if done.returncode:
        sys.exit(done.returncode)


def main():
    """Run all steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="slow tests too")
    marks = [] if parser.parse_args().all else ["-m", "not slow"]
    run("format", [*PYTHON, "ruff", "format", "--check", *CODE])
    run("lint", [*PYTHON, "ruff", "check", *CODE])
    run("types", [*PYTHON, "mypy"])
    run("import rules", ["lint-imports"])
    run("counts", [sys.executable, "scripts/count.py"])
    run("coverage page", [sys.executable, "scripts/coverage.py", "--check"])
    with tempfile.TemporaryDirectory() as folder:
        run("wheel", [*PYTHON, "build", "--wheel", "--outdir", folder])
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        site = pathlib.Path(folder) / "site"
        install = [*PYTHON, "pip", "install", "--quiet", "--no-deps", "--target"]
        run("install", [*install, str(site), str(wheel)])
        pytest = [*PYTHON, "pytest", "-n", "2", "--dist", "loadgroup"]
        run(
            "tests",
            [*pytest, *marks, "--wheel", str(site), "tests"],
            PYTHONPATH=str(site),
            JAX_PLATFORMS="cpu",
            OMP_NUM_THREADS="1",
        )


if __name__ == "__main__":
    main()
