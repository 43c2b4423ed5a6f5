"""The engines' own updates: as the contract has them, and equal to the rules."""

import importlib
import inspect

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.backends.contract import optimize

UPDATES = [f for f in vars(optimize).values() if inspect.isfunction(f)]


@pytest.mark.parametrize("stub", UPDATES, ids=lambda stub: stub.__name__)
def test_signature_is_that_of_the_contract(stub, engine):
    found = getattr(engine, stub.__name__, None)
    if found is None:
        pytest.skip("the engine has no update of its own")
    parameters = [
        [(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()]
        for f in (stub, found)
    ]
    assert parameters[0] == parameters[1]


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("Adam", {}),
        ("Adam", {"amsgrad": True}),
        ("AdamW", {"weight_decay": 0.5}),
        ("RMSprop", {"centered": True, "momentum": 0.5}),
        ("SGD", {"momentum": 0.5, "nesterov": True}),
    ],
)
@pytest.mark.parametrize("kind", ["contiguous", "transposed", "mixed dtypes"])
def test_update_on_torch_is_the_rule(name, arguments, kind, monkeypatch):
    torch = importlib.import_module("torch")
    with backends.scope("torch") as engine:
        dtypes = ("float32", "float64" if kind == "mixed dtypes" else "float32")

        def run():
            generator = torch.Generator().manual_seed(0)
            variables = [keras.Variable(np.ones((3, 4)), dtype=d) for d in dtypes]
            optimizer = getattr(keras.optimizers, name)(0.125, **arguments)
            for _ in range(5):
                gradients = [torch.randn(4, 3, generator=generator).T for _ in dtypes]
                if kind == "contiguous":
                    gradients = [g.contiguous() for g in gradients]
                optimizer.apply(gradients, variables)
            return [v.numpy() for v in [*variables, *optimizer.variables]]

        found = run()
        for update in UPDATES:
            monkeypatch.delattr(engine, update.__name__, raising=False)
        for a, b in zip(found, run(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
