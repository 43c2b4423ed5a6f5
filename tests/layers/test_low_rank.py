"""LoRA: W + (alpha / rank) a b, of which only a and b are trained."""

import numpy as np
import pytest

import hornbeam as keras

MAKERS = {
    "dense": (lambda **k: keras.layers.Dense(3, **k), (4,)),
    "einsum": (lambda **k: keras.layers.EinsumDense("bc,cd->bd", 3, **k), (4,)),
    "conv": (lambda **k: keras.layers.Conv1D(3, 2, **k), (5, 2)),
    "embedding": (lambda **k: keras.layers.Embedding(6, 3, **k), (4,)),
}


def plain_and_adapted(name, alpha=3.0):
    """A layer, one with the same weights and LoRA whose b is not 0, and inputs."""
    make, shape = MAKERS[name]
    rng = np.random.default_rng(1)
    x = rng.integers(0, 6, (2, *shape)).astype("float32")
    plain, adapted = make(), make()
    plain.build((None, *shape))
    adapted.build((None, *shape))
    adapted.set_weights(plain.get_weights())
    adapted.enable_lora(2, lora_alpha=alpha)
    b = adapted.trainable_weights[-1]
    b.assign(rng.normal(size=b.shape))
    return plain, adapted, x


@pytest.mark.parametrize("name", MAKERS)
def test_the_layer_uses_the_sum(engine, name):
    plain, adapted, x = plain_and_adapted(name)
    a, b = (v.numpy().astype("float64") for v in adapted.trainable_weights[-2:])
    weight = plain.weights[0]
    weight.assign(weight.numpy() + 3.0 / 2 * np.tensordot(a, b, 1))
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(adapted(x)),
        keras.ops.convert_to_numpy(plain(x)),
        rtol=2e-5,
        atol=1e-6,
    )


def test_nothing_changes_before_training(engine):
    layer = keras.layers.Dense(3)
    x = np.ones((2, 4), "float32")
    before = keras.ops.convert_to_numpy(layer(x))
    layer.enable_lora(2)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(x)), before)


def test_training_leaves_the_frozen_weight(training_engine):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    layer = model.layers[0]
    x, y = np.ones((8, 4), "float32"), np.ones((8, 3), "float32")
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    layer.enable_lora(2)
    layer.trainable = True
    frozen = layer._kernel.numpy()
    b = layer.lora_kernel_b.numpy()
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(layer._kernel.numpy(), frozen)
    assert np.abs(layer.lora_kernel_b.numpy() - b).max() > 0


@pytest.mark.parametrize("name", MAKERS)
def test_files_hold_the_sum(tmp_path, name):
    plain, adapted, x = plain_and_adapted(name)
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input(x.shape[1:]), adapted]).save(path)
    expected = keras.ops.convert_to_numpy(adapted(x))
    loaded = keras.saving.load_model(path)
    assert loaded.layers[0].lora_rank == 2
    assert loaded.layers[0].lora_alpha == 3.0
    assert len(loaded.trainable_weights) == len(adapted.trainable_weights)
    found = keras.ops.convert_to_numpy(loaded(x))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    # What was loaded can be trained on: a b must not be a saddle point.
    assert np.abs(loaded.trainable_weights[-2].numpy()).max() > 0
    loaded.save_weights(tmp_path / "w.weights.h5")
    other = keras.Sequential([keras.Input(x.shape[1:]), plain])
    other.load_weights(tmp_path / "w.weights.h5")
    found = keras.ops.convert_to_numpy(other(x))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_the_regularizer_weighs_the_factors():
    layer = keras.layers.Dense(3, kernel_regularizer="l2", lora_rank=2)
    layer.build((None, 4))
    a, b = layer.lora_kernel_a.numpy(), layer.lora_kernel_b.numpy()
    total = sum(float(x) for x in layer.losses)
    assert total == pytest.approx(0.01 * ((a**2).sum() + (b**2).sum()), rel=1e-5)


def test_paths_are_those_of_the_other_weights():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="d")])
    layer = model.layers[0]
    folder = layer.kernel.path.rpartition("/")[0]
    layer.enable_lora(1)
    assert layer.lora_kernel_a.path == f"{folder}/lora_kernel_a"


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (lambda: keras.layers.Dense(3), {"rank": 2}, "'dense'.*`build\\(\\)` it"),
        (
            lambda: keras.layers.Dense(3, kernel_constraint="max_norm"),
            {"rank": 2},
            "'dense' has `kernel_constraint`",
        ),
        (lambda: built(keras.layers.Dense(3)), {"rank": 0}, "rank=0"),
        (
            lambda: built(keras.layers.Dense(3, lora_rank=1)),
            {"rank": 2},
            "already enabled on layer 'dense', with rank 1",
        ),
        (
            lambda: built(keras.layers.Dense(3)),
            {"rank": 2, "b_initializer": "zeroes"},
            "Did you mean 'zeros'",
        ),
    ],
)
def test_errors_change_nothing(make, arguments, message):
    layer = make()
    before = [v.path for v in layer.trainable_weights]
    with pytest.raises(ValueError, match=message):
        layer.enable_lora(**arguments)
    assert [v.path for v in layer.trainable_weights] == before


def built(layer):
    layer.build((None, 4))
    return layer
