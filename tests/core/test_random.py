"""Seeds, keys, and that the engines give the bits of the hash."""

import random
from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
import pytest
import torch

import hornbeam as keras
from hornbeam import backends
from hornbeam.core import random_hash
from hornbeam.core.random import (
    SeedGenerator,
    draw_seed,
    global_seed_generator,
    host_key,
    make_default_seed,
    order_seed,
    reset_global_seed_generator,
    seed_scope,
)
from hornbeam.core.scopes import StatelessScope
from tests.conftest import ENGINES

KEYS = [(0, 0), (1, 2), (2**32 - 1, 2**31), (123456789, 7)]
SHAPES = [(), (0,), (5,), (3, 4, 5)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("key", KEYS, ids=str)
def test_engine_gives_the_bits_of_the_hash(engine, key, shape):
    tensor = engine.convert(np.array(key, np.uint32), "uint32")
    bits = engine.to_numpy(engine.random_bits(tensor, shape))
    np.testing.assert_array_equal(bits, random_hash.numpy_bits(key, shape))
    uniform = engine.random_uniform(tensor, shape)
    assert engine.dtype_of(uniform) == "float32"
    expected = (random_hash.numpy_bits(key, shape) >> 8) / 2.0**24
    np.testing.assert_array_equal(engine.to_numpy(uniform), expected)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_traced_and_mapped_keys_give_the_same_bits(shape):
    keys = np.array(KEYS, np.uint32)
    expected = [random_hash.numpy_bits(key, shape) for key in KEYS]
    uniform = [random_hash.numpy_uniform(key, shape) for key in KEYS]
    on_jax, on_torch = backends.get("jax"), backends.get("torch")
    mapped = jax.jit(jax.vmap(lambda key: on_jax.random_bits(key, shape)))(keys)
    np.testing.assert_array_equal(mapped, expected)
    mapped = jax.jit(jax.vmap(lambda key: on_jax.random_uniform(key, shape)))(keys)
    np.testing.assert_array_equal(mapped, uniform)
    keys = torch.tensor(keys.astype(np.int64))
    mapped = torch.vmap(lambda key: on_torch.random_bits(key, shape))(keys)
    np.testing.assert_array_equal(mapped.numpy(), expected)
    mapped = torch.vmap(lambda key: on_torch.random_uniform(key, shape))(keys)
    np.testing.assert_array_equal(mapped.numpy(), uniform)


def test_big_draws_on_the_device_are_the_same():
    on_jax = backends.get("jax")
    shape = (on_jax.random._HOST_SIZE + 1,)
    bits = on_jax.random_bits(np.array([3, 4], np.uint32), shape)
    np.testing.assert_array_equal(bits, random_hash.numpy_bits((3, 4), shape))


def _key(x):
    return tuple(backends.current().to_numpy(x).tolist())


def test_generator_counts(engine):
    generator = SeedGenerator(5)
    assert [_key(generator.next()) for _ in range(3)] == [(5, 0), (5, 1), (5, 2)]
    assert _key(generator.state.value) == (5, 3)
    assert generator.state.dtype == "uint32" and not generator.state.trainable


def test_generator_counts_through_a_scope(engine):
    generator = SeedGenerator(5)
    value = engine.convert(np.array([8, 1], np.uint32), "uint32")
    with StatelessScope([(generator.state, value)]) as scope:
        assert _key(generator.next()) == (8, 1)
        assert _key(generator.next()) == (8, 2)
    assert _key(scope.get_current_value(generator.state)) == (8, 3)
    assert _key(generator.next()) == (5, 0)


def test_generator_config():
    generator = SeedGenerator(7, name="mine")
    assert generator.get_config() == {"seed": 7, "name": "mine"}
    generator.next()
    again = SeedGenerator.from_config(generator.get_config())
    assert _key(again.next()) == (7, 0)
    assert SeedGenerator().get_config()["seed"] is None


@pytest.mark.parametrize("seed", ["a", 1.5, [1, 2]], ids=str)
def test_generator_refuses_other_seeds(seed):
    with pytest.raises(ValueError, match="`seed` must be an integer"):
        SeedGenerator(seed)


def test_generator_refuses_other_arguments():
    with pytest.raises(ValueError, match="Unrecognized keyword arguments.*sede"):
        SeedGenerator(sede=1)


@pytest.mark.parametrize(
    ("seed", "key"),
    [
        (0, (0, 0)),
        (2**31, (2**31, 0)),
        (2**32 - 1, (2**32 - 1, 0)),
        (-1, (2**32 - 1, 0)),
    ],
)
def test_integers_as_seeds(engine, seed, key):
    assert _key(draw_seed(seed)) == key == host_key(seed)
    assert engine.is_tensor(draw_seed(seed))


def test_keys_as_seeds(engine):
    key = engine.convert(np.array([3, 4], np.uint32), "uint32")
    assert _key(draw_seed(key)) == (3, 4) == host_key(key)
    assert _key(draw_seed(np.array([3, 4]))) == (3, 4)


@pytest.mark.parametrize("seed", ["a", 1.5, np.zeros(3, np.uint32)], ids=str)
def test_draw_refuses_other_seeds(seed):
    with pytest.raises(ValueError, match="must be either an integer"):
        draw_seed(seed)


def test_global_generator(engine):
    assert global_seed_generator() is global_seed_generator()
    first, second = _key(draw_seed(None)), _key(draw_seed(None))
    assert first[0] == second[0] and second[1] == first[1] + 1


def test_global_generator_is_the_same_on_every_engine():
    reset_global_seed_generator()
    keys = set()
    for name in ENGINES:
        with backends.scope(name):
            keys.add(_key(draw_seed(None)))
    assert len(keys) == 1


def test_default_seeds_come_from_python():
    random.seed(1)
    seeds = [make_default_seed() for _ in range(3)]
    random.seed(1)
    assert seeds == [make_default_seed() for _ in range(3)]
    assert len(set(seeds)) == 3


def test_set_random_seed_repeats_unseeded_draws(engine):
    def draws():
        keras.utils.set_random_seed(3)
        return _key(draw_seed(None)), _key(SeedGenerator().next())

    assert draws() == draws()


@pytest.mark.parametrize("make", [global_seed_generator, lambda: SeedGenerator(1)])
def test_a_live_generator_is_refused_inside_a_program(make):
    generator = make()
    with pytest.raises(ValueError, match="you should only use seeded random ops"):
        jax.jit(generator.next)()
    assert isinstance(generator.state.numpy(), np.ndarray)


def drawn_in_scope(seed):
    with seed_scope(seed):
        weights = keras.initializers.GlorotUniform()((3, 2))
        return [
            keras.ops.convert_to_numpy(weights),
            keras.ops.convert_to_numpy(keras.random.normal((4,))),
            order_seed(),
        ]


def test_a_seed_scope_alone_decides_what_is_drawn(engine):
    first = drawn_in_scope(7)
    keras.random.normal((2,))
    np.random.rand()
    before = keras.ops.convert_to_numpy(keras.random.normal((2,)))
    with ThreadPoolExecutor(1) as threads:
        again = threads.submit(in_engine, engine.name, drawn_in_scope, 7).result()
    other = drawn_in_scope(8)
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.all(np.asarray(a) != np.asarray(c))
    assert np.all(before != keras.ops.convert_to_numpy(keras.random.normal((2,))))


def in_engine(name, fn, *args):
    with backends.scope(name):
        return fn(*args)
