"""The programs of this folder with hornbeam, on each engine that trains."""

import catalogue
import pytest

import hornbeam as keras
from hornbeam import backends

# What an engine cannot do yet.
WAITING = {
    "vae-tensorflow": "a step with convolutions gives no logs",
    "vae_written_once-tensorflow": "a step with convolutions gives no logs",
    "conditional_dcgan-tensorflow": "a step with convolutions gives no logs",
    "conditional_dcgan-torch": "a gradient of a convolution is not contiguous",
}


def marks(program, engine):
    reason = WAITING.get(f"{program.name}-{engine}")
    waiting = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
    return waiting + ([pytest.mark.slow] if program.is_slow(engine) else [])


CASES = [
    pytest.param(
        program,
        engine,
        id=f"{program.name}-{engine}",
        marks=marks(program, engine),
    )
    for program in catalogue.load().values()
    for engine in program.engines
]


@pytest.mark.parametrize(("program", "engine"), CASES)
def test_a_program_learns(program, engine):
    pytest.importorskip(engine)
    with backends.scope(engine):
        program(keras)
