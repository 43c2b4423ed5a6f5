"""One seed for everything."""

import random

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends

torch = pytest.importorskip("torch")


def draws():
    return [
        random.random(),
        np.random.random(),
        float(torch.rand(())),
        *keras.ops.convert_to_numpy(keras.random.normal((3,))).tolist(),
    ]


@pytest.mark.parametrize("name", backends.NAMES)
def test_the_same_seed_gives_the_same_draws(name):
    with backends.scope(name):
        keras.utils.set_random_seed(3)
        first = draws()
        again = draws()
        keras.utils.set_random_seed(np.int64(3))
        assert draws() == first
        keras.utils.set_random_seed(4)
        other = draws()
    assert all(a != b for a, b in zip(first, again, strict=True))
    assert all(a != b for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, "1", None])
def test_other_seeds_are_refused(seed):
    with pytest.raises(ValueError, match="`seed`"):
        keras.utils.set_random_seed(seed)
