"""The programs of this folder, and on which engines and libraries each runs.

A program is a function of the library's module, `program(keras)`: it builds, trains and
uses a network as people do, on small data, and asserts what has come of it. The same
function runs on hornbeam, on each engine, and unchanged on Keras (see
`benchmarks/programs.py`); `keras.backend.backend()` tells it the engine where Keras has
a form for each.

Classes of a program are made once for each library by a cached function, as a class at
the top of a module would be.
"""

import dataclasses
import functools
import importlib
import pathlib

ENGINES = ("jax", "torch", "tensorflow")
PROGRAMS = {}
# A class of a library's: `@classes def sampling(keras): class Sampling(...) ...`.
classes = functools.cache


@dataclasses.dataclass(frozen=True)
class Program:
    """A program and where it runs.

    Attributes:
        run: the function.
        engines: the engines on which it runs.
        slow: whether it is left to `make test-all`; a tuple: on which engines it is.
        beside: of a program that only hornbeam runs, written once for all engines
            with `keras.value_and_grad`: the one that Keras runs instead, or "".
    """

    run: object
    engines: tuple
    slow: bool | tuple
    beside: str | None

    @property
    def name(self):
        return self.run.__name__

    def is_slow(self, engine):
        return self.slow if isinstance(self.slow, bool) else engine in self.slow

    def __call__(self, keras):
        keras.utils.set_random_seed(1)
        self.run(keras)


def program(function=None, *, engines=ENGINES, slow=False, beside=None):
    """List a function as a program; a decorator with or without arguments."""
    if function is None:
        return functools.partial(program, engines=engines, slow=slow, beside=beside)
    listed = Program(function, tuple(engines), slow, beside)
    assert listed.name not in PROGRAMS, listed.name
    PROGRAMS[listed.name] = listed
    return function


def load():
    """Import the files of programs; return the programs by name."""
    for file in sorted(pathlib.Path(__file__).parent.glob("*_programs.py")):
        if not file.stem.startswith("test_"):
            importlib.import_module(file.stem)
    return PROGRAMS
