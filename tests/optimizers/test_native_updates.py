"""The engines' own updates are equal to the rules."""

import importlib

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.backends import contract

UPDATES = [name for name in contract.OPTIONAL if name.endswith("_update")]


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
            monkeypatch.setattr(engine, update, None)
        for a, b in zip(found, run(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
