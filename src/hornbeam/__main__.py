"""The command line: `python -m hornbeam inspect PATH`."""

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
    path = parser.parse_args(arguments).path
    from hornbeam.saving.inspection import inspect

    try:
        print(inspect(path))
    except (ValueError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
