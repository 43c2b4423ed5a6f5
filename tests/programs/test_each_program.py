"""The programs of this folder with hornbeam, on each engine that trains."""

import catalogue
import pytest

import hornbeam as keras
from hornbeam import backends


def is_slow(program, engine):
    """Whether it is left out of `make test`: on the other engines all are."""
    return engine != "jax" or program.is_slow(engine)


CASES = [
    pytest.param(
        program,
        engine,
        id=f"{program.name}-{engine}",
        marks=[pytest.mark.slow] if is_slow(program, engine) else [],
    )
    for program in catalogue.load().values()
    for engine in program.engines
]


# Programs pass their classes in `custom_objects`, as the warning says.
@pytest.mark.filterwarnings("ignore:What is being saved names classes")
@pytest.mark.parametrize(("program", "engine"), CASES)
def test_a_program_learns(program, engine):
    pytest.importorskip(engine)
    with backends.scope(engine):
        program(keras)
