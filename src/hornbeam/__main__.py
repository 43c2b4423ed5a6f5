"""The command line: `python -m hornbeam inspect PATH`, `python -m hornbeam run ...`."""

import argparse
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m hornbeam")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser(
        "inspect", help="say what a file holds, without building or running anything"
    )
    command.add_argument("path")
    command.set_defaults(run=lambda given: _inspect(given.path))
    command = commands.add_parser(
        "run", help="run a program in which `import keras` means hornbeam"
    )
    command.add_argument(
        "--tensorflow", action="store_true", help="`tf.keras` means hornbeam, too"
    )
    command.add_argument("program")
    command.add_argument("arguments", nargs=argparse.REMAINDER)
    command.set_defaults(run=_run)
    given = parser.parse_args(arguments)
    return given.run(given)


def _inspect(path):
    from hornbeam.saving.inspection import inspect

    try:
        print(inspect(path))
    except (ValueError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _run(given):
    from hornbeam import as_keras

    as_keras.run([given.program, *given.arguments], given.tensorflow)
    return 0


if __name__ == "__main__":
    sys.exit(main())
