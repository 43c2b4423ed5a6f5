"""An axis that is not there: every op says so in the same words, on every engine."""

import inspect
from operator import attrgetter

import numpy as np
import pytest

from hornbeam import ops
from hornbeam.core import tree
from hornbeam.core.lazy import names_of
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import axes, declare
from tests.ops.rows import X
from tests.ops.table import TABLE


def _signature(name):
    op = attrgetter(name)(ops)
    return inspect.signature(getattr(op, "body", op))


def _axis_arguments(name):
    return [p for p in _signature(name).parameters if p in axes.ARGUMENTS]


CASES = [(r, a) for r in TABLE for a in _axis_arguments(r.op)]
IDS = [f"{i}-{r.op}-{a}" for i, (r, a) in enumerate(CASES)]
FAR = (10, -11)


def _calls(case, far):
    """The row's call with the axis `far` away, alone or among others."""
    row, argument = case
    bound = _signature(row.op).bind(*row.args, **row.kwargs)
    bound.apply_defaults()
    listed = row.op == "tensordot" or isinstance(bound.arguments[argument], list)
    several = "an axis or several" in (getattr(ops, row.op).__doc__ or "")
    if row.op == "tensordot":
        places = [[[far], [0]], [[0], [far]]]
    elif argument == "axes":
        places = [(0, far)]
    else:
        places = [[far]] if listed else [far, (0, far)] if several else [far]
    for place in places:
        bound.arguments[argument] = place
        yield list(bound.args), dict(bound.kwargs)


def _refuse(case, far, prepared):
    name = case[0].op
    for args, kwargs in _calls(case, far):
        args, kwargs = tree.map_structure(
            lambda x: prepared(x) if isinstance(x, np.ndarray) else x, [args, kwargs]
        )
        with pytest.raises(ValueError) as raised:
            getattr(ops, name)(*args, **kwargs)
        assert str(raised.value).startswith(f"{name}(): axis {far} is out of bounds")


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_an_axis_that_is_not_there_is_refused(engine, case):
    for far in FAR:
        _refuse(case, far, engine.convert)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_symbols_refuse_it_too(case):
    for far in FAR:
        _refuse(case, far, lambda x: KerasTensor(x.shape, x.dtype.name))


def test_every_op_with_an_axis_has_a_case():
    public = {name for name in names_of("hornbeam.ops") if name in declare.registry}
    with_axis = {name for name in public if _axis_arguments(name)}
    assert len(with_axis) > 70
    assert not with_axis - {r.op for r, _ in CASES}


@pytest.mark.parametrize(
    "call",
    [
        lambda x: ops.sum(x, (0, -2)),
        lambda x: ops.squeeze(x, (0, 0)),
        lambda x: ops.flip(x, [1, -1]),
        lambda x: ops.moveaxis(x, (0, 0), (0, 1)),
        lambda x: ops.softmax(x, (0, 0)),
        lambda x: ops.transpose(x, (0, 0)),
        lambda x: ops.quantile(x, 0.5, (1, 1)),
    ],
)
def test_an_axis_twice_is_refused(engine, call):
    for x in (engine.convert(X), KerasTensor(X.shape)):
        with pytest.raises(ValueError, match="names an axis twice"):
            call(x)


def test_an_axis_is_an_integer(engine):
    for x in (engine.convert(X), KerasTensor(X.shape)):
        with pytest.raises(
            ValueError, match=r"sum\(\): argument `axis` must be an int"
        ):
            ops.sum(x, "rows")
        assert tuple(ops.sum(x, np.int64(1)).shape) == (3,)
