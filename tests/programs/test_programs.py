"""The programs of this folder with hornbeam, on each engine that trains."""

import catalogue
import pytest

import hornbeam as keras
from hornbeam import backends

# A model with `train_step` and no `call` cannot be built yet.
WAITING = {
    "vae_written_once", "gan_written_once", "conditional_dcgan", "vae-tensorflow",
    "gan-tensorflow", "wgan_gradient_penalty-tensorflow",
}  # fmt: skip


def marks(program, engine):
    listed = {program.name, f"{program.name}-{engine}"} & WAITING
    waiting = [pytest.mark.xfail(reason="no `call`", strict=False)] if listed else []
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
